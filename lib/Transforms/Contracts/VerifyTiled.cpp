// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contract of C4.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Contracts/Clauses.h"
#include "lib/Transforms/Contracts/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_VERIFYTILED
#include "lib/Transforms/Contracts/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

static bool isConstant(Value value) { return value.getDefiningOp<arith::ConstantOp>() != nullptr; }

/// Whether a loop carries the same piece of the output through its iterations: then each iteration adds a part of the
/// reduction to it.
static bool isReductionCut(ContractOp op) {
  Value init = op.getOutput();
  SmallVector<Value> offsets;
  while (auto slice = init.getDefiningOp<tensor::ExtractSliceOp>()) {
    llvm::append_range(offsets, slice.getOffsets());
    init = slice.getSource();
  }
  auto carried = dyn_cast<BlockArgument>(init);
  auto loop = carried ? dyn_cast<scf::ForOp>(carried.getOwner()->getParentOp()) : scf::ForOp();
  return loop && llvm::none_of(offsets, [&](Value offset) {
           return offset == loop.getInductionVar() ||
                  (offset.getDefiningOp() &&
                   llvm::is_contained(offset.getDefiningOp()->getOperands(), loop.getInductionVar()));
         });
}

static LogicalResult verifyOp(Operation *op) {
  auto contract = dyn_cast<ContractOp>(op);
  if (!contract)
    return success();
  bool isConstantWeight = llvm::all_of(contract.getRhs(), isConstant);
  if (contract.getRhsLayout() && !isConstantWeight)
    return emitClause(op, "C4.2") << "weights are packed when the model is compiled: a packed operand is a constant";
  auto reason = op->getAttrOfType<StringAttr>("qtensor.unpacked");
  if (contract.getRhsEncoding() && isConstantWeight && !contract.getRhsLayout() && (!reason || reason.empty()))
    return emitClause(op, "C4.3") << "a contraction of an encoded constant weight is packed, or says in "
                                  << "'qtensor.unpacked' why it is not";
  if (!contract.hasEmptyEpilogue() && isReductionCut(contract))
    return emitClause(op, "C4.4") << "a contraction whose reduction is cut has no epilogue, which belongs to finished "
                                  << "sums; run qtensor-split-epilogues";
  return success();
}

LogicalResult qtensor::verifyTiledClauses(Operation *root) {
  // Clause C4.1: what C3 promises, under the names that it has there.
  return failure(failed(verifySelectedClauses(root)) || failed(walkOps(root, verifyOp)));
}

namespace {
struct VerifyTiled : mlir::qtensor::impl::VerifyTiledBase<VerifyTiled> {
  void runOnOperation() override {
    if (failed(verifyTiledClauses(getOperation())))
      signalPassFailure();
  }
};
} // namespace
