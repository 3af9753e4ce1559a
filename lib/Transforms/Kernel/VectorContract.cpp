// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contractions without a packed weight whose fastest output iterator can lie in vector lanes: depthwise and grouped
// convolutions, run-time weights. The rhs is decoded once into scratch, with that iterator fastest; then every output
// vector is one loop over the reduction. Orders of accumulation are those of the generic row.
#include "lib/Transforms/Kernel/ContractLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
class VectorContract : ContractLoops {
public:
  explicit VectorContract(ContractOp op) : ContractLoops(op) {}

  LogicalResult analyse(std::string &reason);
  Value emitScratchBytes();
  void lower(int64_t machineLanes);

private:
  LogicalResult analyseMaps(std::string &reason);
  LogicalResult checkBlocks(std::string &reason);
  LogicalResult checkExtras(std::string &reason);
  bool variesAlong(AffineMap map, BlockAttr encoding, unsigned dim);
  Value product(ArrayRef<unsigned> iterators);
  Value position(ArrayRef<unsigned> iterators);
  bool hasScales() { return isInteger() && !hasIntegerResult() && rhs.getEncoding().getScale(); }
  bool hasOffsets() { return isInteger() && !hasIntegerResult() && rhs.getEncoding().getOffset(); }
  void emitViews();
  void decodeRhs();
  void emitRow(int64_t width);
  void emitVector(int64_t width);
  SmallVector<Value> multiply(ValueRange sums, Value outerPosition, int64_t width);
  Value finish(ValueRange sums, Value outerPosition, int64_t width);
  Value loadAt(Value buffer, Value outerPosition, int64_t width);
  Value broadcast(Value scalar, int64_t width);

  unsigned lane = 0;            ///< The fastest iterator of the output.
  bool lhsInLanes = false;      ///< The lhs has it too (depthwise); else one element meets all lanes.
  SmallVector<unsigned> outer;  ///< The other output iterators of the rhs.
  Value words, scales, offsets; ///< In scratch: [outer][reductions][lane], and [outer][lane].
};
} // namespace

static bool isFastest(AffineMap map, Value buffer, unsigned dim) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (map.getNumResults() == 0 || failed(type.getStridesAndOffset(strides, offset)) || strides.back() != 1)
    return false;
  for (AffineExpr expr : map.getResults().drop_back())
    if (expr.isFunctionOfDim(dim))
      return false;
  auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
  return last && last.getPosition() == dim;
}

LogicalResult VectorContract::analyseMaps(std::string &reason) {
  AffineMap output = op.getOutputMap(), left = op.getLhsMap(), right = op.getRhsMap();
  if (output.getNumResults() == 0)
    return reason = "there is one output", failure();
  lane = cast<AffineDimExpr>(output.getResults().back()).getPosition();
  if (!right.isProjectedPermutation() || !right.isFunctionOfDim(lane))
    return reason = "the fastest output iterator is none of the weight", failure();
  for (unsigned dim : reductions)
    if (!right.isFunctionOfDim(dim))
      return reason = "the weight does not depend on all reductions", failure();
  lhsInLanes = left.isFunctionOfDim(lane);
  if (!isFastest(output, op.getOutput(), lane) || (lhsInLanes && !isFastest(left, lhs.getCodes(), lane)))
    return reason = "neighbouring outputs are no neighbours in memory", failure();
  if (lhsInLanes && !lhs.hasVectors())
    return reason = "the activation's codes stand for table entries", failure();
  for (AffineExpr expr : right.getResults())
    if (unsigned dim = cast<AffineDimExpr>(expr).getPosition(); dim != lane && !llvm::is_contained(reductions, dim))
      outer.push_back(dim);
  return success();
}

/// Whether the parameters of a side may change along an iterator.
bool VectorContract::variesAlong(AffineMap map, BlockAttr encoding, unsigned dim) {
  std::optional<int64_t> extent = getConstantIntValue(extents[dim]);
  if (!encoding || encoding.isStatic() || extent == 1)
    return false;
  for (auto [expr, block] : llvm::zip_equal(map.getResults(), encoding.getBlock()))
    if (!ShapedType::isDynamic(block) && expr.isFunctionOfDim(dim) &&
        !(isa<AffineDimExpr>(expr) && extent && block >= *extent))
      return true;
  return false;
}

LogicalResult VectorContract::checkBlocks(std::string &reason) {
  if (lhsInLanes && variesAlong(op.getLhsMap(), lhs.getEncoding(), lane))
    return reason = "the activation's parameters change from lane to lane", failure();
  for (unsigned dim : reductions)
    if (isInteger() &&
        (variesAlong(op.getLhsMap(), lhs.getEncoding(), dim) || variesAlong(op.getRhsMap(), rhs.getEncoding(), dim)))
      return reason = "the reduction has several blocks", failure();
  return success();
}

