// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Published integer algorithms as IR. Whatever depends on one code of 8 bits alone is a table that the reference fills.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Reference/FixedPoint.h"
#include "lib/Reference/IntegerBinary.h"
#include "lib/Reference/IntegerRules.h"
#include "lib/Reference/IntegerSums.h"
#include "lib/Transforms/Integer/EmitFixedPoint.h"
#include "lib/Transforms/Integer/EmitLiteLstm.h"
#include "lib/Transforms/Integer/EmitLstm.h"
#include "lib/Transforms/Integer/EmitNorms.h"
#include "lib/Transforms/Integer/EmitSoftmax16.h"
#include "lib/Transforms/Integer/EmitSvdf.h"
#include "lib/Transforms/Integer/Passes.h"
#include "lib/Transforms/Integer/RuleCalls.h"
#include <cmath>

namespace mlir::qtensor {
#define GEN_PASS_DEF_LOWERRULES
#include "lib/Transforms/Integer/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using reference::CodeTensor;
using reference::QuantizedMultiplier;
using utils::IteratorType;

namespace {
/// Emits one call of a rule.
class RuleEmitter {
public:
  RuleEmitter(AsOp op) : op(op), b(op.getLoc(), op) {}

  /// Failure comes with an error.
  LogicalResult run();

private:
  using Body = llvm::function_ref<Value(Wide, ValueRange)>;

  LogicalResult emitTable();
  LogicalResult emitAdd(int sign);
  using PairBody = llvm::function_ref<Value(Wide, Value, Value)>;
  LogicalResult emitPairs(int64_t activation, PairBody body);
  LogicalResult emitProduct();
  LogicalResult emitQuotient();
  LogicalResult emitAddMany();
  LogicalResult emitCumulate();
  void finishSums(ArrayRef<Value> inputs, Body sum);
  LogicalResult emitSquaredDifference();
  LogicalResult emitPrelu();
  LogicalResult emitScaled(double positive, double negative);
  LogicalResult emitMagnitude(double ratio);
  LogicalResult emitClamped(double ratio);
  LogicalResult emitWide(bool narrow);
  LogicalResult emitCodes(int64_t low, int64_t high, llvm::function_ref<Value(Wide, Value)> body);
  LogicalResult emitAveragePool();
  LogicalResult emitMean();
  LogicalResult emitResizeBilinear();
  LogicalResult emitSoftmax();
  LogicalResult emitByTable(bool isTanh);

  int64_t rank() const { return int64_t(call.output.shape.size()); }
  AffineMap identity() { return AffineMap::getMultiDimIdentityMap(rank(), b.getContext()); }
  AffineMap broadcastMap(ArrayRef<int64_t> from);
  Value codes(unsigned input) { return ComponentOp::create(b, op.getInputs()[input], "codes"); }
  Value constant(ArrayRef<int64_t> values, Type element, ArrayRef<int64_t> shape);
  Value extend(Wide w, Value code, const CodeTensor &of);
  Value scaled(Wide w, Value value, double real);
  Value generic(ArrayRef<Value> inputs, Value init, ArrayRef<AffineMap> maps, ArrayRef<IteratorType> iterators, Body body);
  /// An elementwise op over the output's shape; the body yields i64 codes, which are clamped to [low, high].
  void finish(ArrayRef<Value> inputs, ArrayRef<AffineMap> maps, int64_t low, int64_t high, Body body);

