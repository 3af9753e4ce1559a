// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/AddByRule.h"
#include "lib/Reference/IntegerRules.h"
#include "lib/Transforms/Integer/Codes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using reference::CodeTensor;

namespace {
/// Builds the call of the rule that a sum of two terms is.
class SumBuilder {
public:
  SumBuilder(QuantizeOp op, const RealForm &form)
      : op(op), form(form), type(cast<RankedTensorType>(op.getType())), b(op.getLoc(), op) {}

  bool run(StringRef rounding);

private:
  bool isOperand(const Term &term) const;
  Value operand(const Term &term);
  /// TFLite's number of the activation whose bounds the form has; nothing where it is none.
  std::optional<int64_t> activation() const;
  void buildBody(AsOp as);
  /// The sum (difference: the first term is the positive one), clamped, of two tensors that broadcast.
  Value meaning(ValueRange inputs);

  QuantizeOp op;
  const RealForm &form;
  RankedTensorType type;
  ImplicitLocOpBuilder b;
  const Term *terms[2];
  bool subtracts = false;
};
} // namespace

static std::optional<CodeTensor> describe(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  BlockAttr encoding = getBlockEncoding(type);
  bool isPlain = encoding && tensor.hasStaticShape() && encoding.getCodec().getKind() == CodecKind::Int &&
                 encoding.getCodec().getIntStyle() != IntStyle::Offset && encoding.getCodec().getBits() <= 16 &&
                 llvm::all_of(encoding.getGrid(tensor.getShape()), [](int64_t n) { return n == 1; });
  return isPlain ? CodeTensor::describe(tensor, tensor.getShape()) : std::nullopt;
}

/// Whether a tensor that is read through `map` is one that repeats as numpy has it, which is how rules read theirs.
static bool broadcasts(AffineMap map, ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  size_t lead = to.size() - from.size();
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    bool repeats = from[i] == 1 && (isa<AffineConstantExpr>(expr) || to[lead + i] == 1);
    if (!repeats && !(loop && loop.getPosition() == lead + i))
      return false;
  }
  return true;
}

bool SumBuilder::isOperand(const Term &term) const {
  const Factor *only = term.getOnly();
  if (!only || !std::isfinite(term.weight) || term.weight == 0)
    return false;
  auto from = cast<RankedTensorType>(stripDequantize(only->tensor).getType());
  std::optional<CodeTensor> codes = describe(from);
  double scale = codes ? double(codes->scale) * std::abs(term.weight) : 0;
  bool isWide = getBlockEncoding(type).getCodec().getBits() > 8;
  return codes && scale >= 0x1p-120 && scale <= 0x1p120 && (codes->bits > 8) == isWide &&
         from.getRank() <= type.getRank() && broadcasts(only->map, from.getShape(), type.getShape());
}

/// The encoded tensor of a term. The same codes with another scale are the tensor times a number.
Value SumBuilder::operand(const Term &term) {
  Value value = stripDequantize(term.factors[0].tensor);
  double weight = std::abs(term.weight);
  if (weight == 1)
    return value;
  auto from = cast<RankedTensorType>(value.getType());
  BlockAttr encoding = getBlockEncoding(from);
  float scale = float(double(describe(from)->scale) * weight);
  auto scaled =
      BlockAttr::get(b.getContext(), encoding.getCodec(), encoding.getBlock(),
                     ParamAttr::get(b.getContext(), b.getF64FloatAttr(scale), false, {}), encoding.getZero(), {});
  Value codes = ComponentOp::create(b, value, "codes");
  return AssembleOp::create(b, RankedTensorType::get(from.getShape(), from.getElementType(), scaled), codes);
}

std::optional<int64_t> SumBuilder::activation() const {
  auto is = [&](std::optional<double> low, std::optional<double> high) { return form.low == low && form.high == high; };
  if (is({}, {}))
    return 0;
  if (is(0.0, {}))
    return 1;
  if (is(-1.0, 1.0))
    return 2;
  if (is(0.0, 6.0))
    return 3;
  return std::nullopt;
}

Value SumBuilder::meaning(ValueRange inputs) {
  int64_t rank = type.getRank();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, b.getContext());
  SmallVector<AffineMap> maps{terms[0]->factors[0].map, terms[1]->factors[0].map, identity};
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  Value empty = tensor::EmptyOp::create(b, type.getShape(), type.getElementType());
  auto body = [&](OpBuilder &inner, Location loc, ValueRange in) {
    auto number = [&](double real) {
      return arith::ConstantOp::create(inner, loc, inner.getFloatAttr(type.getElementType(), real)).getResult();
    };
    Value value = subtracts ? arith::SubFOp::create(inner, loc, in[0], in[1]).getResult()
                            : arith::AddFOp::create(inner, loc, in[0], in[1]).getResult();
    if (form.low)
      value = arith::MaximumFOp::create(inner, loc, value, number(*form.low));
    if (form.high)
      value = arith::MinimumFOp::create(inner, loc, value, number(*form.high));
    linalg::YieldOp::create(inner, loc, value);
  };
  return linalg::GenericOp::create(b, empty.getType(), inputs, empty, maps, iterators, body).getResult(0);
}

void SumBuilder::buildBody(AsOp as) {
  Block *block = b.createBlock(&as.getBody());
  for (Value input : as.getInputs())
    block->addArgument(input.getType(), op.getLoc());
  Value real = meaning(block->getArguments());
  Value rounded = QuantizeOp::create(b, type, real, ValueRange(), ValueRange(), op.getEncoderAttr());
  YieldOp::create(b, rounded);
}

bool SumBuilder::run(StringRef rounding) {
  std::optional<int64_t> clamp = activation();
  if (form.terms.size() != 2 || form.offset != 0 || !clamp || !describe(type) ||
      !llvm::all_of(form.terms, [&](const Term &term) { return isOperand(term); }))
    return false;
  bool first = form.terms[0].weight > 0, second = form.terms[1].weight > 0;
  if (!first && !second)
    return false;
  subtracts = first != second;
  terms[0] = &form.terms[first ? 0 : 1];
  terms[1] = &form.terms[first ? 1 : 0];
  Value inputs[] = {operand(*terms[0]), operand(*terms[1])};
  NamedAttribute parameters[] = {
      b.getNamedAttr("activation", b.getI64IntegerAttr(*clamp)),
      b.getNamedAttr("rounding", b.getStringAttr(rounding == "single" ? "single" : "double"))};
  auto as = AsOp::create(b, TypeRange(Type(type)), subtracts ? "tflite.sub" : "tflite.add", inputs,
                         b.getDictionaryAttr(parameters));
  buildBody(as);
  op.replaceAllUsesWith(as.getResult(0));
  op.erase();
  return true;
}

bool integer::addByRule(QuantizeOp op, const RealForm &form, StringRef rounding) {
  return SumBuilder(op, form).run(rounding);
}
