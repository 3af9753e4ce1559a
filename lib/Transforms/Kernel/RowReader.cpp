// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Kernel/RowReader.h"
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

/// Elements that the longest load has more than a row may have left.
static constexpr int64_t kSlack = 64;
/// Bytes of the longest copy.
static constexpr int64_t kCopyBytes = 64;

RowReader::RowReader(ImplicitLocOpBuilder &b, const ActivationSource &source)
    : b(b), source(source), element(cast<MemRefType>(source.x.getType()).getElementType()) {
  findStrides();
  linear &= !source.load;
  outer = source.reductionDims.size();
  while (linear && outer > 0) {
    int64_t extent = source.reductionExtents[outer - 1];
    if (extent != 1 && staticStride(source.reductionDims[outer - 1]) != piece)
      break;
    piece *= extent;
    --outer;
  }
  if (source.load)
    element = b.getF32Type();
  buffered = !linear || outer > 0;
  if (buffered)
    memory = memref::AllocaOp::create(b, MemRefType::get({source.getLength() + kSlack}, element),
                                      b.getI64IntegerAttr(kCopyBytes));
  if (!linear)
    return;
  auto metadata = memref::ExtractStridedMetadataOp::create(b, source.x);
  strides = SmallVector<Value>(metadata.getStrides());
  auto type = MemRefType::get({ShapedType::kDynamic}, element,
                              StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, {1}));
  Value size = constant(b, 1);
  for (Value extent : metadata.getSizes())
    size = mul(b, size, extent);
  flat = memref::ReinterpretCastOp::create(b, type, metadata.getBaseBuffer(), metadata.getOffset(), OpFoldResult(size),
                                           OpFoldResult(b.getIndexAttr(1)));
  if (!buffered)
    memory = flat;
}

/// How each index of x grows with the iterators, if it does so evenly.
void RowReader::findStrides() {
  for (AffineExpr expr : source.map.getResults()) {
    SmallVector<int64_t> row;
    linear &= succeeded(getFlattenedAffineExpr(expr, source.map.getNumDims(), 0, &row)) &&
              row.size() == source.map.getNumDims() + 1;
    coefficients.push_back(row);
  }
}

/// Elements between neighbours along an iterator, where the type shows it.
int64_t RowReader::staticStride(unsigned dim) const {
  SmallVector<int64_t> known;
  int64_t offset, total = 0;
  if (failed(cast<MemRefType>(source.x.getType()).getStridesAndOffset(known, offset)))
    return ShapedType::kDynamic;
  for (auto [row, stride] : llvm::zip_equal(coefficients, known)) {
    if (row[dim] == 0)
      continue;
    if (ShapedType::isDynamic(stride))
      return ShapedType::kDynamic;
    total += row[dim] * stride;
  }
  return total;
}

Value RowReader::strideOf(unsigned dim) {
  int64_t known = staticStride(dim);
  if (!ShapedType::isDynamic(known))
    return constant(b, known);
  Value total = constant(b, 0);
  for (auto [row, stride] : llvm::zip_equal(coefficients, strides))
    if (row[dim] != 0)
      total = add(b, total, mul(b, stride, constant(b, row[dim])));
  return total;
}

Value RowReader::offsetOf(ArrayRef<unsigned> dims, ValueRange index) {
  Value total = constant(b, 0);
  for (auto [dim, value] : llvm::zip_equal(dims, index))
    total = add(b, total, mul(b, value, strideOf(dim)));
  return total;
}

void RowReader::begin(ValueRange index) {
  rowIndex = llvm::to_vector(index);
  start = constant(b, 0);
  if (linear) {
    start = offsetOf(source.rowDims, index);
    for (auto [row, stride] : llvm::zip_equal(coefficients, strides))
      if (row.back() != 0)
        start = add(b, start, mul(b, stride, constant(b, row.back())));
  }
  if (!buffered)
    return;
  Value none = constant(b, 0);
  if (linear)
    nest(0, start, none, [&](Value from, Value to) { copyPiece(from, to); });
  else
    nest(0, none, none, [&](Value, Value to) {
      Value value =
          source.load ? source.load(b, indexOf(to)) : memref::LoadOp::create(b, source.x, indexOf(to)).getResult();
      memref::StoreOp::create(b, value, memory, to);
    });
  start = none;
}

