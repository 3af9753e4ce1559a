// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How ops in destination style become ops on buffers: operands by their buffers, results in the destinations. None of them
// needs a copy of an input, so constant weights stay where they are.
#pragma once
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

namespace mlir::qtensor {

/// `elementwise`: elements are read at their own place before it is written.
template <typename OpTy, bool elementwise = false>
struct BufferizeDestination
    : bufferization::DstBufferizableOpInterfaceExternalModel<BufferizeDestination<OpTy, elementwise>, OpTy> {
  /// The destination is only written: every op defines all of its elements.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const bufferization::AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  bool bufferizesToElementwiseAccess(Operation *op, const bufferization::AnalysisState &, ArrayRef<OpOperand *>) const {
    return elementwise;
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const bufferization::BufferizationOptions &options,
                          bufferization::BufferizationState &state) const {
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands, results;
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<TensorType>(operand.get().getType())) {
        operands.push_back(operand.get());
        continue;
      }
      FailureOr<Value> buffer = bufferization::getBuffer(rewriter, operand.get(), options, state);
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
    bufferization::replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }
};

} // namespace mlir::qtensor
