// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Published integer algorithms as IR. Whatever depends on one code of 8 bits alone is a table that the reference fills.
#include "lib/Reference/FixedPoint.h"
#include "lib/Transforms/Integer/EmitLiteLstm.h"
#include "lib/Transforms/Integer/EmitLstm.h"
#include "lib/Transforms/Integer/EmitNorms.h"
#include "lib/Transforms/Integer/EmitSoftmax16.h"
#include "lib/Transforms/Integer/EmitSvdf.h"
#include "lib/Transforms/Integer/Passes.h"
#include "lib/Transforms/Integer/RuleCalls.h"
#include "lib/Transforms/Integer/RuleEmitter.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_LOWERRULES
#include "lib/Transforms/Integer/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using reference::CodeTensor;
using reference::QuantizedMultiplier;
using utils::IteratorType;

Value RuleEmitter::constant(ArrayRef<int64_t> values, Type element, ArrayRef<int64_t> shape) {
  SmallVector<Attribute> numbers;
  for (int64_t value : values)
    numbers.push_back(b.getIntegerAttr(element, value));
  return arith::ConstantOp::create(b, DenseElementsAttr::get(RankedTensorType::get(shape, element), numbers));
}

/// The code as an i64.
Value RuleEmitter::extend(Wide w, Value code, const CodeTensor &of) {
  if (of.low < 0)
    return w.extend(code);
  return arith::ExtUIOp::create(w.b, w.b.getI64Type(), code);
}

Value RuleEmitter::scaled(Wide w, Value value, double real) {
  bool single = call.singleRounding();
  QuantizedMultiplier by = reference::quantizeMultiplier(real, single);
  auto number = [&](int32_t bits) { return arith::ConstantIntOp::create(w.b, bits, 32).getResult(); };
  return mapFixed(w, value, number(by.multiplier), number(by.shift), single ? FixedMode::Single : FixedMode::Double);
}

Value RuleEmitter::generic(ArrayRef<Value> inputs, Value init, ArrayRef<AffineMap> maps, ArrayRef<IteratorType> iterators,
                           Body body) {
  auto made = linalg::GenericOp::create(b, init.getType(), inputs, init, maps, iterators,
                                        [&](OpBuilder &inner, Location loc, ValueRange in) {
                                          ImplicitLocOpBuilder scalar(loc, inner);
                                          linalg::YieldOp::create(inner, loc, body(Wide(scalar), in));
                                        });
  return made.getResult(0);
}

void RuleEmitter::finish(ArrayRef<Value> inputs, ArrayRef<AffineMap> maps, int64_t low, int64_t high, Body body) {
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  SmallVector<Component> components;
  getBlockEncoding(type).getComponents(type.getShape(), b.getContext(), components);
  Type code = cast<RankedTensorType>(components[0].type).getElementType();
  SmallVector<AffineMap> all(maps);
  all.push_back(identity());
  SmallVector<IteratorType> iterators(rank(), IteratorType::parallel);
  Value empty = tensor::EmptyOp::create(b, type.getShape(), code);
  Value made = generic(inputs, empty, all, iterators, [&](Wide w, ValueRange in) {
    return arith::TruncIOp::create(w.b, code, w.clamp(body(w, in), low, high)).getResult();
  });
  op.replaceAllUsesWith(ValueRange(AssembleOp::create(b, type, ValueRange(made)).getResult()));
  op.erase();
}

AffineMap RuleEmitter::broadcastMap(ArrayRef<int64_t> from) {
  SmallVector<AffineExpr> exprs;
  int64_t lead = rank() - int64_t(from.size());
  for (auto [i, extent] : llvm::enumerate(from)) {
    bool repeats = extent == 1 && call.output.shape[lead + i] != 1;
    exprs.push_back(repeats ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(unsigned(lead + i)));
  }
  return AffineMap::get(rank(), 0, exprs, b.getContext());
}

LogicalResult RuleEmitter::run() {
  if (failed(readRuleCall(op, call, isUnsigned)))
    return failure();
  StringRef rule = op.getRule();
  if (rule == "tflite.add")
    return emitAdd(1);
  if (rule == "tflite.sub")
    return emitAdd(-1);
  if (rule == "tflite.average_pool_2d")
    return emitAveragePool();
  if (rule == "tflite.mean")
    return emitMean();
  if (rule == "tflite.resize_bilinear")
    return emitResizeBilinear();
  if (rule == "tflite.softmax" && call.inputs[0].bits > 8)
    return emitSoftmax16(op, call), success();
  if (rule == "tflite.softmax")
    return emitSoftmax();
  if (rule == "litert.mul")
    return emitProduct();
  if (rule == "tflite.div")
    return emitQuotient();
  if (rule == "tflite.add_n")
    return emitAddMany();
  if (rule == "tflite.cumsum")
    return emitCumulate();
  if (rule == "tflite.l2_normalization")
    return emitUnitRows(op, call), success();
  if (rule == "tflite.log_softmax")
    return emitLogSoftmax(op, call), success();
  if (rule == "tflite.squared_difference")
    return emitSquaredDifference();
  if (rule == "tflite.prelu")
    return emitPrelu();
  if (rule == "tflite.lstm")
    return emitLstm(op, call);
  if (rule == "litert.lstm")
    return emitLiteLstm(op, call);
  if (rule == "tflite.svdf")
    return emitSvdf(op, call);
  if (call.inputs.size() == 1 && call.inputs[0].bits <= 8)
    return emitTable();
  return emitWide(/*narrow=*/rule.starts_with("litert."));
}

namespace {
struct LowerRules : mlir::qtensor::impl::LowerRulesBase<LowerRules> {
  void runOnOperation() override {
    SmallVector<AsOp> ops;
    getOperation().walk([&](AsOp op) {
      if (reference::isIntegerRule(op.getRule()))
        ops.push_back(op);
    });
    for (AsOp op : ops)
      if (failed(RuleEmitter(op).run()))
        return signalPassFailure();
  }
};
} // namespace