  AsOp op;
  ImplicitLocOpBuilder b;
  reference::RuleCall call;
  SmallVector<bool> isUnsigned; ///< Of the inputs' codes.
};
} // namespace

Value RuleEmitter::constant(ArrayRef<int64_t> values, Type element, ArrayRef<int64_t> shape) {
  SmallVector<Attribute> numbers;
  for (int64_t value : values)
    numbers.push_back(b.getIntegerAttr(element, value));
  return arith::ConstantOp::create(b, DenseElementsAttr::get(RankedTensorType::get(shape, element), numbers));
}

/// The code as an i64.
Value RuleEmitter::extend(Wide w, Value code, const CodeTensor &of) {
  if (of.low < 0)
    return w.extend(code);
  return arith::ExtUIOp::create(w.b, w.b.getI64Type(), code);
}

Value RuleEmitter::scaled(Wide w, Value value, double real) {
  bool single = call.singleRounding();
  QuantizedMultiplier by = reference::quantizeMultiplier(real, single);
  auto number = [&](int32_t bits) { return arith::ConstantIntOp::create(w.b, bits, 32).getResult(); };
  return mapFixed(w, value, number(by.multiplier), number(by.shift), single ? FixedMode::Single : FixedMode::Double);
}

Value RuleEmitter::generic(ArrayRef<Value> inputs, Value init, ArrayRef<AffineMap> maps, ArrayRef<IteratorType> iterators,
                           Body body) {
  auto made = linalg::GenericOp::create(b, init.getType(), inputs, init, maps, iterators,
                                        [&](OpBuilder &inner, Location loc, ValueRange in) {
                                          ImplicitLocOpBuilder scalar(loc, inner);
                                          linalg::YieldOp::create(inner, loc, body(Wide(scalar), in));
                                        });
  return made.getResult(0);
}

void RuleEmitter::finish(ArrayRef<Value> inputs, ArrayRef<AffineMap> maps, int64_t low, int64_t high, Body body) {
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  SmallVector<Component> components;
  getBlockEncoding(type).getComponents(type.getShape(), b.getContext(), components);
  Type code = cast<RankedTensorType>(components[0].type).getElementType();
  SmallVector<AffineMap> all(maps);
  all.push_back(identity());
  SmallVector<IteratorType> iterators(rank(), IteratorType::parallel);
  Value empty = tensor::EmptyOp::create(b, type.getShape(), code);
  Value made = generic(inputs, empty, all, iterators, [&](Wide w, ValueRange in) {
    return arith::TruncIOp::create(w.b, code, w.clamp(body(w, in), low, high)).getResult();
  });
  op.replaceAllUsesWith(ValueRange(AssembleOp::create(b, type, ValueRange(made)).getResult()));
  op.erase();
}

/// A table over the codes of the only input.
LogicalResult RuleEmitter::emitTable() {
  reference::RuleCall all = call;
  CodeTensor &x = all.inputs[0];
  int64_t count = int64_t(1) << x.bits;
  x.shape = all.output.shape = {count};
  for (int64_t code = 0; code < count; ++code)
    x.codes.push_back(int32_t(code + (x.low < 0 ? -count / 2 : 0)));
  std::string problem;
  if (failed(reference::applyIntegerRule(op.getRule(), all, problem)))
    return op.emitOpError("has rule \"") << op.getRule() << "\": " << problem;
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  SmallVector<Component> components;
  getBlockEncoding(type).getComponents(type.getShape(), b.getContext(), components);
  Type element = cast<RankedTensorType>(components[0].type).getElementType();
  Value table = constant(SmallVector<int64_t>(all.output.codes.begin(), all.output.codes.end()), element, {count});
  Value input = codes(0), empty = tensor::EmptyOp::create(b, type.getShape(), element);
  SmallVector<AffineMap> maps{identity(), identity()};
  SmallVector<IteratorType> iterators(rank(), IteratorType::parallel);
  Value made = generic(input, empty, maps, iterators, [&](Wide w, ValueRange in) {
    return emitLookUp(w, table, in[0], /*isSigned=*/call.inputs[0].low < 0);
  });
  op.replaceAllUsesWith(ValueRange(AssembleOp::create(b, type, ValueRange(made)).getResult()));
  op.erase();
  return success();
}

AffineMap RuleEmitter::broadcastMap(ArrayRef<int64_t> from) {
  SmallVector<AffineExpr> exprs;
  int64_t lead = rank() - int64_t(from.size());
  for (auto [i, extent] : llvm::enumerate(from)) {
    bool repeats = extent == 1 && call.output.shape[lead + i] != 1;
    exprs.push_back(repeats ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(unsigned(lead + i)));
  }
  return AffineMap::get(rank(), 0, exprs, b.getContext());
}

LogicalResult RuleEmitter::emitAdd(int sign) {
  const CodeTensor &x = call.inputs[0], &y = call.inputs[1];
  CodeTensor &out = call.output;
  int64_t shift = out.bits > 8 ? 15 : 20;
  double twice = 2 * double(std::max(x.scale, y.scale));
  auto [low, high] = reference::activationBounds(out, call.integer("activation"));
  SmallVector<AffineMap> maps{broadcastMap(x.shape), broadcastMap(y.shape)};
  SmallVector<Value> inputs{codes(0), codes(1)};
  finish(inputs, maps, low, high, [&](Wide w, ValueRange in) {
    auto term = [&](Value code, const CodeTensor &of) {
      Value difference = w.sub(extend(w, code, of), w.constant(of.zero));
      return scaled(w, w.left(difference, w.constant(shift)), of.scale / twice);
    };
    Value a = term(in[0], x), c = term(in[1], y), sum = sign > 0 ? w.add(a, c) : w.sub(a, c);
    return w.add(scaled(w, sum, twice / (double(int64_t(1) << shift) * out.scale)), w.constant(out.zero));
  });
  return success();
}

/// body(a - its zero point, b - its zero point), clamped.
LogicalResult RuleEmitter::emitPairs(int64_t activation, PairBody body) {
  const CodeTensor &x = call.inputs[0], &y = call.inputs[1];
  auto [low, high] = reference::activationBounds(call.output, activation);
  SmallVector<AffineMap> maps{broadcastMap(x.shape), broadcastMap(y.shape)};
  SmallVector<Value> inputs{codes(0), codes(1)};
  finish(inputs, maps, low, high, [&](Wide w, ValueRange in) {
    Value a = w.sub(extend(w, in[0], x), w.constant(x.zero)), c = w.sub(extend(w, in[1], y), w.constant(y.zero));
    return w.add(body(w, a, c), w.constant(call.output.zero));
  });
  return success();
}

LogicalResult RuleEmitter::emitProduct() {
  return emitPairs(call.integer("activation"),
                   [&](Wide w, Value a, Value c) { return scaled(w, w.mul(a, c), reference::productScale(call)); });
}

LogicalResult RuleEmitter::emitQuotient() {
  bool single = call.singleRounding();
  QuantizedMultiplier by = reference::quantizeMultiplier(reference::quotientScale(call), single);
  return emitPairs(call.integer("activation"), [&](Wide w, Value a, Value c) {
    auto isNegative = [&](Value x) { return w.compare(arith::CmpIPredicate::slt, x, w.constant(0)); };
    auto negated = [&](Value x) { return w.sub(w.constant(0), x); };
    Value below = isNegative(c), x = w.select(below, negated(a), a), y = w.most(w.select(below, negated(c), c), w.constant(1));
    auto [zeros, shifted] = emitHeadroom(w, y);
    Value inverse = emitOneOverOnePlus(w, w.sub(shifted, w.constant(int64_t(1) << 31)));
    // As far to the left as the sign allows: -2^k one place more than 2^k. Of 0 any place will do.
    Value magnitude = w.sub(w.left(negated(x), w.constant(1)), w.constant(1));
    Value ofNegative = emitHeadroom(w, magnitude).first, ofOther = w.sub(emitHeadroom(w, x).first, w.constant(1));
    Value headroom = w.select(isNegative(x), ofNegative, ofOther);
    Value quotient = w.doublingHighMultiply(w.left(x, headroom), inverse);
    Value shift = w.sub(w.add(zeros, w.constant(by.shift - 31)), headroom);
    Value multiplier = arith::ConstantIntOp::create(w.b, by.multiplier, 32);
    return mapFixed(w, quotient, multiplier, arith::TruncIOp::create(w.b, w.b.getI32Type(), shift),
                    single ? FixedMode::Single : FixedMode::Double);
  });
}

/// Codes of what `sum`, an i64 in steps of the inputs' scale, yields for elements of the inputs, whose shape is the output's.
void RuleEmitter::finishSums(ArrayRef<Value> inputs, Body sum) {
  SmallVector<AffineMap> maps(inputs.size(), identity());
  finish(inputs, maps, call.output.low, call.output.high, [&](Wide w, ValueRange in) {
    Value wide = w.left(sum(w, in), w.constant(reference::kSumShift));
    Value wrapped = w.extend(arith::TruncIOp::create(w.b, w.b.getI32Type(), wide));
    return w.add(scaled(w, wrapped, reference::sumScale(call)), w.constant(call.output.zero));
  });
}

LogicalResult RuleEmitter::emitAddMany() {
  SmallVector<Value> inputs;
  for (unsigned i = 0; i < call.inputs.size(); ++i)
    inputs.push_back(codes(i));
  int64_t zero = call.inputs[0].zero;
  finishSums(inputs, [&](Wide w, ValueRange in) {
    Value sum = w.constant(-zero * int64_t(inputs.size() + 1));
    for (Value code : in.take_front(inputs.size()))
      sum = w.add(sum, extend(w, code, call.inputs[0]));
    return sum;
  });
  return success();
}

/// Sums over all positions that count for one, in i32.
LogicalResult RuleEmitter::emitCumulate() {
  const CodeTensor &x = call.inputs[0];
  int64_t axis = call.integer("axis");
  bool exclusive = call.integer("exclusive"), reverse = call.integer("reverse");
  SmallVector<AffineExpr> write, read;
  for (int64_t i = 0; i < rank(); ++i) {
    write.push_back(b.getAffineDimExpr(unsigned(i)));
    read.push_back(b.getAffineDimExpr(unsigned(i == axis ? rank() : i)));
  }
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(unsigned(rank() + 1), 0, exprs, b.getContext()); };
  SmallVector<IteratorType> iterators(rank(), IteratorType::parallel);
  iterators.push_back(IteratorType::reduction);
  Type i32 = b.getI32Type();
  Value empty = tensor::EmptyOp::create(b, x.shape, i32);
  Value start = linalg::FillOp::create(b, arith::ConstantIntOp::create(b, -x.zero, 32).getResult(), empty).getResult(0);
  Value sums = generic({codes(0)}, start, {map(read), map(write)}, iterators, [&](Wide w, ValueRange in) -> Value {
    Value here = linalg::IndexOp::create(w.b, axis), other = linalg::IndexOp::create(w.b, rank());
    auto order = exclusive ? arith::CmpIPredicate::ult : arith::CmpIPredicate::ule;
    Value counts = w.compare(order, reverse ? here : other, reverse ? other : here);
    Value difference = w.sub(extend(w, in[0], x), w.constant(x.zero));
    Value sum = w.add(w.extend(in[1]), w.select(counts, difference, w.constant(0)));
    return arith::TruncIOp::create(w.b, i32, sum);
  });
  finishSums({sums}, [](Wide w, ValueRange in) { return w.extend(in[0]); });
  return success();
}

