// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/EmitLayer.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using namespace mlir::qtensor::reference;
using utils::IteratorType;

void LayerEmitter::readCodes() {
  for (Value input : op.getInputs())
    codes.push_back(ComponentOp::create(b, input, "codes"));
}

AffineMap LayerEmitter::map(unsigned dims, ArrayRef<unsigned> results) {
  SmallVector<AffineExpr> exprs = llvm::map_to_vector(results, [&](unsigned dim) { return b.getAffineDimExpr(dim); });
  return AffineMap::get(dims, 0, exprs, b.getContext());
}

Value LayerEmitter::filled(ArrayRef<int64_t> shape, int64_t value, unsigned bits) {
  Type type = b.getIntegerType(bits);
  Value scalar = arith::ConstantIntOp::create(b, value, bits), empty = tensor::EmptyOp::create(b, shape, type);
  return linalg::FillOp::create(b, scalar, empty).getResult(0);
}

/// Sums of 16-bit codes times weights of 8 bits may leave 32 bits.
static unsigned sumBits(RankedTensorType values, int64_t zero) {
  unsigned codeBits = values.getElementTypeBitWidth();
  double most = std::ldexp(double(values.getDimSize(1)), int(codeBits) + (zero ? 7 : 6));
  return codeBits > 8 && most >= 0x1p31 ? 64 : 32;
}

Value LayerEmitter::dot(Value values, Value weights, int64_t zero) {
  auto type = cast<RankedTensorType>(values.getType());
  unsigned bits = sumBits(type, zero);
  Type sum = b.getIntegerType(bits);
  Value start = filled({type.getDimSize(0), cast<RankedTensorType>(weights.getType()).getDimSize(0)}, 0, bits);
  SmallVector<AffineMap> maps{map(3, {0, 2}), map(3, {1, 2}), map(3, {0, 1})};
  SmallVector<IteratorType> iterators{IteratorType::parallel, IteratorType::parallel, IteratorType::reduction};
  auto made = linalg::GenericOp::create(
      b, start.getType(), ValueRange{values, weights}, start, maps, iterators,
      [&](OpBuilder &inner, Location loc, ValueRange in) {
        ImplicitLocOpBuilder s(loc, inner);
        Value value = arith::ExtSIOp::create(s, sum, in[0]), weight = arith::ExtSIOp::create(s, sum, in[1]);
        if (zero)
          value = arith::SubIOp::create(s, value, arith::ConstantIntOp::create(s, zero, bits));
        Value product = arith::MulIOp::create(s, value, weight);
        linalg::YieldOp::create(s, arith::AddIOp::create(s, in[2], product).getResult());
      });
  return made.getResult(0);
}

Value LayerEmitter::elements(ArrayRef<int64_t> shape, ArrayRef<Value> inputs, Type type, Body body) {
  SmallVector<AffineMap> maps;
  for (Value input : inputs)
    maps.push_back(cast<RankedTensorType>(input.getType()).getRank() == 1 ? map(2, {1}) : map(2, {0, 1}));
  maps.push_back(map(2, {0, 1}));
  Value empty = tensor::EmptyOp::create(b, shape, type);
  SmallVector<IteratorType> parallel(2, IteratorType::parallel);
  auto made = linalg::GenericOp::create(b, empty.getType(), inputs, empty, maps, parallel,
                                        [&](OpBuilder &inner, Location loc, ValueRange in) {
                                          ImplicitLocOpBuilder s(loc, inner);
                                          Value code = arith::TruncIOp::create(s, type, body(Wide(s), in));
                                          linalg::YieldOp::create(s, code);
                                        });
  return made.getResult(0);
}

Value LayerEmitter::reduce(Value values, Type type, int64_t first, llvm::function_ref<Value(Wide, Value, Value)> body) {
  int64_t batch = cast<RankedTensorType>(values.getType()).getDimSize(0);
  Value scalar = arith::ConstantOp::create(b, b.getIntegerAttr(type, first));
  Value empty = tensor::EmptyOp::create(b, {batch, 1}, type), start = linalg::FillOp::create(b, scalar, empty).getResult(0);
  AffineMap out = AffineMap::get(2, 0, {b.getAffineDimExpr(0), b.getAffineConstantExpr(0)}, b.getContext());
  SmallVector<IteratorType> iterators{IteratorType::parallel, IteratorType::reduction};
  auto made = linalg::GenericOp::create(b, start.getType(), values, start, {map(2, {0, 1}), out}, iterators,
                                        [&](OpBuilder &inner, Location loc, ValueRange in) {
                                          ImplicitLocOpBuilder s(loc, inner);
                                          bool wide = type.isInteger(64);
                                          Value old = wide ? in[1] : Wide(s).extend(in[1]);
                                          Value made = body(Wide(s), Wide(s).extend(in[0]), old);
                                          linalg::YieldOp::create(s, wide ? made : arith::TruncIOp::create(s, type, made));
                                        });
  return made.getResult(0);
}

