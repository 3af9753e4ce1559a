// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/TFLite/Ops/Hybrid.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::tflite;

bool tflite::isHybrid(const Node &n) {
  const Tensor &weights = n.inTensor(1);
  Elem elem = elemOf(weights.type);
  return elemOf(n.inTensor(0).type) == Elem::F32 && isQuantized(weights) && !weights.quantization.isBlockwise() &&
         isSigned(elem) && bitWidth(elem) <= 8;
}

LogicalResult tflite::checkHybrid(const Node &n, int64_t channels) {
  const Quantization &q = n.inTensor(1).quantization;
  if (llvm::any_of(q.zero, [](int64_t zero) { return zero != 0; }))
    return n.fail("has float activations and weights with a zero point, which must be 0");
  if (q.scale.size() != 1 && int64_t(q.scale.size()) != channels)
    return n.fail("has " + Twine(q.scale.size()) + " scales of weights for " + Twine(channels) + " channels");
  return success();
}

namespace {
/// All axes but the first.
SmallVector<int64_t> inner(const Val &x) {
  SmallVector<int64_t> axes = allAxes(x.rank());
  axes.erase(axes.begin());
  return axes;
}

/// Nearest integer, halves away from zero, of a number in 16 bits. No comparison holds for NaN, which becomes `low`.
Value nearest(Scalar &s, Value x, double low, double high) {
  Value below = s.select(s.lt(x, s.like(x, high)), x, s.like(x, high));
  Value inside = s.select(s.lt(s.like(x, low), below), below, s.like(x, low));
  Type i32 = s.b.getI32Type();
  Value whole = s.make<arith::FPToSIOp>(i32, inside);
  Value rest = s.sub(inside, s.make<arith::SIToFPOp>(x.getType(), whole));
  Value up = s.make<arith::ExtUIOp>(i32, s.le(s.like(x, 0.5), rest));
  Value down = s.make<arith::ExtUIOp>(i32, s.le(rest, s.like(x, -0.5)));
  return s.sub(s.add(whole, up), down);
}

DynamicCodes symmetric(Emit &e, const Val &x) {
  constexpr double kMost = 127;
  Val range = e.reduce(x, inner(x), /*keep=*/true, Elem::F32, 0,
                       [](Scalar &s, ValueRange in) { return s.max(in[1], s.abs(in[0])); });
  auto unlessZero = [&](double instead, function_ref<Value(Scalar &, Value)> fn) {
    return e.map(range, Elem::F32, [&](Scalar &s, ValueRange in) {
      return s.select(s.eq(in[0], s.like(in[0], 0)), s.like(in[0], instead), fn(s, in[0]));
    });
  };
  Val scale = unlessZero(1, [&](Scalar &s, Value r) { return s.div(r, s.like(r, kMost)); });
  Val inverse = unlessZero(0, [&](Scalar &s, Value r) { return s.div(s.like(r, kMost), r); });
  Val parts[] = {x, inverse};
  Val codes = e.mapTo(x.dims, parts, Elem::I8, [&](Scalar &s, ValueRange in) -> Value {
    return s.make<arith::TruncIOp>(s.b.getI8Type(), nearest(s, s.mul(in[0], in[1]), -kMost, kMost));
  });
  return {codes, scale};
}

/// The scale and the zero point before it is rounded, from the smallest and largest value. LiteRT's vector kernels, which hosts
/// and phones run, subtract in f32 and go on in f64.
struct Asymmetric {
  Value scale, zero;
  Asymmetric(Scalar &s, Value smallest, Value largest) {
    auto div = [&](Value a, Value b) { return s.div(a, b); };
    Value low = s.number(s.b.getF64Type(), -128), high = s.number(s.b.getF64Type(), 127), none = s.like(low, 0);
    Value bottom = s.make<arith::ExtFOp>(low.getType(), smallest), top = s.make<arith::ExtFOp>(low.getType(), largest);
    scale = div(s.make<arith::ExtFOp>(low.getType(), s.sub(largest, smallest)), s.like(low, 255));
    Value fromLow = s.sub(low, div(bottom, scale)), fromHigh = s.sub(high, div(top, scale));
    // Magnitudes: bottom <= 0 <= top.
    Value lowError = s.sub(s.like(low, 128), div(bottom, scale)), highError = s.add(high, div(top, scale));
    zero = s.select(s.lt(lowError, highError), fromLow, fromHigh);
    Value flat = s.eq(bottom, top);
    scale = s.select(flat, s.like(low, 1), scale);
    zero = s.select(flat, none, zero);
  }
};

DynamicCodes asymmetric(Emit &e, const Val &x) {
  auto end = [&](Body body) { return e.reduce(x, inner(x), /*keep=*/true, Elem::F32, 0, body); };
  Val ends[] = {end([](Scalar &s, ValueRange in) { return s.min(in[1], in[0]); }),
                end([](Scalar &s, ValueRange in) { return s.max(in[1], in[0]); })};
  Val scale = e.map(ends, Elem::F32, [](Scalar &s, ValueRange in) -> Value {
    return s.make<arith::TruncFOp>(s.b.getF32Type(), Asymmetric(s, in[0], in[1]).scale);
  });
  Val zero = e.map(ends, Elem::I32, [](Scalar &s, ValueRange in) {
    return nearest(s, Asymmetric(s, in[0], in[1]).zero, -128, 127);
  });
  Val inverse = e.map(scale, Elem::F32, [](Scalar &s, ValueRange in) { return s.div(s.like(in[0], 1), in[0]); });
  Val parts[] = {x, inverse, zero};
  // Products are rounded, the zero point is added, the sum is clamped; and the zero point is taken away again.
  Val codes = e.mapTo(x.dims, parts, Elem::I16, [](Scalar &s, ValueRange in) -> Value {
    Value moved = nearest(s, s.mul(in[0], in[1]), -512, 512), zero = in[2];
    Value inside = s.clamp(moved, s.sub(s.like(zero, -128), zero), s.sub(s.like(zero, 127), zero));
    return s.make<arith::TruncIOp>(s.b.getI16Type(), inside);
  });
  return {codes, scale};
}
} // namespace

