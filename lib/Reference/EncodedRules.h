// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the rules of tensor and qtensor ops share about encoded values. Internal to the reference.
#pragma once
#include "lib/Reference/Encoding.h"
#include "lib/Reference/Evaluation.h"

namespace mlir::tensor {
class ExtractSliceOp;
}

namespace mlir::qtensor::reference {

void addEncodedRules(RuleTable &table);
void addContractRules(RuleTable &table);
void addAttentionRule(RuleTable &table);

/// tensor.extract_slice, reshapes and tensor.empty with a result of encoded type: the components move along, and a
/// block that would be split is a diagnostic.
LogicalResult evaluateEncodedSlice(tensor::ExtractSliceOp op, Evaluation &evaluation);
LogicalResult setEncodedReshape(Operation *op, Evaluation &evaluation, const Tensor &source, ArrayRef<int64_t> shape);
LogicalResult setEncodedEmpty(Operation *op, Evaluation &evaluation, ArrayRef<int64_t> shape);

/// Evaluates the region of an epilogue: one result element of `elementType` from each accumulator and the extra
/// operands, which `maps` index over the accumulator's index space.
FailureOr<Tensor> evaluateEpilogueRegion(Operation *op, Block &block, const Tensor &accumulator, ValueRange extra,
                                         ArrayAttr maps, Type elementType, Evaluation &evaluation);

} // namespace mlir::qtensor::reference
