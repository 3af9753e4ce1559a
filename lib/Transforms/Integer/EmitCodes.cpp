// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rules of one tensor whose results depend on one code each, or on four.
#include "lib/Transforms/Integer/EmitLstm.h"
#include "lib/Transforms/Integer/RuleEmitter.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using reference::CodeTensor;
using utils::IteratorType;

/// body(a code less its zero point), clamped.
LogicalResult RuleEmitter::emitCodes(int64_t low, int64_t high, llvm::function_ref<Value(Wide, Value)> body) {
  const CodeTensor &x = call.inputs[0];
  finish({codes(0)}, {identity()}, low, high, [&](Wide w, ValueRange in) {
    Value value = w.sub(extend(w, in[0], x), w.constant(x.zero));
    return w.add(body(w, value), w.constant(call.output.zero));
  });
  return success();
}

/// Times one real where it is not negative, times another where it is; of a negative one the opposite is rounded.
LogicalResult RuleEmitter::emitScaled(double positive, double negative) {
  return emitCodes(call.output.low, call.output.high, [&](Wide w, Value value) {
    Value isBelow = w.compare(arith::CmpIPredicate::slt, value, w.constant(0));
    Value below = scaled(w, value, std::abs(negative));
    return w.select(isBelow, negative < 0 ? w.sub(w.constant(0), below) : below, scaled(w, value, positive));
  });
}

LogicalResult RuleEmitter::emitMagnitude(double ratio) {
  return emitCodes(call.output.low, call.output.high,
                   [&](Wide w, Value value) { return scaled(w, w.most(value, w.sub(w.constant(0), value)), ratio); });
}

LogicalResult RuleEmitter::emitClamped(double ratio) {
  auto [low, high] = reference::clampBounds(call);
  return emitCodes(low, high, [&](Wide w, Value value) { return scaled(w, value, ratio); });
}

/// Functions of one code that has no table.
LogicalResult RuleEmitter::emitWide(bool narrow) {
  StringRef function = op.getRule().split('.').second;
  double ratio = reference::scaleRatio(call, narrow);
  if (function == "logistic" || function == "tanh")
    return emitByTable(function == "tanh");
  if (function == "quantize")
    return emitScaled(ratio, ratio);
  if (function == "relu")
    return emitClamped(ratio);
  if (function == "abs")
    return emitMagnitude(ratio);
  if (function == "leaky_relu")
    return emitScaled(ratio, reference::slopeRatio(call, narrow));
  return op.emitOpError("has rule \"") << op.getRule() << "\", which has no lowering for these codes";
}

/// logistic and tanh of codes of 16 bits.
LogicalResult RuleEmitter::emitByTable(bool isTanh) {
  reference::TableScale by =
      reference::tableScale(call.inputs[0].scale, isTanh ? reference::kTanhPowers : reference::kLogisticPowers);
  Value table = emitSigmoidTable(b);
  finish({codes(0)}, {identity()}, call.output.low, call.output.high, [&](Wide w, ValueRange in) {
    Value scaled = emitTableScale(w, extend(w, in[0], call.inputs[0]), by);
    return isTanh ? emitTanhByTable(w, table, scaled) : emitLogisticByTable(w, table, scaled);
  });
  return success();
}

/// A table over the codes of the only input.
LogicalResult RuleEmitter::emitTable() {
  reference::RuleCall all = call;
  CodeTensor &x = all.inputs[0];
  int64_t count = int64_t(1) << x.bits;
  x.shape = all.output.shape = {count};
  for (int64_t code = 0; code < count; ++code)
    x.codes.push_back(int32_t(code + (x.low < 0 ? -count / 2 : 0)));
  std::string problem;
  if (failed(reference::applyIntegerRule(op.getRule(), all, problem)))
    return op.emitOpError("has rule \"") << op.getRule() << "\": " << problem;
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  SmallVector<Component> components;
  getBlockEncoding(type).getComponents(type.getShape(), b.getContext(), components);
  Type element = cast<RankedTensorType>(components[0].type).getElementType();
  Value table = constant(SmallVector<int64_t>(all.output.codes.begin(), all.output.codes.end()), element, {count});
  Value input = codes(0), empty = tensor::EmptyOp::create(b, type.getShape(), element);
  SmallVector<AffineMap> maps{identity(), identity()};
  SmallVector<IteratorType> iterators(rank(), IteratorType::parallel);
  Value made = generic(input, empty, maps, iterators, [&](Wide w, ValueRange in) {
    return emitLookUp(w, table, in[0], /*isSigned=*/call.inputs[0].low < 0);
  });
  op.replaceAllUsesWith(ValueRange(AssembleOp::create(b, type, ValueRange(made)).getResult()));
  op.erase();
  return success();
}

/// Tables of neighbours and distances along both axes; four elements a result.
LogicalResult RuleEmitter::emitResizeBilinear() {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  bool corners = call.integer("align_corners"), halves = call.integer("half_pixel_centers");
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (int axis : {1, 2}) {
    SmallVector<int64_t> columns[3];
    for (int64_t i = 0; i < out.shape[axis]; ++i) {
      reference::LinearTap tap = reference::linearTap(i, x.shape[axis], out.shape[axis], corners, halves);
      columns[0].push_back(tap.lower);
      columns[1].push_back(tap.upper);
      columns[2].push_back(tap.distance);
    }
    for (ArrayRef<int64_t> column : columns) {
      inputs.push_back(constant(column, b.getI32Type(), {out.shape[axis]}));
      maps.push_back(AffineMap::get(4, 0, {b.getAffineDimExpr(axis)}, b.getContext()));
    }
  }
  Value source = codes(0);
  finish(inputs, maps, out.low, out.high, [&](Wide w, ValueRange in) {
    auto loop = [&](int64_t dim) { return linalg::IndexOp::create(w.b, dim).getResult(); };
    auto index = [&](Value number) { return arith::IndexCastOp::create(w.b, w.b.getIndexType(), number).getResult(); };
    auto at = [&](Value row, Value column) {
      SmallVector<Value> where{loop(0), index(row), index(column), loop(3)};
      return extend(w, tensor::ExtractOp::create(w.b, source, where), x);
    };
    Value dy = w.extend(in[2]), dx = w.extend(in[5]);
    Value top = w.sub(w.constant(1024), dy), left = w.sub(w.constant(1024), dx);
    auto between = [&](Value row) { return w.add(w.mul(at(row, in[3]), left), w.mul(at(row, in[4]), dx)); };
    Value sum = w.add(w.mul(between(in[0]), top), w.mul(between(in[1]), dy));
    Value positive = w.compare(arith::CmpIPredicate::sgt, sum, w.constant(0));
    Value nudge = w.select(positive, w.constant(1 << 19), w.constant(-(1 << 19)));
    return arith::DivSIOp::create(w.b, w.add(sum, nudge), w.constant(1 << 20)).getResult();
  });
  return success();
}
