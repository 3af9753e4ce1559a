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

/// Lets the contraction write a buffer of its own, which is copied to the strided output behind it.
static void writeThroughCopy(ContractOp op) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  Value output = op.getOutput();
  auto type = cast<MemRefType>(output.getType());
  SmallVector<Value> extents;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (type.isDynamicDim(d))
      extents.push_back(b.createOrFold<memref::DimOp>(output, d));
  Value own = memref::AllocOp::create(b, MemRefType::get(type.getShape(), type.getElementType()), extents,
                                      b.getI64IntegerAttr(64));
  op.getOutputMutable().assign(own);
  b.setInsertionPointAfter(op);
  memref::CopyOp::create(b, own, output);
}

namespace {
struct AttachScratchPass : mlir::qtensor::impl::AttachScratchBase<AttachScratchPass> {
  using AttachScratchBase::AttachScratchBase;

  void runOnOperation() override {
    getOperation().walk([&](ContractOp op) {
      if (op.getScratch() || !isa<MemRefType>(op.getOutput().getType()) || (!op.getRhsLayout() && !decodeWeights))
        return;
      if (op.getRhsLayout() && !hasRowsInMemory(op))
        writeThroughCopy(op);
      std::string reason;
      FailureOr<Value> bytes = op.getRhsLayout() ? emitContractScratch(op, reason) : emitVectorScratch(op, reason);
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
