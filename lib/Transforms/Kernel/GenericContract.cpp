// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Any contraction as loops over single elements, in the canonical order of accumulation. It is what a format, a map or a
// run-time weight without a kernel gets: slow and right.
#include "lib/Transforms/Kernel/ContractLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
class GenericContract : ContractLoops {
public:
  explicit GenericContract(ContractOp op) : ContractLoops(op) {}

  LogicalResult lower();

private:
  LogicalResult findBlockLoops();
  SmallVector<Value> productSums(size_t from, ValueRange inits);
  Value sumFloat();
  Value sumInteger();
  Value sumBlocks(Value accumulator);
  Value flush(ValueRange sums, Value accumulator);
  void emitElement();

  size_t blockLoop = 0;  ///< The reduction along which blocks lie,
  int64_t blockSize = 0; ///< and how much of it is in one; 0: all products share one block.
};
} // namespace

/// Where the parameters of either side change along the reductions: the fastest iterator along which one does decides.
LogicalResult GenericContract::findBlockLoops() {
  std::pair<AffineMap, BlockAttr> sides[] = {{op.getLhsMap(), lhs.getEncoding()}, {op.getRhsMap(), rhs.getEncoding()}};
  for (size_t position = reductions.size(); position-- > 0 && !blockSize;) {
    unsigned dim = reductions[position];
    std::optional<int64_t> extent = getConstantIntValue(extents[dim]);
    for (auto &[map, encoding] : sides)
      for (auto [expr, size] : llvm::zip_equal(map.getResults(), encoding.getBlock())) {
        bool plain = isa<AffineDimExpr>(expr);
        if (ShapedType::isDynamic(size) || !expr.isFunctionOfDim(dim) || extent == 1 ||
            (plain && extent && size >= *extent))
          continue;
        int64_t block = plain ? size : 1;
        if (blockSize && blockSize % block && block % blockSize)
          return op.emitOpError("blocks of ") << blockSize << " and " << block << " along the reduction do not nest";
        blockSize = blockSize ? std::min(blockSize, block) : block;
        blockLoop = position;
      }
  }
  return success();
}

Value GenericContract::sumFloat() {
  Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
  return nest(0, reductions.size(), zero, [&](ValueRange sums) -> SmallVector<Value> {
           Value x = lhs.loadReal(b, index(op.getLhsMap())), w = rhs.loadReal(b, index(op.getRhsMap()));
           return {math::FmaOp::create(b, x, w, sums[0]).getResult()};
         })
      .front();
}

/// Adds the products, and the lhs alone, of all points of the reductions from `from` on.
SmallVector<Value> GenericContract::productSums(size_t from, ValueRange inits) {
  return nest(from, reductions.size(), inits, [&](ValueRange sums) -> SmallVector<Value> {
    Value x = lhs.loadInteger(b, index(op.getLhsMap())), w = rhs.loadInteger(b, index(op.getRhsMap()));
    Value products = arith::AddIOp::create(b, sums[0], arith::MulIOp::create(b, x, w));
    return {products, arith::AddIOp::create(b, sums[1], x).getResult()};
  });
}

/// acc = fma(f32(products), sx * sw, acc), and the offset behind it; parameters are those of the current point.
Value GenericContract::flush(ValueRange sums, Value accumulator) {
  SmallVector<Value> x = index(op.getLhsMap()), w = index(op.getRhsMap());
  Value sx = lhs.loadScale(b, x), sw = rhs.loadScale(b, w), offset = rhs.loadOffset(b, w);
  auto times = [&](Value p, Value q) { return p && q ? arith::MulFOp::create(b, p, q).getResult() : p ? p : q; };
  auto toFloat = [&](Value v) { return arith::SIToFPOp::create(b, b.getF32Type(), v); };
  Value scale = times(sx, sw), one = arith::ConstantOp::create(b, b.getF32FloatAttr(1));
  accumulator = math::FmaOp::create(b, toFloat(sums[0]), scale ? scale : one, accumulator);
  return offset ? math::FmaOp::create(b, toFloat(sums[1]), times(sx, offset), accumulator).getResult() : accumulator;
}

/// Blocks along one reduction; the slower ones are at a fixed point.
Value GenericContract::sumBlocks(Value accumulator) {
  unsigned dim = reductions[blockLoop];
  Value zero = arith::ConstantIndexOp::create(b, 0), none = arith::ConstantOp::create(b, b.getI32IntegerAttr(0));
  Value size = arith::ConstantIndexOp::create(b, blockSize);
  auto blocks = scf::ForOp::create(b, zero, extents[dim], size, accumulator);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(blocks.getBody());
  Value begin = blocks.getInductionVar();
  Value end = arith::MinUIOp::create(b, arith::AddIOp::create(b, begin, size), extents[dim]);
  auto points = scf::ForOp::create(b, begin, end, arith::ConstantIndexOp::create(b, 1), ValueRange{none, none});
  {
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(points.getBody());
    dims[dim] = points.getInductionVar();
    scf::YieldOp::create(b, productSums(blockLoop + 1, points.getRegionIterArgs()));
  }
  dims[dim] = begin;
  toFirst(blockLoop + 1);
  scf::YieldOp::create(b, flush(points.getResults(), blocks.getRegionIterArg(0)));
  return blocks.getResult(0);
}

Value GenericContract::sumInteger() {
  Value none = arith::ConstantOp::create(b, b.getI32IntegerAttr(0));
  if (hasIntegerResult())
    return productSums(0, {none, none}).front();
  Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
  if (blockSize)
    return nest(0, blockLoop, zero, [&](ValueRange sums) -> SmallVector<Value> { return {sumBlocks(sums[0])}; })
        .front();
  SmallVector<Value> sums = productSums(0, {none, none});
  toFirst(0);
  return flush(sums, zero);
}

void GenericContract::emitElement() {
  Value sum = isInteger() ? sumInteger() : sumFloat();
  SmallVector<Value> position = index(op.getOutputMap()), elements;
  for (auto [value, map] : llvm::zip_equal(op.getExtra(), op.getExtraMaps()))
    elements.push_back(memref::LoadOp::create(b, value, index(cast<AffineMapAttr>(map).getValue(), position)));
  Value result = cloneEpilogueOnScalars(b, op.getEpilogue(), sum, elements);
  memref::StoreOp::create(b, result, op.getOutput(), position);
}

LogicalResult GenericContract::lower() {
  if (op.getRhsLayout())
    return op.emitOpError("is packed, and no kernel fits it");
  std::string reason;
  if (failed(findExtents(reason)))
    return op.emitOpError(reason);
  if (isInteger() && failed(findBlockLoops()))
    return failure();
  SmallVector<unsigned> iterators;
  for (AffineExpr expr : op.getOutputMap().getResults())
    iterators.push_back(cast<AffineDimExpr>(expr).getPosition());
  parallel(iterators, [&] { emitElement(); });
  op.erase();
  return success();
}

LogicalResult qtensor::lowerGenericContract(ContractOp op) { return GenericContract(op).lower(); }