/// Loops over the outer reductions, with the place of each piece in x (where that is linear) and in the buffer.
void RowReader::nest(size_t level, Value from, Value to, function_ref<void(Value, Value)> body) {
  if (level == outer)
    return body(from, to);
  int64_t products = 1;
  for (int64_t extent : ArrayRef(source.reductionExtents).drop_front(level + 1))
    products *= extent;
  auto loop = scf::ForOp::create(b, constant(b, 0), constant(b, source.reductionExtents[level]), constant(b, 1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value at = loop.getInductionVar();
  Value next = linear ? add(b, from, mul(b, at, strideOf(source.reductionDims[level]))) : from;
  nest(level + 1, next, add(b, to, mul(b, at, constant(b, products))), body);
}

void RowReader::copyVector(Value from, Value to, int64_t offset, int64_t count) {
  auto type = VectorType::get(count, element);
  Value values = vector::LoadOp::create(b, type, flat, add(b, from, constant(b, offset)));
  vector::StoreOp::create(b, values, memory, add(b, to, constant(b, offset)));
}

/// Whole vectors, then one of the piece's last elements, which may overlap: no byte beyond the piece is read.
void RowReader::copyPiece(Value from, Value to) {
  int64_t widest = kCopyBytes * 8 / element.getIntOrFloatBitWidth();
  int64_t width = std::min<int64_t>(widest, llvm::bit_floor(static_cast<uint64_t>(piece)));
  int64_t whole = piece / width * width, rest = piece - whole;
  auto loop = scf::ForOp::create(b, constant(b, 0), constant(b, whole), constant(b, width));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value at = loop.getInductionVar();
    copyVector(add(b, from, at), add(b, to, at), 0, width);
  }
  if (rest > 0) {
    int64_t last = llvm::PowerOf2Ceil(rest);
    copyVector(from, to, piece - last, last);
  }
}

Value RowReader::zeros(VectorType type) { return arith::ConstantOp::create(b, b.getZeroAttr(type)); }

Value RowReader::load(Value k, int64_t count, int64_t valid, int64_t before) {
  auto type = VectorType::get(count, element);
  auto loadAt = [&](Value at) -> Value { return vector::LoadOp::create(b, type, memory, at); };
  Value at = add(b, start, k);
  if (valid >= count)
    return loadAt(at);
  // Elements `from` and up of a vector, then zeros.
  auto shift = [&](Value values, int64_t from) -> Value {
    SmallVector<int64_t> order;
    for (int64_t i = 0; i < count; ++i)
      order.push_back(i < valid ? from + i : count);
    return vector::ShuffleOp::create(b, values, zeros(type), order);
  };
  if (buffered)
    return shift(loadAt(at), 0);
  if (int64_t missing = count - valid; missing <= before)
    return shift(loadAt(sub(b, at, constant(b, missing))), missing);
  Value mask = vector::CreateMaskOp::create(b, VectorType::get(count, b.getI1Type()), constant(b, valid));
  return vector::MaskedLoadOp::create(b, type, memory, at, mask, zeros(type));
}

SmallVector<Value> RowReader::indexOf(Value k) {
  SmallVector<Value> dims(source.map.getNumDims(), constant(b, 0)), extents, index;
  for (auto [dim, value] : llvm::zip_equal(source.rowDims, rowIndex))
    dims[dim] = value;
  for (int64_t extent : source.reductionExtents)
    extents.push_back(constant(b, extent));
  for (auto [dim, value] : llvm::zip_equal(source.reductionDims, delinearize(b, k, extents)))
    dims[dim] = value;
  for (AffineExpr expr : source.map.getResults())
    index.push_back(affine::expandAffineExpr(b, b.getLoc(), expr, dims, {}));
  return index;
}
