// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Published integer rules that are layers of their own: add, sub, mul, softmax, average pooling, means.
#include "lib/Transforms/Firmware/FormLayers.h"
#include "lib/Reference/IntegerBinary.h"
#include "lib/Reference/IntegerRules.h"
#include "lib/Transforms/Integer/RuleCalls.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using reference::CodeTensor;
using reference::QuantizedMultiplier;
using reference::RuleCall;

namespace {
class RuleFormer {
public:
  RuleFormer(AsOp op, const RuleCall &call) : op(op), call(call), b(op.getLoc(), op) {}

  void formAdd(bool subtract);
  void formMul();
  void formSoftmax();
  void formAveragePool();
  void formMean();

private:
  IntegerAttr number(int64_t value) { return b.getI64IntegerAttr(value); }
  Value input(unsigned i) { return ComponentOp::create(b, op.getInputs()[i], "codes"); }
  /// Creates the layer, and the encoded tensor of its codes in place of the rule's result.
  void finish(StringRef name, ValueRange inputs, ValueRange weights, NamedAttrList attributes);

  /// The encoded tensor of these codes in place of the rule's result; the rule stays where there are none.
  void replaceBy(Value codes);

  AsOp op;
  const RuleCall &call;
  ImplicitLocOpBuilder b;
};
} // namespace

void RuleFormer::replaceBy(Value codes) {
  if (!codes)
    return;
  op.replaceAllUsesWith(ValueRange(AssembleOp::create(b, op.getResult(0).getType(), codes).getResult()));
  op.erase();
}

void RuleFormer::finish(StringRef name, ValueRange inputs, ValueRange weights, NamedAttrList attributes) {
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  Value init = tensor::EmptyOp::create(b, type.getShape(), getBlockEncoding(type).getCodec().getStorageType());
  OperationState state(op.getLoc(), name);
  state.addOperands(inputs);
  state.addOperands(weights);
  state.addOperands(init);
  state.addTypes(init.getType());
  attributes.set("operandSegmentSizes",
                 b.getDenseI32ArrayAttr({int32_t(inputs.size()), int32_t(weights.size()), 0, 0, 1}));
  state.addAttributes(attributes);
  replaceBy(b.create(state)->getResult(0));
}

void RuleFormer::formAdd(bool subtract) {
  const CodeTensor &x = call.inputs[0], &y = call.inputs[1];
  bool single = call.singleRounding();
  int64_t shift = call.output.bits > 8 ? 15 : 20;
  double twice = 2 * double(std::max(x.scale, y.scale));
  QuantizedMultiplier maps[] = {
      reference::quantizeMultiplier(x.scale / twice, single), reference::quantizeMultiplier(y.scale / twice, single),
      reference::quantizeMultiplier(twice / (double(int64_t(1) << shift) * call.output.scale), single)};
  SmallVector<int64_t> multipliers, shifts;
  for (const QuantizedMultiplier &map : maps) {
    multipliers.push_back(map.multiplier);
    shifts.push_back(map.shift);
  }
  auto [low, high] = reference::activationBounds(call.output, call.integer("activation"));
  NamedAttrList attributes;
  attributes.set("zeros", b.getDenseI64ArrayAttr({x.zero, y.zero}));
  attributes.set("left_shift", number(shift));
  attributes.set("multipliers", b.getDenseI64ArrayAttr(multipliers));
  attributes.set("shifts", b.getDenseI64ArrayAttr(shifts));
  if (subtract)
    attributes.set("subtract", b.getUnitAttr());
  attributes.set("output_zero", number(call.output.zero));
  attributes.set("low", number(low));
  attributes.set("high", number(high));
  attributes.set("map", FinalMapAttr::get(b.getContext(), true, RoundingMode::HalfAway,
                                          single ? FixedMode::Single : FixedMode::Double));
  finish(qnn::AddOp::getOperationName(), {input(0), input(1)}, {}, attributes);
}