LogicalResult RuleEmitter::emitSquaredDifference() {
  int64_t shift = reference::squaredShift(call);
  double x = double(call.inputs[0].scale), y = double(call.inputs[1].scale), twice = 2 * std::max(x, y);
  return emitPairs(0, [&](Wide w, Value a, Value c) {
    Value first = scaled(w, w.left(a, w.constant(shift)), x / twice), second = scaled(w, w.left(c, w.constant(shift)), y / twice);
    Value difference = w.sub(first, second);
    Value square = arith::TruncIOp::create(w.b, w.b.getI32Type(), w.mul(difference, difference));
    double unit = double(int64_t(1) << (2 * shift)) * double(call.output.scale);
    return scaled(w, w.extend(square), twice * twice / unit);
  });
}

LogicalResult RuleEmitter::emitPrelu() {
  double input = double(call.inputs[0].scale), slope = double(call.inputs[1].scale), output = double(call.output.scale);
  return emitPairs(0, [&](Wide w, Value a, Value c) {
    Value below = w.compare(arith::CmpIPredicate::slt, a, w.constant(0));
    return w.select(below, scaled(w, w.mul(a, c), input * slope / output), scaled(w, a, input / output));
  });
}

/// body(a code less its zero point), clamped.
LogicalResult RuleEmitter::emitCodes(int64_t low, int64_t high, llvm::function_ref<Value(Wide, Value)> body) {
  const CodeTensor &x = call.inputs[0];
  finish({codes(0)}, {identity()}, low, high, [&](Wide w, ValueRange in) {
    Value value = w.sub(extend(w, in[0], x), w.constant(x.zero));
    return w.add(body(w, value), w.constant(call.output.zero));
  });
  return success();
}