DynamicCodes tflite::quantizeDynamically(Emit &e, const Val &x, bool isAsymmetric) {
  return isAsymmetric ? asymmetric(e, x) : symmetric(e, x);
}

Val tflite::scaleSums(Emit &e, const Val &sums, const Val &scale, ArrayRef<float> weights, bool inTwoSteps) {
  SmallVector<int64_t> shape(sums.rank(), 1);
  shape.back() = int64_t(weights.size());
  Val parts[] = {sums, scale, e.constant(SmallVector<double>(weights.begin(), weights.end()), shape, Elem::F32)};
  return e.mapTo(sums.dims, parts, Elem::F32, [&](Scalar &s, ValueRange in) {
    Value sum = s.make<arith::SIToFPOp>(in[1].getType(), in[0]);
    return inTwoSteps ? s.mul(s.mul(sum, in[2]), in[1]) : s.mul(sum, s.mul(in[1], in[2]));
  });
}

RowFactor tflite::rowFactor(Emit &e, const Val &x, bool hybrid, bool asymmetric) {
  RowFactor made{x, std::nullopt};
  if (hybrid)
    made.codes = quantizeDynamically(e, x, asymmetric);
  return made;
}

Val tflite::multiplyRows(Emit &e, const RowFactor &x, const Val &rows, std::optional<float> scale) {
  if (!scale)
    return contractRows(e, x.reals, rows);
  Val sums = contractGeneric(e, x.codes->codes, rows, Elem::I32, /*rows=*/true);
  return scaleSums(e, sums, x.codes->scale, *scale, /*inTwoSteps=*/false);
}

LogicalResult tflite::checkRowCodes(const Node &n, const Tensor &weights) {
  const Quantization &q = weights.quantization;
  if (isQuantized(weights) && weights.type == ElemType::I8 && !q.isBlockwise() && q.scale.size() == 1 && q.zero[0] == 0)
    return success();
  return n.fail("has float activations and codes, beside which '" + weights.name +
                "' must be int8 with one scale and the zero "
                "point 0; quantize the layer anew");
}