void RuleFormer::formMul() {
  const CodeTensor &x = call.inputs[0], &y = call.inputs[1], &out = call.output;
  bool single = call.singleRounding();
  QuantizedMultiplier by = reference::quantizeMultiplier(reference::productScale(call), single);
  MapForm form;
  form.multiplier = by.multiplier;
  form.shift = by.shift;
  form.outputZero = out.zero;
  std::tie(form.low, form.high) = reference::activationBounds(out, call.integer("activation"));
  form.map = FinalMapAttr::get(b.getContext(), true, RoundingMode::HalfAway,
                               single ? FixedMode::Single : FixedMode::Double);
  replaceBy(createMul(b, {input(0), input(1)}, {x.zero, y.zero}, form, out.shape));
}

void RuleFormer::formSoftmax() {
  std::vector<int32_t> terms = reference::softmaxTerms(call);
  auto type = RankedTensorType::get({int64_t(terms.size())}, b.getI32Type());
  Value table = arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef(terms)));
  NamedAttrList attributes;
  attributes.set("low", number(call.output.low));
  attributes.set("high", number(call.output.high));
  finish(qnn::SoftmaxOp::getOperationName(), input(0), table, attributes);
}

void RuleFormer::formAveragePool() {
  const CodeTensor &x = call.inputs[0];
  ArrayRef<int64_t> window = call.list("kernel"), strides = call.list("strides"), padding = call.list("padding");
  SmallVector<int64_t, 4> pads{padding[0], padding[1]};
  for (unsigned axis : {0u, 1u})
    pads.push_back(std::max<int64_t>(
        (call.output.shape[1 + axis] - 1) * strides[axis] + window[axis] - padding[axis] - x.shape[1 + axis], 0));
  auto [low, high] = reference::activationBounds(call.output, call.integer("activation"));
  NamedAttrList attributes;
  attributes.set("window", b.getDenseI64ArrayAttr(window));
  attributes.set("strides", b.getDenseI64ArrayAttr(strides));
  attributes.set("dilations", b.getDenseI64ArrayAttr({1, 1}));
  attributes.set("pads", b.getDenseI64ArrayAttr(pads));
  attributes.set("low", number(low));
  attributes.set("high", number(high));
  finish(qnn::Pool2DOp::getOperationName(), input(0), {}, attributes);
}

void RuleFormer::formMean() {
  const CodeTensor &x = call.inputs[0], &out = call.output;
  int64_t count = 1;
  for (int64_t axis : call.list("axes"))
    count *= x.shape[axis];
  QuantizedMultiplier by = reference::meanMultiplier(call, count);
  MeanForm form;
  form.inputZero = x.zero;
  form.multiplier = by.multiplier;
  form.shift = by.shift;
  form.outputZero = out.zero;
  form.low = out.low;
  form.high = out.high;
  form.map = FinalMapAttr::get(b.getContext(), true, RoundingMode::HalfAway,
                               call.singleRounding() ? FixedMode::Single : FixedMode::Double);
  Value codes = createMean(b, input(0), call.list("axes"), form, out.shape);
  replaceBy(codes);
}

LogicalResult firmware::formRule(AsOp op) {
  StringRef rule = op.getRule();
  bool add = rule == "tflite.add", subtract = rule == "tflite.sub";
  bool softmax = rule == "tflite.softmax", pool = rule == "tflite.average_pool_2d", mean = rule == "tflite.mean";
  bool mul = rule == "litert.mul";
  if (!add && !subtract && !softmax && !pool && !mean && !mul)
    return success();
  RuleCall call;
  SmallVector<bool> isUnsigned;
  if (failed(integer::readRuleCall(op, call, isUnsigned)))
    return failure();
  // Layers are of signed codes of 8 bits. Other ones, and tensors that repeat along an extent, keep their loops.
  auto isPlain = [&](const CodeTensor &tensor) { return tensor.bits == 8 && tensor.low < 0; };
  bool sameShape = llvm::all_of(call.inputs, [&](const CodeTensor &input) { return input.shape == call.output.shape; });
  if (!llvm::all_of(call.inputs, isPlain) || !isPlain(call.output) || (!pool && !mean && !mul && !sameShape))
    return success();
  RuleFormer former(op, call);
  if (mean)
    former.formMean();
  else if (mul)
    former.formMul();
  else if (pool)
    former.formAveragePool();
  else if (softmax)
    former.formSoftmax();
  else
    former.formAdd(subtract);
  return success();
}