/// Times one real where it is not negative, times another where it is; of a negative one the opposite is rounded.
LogicalResult RuleEmitter::emitScaled(double positive, double negative) {
  return emitCodes(call.output.low, call.output.high, [&](Wide w, Value value) {
    Value isBelow = w.compare(arith::CmpIPredicate::slt, value, w.constant(0));
    Value below = scaled(w, value, std::abs(negative));
    return w.select(isBelow, negative < 0 ? w.sub(w.constant(0), below) : below, scaled(w, value, positive));
  });
}

LogicalResult RuleEmitter::emitMagnitude(double ratio) {
  return emitCodes(call.output.low, call.output.high,
                   [&](Wide w, Value value) { return scaled(w, w.most(value, w.sub(w.constant(0), value)), ratio); });
}

LogicalResult RuleEmitter::emitClamped(double ratio) {
  auto [low, high] = reference::clampBounds(call);
  return emitCodes(low, high, [&](Wide w, Value value) { return scaled(w, value, ratio); });
}

/// Functions of one code that has no table.
LogicalResult RuleEmitter::emitWide(bool narrow) {
  StringRef function = op.getRule().split('.').second;
  double ratio = reference::scaleRatio(call, narrow);
  if (function == "logistic" || function == "tanh")
    return emitByTable(function == "tanh");
  if (function == "quantize")
    return emitScaled(ratio, ratio);
  if (function == "relu")
    return emitClamped(ratio);
  if (function == "abs")
    return emitMagnitude(ratio);
  if (function == "leaky_relu")
    return emitScaled(ratio, reference::slopeRatio(call, narrow));
  return op.emitOpError("has rule \"") << op.getRule() << "\", which has no lowering for these codes";
}

