// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/RuleCalls.h"

using namespace mlir;
using namespace mlir::qtensor;
using reference::CodeTensor;

LogicalResult integer::readRuleCall(AsOp op, reference::RuleCall &call, SmallVectorImpl<bool> &isUnsigned) {
  call.parameters = op.getParametersAttr();
  auto describe = [&](Type type, CodeTensor &to) -> LogicalResult {
    auto tensor = cast<RankedTensorType>(type);
    std::optional<CodeTensor> codes = CodeTensor::describe(tensor, tensor.getShape());
    bool offset = codes && getBlockEncoding(type).getCodec().getIntStyle() == IntStyle::Offset;
    if (!codes || offset || !tensor.hasStaticShape())
      return op.emitOpError("has rule \"") << op.getRule() << "\", which takes integer codes of a static encoding and shape, got "
                                           << type;
    to = std::move(*codes);
    return success();
  };
  for (Value input : op.getInputs()) {
    call.inputs.emplace_back();
    if (failed(describe(input.getType(), call.inputs.back())))
      return failure();
    isUnsigned.push_back(getBlockEncoding(input.getType()).getCodec().getIntStyle() == IntStyle::Unsigned);
  }
  if (op.getNumResults() == 0)
    return op.emitOpError("has rule \"") << op.getRule() << "\" and no result";
  call.further.resize(op.getNumResults() - 1);
  for (auto [i, result] : llvm::enumerate(op.getResults()))
    if (failed(describe(result.getType(), i == 0 ? call.output : call.further[i - 1])))
      return failure();
  // The rule's own checks, on zeros; shapes and parameters are all that they look at.
  reference::RuleCall probe = call;
  for (CodeTensor &input : probe.inputs)
    input.codes.assign(input.count(), int32_t(input.zero));
  std::string problem;
  if (succeeded(reference::applyIntegerRule(op.getRule(), probe, problem)))
    return success();
  return op.emitOpError("has rule \"") << op.getRule() << "\": " << problem;
}
