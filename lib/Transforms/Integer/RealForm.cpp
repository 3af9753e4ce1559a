// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/RealForm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;

namespace {
/// Reads the payload of an elementwise op from its result backwards.
class Reader {
public:
  Reader(linalg::GenericOp op, std::string &why) : op(op), why(why) {}

  std::optional<RealForm> read(Value scalar);

private:
  std::optional<RealForm> fail(const Twine &what) {
    why = what.str();
    return std::nullopt;
  }
  std::optional<RealForm> readClamp(Value value, Value bound, bool isLow);
  std::optional<RealForm> readSum(Value a, Value b);
  std::optional<RealForm> readProduct(Value a, Value b);

  linalg::GenericOp op;
  std::string &why;
};
} // namespace

static std::optional<double> getNumber(Value value) {
  FloatAttr number;
  if (matchPattern(value, m_Constant(&number)))
    return number.getValueAsDouble();
  return std::nullopt;
}

std::optional<RealForm> Reader::readClamp(Value value, Value bound, bool isLow) {
  if (!getNumber(bound))
    std::swap(value, bound);
  std::optional<double> number = getNumber(bound);
  if (!number)
    return fail("it takes the larger or smaller of two values, none of which is a number");
  std::optional<RealForm> form = read(value);
  if (!form)
    return form;
  // max(min(x, h), l): the outer bound wins where they cross.
  if (isLow) {
    form->low = form->low ? std::max(*form->low, *number) : *number;
    if (form->high && *form->high < *number)
      form->high = *number;
  } else {
    form->high = form->high ? std::min(*form->high, *number) : *number;
    if (form->low && *form->low > *number)
      form->low = *number;
  }
  return form;
}

std::optional<RealForm> Reader::readSum(Value a, Value b) {
  std::optional<RealForm> left = read(a), right = left ? read(b) : std::nullopt;
  if (!right)
    return std::nullopt;
  if (left->low || left->high || right->low || right->high)
    return fail("it adds to something that was clamped");
  llvm::append_range(left->terms, right->terms);
  return left;
}

std::optional<RealForm> Reader::readProduct(Value a, Value b) {
  std::optional<RealForm> left = read(a), right = left ? read(b) : std::nullopt;
  if (!right)
    return std::nullopt;
  auto isFactor = [](const RealForm &form) {
    return form.terms.size() == 1 && form.terms[0].size() == 1 && !form.low && !form.high;
  };
  if (!isFactor(*left) || !isFactor(*right))
    return fail("it multiplies more than two tensors");
  left->terms[0].push_back(right->terms[0][0]);
  return left;
}

std::optional<RealForm> Reader::read(Value scalar) {
  if (auto argument = dyn_cast<BlockArgument>(scalar); argument && argument.getOwner() == op.getBody()) {
    OpOperand &operand = op->getOpOperand(argument.getArgNumber());
    if (op.isDpsInit(&operand))
      return fail("it reads its destination");
    RealForm form;
    form.terms.push_back({{operand.get(), op.getMatchingIndexingMap(&operand)}});
    return form;
  }
  Operation *def = scalar.getDefiningOp();
  if (isa_and_nonnull<arith::MaximumFOp, arith::MaxNumFOp>(def))
    return readClamp(def->getOperand(0), def->getOperand(1), /*isLow=*/true);
  if (isa_and_nonnull<arith::MinimumFOp, arith::MinNumFOp>(def))
    return readClamp(def->getOperand(0), def->getOperand(1), /*isLow=*/false);
  if (isa_and_nonnull<arith::AddFOp>(def))
    return readSum(def->getOperand(0), def->getOperand(1));
  if (isa_and_nonnull<arith::MulFOp>(def))
    return readProduct(def->getOperand(0), def->getOperand(1));
  return fail(def ? "it is computed by " + def->getName().getStringRef() : Twine("it is computed elsewhere"));
}

std::optional<RealForm> integer::readRealForm(Value value, std::string &why) {
  auto generic = value.getDefiningOp<linalg::GenericOp>();
  bool elementwise = generic && generic.getNumReductionLoops() == 0 && generic.getNumDpsInits() == 1 &&
                     generic.getIndexingMapsArray().back().isIdentity();
  if (elementwise) {
    Reader reader(generic, why);
    std::optional<RealForm> form = reader.read(generic.getBody()->getTerminator()->getOperand(0));
    if (!form)
      return form;
    // A chain of elementwise ops is one: the first term may be computed by another.
    for (auto &term : form->terms) {
      auto producer = term[0].tensor.getDefiningOp<linalg::GenericOp>();
      bool chained = term.size() == 1 && term[0].map.isIdentity() && producer && producer.getNumReductionLoops() == 0 &&
                     term[0].tensor.hasOneUse();
      std::optional<RealForm> inner = chained ? readRealForm(term[0].tensor, why) : std::nullopt;
      if (!inner || ((inner->low || inner->high) && form->terms.size() > 1))
        continue;
      SmallVector<SmallVector<Factor, 2>, 2> rest;
      for (auto &other : form->terms)
        if (&other != &term)
          rest.push_back(other);
      llvm::append_range(inner->terms, rest);
      if (form->low && (!inner->low || *form->low > *inner->low))
        inner->low = form->low;
      // Where bounds cross, the outer one is what remains.
      if (form->low && inner->high && *inner->high < *form->low)
        inner->high = form->low;
      if (form->high && (!inner->high || *form->high < *inner->high))
        inner->high = form->high;
      if (form->high && inner->low && *inner->low > *form->high)
        inner->low = form->high;
      return inner;
    }
    return form;
  }
  RealForm form;
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  form.terms.push_back({{value, AffineMap::getMultiDimIdentityMap(rank, value.getContext())}});
  return form;
}