/// logistic and tanh of codes of 16 bits.
LogicalResult RuleEmitter::emitByTable(bool isTanh) {
  reference::TableScale by =
      reference::tableScale(call.inputs[0].scale, isTanh ? reference::kTanhPowers : reference::kLogisticPowers);
  Value table = emitSigmoidTable(b);
  finish({codes(0)}, {identity()}, call.output.low, call.output.high, [&](Wide w, ValueRange in) {
    Value scaled = emitTableScale(w, extend(w, in[0], call.inputs[0]), by);
    return isTanh ? emitTanhByTable(w, table, scaled) : emitLogisticByTable(w, table, scaled);
  });
  return success();
}

/// (sum + half the count) / count, away from zero; the count leaves out the padding.
LogicalResult RuleEmitter::emitAveragePool() {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  ArrayRef<int64_t> kernel = call.list("kernel"), strides = call.list("strides"), padding = call.list("padding");
  auto after = [&](int axis) {
    return std::max<int64_t>((out.shape[1 + axis] - 1) * strides[axis] + kernel[axis] - padding[axis] - x.shape[1 + axis], 0);
  };
  Value input = codes(0);
  Type code = cast<RankedTensorType>(input.getType()).getElementType(), i32 = b.getI32Type();
  bool padded = padding[0] || padding[1] || after(0) || after(1);
  if (padded) {
    Value zero = arith::ConstantOp::create(b, b.getIntegerAttr(code, 0));
    SmallVector<OpFoldResult> low{b.getIndexAttr(0), b.getIndexAttr(padding[0]), b.getIndexAttr(padding[1]), b.getIndexAttr(0)};
    SmallVector<OpFoldResult> high{b.getIndexAttr(0), b.getIndexAttr(after(0)), b.getIndexAttr(after(1)), b.getIndexAttr(0)};
    auto type = RankedTensorType::get({x.shape[0], x.shape[1] + padding[0] + after(0), x.shape[2] + padding[1] + after(1),
                                       x.shape[3]}, code);
    input = tensor::PadOp::create(b, type, input, low, high, zero);
  }
  auto d = [&](unsigned i) { return b.getAffineDimExpr(i); }; // n oh ow c | kh kw
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(6, 0, exprs, b.getContext()); };
  Value empty = tensor::EmptyOp::create(b, out.shape, i32), window = tensor::EmptyOp::create(b, kernel, i32);
  Value start = linalg::FillOp::create(b, arith::ConstantIntOp::create(b, 0, 32).getResult(), empty).getResult(0);
  SmallVector<IteratorType> iterators(4, IteratorType::parallel);
  iterators.append(2, IteratorType::reduction);
  Value sums = generic({input, window}, start,
                       {map({d(0), d(1) * strides[0] + d(4), d(2) * strides[1] + d(5), d(3)}), map({d(4), d(5)}),
                        map({d(0), d(1), d(2), d(3)})},
                       iterators, [&](Wide w, ValueRange in) -> Value {
                         Value wide = x.low < 0 ? arith::ExtSIOp::create(w.b, i32, in[0]).getResult()
                                                : arith::ExtUIOp::create(w.b, i32, in[0]).getResult();
                         return arith::AddIOp::create(w.b, in[2], wide);
                       });
  auto overlap = [&](int axis, int64_t position) {
    int64_t first = position * strides[axis] - padding[axis];
    return std::min(first + kernel[axis], x.shape[1 + axis]) - std::max<int64_t>(first, 0);
  };
  SmallVector<int64_t> counts;
  for (int64_t row = 0; row < out.shape[1]; ++row)
    for (int64_t column = 0; column < out.shape[2]; ++column)
      counts.push_back(overlap(0, row) * overlap(1, column));
  bool uniform = llvm::all_equal(counts);
  SmallVector<Value> inputs{sums};
  SmallVector<AffineMap> maps{identity()};
  if (!uniform) {
    inputs.push_back(constant(counts, i32, {out.shape[1], out.shape[2]}));
    maps.push_back(AffineMap::get(4, 0, {d(1), d(2)}, b.getContext()));
  }
  auto [low, high] = reference::activationBounds(out, call.integer("activation"));
  finish(inputs, maps, low, high, [&](Wide w, ValueRange in) -> Value {
    Value sum = in[0], count = uniform ? arith::ConstantIntOp::create(w.b, counts[0], 32).getResult() : in[1];
    Value half = arith::DivUIOp::create(w.b, count, arith::ConstantIntOp::create(w.b, 2, 32).getResult());
    Value zero = arith::ConstantIntOp::create(w.b, 0, 32), positive = w.compare(arith::CmpIPredicate::sgt, sum, zero);
    Value nudged = w.select(positive, w.add(sum, half), w.sub(sum, half));
    return w.extend(arith::DivSIOp::create(w.b, nudged, count));
  });
  return success();
}

