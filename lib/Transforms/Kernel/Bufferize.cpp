// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How the destination-style ops of qtensor become ops on buffers: operands by their buffers, results in the
// destinations. None of them needs a copy of an input, so constant weights stay where they are.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Kernel/Passes.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::qtensor;

namespace {
template <typename OpTy>
struct Bufferize : DstBufferizableOpInterfaceExternalModel<Bufferize<OpTy>, OpTy> {
  /// The destination is only written: every op defines all of its elements.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  /// Elements are read at their own place before it is written only in qtensor.epilogue.
  bool bufferizesToElementwiseAccess(Operation *op, const AnalysisState &, ArrayRef<OpOperand *>) const {
    return isa<EpilogueOp>(op);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands, results;
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<TensorType>(operand.get().getType())) {
        operands.push_back(operand.get());
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand.get(), options, state);
      if (failed(buffer))
        return failure();
      operands.push_back(*buffer);
    }
    auto destinations = cast<DestinationStyleOpInterface>(op);
    for (OpOperand &init : destinations.getDpsInitsMutable())
      if (isa<TensorType>(init.get().getType()))
        results.push_back(operands[init.getOperandNumber()]);
    OperationState copy(op->getLoc(), op->getName(), operands, TypeRange(),
                        op->getDiscardableAttrDictionary().getValue());
    copy.propertiesAttr = op->getPropertiesAsAttribute();
    for (unsigned i = 0; i < op->getNumRegions(); ++i)
      copy.addRegion();
    Operation *buffers = rewriter.create(copy);
    for (auto [from, to] : llvm::zip_equal(op->getRegions(), buffers->getRegions()))
      rewriter.inlineRegionBefore(from, to, to.begin());
    replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }
};
} // namespace

namespace mlir::qtensor {
void registerKernelPasses(DialectRegistry &registry) {
  registerQTensorKernelPasses();
  registry.addExtension(+[](MLIRContext *context, QTensorDialect *) {
    EncodeOp::attachInterface<Bufferize<EncodeOp>>(*context);
    DecodeOp::attachInterface<Bufferize<DecodeOp>>(*context);
    ContractOp::attachInterface<Bufferize<ContractOp>>(*context);
    EpilogueOp::attachInterface<Bufferize<EpilogueOp>>(*context);
    AttentionOp::attachInterface<Bufferize<AttentionOp>>(*context);
  });
}
} // namespace mlir::qtensor
