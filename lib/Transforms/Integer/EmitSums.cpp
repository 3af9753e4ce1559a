// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rules that add up codes: of several tensors, along an axis, over windows.
#include "lib/Reference/FixedPoint.h"
#include "lib/Reference/IntegerSums.h"
#include "lib/Transforms/Integer/RuleEmitter.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using reference::CodeTensor;
using reference::QuantizedMultiplier;
using utils::IteratorType;

/// Codes of what `sum`, an i64 in steps of the inputs' scale, yields for elements of the inputs, whose shape is the
/// output's.
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

/// (sum + half the count) / count, away from zero; the count leaves out the padding.
LogicalResult RuleEmitter::emitAveragePool() {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  ArrayRef<int64_t> kernel = call.list("kernel"), strides = call.list("strides"), padding = call.list("padding");
  auto after = [&](int axis) {
    return std::max<int64_t>(
        (out.shape[1 + axis] - 1) * strides[axis] + kernel[axis] - padding[axis] - x.shape[1 + axis], 0);
  };
  Value input = codes(0);
  Type code = cast<RankedTensorType>(input.getType()).getElementType(), i32 = b.getI32Type();
  bool padded = padding[0] || padding[1] || after(0) || after(1);
  if (padded) {
    Value zero = arith::ConstantOp::create(b, b.getIntegerAttr(code, 0));
    SmallVector<OpFoldResult> low{b.getIndexAttr(0), b.getIndexAttr(padding[0]), b.getIndexAttr(padding[1]),
                                  b.getIndexAttr(0)};
    SmallVector<OpFoldResult> high{b.getIndexAttr(0), b.getIndexAttr(after(0)), b.getIndexAttr(after(1)),
                                   b.getIndexAttr(0)};
    auto type = RankedTensorType::get(
        {x.shape[0], x.shape[1] + padding[0] + after(0), x.shape[2] + padding[1] + after(1), x.shape[3]}, code);
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
                                       tensor::EmptyOp::create(b, out.shape, i32).getResult())
                    .getResult(0);
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