LogicalResult RuleEmitter::emitMean() {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  bool single = call.singleRounding();
  ArrayRef<int64_t> axes = call.list("axes");
  int64_t count = 1, depth = int64_t(x.shape.size());
  SmallVector<AffineExpr> kept;
  SmallVector<IteratorType> iterators;
  for (int64_t axis = 0; axis < depth; ++axis) {
    bool gone = llvm::is_contained(axes, axis);
    count *= gone ? x.shape[axis] : 1;
    iterators.push_back(gone ? IteratorType::reduction : IteratorType::parallel);
    if (!gone)
      kept.push_back(b.getAffineDimExpr(unsigned(axis)));
    else if (call.integer("keep_dims"))
      kept.push_back(b.getAffineConstantExpr(0));
  }
  Type i32 = b.getI32Type();
  Value start = linalg::FillOp::create(b, arith::ConstantIntOp::create(b, 0, 32).getResult(),
                                       tensor::EmptyOp::create(b, out.shape, i32).getResult()).getResult(0);
  AffineMap all = AffineMap::getMultiDimIdentityMap(unsigned(depth), b.getContext());
  Value sums = generic({codes(0)}, start, {all, AffineMap::get(unsigned(depth), 0, kept, b.getContext())}, iterators,
                       [&](Wide w, ValueRange in) -> Value {
                         Value wide = x.low < 0 ? arith::ExtSIOp::create(w.b, i32, in[0]).getResult()
                                                : arith::ExtUIOp::create(w.b, i32, in[0]).getResult();
                         Value zero = arith::ConstantIntOp::create(w.b, x.zero, 32);
                         return arith::AddIOp::create(w.b, in[1], arith::SubIOp::create(w.b, wide, zero).getResult());
                       });
  QuantizedMultiplier by = reference::meanMultiplier(call, count);
  finish({sums}, {identity()}, out.low, out.high, [&](Wide w, ValueRange in) {
    auto number = [&](int32_t value) { return arith::ConstantIntOp::create(w.b, value, 32).getResult(); };
    Value mapped = mapFixed(w, w.extend(in[0]), number(by.multiplier), number(by.shift),
                            single ? FixedMode::Single : FixedMode::Double);
    return w.add(mapped, w.constant(out.zero));
  });
  return success();
}

