// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/RuleCalls.h"

using namespace mlir;
using namespace mlir::qtensor;

LogicalResult integer::readRuleCall(AsOp op, reference::RuleCall &call, SmallVectorImpl<bool> &isUnsigned) {
  std::string problem;
  if (failed(reference::readRuleCall(op.getRule(), op.getParametersAttr(), op.getInputs().getTypes(),
                                     op.getResultTypes(), call, problem)))
    return op.emitOpError("has rule \"") << op.getRule() << "\": " << problem;
  for (Value input : op.getInputs())
    isUnsigned.push_back(getBlockEncoding(input.getType()).getCodec().getIntStyle() == IntStyle::Unsigned);
  return success();
}