namespace {
/// Where a step lies in a sequence whose rows have `width` elements.
struct StepSlice {
  SmallVector<OpFoldResult> offsets, sizes, strides;
};
} // namespace

static StepSlice sliceOf(OpBuilder &b, OpFoldResult step, int64_t batch, int64_t width, bool timeMajor) {
  StepSlice slice{SmallVector<OpFoldResult>(3, b.getIndexAttr(0)), SmallVector<OpFoldResult>(3, b.getIndexAttr(batch)),
                  SmallVector<OpFoldResult>(3, b.getIndexAttr(1))};
  unsigned time = timeMajor ? 0 : 1;
  slice.offsets[time] = step, slice.sizes[time] = b.getIndexAttr(1), slice.sizes[2] = b.getIndexAttr(width);
  return slice;
}

Value LayerEmitter::sliceStep(const SequenceStep &at, Value sequence) {
  auto type = cast<RankedTensorType>(sequence.getType());
  StepSlice slice = sliceOf(b, at.step, at.batch, type.getDimSize(2), at.timeMajor);
  auto row = RankedTensorType::get({at.batch, type.getDimSize(2)}, type.getElementType());
  return tensor::ExtractSliceOp::create(b, row, sequence, slice.offsets, slice.sizes, slice.strides);
}

Value LayerEmitter::insertStep(const SequenceStep &at, Value values, Value sequence) {
  int64_t width = cast<RankedTensorType>(sequence.getType()).getDimSize(2);
  StepSlice slice = sliceOf(b, at.step, at.batch, width, at.timeMajor);
  return tensor::InsertSliceOp::create(b, values, sequence, slice.offsets, slice.sizes, slice.strides);
}

SmallVector<Value> LayerEmitter::overSteps(int64_t steps, ValueRange first,
                                           llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, index(0), index(steps), index(1), first,
                                 [&](OpBuilder &inner, Location, Value at, ValueRange carried) {
                                   OpBuilder::InsertionGuard guard(b);
                                   b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
                                   scf::YieldOp::create(b, body(at, carried));
                                 });
  return SmallVector<Value>(loop.getResults());
}

Value LayerEmitter::inRows(Value value, bool back) {
  ArrayRef<int64_t> shape = call.output.shape;
  int64_t rank = int64_t(shape.size()), depth = shape.back(), rows = depth ? call.output.count() / depth : 0;
  if (rank == 2)
    return value;
  Type element = cast<RankedTensorType>(value.getType()).getElementType();
  auto flat = RankedTensorType::get({rows, depth}, element), full = RankedTensorType::get(shape, element);
  SmallVector<ReassociationIndices> groups(rank == 1 ? 1 : 2);
  for (int64_t axis = 0; axis < (rank == 1 ? 2 : rank); ++axis)
    groups[rank > 1 && axis + 1 == rank].push_back(axis);
  // A vector is one row: its rank grows.
  if (back == (rank > 1))
    return tensor::ExpandShapeOp::create(b, back ? full : flat, value, groups);
  return tensor::CollapseShapeOp::create(b, back ? full : flat, value, groups);
}

Value LayerEmitter::numberOfRow(Wide w, Value values) {
  Value row = linalg::IndexOp::create(w.b, 0), first = arith::ConstantIndexOp::create(w.b, 0);
  return tensor::ExtractOp::create(w.b, values, ValueRange{row, first});
}

Value LayerEmitter::scale(Wide w, Value value, QuantizedMultiplier by) {
  return scale(w, value, by, call.singleRounding() ? FixedMode::Single : FixedMode::Double);
}

Value LayerEmitter::scale(Wide w, Value value, QuantizedMultiplier by, FixedMode mode) {
  auto number = [&](int32_t bits) { return arith::ConstantIntOp::create(w.b, bits, 32).getResult(); };
  return mapFixed(w, value, number(by.multiplier), number(by.shift), mode);
}

void LayerEmitter::replace(ValueRange results) {
  SmallVector<Value> made;
  for (auto [i, result] : llvm::enumerate(results))
    made.push_back(AssembleOp::create(b, op.getResult(i).getType(), ValueRange(result)));
  op.replaceAllUsesWith(made);
  op.erase();
}