LogicalResult VectorContract::checkExtras(std::string &reason) {
  for (auto [value, map] : llvm::zip_equal(op.getExtra(), op.getExtraMaps())) {
    AffineMap extra = cast<AffineMapAttr>(map).getValue();
    // Over the output's dimensions, of which the lane is the last.
    unsigned last = extra.getNumDims() - 1;
    if (extra.isFunctionOfDim(last) && !isFastest(extra, value, last))
      return reason = "an extra operand of the epilogue does not follow the lanes", failure();
  }
  return success(canVectorizeEpilogue(op, reason));
}

LogicalResult VectorContract::analyse(std::string &reason) {
  if (op.getRhsLayout())
    return reason = "the weight is packed", failure();
  return failure(failed(findExtents(reason)) || failed(analyseMaps(reason)) || failed(checkBlocks(reason)) ||
                 failed(checkExtras(reason)));
}

Value VectorContract::product(ArrayRef<unsigned> iterators) {
  Value result = constant(1);
  for (unsigned dim : iterators)
    result = b.createOrFold<arith::MulIOp>(result, extents[dim]);
  return result;
}

/// The number of the current point in a space of iterators, slowest first.
Value VectorContract::position(ArrayRef<unsigned> iterators) {
  Value result = constant(0);
  for (unsigned dim : iterators)
    result = b.createOrFold<arith::AddIOp>(b.createOrFold<arith::MulIOp>(result, extents[dim]), dims[dim]);
  return result;
}

Value VectorContract::emitScratchBytes() {
  Value columns = b.createOrFold<arith::MulIOp>(product(outer), extents[lane]);
  Value perColumn = b.createOrFold<arith::AddIOp>(product(reductions), constant(hasScales() + hasOffsets()));
  return b.createOrFold<arith::MulIOp>(b.createOrFold<arith::MulIOp>(columns, perColumn), constant(4));
}

void VectorContract::emitViews() {
  Value columns = b.createOrFold<arith::MulIOp>(product(outer), extents[lane]), next = constant(0), four = constant(4);
  auto take = [&](Type element, Value count) -> Value {
    Value view =
        memref::ViewOp::create(b, MemRefType::get({ShapedType::kDynamic}, element), op.getScratch(), next, count);
    next = b.createOrFold<arith::AddIOp>(next, b.createOrFold<arith::MulIOp>(count, four));
    return view;
  };
  words = take(isInteger() ? Type(b.getI32Type()) : Type(b.getF32Type()),
               b.createOrFold<arith::MulIOp>(columns, product(reductions)));
  if (hasScales())
    scales = take(b.getF32Type(), columns);
  if (hasOffsets())
    offsets = take(b.getF32Type(), columns);
}

/// Integers or reals of the rhs, and its parameters, in the order in which vectors read them.
void VectorContract::decodeRhs() {
  auto overLanes = [&](ArrayRef<unsigned> others, function_ref<void(Value at)> body) {
    parallel(others, [&] {
      Value start = b.createOrFold<arith::MulIOp>(position(others), extents[lane]);
      auto loop = scf::ForOp::create(b, constant(0), extents[lane], constant(1));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      dims[lane] = loop.getInductionVar();
      body(arith::AddIOp::create(b, start, dims[lane]));
    });
  };
  SmallVector<unsigned> all(outer);
  llvm::append_range(all, reductions);
  overLanes(all, [&](Value at) {
    SmallVector<Value> from = index(op.getRhsMap());
    memref::StoreOp::create(b, isInteger() ? rhs.loadInteger(b, from) : rhs.loadReal(b, from), words, at);
  });
  if (!scales && !offsets)
    return;
  overLanes(outer, [&](Value at) {
    toFirst(0);
    SmallVector<Value> from = index(op.getRhsMap());
    if (scales)
      memref::StoreOp::create(b, rhs.loadScale(b, from), scales, at);
    if (offsets)
      memref::StoreOp::create(b, rhs.loadOffset(b, from), offsets, at);
  });
}

Value VectorContract::broadcast(Value scalar, int64_t width) {
  return vector::BroadcastOp::create(b, VectorType::get(width, scalar.getType()), scalar);
}

Value VectorContract::loadAt(Value buffer, Value outerPosition, int64_t width) {
  auto type = VectorType::get(width, cast<MemRefType>(buffer.getType()).getElementType());
  Value at = arith::AddIOp::create(b, b.createOrFold<arith::MulIOp>(outerPosition, extents[lane]), dims[lane]);
  return vector::LoadOp::create(b, type, buffer, at);
}

/// One step of the reduction: sums of products, and of the lhs alone where the rhs has offsets.
SmallVector<Value> VectorContract::multiply(ValueRange sums, Value outerPosition, int64_t width) {
  SmallVector<Value> from = index(op.getLhsMap());
  Value k = b.createOrFold<arith::MulIOp>(outerPosition, product(reductions));
  Value w = loadAt(words, b.createOrFold<arith::AddIOp>(k, position(reductions)), width);
  if (!isInteger()) {
    Value x = lhsInLanes ? lhs.loadReals(b, from, width) : broadcast(lhs.loadReal(b, from), width);
    return {math::FmaOp::create(b, x, w, sums[0]).getResult()};
  }
  Value x = lhsInLanes ? lhs.loadIntegers(b, from, width) : broadcast(lhs.loadInteger(b, from), width);
  SmallVector<Value> next{arith::AddIOp::create(b, sums[0], arith::MulIOp::create(b, x, w)).getResult()};
  if (hasOffsets())
    next.push_back(arith::AddIOp::create(b, sums[1], x));
  return next;
}

