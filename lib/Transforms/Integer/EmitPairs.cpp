// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rules of two tensors, element by element.
#include "lib/Reference/FixedPoint.h"
#include "lib/Reference/IntegerBinary.h"
#include "lib/Transforms/Integer/RuleEmitter.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using reference::CodeTensor;
using reference::QuantizedMultiplier;

/// body(a - its zero point, b - its zero point), clamped.
LogicalResult RuleEmitter::emitPairs(int64_t activation, PairBody body) {
  const CodeTensor &x = call.inputs[0], &y = call.inputs[1];
  auto [low, high] = reference::activationBounds(call.output, activation);
  SmallVector<AffineMap> maps{broadcastMap(x.shape), broadcastMap(y.shape)};
  SmallVector<Value> inputs{codes(0), codes(1)};
  finish(inputs, maps, low, high, [&](Wide w, ValueRange in) {
    Value a = w.sub(extend(w, in[0], x), w.constant(x.zero)), c = w.sub(extend(w, in[1], y), w.constant(y.zero));
    return w.add(body(w, a, c), w.constant(call.output.zero));
  });
  return success();
}

LogicalResult RuleEmitter::emitAdd(int sign) {
  const CodeTensor &x = call.inputs[0], &y = call.inputs[1];
  CodeTensor &out = call.output;
  int64_t shift = out.bits > 8 ? 15 : 20;
  double twice = 2 * double(std::max(x.scale, y.scale));
  auto [low, high] = reference::activationBounds(out, call.integer("activation"));
  SmallVector<AffineMap> maps{broadcastMap(x.shape), broadcastMap(y.shape)};
  SmallVector<Value> inputs{codes(0), codes(1)};
  finish(inputs, maps, low, high, [&](Wide w, ValueRange in) {
    auto term = [&](Value code, const CodeTensor &of) {
      Value difference = w.sub(extend(w, code, of), w.constant(of.zero));
      return scaled(w, w.left(difference, w.constant(shift)), of.scale / twice);
    };
    Value a = term(in[0], x), c = term(in[1], y), sum = sign > 0 ? w.add(a, c) : w.sub(a, c);
    return w.add(scaled(w, sum, twice / (double(int64_t(1) << shift) * out.scale)), w.constant(out.zero));
  });
  return success();
}

LogicalResult RuleEmitter::emitProduct() {
  return emitPairs(call.integer("activation"),
                   [&](Wide w, Value a, Value c) { return scaled(w, w.mul(a, c), reference::productScale(call)); });
}

LogicalResult RuleEmitter::emitQuotient() {
  bool single = call.singleRounding();
  QuantizedMultiplier by = reference::quantizeMultiplier(reference::quotientScale(call), single);
  return emitPairs(call.integer("activation"), [&](Wide w, Value a, Value c) {
    auto isNegative = [&](Value x) { return w.compare(arith::CmpIPredicate::slt, x, w.constant(0)); };
    auto negated = [&](Value x) { return w.sub(w.constant(0), x); };
    Value below = isNegative(c), x = w.select(below, negated(a), a),
          y = w.most(w.select(below, negated(c), c), w.constant(1));
    auto [zeros, shifted] = emitHeadroom(w, y);
    Value inverse = emitOneOverOnePlus(w, w.sub(shifted, w.constant(int64_t(1) << 31)));
    // As far to the left as the sign allows: -2^k one place more than 2^k. Of 0 any place will do.
    Value magnitude = w.sub(w.left(negated(x), w.constant(1)), w.constant(1));
    Value ofNegative = emitHeadroom(w, magnitude).first, ofOther = w.sub(emitHeadroom(w, x).first, w.constant(1));
    Value headroom = w.select(isNegative(x), ofNegative, ofOther);
    Value quotient = w.doublingHighMultiply(w.left(x, headroom), inverse);
    Value shift = w.sub(w.add(zeros, w.constant(by.shift - 31)), headroom);
    Value multiplier = arith::ConstantIntOp::create(w.b, by.multiplier, 32);
    return mapFixed(w, quotient, multiplier, arith::TruncIOp::create(w.b, w.b.getI32Type(), shift),
                    single ? FixedMode::Single : FixedMode::Double);
  });
}

LogicalResult RuleEmitter::emitSquaredDifference() {
  int64_t shift = reference::squaredShift(call);
  double x = double(call.inputs[0].scale), y = double(call.inputs[1].scale), twice = 2 * std::max(x, y);
  return emitPairs(0, [&](Wide w, Value a, Value c) {
    Value first = scaled(w, w.left(a, w.constant(shift)), x / twice),
          second = scaled(w, w.left(c, w.constant(shift)), y / twice);
    Value difference = w.sub(first, second);
    Value square = arith::TruncIOp::create(w.b, w.b.getI32Type(), w.mul(difference, difference));
    double unit = double(int64_t(1) << (2 * shift)) * double(call.output.scale);
    return scaled(w, w.extend(square), twice * twice / unit);
  });
}

LogicalResult RuleEmitter::emitPrelu() {
  double input = double(call.inputs[0].scale), slope = double(call.inputs[1].scale), output = double(call.output.scale);
  return emitPairs(0, [&](Wide w, Value a, Value c) {
    Value below = w.compare(arith::CmpIPredicate::slt, a, w.constant(0));
    return w.select(below, scaled(w, w.mul(a, c), input * slope / output), scaled(w, a, input / output));
  });
}
