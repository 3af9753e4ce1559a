// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Any contraction as loops over single elements, in the canonical order of accumulation. It is what a format, a map or a
// run-time weight without a kernel gets: slow and right.
#include "lib/Transforms/Kernel/ContractLowering.h"
#include "lib/Transforms/Kernel/EncodedOperand.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
class GenericContract {
public:
  GenericContract(ContractOp op)
      : op(op), b(op.getLoc(), op), lhs(lhsComponents(op), op.getLhsEncoding().value_or(nullptr)),
        rhs(op.getRhs(), op.getRhsEncoding().value_or(nullptr)), dims(op.getIteratorTypes().size()) {}

  LogicalResult lower();

private:
  static SmallVector<Value> lhsComponents(ContractOp op) {
    SmallVector<Value> components = llvm::to_vector(op.getLhs());
    if (op.getLhsSums())
      components.pop_back();
    return components;
  }

  LogicalResult findExtents();
  LogicalResult findBlockLoops();
  Value extentOf(unsigned dim);
  SmallVector<Value> index(AffineMap map) { return index(map, dims); }
  SmallVector<Value> index(AffineMap map, ArrayRef<Value> at);
  SmallVector<Value> nest(size_t from, size_t to, ValueRange inits, function_ref<SmallVector<Value>(ValueRange)> body);
  SmallVector<Value> productSums(size_t from, ValueRange inits);
  Value sumFloat();
  Value sumInteger();
  Value sumBlocks(Value accumulator);
  void toFirst(size_t from);
  Value flush(ValueRange sums, Value accumulator);
  void emitElement();

  ContractOp op;
  ImplicitLocOpBuilder b;
  EncodedOperand lhs, rhs;
  SmallVector<unsigned> reductions;
  SmallVector<Value> extents; ///< Of all iterators.
  size_t blockLoop = 0;       ///< The reduction along which blocks lie,
  int64_t blockSize = 0;      ///< and how much of it is in one; 0: all products share one block.
  SmallVector<Value> dims;    ///< The current point.
};
} // namespace

Value GenericContract::extentOf(unsigned dim) {
  std::pair<AffineMap, Value> operands[] = {
      {op.getOutputMap(), op.getOutput()}, {op.getLhsMap(), lhs.getCodes()}, {op.getRhsMap(), rhs.getCodes()}};
  for (auto &[map, value] : operands)
    for (auto [position, expr] : llvm::enumerate(map.getResults()))
      if (auto plain = dyn_cast<AffineDimExpr>(expr); plain && plain.getPosition() == dim)
        return b.createOrFold<memref::DimOp>(value, position);
  return {};
}

LogicalResult GenericContract::findExtents() {
  for (unsigned dim = 0; dim < dims.size(); ++dim) {
    extents.push_back(extentOf(dim));
    if (!extents.back())
      return op.emitOpError("no operand shows the extent of iterator ") << dim << " alone; index one by it plainly";
    if (cast<StringAttr>(op.getIteratorTypes()[dim]).getValue() == "reduction")
      reductions.push_back(dim);
  }
  return success();
}

/// Where the parameters of either side change along the reductions: the fastest iterator along which one does decides.
LogicalResult GenericContract::findBlockLoops() {
  std::pair<AffineMap, BlockAttr> sides[] = {{op.getLhsMap(), lhs.getEncoding()}, {op.getRhsMap(), rhs.getEncoding()}};
  for (size_t position = reductions.size(); position-- > 0 && !blockSize;) {
    unsigned dim = reductions[position];
    std::optional<int64_t> extent = getConstantIntValue(extents[dim]);
    for (auto &[map, encoding] : sides)
      for (auto [expr, size] : llvm::zip_equal(map.getResults(), encoding.getBlock())) {
        bool plain = isa<AffineDimExpr>(expr);
        if (ShapedType::isDynamic(size) || !expr.isFunctionOfDim(dim) || extent == 1 || (plain && extent && size >= *extent))
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

SmallVector<Value> GenericContract::index(AffineMap map, ArrayRef<Value> at) {
  SmallVector<Value> result;
  for (AffineExpr expr : map.getResults())
    result.push_back(affine::expandAffineExpr(b, b.getLoc(), expr, at, {}));
  return result;
}

/// Loops over reductions [from, to) around `body`, carrying values.
SmallVector<Value> GenericContract::nest(size_t from, size_t to, ValueRange inits,
                                         function_ref<SmallVector<Value>(ValueRange)> body) {
  if (from >= to)
    return body(inits);
  auto loop = scf::ForOp::create(b, arith::ConstantIndexOp::create(b, 0), extents[reductions[from]],
                                 arith::ConstantIndexOp::create(b, 1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  dims[reductions[from]] = loop.getInductionVar();
  SmallVector<Value> next = nest(from + 1, to, loop.getRegionIterArgs(), body);
  scf::YieldOp::create(b, next);
  return SmallVector<Value>(loop.getResults());
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

/// The reductions from `from` on at their first point, where a block's parameters are read.
void GenericContract::toFirst(size_t from) {
  for (size_t i = from; i < reductions.size(); ++i)
    dims[reductions[i]] = arith::ConstantIndexOp::create(b, 0);
}

Value GenericContract::sumInteger() {
  Value none = arith::ConstantOp::create(b, b.getI32IntegerAttr(0));
  if (op.getEpilogue().front().getArgument(0).getType().isInteger(32))
    return productSums(0, {none, none}).front();
  Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
  if (blockSize)
    return nest(0, blockLoop, zero, [&](ValueRange sums) -> SmallVector<Value> { return {sumBlocks(sums[0])}; }).front();
  SmallVector<Value> sums = productSums(0, {none, none});
  toFirst(0);
  return flush(sums, zero);
}

void GenericContract::emitElement() {
  Value sum = op.getStrategy().getKind() == StrategyKind::Integer ? sumInteger() : sumFloat();
  SmallVector<Value> position = index(op.getOutputMap()), elements;
  for (auto [value, map] : llvm::zip_equal(op.getExtra(), op.getExtraMaps()))
    elements.push_back(memref::LoadOp::create(b, value, index(cast<AffineMapAttr>(map).getValue(), position)));
  Value result = cloneEpilogueOnScalars(b, op.getEpilogue(), sum, elements);
  memref::StoreOp::create(b, result, op.getOutput(), position);
}

LogicalResult GenericContract::lower() {
  if (op.getRhsLayout())
    return op.emitOpError("is packed, and no kernel fits it");
  if (failed(findExtents()))
    return failure();
  if (op.getStrategy().getKind() == StrategyKind::Integer && failed(findBlockLoops()))
    return failure();
  SmallVector<unsigned> parallel;
  SmallVector<Value> zeros, ends, ones;
  for (AffineExpr expr : op.getOutputMap().getResults()) {
    parallel.push_back(cast<AffineDimExpr>(expr).getPosition());
    zeros.push_back(arith::ConstantIndexOp::create(b, 0));
    ends.push_back(extents[parallel.back()]);
    ones.push_back(arith::ConstantIndexOp::create(b, 1));
  }
  if (!parallel.empty()) {
    auto loop = scf::ParallelOp::create(b, zeros, ends, ones);
    b.setInsertionPointToStart(loop.getBody());
    for (auto [dim, value] : llvm::zip_equal(parallel, loop.getInductionVars()))
      dims[dim] = value;
  }
  emitElement();
  op.erase();
  return success();
}

LogicalResult qtensor::lowerGenericContract(ContractOp op) { return GenericContract(op).lower(); }
