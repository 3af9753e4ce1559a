// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/RealForm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;

void RealForm::multiply(double number) {
  for (Term &term : terms)
    term.weight *= number;
  offset *= number;
  for (std::optional<double> *bound : {&low, &high})
    if (*bound)
      **bound *= number;
  if (number < 0)
    std::swap(low, high);
}

void RealForm::add(double number) {
  offset += number;
  for (std::optional<double> *bound : {&low, &high})
    if (*bound)
      **bound += number;
}

void RealForm::raise(double number) {
  low = low ? std::max(*low, number) : number;
  if (high && *high < number)
    high = number;
}

void RealForm::lower(double number) {
  high = high ? std::min(*high, number) : number;
  if (low && *low > number)
    low = number;
}

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
  std::optional<RealForm> readSum(Value a, Value b, double sign);
  std::optional<RealForm> readProduct(Value a, Value b);
  std::optional<RealForm> readQuotient(Value a, Value b);

  linalg::GenericOp op;
  std::string &why;
};
} // namespace

static std::optional<double> getNumber(Value value) {
  FloatAttr number;
  if (matchPattern(value, m_Constant(&number)) && number.getValue().isFinite())
    return number.getValueAsDouble();
  return std::nullopt;
}

/// A bound that bounds nothing.
static bool isInfinite(Value bound, bool isLow) {
  FloatAttr number;
  return matchPattern(bound, m_Constant(&number)) && number.getValue().isInfinity() &&
         number.getValue().isNegative() == isLow;
}

std::optional<RealForm> Reader::readClamp(Value value, Value bound, bool isLow) {
  if (isInfinite(bound, isLow))
    return read(value);
  if (!getNumber(bound))
    std::swap(value, bound);
  std::optional<double> number = getNumber(bound);
  if (!number)
    return fail("it takes the larger or smaller of two values, none of which is a number");
  std::optional<RealForm> form = read(value);
  if (!form)
    return form;
  if (isLow)
    form->raise(*number);
  else
    form->lower(*number);
  return form;
}

/// a + sign * b
std::optional<RealForm> Reader::readSum(Value a, Value b, double sign) {
  std::optional<RealForm> left = read(a), right = left ? read(b) : std::nullopt;
  if (!right)
    return std::nullopt;
  right->multiply(sign);
  if (left->terms.empty())
    std::swap(left, right);
  if (right->terms.empty()) {
    left->add(right->offset);
    return left;
  }
  if (left->isClamped() || right->isClamped())
    return fail("it adds to something that was clamped");
  llvm::append_range(left->terms, right->terms);
  left->offset += right->offset;
  return left;
}

/// One tensor times a number.
static bool isFactor(const RealForm &form) {
  return form.terms.size() == 1 && form.terms[0].getOnly() && form.offset == 0 && !form.isClamped();
}

std::optional<RealForm> Reader::readProduct(Value a, Value b) {
  std::optional<RealForm> left = read(a), right = left ? read(b) : std::nullopt;
  if (!right)
    return std::nullopt;
  if (left->terms.empty())
    std::swap(left, right);
  if (right->terms.empty() && right->offset != 0) {
    left->multiply(right->offset);
    return left;
  }
  if (!isFactor(*left) || !isFactor(*right))
    return fail("it multiplies more than two tensors");
  left->terms[0].factors.push_back(right->terms[0].factors[0]);
  left->terms[0].weight *= right->terms[0].weight;
  return left;
}

std::optional<RealForm> Reader::readQuotient(Value a, Value b) {
  std::optional<RealForm> left = read(a), right = left ? read(b) : std::nullopt;
  if (!right)
    return std::nullopt;
  if (right->terms.empty() && right->offset != 0) {
    left->multiply(1 / right->offset);
    return left;
  }
  bool isProduct =
      right->terms.size() == 1 && right->terms[0].divisors.empty() && right->offset == 0 && !right->isClamped();
  if (!isProduct || left->terms.empty() || left->isClamped() || left->offset != 0)
    return fail("it divides by something that is no product of tensors");
  for (Term &term : left->terms) {
    llvm::append_range(term.divisors, right->terms[0].factors);
    term.weight /= right->terms[0].weight;
  }
  return left;
}

std::optional<RealForm> Reader::read(Value scalar) {
  RealForm form;
  if (std::optional<double> number = getNumber(scalar)) {
    form.offset = *number;
    return form;
  }
  if (auto argument = dyn_cast<BlockArgument>(scalar); argument && argument.getOwner() == op.getBody()) {
    OpOperand &operand = op->getOpOperand(argument.getArgNumber());
    if (op.isDpsInit(&operand))
      return fail("it reads its destination");
    form.terms.push_back({{{operand.get(), op.getMatchingIndexingMap(&operand)}}, {}});
    return form;
  }
  Operation *def = scalar.getDefiningOp();
  auto operand = [&](unsigned i) { return def->getOperand(i); };
  if (isa_and_nonnull<arith::MaximumFOp, arith::MaxNumFOp>(def))
    return readClamp(operand(0), operand(1), /*isLow=*/true);
  if (isa_and_nonnull<arith::MinimumFOp, arith::MinNumFOp>(def))
    return readClamp(operand(0), operand(1), /*isLow=*/false);
  if (isa_and_nonnull<arith::AddFOp>(def))
    return readSum(operand(0), operand(1), 1);
  if (isa_and_nonnull<arith::SubFOp>(def))
    return readSum(operand(0), operand(1), -1);
  if (isa_and_nonnull<arith::MulFOp>(def))
    return readProduct(operand(0), operand(1));
  if (isa_and_nonnull<arith::DivFOp>(def))
    return readQuotient(operand(0), operand(1));
  return fail(def ? "it is computed by " + def->getName().getStringRef() : Twine("it is computed elsewhere"));
}

/// `outer`, one term of which is `inner` times a number.
static RealForm substitute(RealForm outer, size_t term, RealForm inner) {
  inner.multiply(outer.terms[term].weight);
  inner.add(outer.offset);
  outer.terms.erase(outer.terms.begin() + term);
  llvm::append_range(inner.terms, outer.terms);
  if (outer.low)
    inner.raise(*outer.low);
  if (outer.high)
    inner.lower(*outer.high);
  return inner;
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
    for (auto [i, term] : llvm::enumerate(form->terms)) {
      const Factor *only = term.getOnly();
      auto producer = only ? only->tensor.getDefiningOp<linalg::GenericOp>() : linalg::GenericOp();
      bool chained =
          producer && only->map.isIdentity() && producer.getNumReductionLoops() == 0 && only->tensor.hasOneUse();
      std::optional<RealForm> inner = chained ? readRealForm(only->tensor, why) : std::nullopt;
      if (inner && (!inner->isClamped() || form->terms.size() == 1))
        return substitute(*form, i, *inner);
    }
    return form;
  }
  RealForm form;
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  form.terms.push_back({{{value, AffineMap::getMultiDimIdentityMap(rank, value.getContext())}}, {}});
  return form;
}
