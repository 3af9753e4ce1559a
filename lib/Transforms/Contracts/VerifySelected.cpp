// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contract of C3.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Contracts/Clauses.h"
#include "lib/Transforms/Contracts/Passes.h"
#include "lib/Transforms/Select/Passes.h"
#include "lib/Transforms/Select/Strategy.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_VERIFYSELECTED
#include "lib/Transforms/Contracts/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

static LogicalResult verifyOp(Operation *op) {
  auto reason = op->getAttrOfType<StringAttr>(kReasonAttr);
  bool unexplained = !reason || reason.empty();
  if (isa<QuantizeOp, DequantizeOp, AssembleOp, ComponentOp, InsertOp, RequantizeOp, AsOp>(op))
    return emitClause(op, "C3.2") << "'" << op->getName() << "' belongs to C2; run qtensor-decompose";
  if (isa<DecodeOp>(op) && unexplained)
    return emitClause(op, "C3.3") << "a decode says in '" << kReasonAttr << "' why its reader could not take the codes";
  auto contract = dyn_cast<ContractOp>(op);
  if (contract && contract.getStrategy().getKind() == StrategyKind::Float && unexplained &&
      (contract.getLhsEncoding() || contract.getRhsEncoding()))
    return emitClause(op, "C3.4") << "a float contraction of encoded operands says in '" << kReasonAttr
                                  << "' why it is not an integer one";
  if (contract && contract.getStrategy().getKind() == StrategyKind::Integer) {
    // Also clause M5 of the dialect.
    unsigned limbs = getIntegerLimbs(contract.getRhsEncoding()->getCodec());
    if (contract.getStrategy().getLimbs() != limbs)
      return emitClause(op, "C3.5") << "the weight's codec needs " << limbs << " limb(s), the strategy is "
                                    << contract.getStrategy();
  }
  return success();
}

LogicalResult qtensor::verifySelectedClauses(Operation *root) {
  auto checkType = [](Operation *op, Type type) -> LogicalResult {
    if (!getEncoding(type))
      return success();
    return emitClause(op, "C3.1") << "there is no encoded type, got " << type;
  };
  return failure(failed(walkTypes(root, checkType)) || failed(walkOps(root, verifyOp)));
}

namespace {
struct VerifySelected : mlir::qtensor::impl::VerifySelectedBase<VerifySelected> {
  void runOnOperation() override {
    if (failed(verifySelectedClauses(getOperation())))
      signalPassFailure();
  }
};
} // namespace
