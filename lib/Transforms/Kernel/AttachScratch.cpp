// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Kernel/ContractLowering.h"
#include "lib/Transforms/Kernel/Passes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_ATTACHSCRATCH
#include "lib/Transforms/Kernel/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct AttachScratchPass : mlir::qtensor::impl::AttachScratchBase<AttachScratchPass> {
  void runOnOperation() override {
    getOperation().walk([&](ContractOp op) {
      if (op.getScratch() || !op.getRhsLayout() || !isa<MemRefType>(op.getOutput().getType()))
        return;
      std::string reason;
      FailureOr<Value> bytes = emitContractScratch(op, reason);
      if (failed(bytes))
        return;
      ImplicitLocOpBuilder b(op.getLoc(), op);
      auto type = MemRefType::get({ShapedType::kDynamic}, b.getI8Type());
      auto scratch = memref::AllocOp::create(b, type, ValueRange{*bytes}, b.getI64IntegerAttr(64));
      op.getScratchMutable().assign(scratch);
    });
  }
};
} // namespace
