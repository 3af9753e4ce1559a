// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Kernel/ContractLoops.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::qtensor;

static SmallVector<Value> lhsComponents(ContractOp op) {
  SmallVector<Value> components = llvm::to_vector(op.getLhs());
  if (op.getLhsSums())
    components.pop_back();
  return components;
}

ContractLoops::ContractLoops(ContractOp op)
    : op(op), b(op.getLoc(), op), lhs(lhsComponents(op), op.getLhsEncoding().value_or(nullptr)),
      rhs(op.getRhs(), op.getRhsEncoding().value_or(nullptr)), dims(op.getIteratorTypes().size()) {
  for (unsigned dim = 0; dim < dims.size(); ++dim)
    if (cast<StringAttr>(op.getIteratorTypes()[dim]).getValue() == "reduction")
      reductions.push_back(dim);
}

/// From the operands before the output: the planner of memory knows the extents of inputs.
Value ContractLoops::extentOf(unsigned dim) {
  std::pair<AffineMap, Value> operands[] = {
      {op.getLhsMap(), lhs.getCodes()}, {op.getRhsMap(), rhs.getCodes()}, {op.getOutputMap(), op.getOutput()}};
  for (auto &[map, value] : operands)
    for (auto [position, expr] : llvm::enumerate(map.getResults()))
      if (auto plain = dyn_cast<AffineDimExpr>(expr); plain && plain.getPosition() == dim)
        return b.createOrFold<memref::DimOp>(value, position);
  return {};
}

LogicalResult ContractLoops::findExtents(std::string &reason) {
  for (unsigned dim = 0; dim < dims.size(); ++dim) {
    extents.push_back(extentOf(dim));
    if (extents.back())
      continue;
    reason = llvm::formatv("no operand shows the extent of iterator {0} alone; index one by it plainly", dim);
    return failure();
  }
  return success();
}

Value ContractLoops::constant(int64_t value) { return arith::ConstantIndexOp::create(b, value); }

SmallVector<Value> ContractLoops::index(AffineMap map, ArrayRef<Value> at) {
  SmallVector<Value> result;
  for (AffineExpr expr : map.getResults())
    result.push_back(affine::expandAffineExpr(b, b.getLoc(), expr, at, {}));
  return result;
}

SmallVector<Value> ContractLoops::nest(size_t from, size_t to, ValueRange inits,
                                       function_ref<SmallVector<Value>(ValueRange)> body) {
  if (from >= to)
    return body(inits);
  auto loop = scf::ForOp::create(b, constant(0), extents[reductions[from]], constant(1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  dims[reductions[from]] = loop.getInductionVar();
  SmallVector<Value> next = nest(from + 1, to, loop.getRegionIterArgs(), body);
  scf::YieldOp::create(b, next);
  return SmallVector<Value>(loop.getResults());
}

void ContractLoops::parallel(ArrayRef<unsigned> iterators, function_ref<void()> body) {
  OpBuilder::InsertionGuard guard(b);
  if (!iterators.empty()) {
    SmallVector<Value> zeros(iterators.size(), constant(0)), ones(iterators.size(), constant(1)), ends;
    for (unsigned dim : iterators)
      ends.push_back(extents[dim]);
    auto loop = scf::ParallelOp::create(b, zeros, ends, ones);
    b.setInsertionPointToStart(loop.getBody());
    for (auto [dim, value] : llvm::zip_equal(iterators, loop.getInductionVars()))
      dims[dim] = value;
  }
  body();
}

void ContractLoops::toFirst(size_t from) {
  for (size_t i = from; i < reductions.size(); ++i)
    dims[reductions[i]] = constant(0);
}