/// From the exact sums of the one block to the f32 sum.
Value VectorContract::finish(ValueRange sums, Value outerPosition, int64_t width) {
  if (!isInteger() || hasIntegerResult())
    return sums[0];
  toFirst(0);
  Value scalar = lhs.loadScale(b, index(op.getLhsMap()));
  Value sx = scalar ? broadcast(scalar, width) : Value();
  auto times = [&](Value p, Value q) { return p && q ? arith::MulFOp::create(b, p, q).getResult() : p ? p : q; };
  auto f32 = VectorType::get(width, b.getF32Type());
  auto splat = [&](double value) -> Value {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(f32, b.getF32FloatAttr(value)));
  };
  auto toFloat = [&](Value v) { return arith::SIToFPOp::create(b, f32, v); };
  Value sw = scales ? loadAt(scales, outerPosition, width) : rhs.getUnit() != 1 ? splat(rhs.getUnit()) : Value();
  Value scale = times(sx, sw);
  Value result = math::FmaOp::create(b, toFloat(sums[0]), scale ? scale : splat(1), splat(0));
  if (!offsets)
    return result;
  Value shift = times(sx, loadAt(offsets, outerPosition, width));
  return math::FmaOp::create(b, toFloat(sums[1]), shift, result);
}

/// One vector of outputs from the current point on.
void VectorContract::emitVector(int64_t width) {
  Type element = isInteger() ? Type(b.getI32Type()) : Type(b.getF32Type());
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(VectorType::get(width, element)));
  SmallVector<Value> inits(isInteger() && hasOffsets() ? 2 : 1, zeros);
  Value outerPosition = position(outer);
  SmallVector<Value> sums =
      nest(0, reductions.size(), inits, [&](ValueRange values) { return multiply(values, outerPosition, width); });
  Value result = finish(sums, outerPosition, width);
  SmallVector<Value> to = index(op.getOutputMap()), elements;
  for (auto [value, attr] : llvm::zip_equal(op.getExtra(), op.getExtraMaps())) {
    AffineMap map = cast<AffineMapAttr>(attr).getValue();
    SmallVector<Value> at = index(map, to);
    elements.push_back(map.isFunctionOfDim(map.getNumDims() - 1)
                           ? loadEpilogueVector(b, value, at, Value(), result)
                           : broadcast(memref::LoadOp::create(b, value, at), width));
  }
  vector::StoreOp::create(b, cloneEpilogue(b, op, result, elements), op.getOutput(), to);
}

/// All lanes of a row: whole vectors, the last of which may do some outputs once more.
void VectorContract::emitRow(int64_t width) {
  Value last = b.createOrFold<arith::SubIOp>(extents[lane], constant(width));
  auto loop = scf::ForOp::create(b, constant(0), extents[lane], constant(width));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  dims[lane] =
      width == 1 ? loop.getInductionVar() : arith::MinUIOp::create(b, loop.getInductionVar(), last).getResult();
  emitVector(width);
}

void VectorContract::lower(int64_t machineLanes) {
  emitViews();
  decodeRhs();
  SmallVector<unsigned> rows;
  for (AffineExpr expr : op.getOutputMap().getResults().drop_back())
    rows.push_back(cast<AffineDimExpr>(expr).getPosition());
  parallel(rows, [&] {
    if (std::optional<int64_t> extent = getConstantIntValue(extents[lane])) {
      uint64_t most = std::min<uint64_t>(std::max<int64_t>(*extent, 1), machineLanes);
      return emitRow(llvm::bit_floor(most));
    }
    Value wide = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, extents[lane], constant(machineLanes));
    auto choice = scf::IfOp::create(b, wide, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.thenBlock());
    emitRow(machineLanes);
    b.setInsertionPointToStart(choice.elseBlock());
    emitRow(1);
  });
  op.erase();
}

FailureOr<Value> qtensor::emitVectorScratch(ContractOp op, std::string &reason) {
  VectorContract contract(op);
  if (failed(contract.analyse(reason)))
    return failure();
  return contract.emitScratchBytes();
}

LogicalResult qtensor::lowerVectorContract(ContractOp op, int64_t lanes, std::string &reason) {
  if (!op.getScratch()) {
    reason = "it has no scratch (qtensor-attach-scratch gives it)";
    return failure();
  }
  VectorContract contract(op);
  if (failed(contract.analyse(reason)))
    return failure();
  contract.lower(lanes);
  return success();
}