/// Tables of neighbours and distances along both axes; four elements a result.
LogicalResult RuleEmitter::emitResizeBilinear() {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  bool corners = call.integer("align_corners"), halves = call.integer("half_pixel_centers");
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (int axis : {1, 2}) {
    SmallVector<int64_t> columns[3];
    for (int64_t i = 0; i < out.shape[axis]; ++i) {
      reference::LinearTap tap = reference::linearTap(i, x.shape[axis], out.shape[axis], corners, halves);
      columns[0].push_back(tap.lower);
      columns[1].push_back(tap.upper);
      columns[2].push_back(tap.distance);
    }
    for (ArrayRef<int64_t> column : columns) {
      inputs.push_back(constant(column, b.getI32Type(), {out.shape[axis]}));
      maps.push_back(AffineMap::get(4, 0, {b.getAffineDimExpr(axis)}, b.getContext()));
    }
  }
  Value source = codes(0);
  finish(inputs, maps, out.low, out.high, [&](Wide w, ValueRange in) {
    auto loop = [&](int64_t dim) { return linalg::IndexOp::create(w.b, dim).getResult(); };
    auto index = [&](Value number) { return arith::IndexCastOp::create(w.b, w.b.getIndexType(), number).getResult(); };
    auto at = [&](Value row, Value column) {
      SmallVector<Value> where{loop(0), index(row), index(column), loop(3)};
      return extend(w, tensor::ExtractOp::create(w.b, source, where), x);
    };
    Value dy = w.extend(in[2]), dx = w.extend(in[5]);
    Value top = w.sub(w.constant(1024), dy), left = w.sub(w.constant(1024), dx);
    auto between = [&](Value row) { return w.add(w.mul(at(row, in[3]), left), w.mul(at(row, in[4]), dx)); };
    Value sum = w.add(w.mul(between(in[0]), top), w.mul(between(in[1]), dy));
    Value positive = w.compare(arith::CmpIPredicate::sgt, sum, w.constant(0));
    Value nudge = w.select(positive, w.constant(1 << 19), w.constant(-(1 << 19)));
    return arith::DivSIOp::create(w.b, w.add(sum, nudge), w.constant(1 << 20)).getResult();
  });
  return success();
}

/// Terms of the sum are a table over the difference to the row's largest code; the reciprocal of the sum is arithmetic.
LogicalResult RuleEmitter::emitSoftmax() {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  std::vector<int32_t> terms = reference::softmaxTerms(call);
  Type i32 = b.getI32Type();
  Value table = constant(SmallVector<int64_t>(terms.begin(), terms.end()), i32, {int64_t(terms.size())});
  Value input = codes(0);
  SmallVector<int64_t> rows(x.shape);
  rows.pop_back();
  SmallVector<AffineExpr> lead;
  for (int64_t i = 0; i + 1 < rank(); ++i)
    lead.push_back(b.getAffineDimExpr(unsigned(i)));
  AffineMap perRow = AffineMap::get(unsigned(rank()), 0, lead, b.getContext());
  SmallVector<IteratorType> reduce(rank() - 1, IteratorType::parallel);
  reduce.push_back(IteratorType::reduction);
  auto filled = [&](int64_t value) {
    Value empty = tensor::EmptyOp::create(b, rows, i32);
    return linalg::FillOp::create(b, arith::ConstantIntOp::create(b, value, 32).getResult(), empty).getResult(0);
  };
  auto wide = [&](Wide w, Value code) -> Value {
    return x.low < 0 ? arith::ExtSIOp::create(w.b, i32, code).getResult() : arith::ExtUIOp::create(w.b, i32, code).getResult();
  };
  auto termOf = [&](Wide w, Value code, Value top) -> Value {
    Value difference = arith::SubIOp::create(w.b, top, wide(w, code));
    return tensor::ExtractOp::create(w.b, table, arith::IndexCastOp::create(w.b, w.b.getIndexType(), difference).getResult());
  };
  Value tops = generic({input}, filled(x.low), {identity(), perRow}, reduce, [&](Wide w, ValueRange in) -> Value {
    return arith::MaxSIOp::create(w.b, in[1], wide(w, in[0]));
  });
  Value sums = generic({input, tops}, filled(0), {identity(), perRow, perRow}, reduce, [&](Wide w, ValueRange in) -> Value {
    Value term = divideByPowerOfTwo(w, w.extend(termOf(w, in[0], in[1])), w.constant(12));
    return arith::AddIOp::create(w.b, in[2], arith::TruncIOp::create(w.b, i32, term).getResult());
  });
  // The reciprocal of a row's sum, and by how much the products with it are shifted.
  auto overRows = [&](Body body) {
    AffineMap map = AffineMap::getMultiDimIdentityMap(unsigned(rank() - 1), b.getContext());
    SmallVector<IteratorType> parallel(rank() - 1, IteratorType::parallel);
    return generic({sums}, tensor::EmptyOp::create(b, rows, i32), {map, map}, parallel, body);
  };
  Value inverses = overRows([&](Wide w, ValueRange in) -> Value {
    auto [zeros, shifted] = emitHeadroom(w, w.extend(in[0]));
    Value inverse = emitOneOverOnePlus(w, w.sub(shifted, w.constant(int64_t(1) << 31)));
    return arith::TruncIOp::create(w.b, i32, inverse);
  });
  Value shifts = overRows([&](Wide w, ValueRange in) -> Value {
    Value amount = w.sub(w.constant(12 + 31 - int64_t(out.bits)), emitHeadroom(w, w.extend(in[0])).first);
    return arith::TruncIOp::create(w.b, i32, amount);
  });
  SmallVector<Value> inputs{input, tops, inverses, shifts};
  SmallVector<AffineMap> maps{identity(), perRow, perRow, perRow};
  finish(inputs, maps, out.low, out.high, [&](Wide w, ValueRange in) {
    Value product = w.doublingHighMultiply(w.extend(in[2]), w.extend(termOf(w, in[0], in[1])));
    return w.add(divideByPowerOfTwo(w, product, w.extend(in[3])), w.constant(out.low));
  });
  return success();
}

LogicalResult RuleEmitter::run() {
  if (failed(readRuleCall(op, call, isUnsigned)))
    return failure();
  StringRef rule = op.getRule();
  if (rule == "tflite.add")
    return emitAdd(1);
  if (rule == "tflite.sub")
    return emitAdd(-1);
  if (rule == "tflite.average_pool_2d")
    return emitAveragePool();
  if (rule == "tflite.mean")
    return emitMean();
  if (rule == "tflite.resize_bilinear")
    return emitResizeBilinear();
  if (rule == "tflite.softmax" && call.inputs[0].bits > 8)
    return emitSoftmax16(op, call), success();
  if (rule == "tflite.softmax")
    return emitSoftmax();
  if (rule == "litert.mul")
    return emitProduct();
  if (rule == "tflite.div")
    return emitQuotient();
  if (rule == "tflite.add_n")
    return emitAddMany();
  if (rule == "tflite.cumsum")
    return emitCumulate();
  if (rule == "tflite.l2_normalization")
    return emitUnitRows(op, call), success();
  if (rule == "tflite.log_softmax")
    return emitLogSoftmax(op, call), success();
  if (rule == "tflite.squared_difference")
    return emitSquaredDifference();
  if (rule == "tflite.prelu")
    return emitPrelu();
  if (rule == "tflite.lstm")
    return emitLstm(op, call);
  if (rule == "litert.lstm")
    return emitLiteLstm(op, call);
  if (rule == "tflite.svdf")
    return emitSvdf(op, call);
  if (call.inputs.size() == 1 && call.inputs[0].bits <= 8)
    return emitTable();
  return emitWide(/*narrow=*/rule.starts_with("litert."));
}

namespace {
struct LowerRules : mlir::qtensor::impl::LowerRulesBase<LowerRules> {
  void runOnOperation() override {
    SmallVector<AsOp> ops;
    getOperation().walk([&](AsOp op) {
      if (reference::isIntegerRule(op.getRule()))
        ops.push_back(op);
    });
    for (AsOp op : ops)
      if (failed(RuleEmitter(op).run()))
        return signalPassFailure();
  }
};
} // namespace
