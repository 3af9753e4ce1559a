// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elementwise operators. Quantized ones with a published integer algorithm carry its rule; others are their real meaning
// between a read and a rounding.
#include "lib/Import/TFLite/Registry.h"
#include <cmath>

namespace mlir::qtensor::tflite {
namespace {
using BinaryFn = Value (*)(Scalar &, Value, Value, bool isUnsigned);

/// y = activation(fn(a, b)) on plain tensors.
LogicalResult plainBinary(const Node &n, BinaryFn fn, bool hasActivation) {
  FailureOr<Dims> dims = n.broadcast();
  FailureOr<int64_t> activation = hasActivation ? n.activation() : FailureOr<int64_t>(0);
  if (failed(dims) || failed(activation))
    return failure();
  if (n.in(0).elem != n.in(1).elem)
    return n.fail("its inputs have different types");
  if (*activation && !isFloat(n.in(0).elem))
    return n.fail("is an integer operator with an activation, which is not supported");
  Val inputs[] = {n.in(0), n.in(1)};
  bool isUnsigned = graph::isUnsigned(n.in(0).elem);
  return n.set(n.e.mapTo(*dims, inputs, n.in(0).elem, [&](Scalar &s, ValueRange in) {
    return n.activate(s, fn(s, in[0], in[1], isUnsigned), *activation);
  }));
}

Value addition(Scalar &s, Value a, Value b, bool) { return s.add(a, b); }
Value subtraction(Scalar &s, Value a, Value b, bool) { return s.sub(a, b); }
Value product(Scalar &s, Value a, Value b, bool) { return s.mul(a, b); }
Value quotient(Scalar &s, Value a, Value b, bool isUnsigned) { return s.div(a, b, isUnsigned); }
/// Of floats, the quotient in f64 rounded down: in f32 it may have become the next integer.
Value flooredQuotient(Scalar &s, Value a, Value b, bool isUnsigned) {
  if (Scalar::isReal(a)) {
    Type wide = s.b.getF64Type();
    Value exact = s.div(s.make<arith::ExtFOp>(wide, a), s.make<arith::ExtFOp>(wide, b));
    return s.make<arith::TruncFOp>(a.getType(), s.floor(exact));
  }
  Value whole = s.div(a, b, isUnsigned);
  if (isUnsigned)
    return whole;
  Value rest = remainder(s, a, b, false), zero = s.like(a, 0);
  Value differs = s.make<arith::XOrIOp>(s.lt(rest, zero), s.lt(b, zero));
  Value below = s.logicalAnd(s.logicalNot(s.eq(rest, zero)), differs);
  return s.select(below, s.sub(whole, s.like(whole, 1)), whole);
}
Value larger(Scalar &s, Value a, Value b, bool isUnsigned) { return s.max(a, b, isUnsigned); }
Value smaller(Scalar &s, Value a, Value b, bool isUnsigned) { return s.min(a, b, isUnsigned); }
Value squaredDifference(Scalar &s, Value a, Value b, bool) {
  Value difference = s.sub(a, b);
  return s.mul(difference, difference);
}

bool anyQuantized(const Node &n) { return isQuantized(n.inTensor(0)) || isQuantized(n.outTensor()); }

/// ADD and SUB: both inputs are brought to one finer scale, which the rule defines.
template <BinaryFn fn> LogicalResult importSum(const Node &n, StringRef rule) {
  if (!anyQuantized(n))
    return plainBinary(n, fn, /*hasActivation=*/true);
  FailureOr<Dims> dims = n.broadcast();
  FailureOr<int64_t> activation = n.activation();
  if (failed(dims) || failed(activation))
    return failure();
  return n.setByRule(rule, {0, 1}, {n.param("activation", *activation)}, [&](Emit &e, ArrayRef<Val> in) {
    return e.mapTo(*dims, in, Elem::F32, [&](Scalar &s, ValueRange x) {
      return n.activate(s, fn(s, x[0], x[1], false), *activation);
    });
  });
}
LogicalResult importAdd(const Node &n) { return importSum<addition>(n, "tflite.add"); }
LogicalResult importSub(const Node &n) { return importSum<subtraction>(n, "tflite.sub"); }

LogicalResult importMul(const Node &n) {
  if (!anyQuantized(n))
    return plainBinary(n, product, /*hasActivation=*/true);
  FailureOr<Dims> dims = n.broadcast();
  FailureOr<int64_t> activation = n.activation();
  if (failed(dims) || failed(activation))
    return failure();
  if (n.likeLiteRT())
    return n.setByRule("litert.mul", {0, 1}, {n.param("activation", *activation)}, [&](Emit &e, ArrayRef<Val> in) {
      return e.mapTo(*dims, in, Elem::F32, [&](Scalar &s, ValueRange x) { return n.activate(s, s.mul(x[0], x[1]), *activation); });
    });
  FailureOr<Val> a = n.real(0), b = n.real(1);
  if (failed(a) || failed(b))
    return failure();
  Val inputs[] = {*a, *b};
  return n.setReal(n.e.mapTo(*dims, inputs, Elem::F32, [&](Scalar &s, ValueRange in) {
    return n.activate(s, s.mul(in[0], in[1]), *activation);
  }));
}

template <BinaryFn fn> LogicalResult importPlain(const Node &n) {
  if (anyQuantized(n))
    return n.fail("is quantized, for which there is no rule; keep it in float");
  return plainBinary(n, fn, n.op.options.numbers.count("activation"));
}

LogicalResult importDiv(const Node &n) {
  if (!anyQuantized(n))
    return plainBinary(n, quotient, /*hasActivation=*/true);
  FailureOr<Dims> dims = n.broadcast();
  FailureOr<int64_t> activation = n.activation();
  if (failed(dims) || failed(activation))
    return failure();
  return n.setByRule("tflite.div", {0, 1}, {n.param("activation", *activation)}, [&](Emit &e, ArrayRef<Val> in) {
    return e.mapTo(*dims, in, Elem::F32, [&](Scalar &s, ValueRange x) { return n.activate(s, s.div(x[0], x[1]), *activation); });
  });
}

LogicalResult importSquaredDifference(const Node &n) {
  if (!anyQuantized(n))
    return plainBinary(n, squaredDifference, /*hasActivation=*/false);
  FailureOr<Dims> dims = n.broadcast();
  if (failed(dims))
    return failure();
  return n.setByRule("tflite.squared_difference", {0, 1}, {}, [&](Emit &e, ArrayRef<Val> in) {
    return e.mapTo(*dims, in, Elem::F32, [](Scalar &s, ValueRange x) { return squaredDifference(s, x[0], x[1], false); });
  });
}

/// The sum of any number of tensors of one shape.
LogicalResult importAddN(const Node &n) {
  SmallVector<Val> inputs;
  SmallVector<unsigned> numbers;
  for (unsigned i = 0; i < n.numInputs(); ++i) {
    if (n.in(i).elem != n.in(0).elem || !llvm::equal(n.in(i).dims, n.in(0).dims, DimMath::same))
      return n.fail("its inputs have different types or shapes");
    inputs.push_back(n.in(i));
    numbers.push_back(i);
  }
  auto sum = [&](Scalar &s, ValueRange in) {
    // Behind the inputs the body sees what the result's memory holds.
    Value total = in[0];
    for (unsigned i = 1; i < n.numInputs(); ++i)
      total = s.add(total, in[i]);
    return total;
  };
  if (anyQuantized(n))
    return n.setByRule("tflite.add_n", numbers, {}, [&](Emit &e, ArrayRef<Val> in) {
      return e.mapTo(n.in(0).dims, in, Elem::F32, sum);
    });
  return n.set(n.e.mapTo(n.in(0).dims, inputs, n.in(0).elem, sum));
}

/// MAXIMUM and MINIMUM keep codes of one scale as they are.
template <BinaryFn fn> LogicalResult importChoice(const Node &n) {
  auto same = [&](unsigned i) {
    return n.inTensor(i).quantization.scale == n.outTensor().quantization.scale &&
           n.inTensor(i).quantization.zero == n.outTensor().quantization.zero;
  };
  if (anyQuantized(n) && (!same(0) || !same(1)))
    return n.fail("its tensors have different scales; the format wants the same");
  return plainBinary(n, fn, /*hasActivation=*/false);
}

using UnaryFn = Value (*)(const Node &, Scalar &, Value);

/// fn on reals; rounded where the output is quantized.
template <UnaryFn fn> LogicalResult importUnary(const Node &n) {
  FailureOr<Val> x = n.real(0);
  if (failed(x))
    return failure();
  return n.setReal(n.e.map(*x, Elem::F32, [&](Scalar &s, ValueRange in) { return fn(n, s, in[0]); }));
}

/// As above, with a published rule for codes.
template <UnaryFn fn> LogicalResult importRule(const Node &n, StringRef rule, ArrayRef<NamedAttribute> parameters = {}) {
  if (!isQuantized(n.inTensor(0)))
    return importUnary<fn>(n);
  return n.setByRule(rule, {0}, parameters, [&](Emit &e, ArrayRef<Val> x) {
    return e.map(x[0], Elem::F32, [&](Scalar &s, ValueRange in) { return fn(n, s, in[0]); });
  });
}

Value sigmoid(const Node &, Scalar &s, Value x) { return s.sigmoid(x); }
Value hyperbolic(const Node &, Scalar &s, Value x) { return s.tanh(x); }
Value hardSwish(const Node &, Scalar &s, Value x) {
  Value inside = s.clamp(s.add(x, s.like(x, 3)), s.like(x, 0), s.like(x, 6));
  return s.div(s.mul(x, inside), s.like(x, 6));
}
Value leaky(const Node &n, Scalar &s, Value x) {
  return s.select(s.lt(x, s.like(x, 0)), s.mul(x, s.like(x, n.realOption("alpha"))), x);
}
template <int64_t kind> Value bounded(const Node &n, Scalar &s, Value x) { return n.activate(s, x, kind); }
Value zeroToOne(const Node &, Scalar &s, Value x) { return s.clamp(x, s.like(x, 0), s.like(x, 1)); }
Value sine(const Node &, Scalar &s, Value x) { return s.make<math::SinOp>(x); }
Value cosine(const Node &, Scalar &s, Value x) { return s.make<math::CosOp>(x); }
Value exponential(const Node &, Scalar &s, Value x) { return s.exp(x); }
Value logarithm(const Node &, Scalar &s, Value x) { return s.log(x); }
Value root(const Node &, Scalar &s, Value x) { return s.sqrt(x); }
Value inverseRoot(const Node &, Scalar &s, Value x) { return s.div(s.like(x, 1), s.sqrt(x)); }
Value magnitude(const Node &, Scalar &s, Value x) { return s.abs(x); }
Value negative(const Node &, Scalar &s, Value x) { return s.neg(x); }
Value square(const Node &, Scalar &s, Value x) { return s.mul(x, x); }
Value below(const Node &, Scalar &s, Value x) { return s.floor(x); }
Value above(const Node &, Scalar &s, Value x) { return s.make<math::CeilOp>(x); }
Value nearest(const Node &, Scalar &s, Value x) { return s.roundEven(x); }
Value exponentialUnit(const Node &, Scalar &s, Value x) {
  return s.select(s.lt(x, s.like(x, 0)), s.sub(s.exp(x), s.like(x, 1)), x);
}

/// Half of what x is times 1 + erf(x / sqrt(2)), or a curve of tanh near it.
Value gaussianUnit(const Node &n, Scalar &s, Value x) {
  auto number = [&](double value) { return s.like(x, value); };
  Value inside = s.mul(number(std::sqrt(2 / M_PI)), s.add(x, s.mul(number(0.044715), s.mul(x, s.mul(x, x)))));
  Value curve = n.option("approximate") ? s.tanh(inside) : s.erf(s.mul(x, number(std::sqrt(0.5))));
  return s.mul(s.mul(number(0.5), x), s.add(number(1), curve));
}
Value power(Scalar &s, Value a, Value b, bool) { return s.make<math::PowFOp>(a, b); }
Value angle(Scalar &s, Value a, Value b, bool) { return s.make<math::Atan2Op>(a, b); }

/// A function of two floats.
template <BinaryFn fn> LogicalResult importReal(const Node &n) {
  if (anyQuantized(n) || !isFloat(n.in(0).elem))
    return n.fail("takes floats; of " + elemName(n.in(0).elem) + " it is not supported");
  return plainBinary(n, fn, /*hasActivation=*/false);
}

/// -1, 0 or 1; NaN remains.
LogicalResult importSign(const Node &n) {
  if (anyQuantized(n) || isUnsigned(n.in(0).elem) || n.in(0).elem == Elem::Bool)
    return n.fail("takes floats or signed integers that are not quantized");
  return n.set(n.e.map(n.in(0), n.in(0).elem, [](Scalar &s, ValueRange in) {
    Value x = in[0], zero = s.like(x, 0);
    Value rest = Scalar::isReal(x) ? s.select(s.isNan(x), x, zero) : zero;
    return s.select(s.lt(zero, x), s.like(x, 1), s.select(s.lt(x, zero), s.like(x, -1), rest));
  }));
}

/// Floats rounded to the steps of a code, of which one is zero, and back.
LogicalResult importFakeQuant(const Node &n) {
  int64_t bits = n.option("num_bits");
  float low = float(n.realOption("min")), high = float(n.realOption("max"));
  if (n.in(0).elem != Elem::F32 || bits < 2 || bits > 16 || !(low <= 0) || !(high >= 0) || !(low < high))
    return n.fail("takes floats, 2 to 16 bits, and a range with zero in it");
  if (n.option("narrow_range"))
    return n.fail("has a narrow range, which runtimes refuse; it is meant for weights, which the converter quantizes");
  float most = float((1 << bits) - 1), scale = (high - low) / most,
        zero = std::round(std::clamp(-low / scale, 0.0f, most));
  float start = -zero * scale, end = (most - zero) * scale, inverse = 1.0f / scale;
  return n.set(n.e.map(n.in(0), Elem::F32, [&](Scalar &s, ValueRange in) {
    Value distance = s.sub(s.clamp(in[0], s.like(in[0], start), s.like(in[0], end)), s.like(in[0], start));
    Value step = s.make<math::RoundOp>(s.mul(distance, s.like(in[0], inverse)));
    return s.add(s.mul(step, s.like(in[0], scale)), s.like(in[0], start));
  }));
}

LogicalResult importLogistic(const Node &n) { return importRule<sigmoid>(n, "tflite.logistic"); }
LogicalResult importTanh(const Node &n) { return importRule<hyperbolic>(n, "tflite.tanh"); }
LogicalResult importHardSwish(const Node &n) { return importRule<hardSwish>(n, "tflite.hard_swish"); }
/// Of 8 bits by TFLite Micro's rule; it has none of 16.
template <UnaryFn fn> LogicalResult importByteRule(const Node &n, StringRef rule) {
  return bitWidth(n.in(0).elem) > 8 ? importUnary<fn>(n) : importRule<fn>(n, rule);
}
LogicalResult importInverseRoot(const Node &n) { return importByteRule<inverseRoot>(n, "tflite.rsqrt"); }
LogicalResult importElu(const Node &n) { return importByteRule<exponentialUnit>(n, "tflite.elu"); }
LogicalResult importLeakyRelu(const Node &n) {
  return importRule<leaky>(n, n.likeLiteRT() ? "litert.leaky_relu" : "tflite.leaky_relu",
                           {n.param("alpha", n.realOption("alpha"))});
}

LogicalResult importAbs(const Node &n) {
  return importRule<magnitude>(n, n.likeLiteRT() ? "litert.abs" : "tflite.abs");
}

/// Between two scales LiteRT has a rule of its own; and the only one, but for RELU.
template <UnaryFn fn> LogicalResult importBounded(const Node &n, double low, std::optional<double> high) {
  const Quantization &from = n.inTensor(0).quantization, &to = n.outTensor().quantization;
  bool rescales = isQuantized(n.inTensor(0)) && isQuantized(n.outTensor()) && from.scale != to.scale;
  if (!rescales || (!high && !n.likeLiteRT()))
    return importUnary<fn>(n);
  SmallVector<NamedAttribute> parameters{n.param("low", low)};
  if (high)
    parameters.push_back(n.param("high", *high));
  return importRule<fn>(n, "litert.relu", parameters);
}
LogicalResult importRelu(const Node &n) { return importBounded<bounded<1>>(n, 0, std::nullopt); }
LogicalResult importReluN1To1(const Node &n) { return importBounded<bounded<2>>(n, -1, 1); }
LogicalResult importRelu6(const Node &n) { return importBounded<bounded<3>>(n, 0, 6); }
LogicalResult importRelu0To1(const Node &n) { return importBounded<zeroToOne>(n, 0, 1); }

/// One input of several or one channel: x < 0 ? slope * x : x.
LogicalResult importPrelu(const Node &n) {
  FailureOr<Dims> dims = n.broadcast();
  if (failed(dims))
    return failure();
  auto slope = [](Scalar &s, ValueRange in) { return s.select(s.lt(in[0], s.like(in[0], 0)), s.mul(in[0], in[1]), in[0]); };
  if (anyQuantized(n))
    return n.setByRule("tflite.prelu", {0, 1}, {}, [&](Emit &e, ArrayRef<Val> in) { return e.mapTo(*dims, in, Elem::F32, slope); });
  Val inputs[] = {n.in(0), n.in(1)};
  return n.set(n.e.mapTo(*dims, inputs, n.in(0).elem, slope));
}

LogicalResult importCast(const Node &n) {
  Elem to = elemOf(n.outTensor().type);
  if (to == Elem::Undefined)
    return n.fail("can't cast to " + typeName(n.outTensor().type));
  return n.set(n.e.cast(n.in(0), to));
}

/// Reals to codes, or codes to codes of another scale.
LogicalResult importQuantize(const Node &n) {
  FailureOr<Val> x = n.real(0);
  if (failed(x))
    return failure();
  if (!isQuantized(n.inTensor(0)))
    return n.setReal(*x);
  // With one scale codes move by a difference of zero points: exact, and what a model's ends are rid of.
  if (n.inTensor(0).quantization.scale != n.outTensor().quantization.scale)
    return n.setByRule("tflite.quantize", {0}, {}, [&](Emit &e, ArrayRef<Val> in) {
      return e.map(in[0], Elem::F32, [](Scalar &, ValueRange scalars) { return scalars[0]; });
    });
  return n.setReal(n.e.map(*x, Elem::F32, [](Scalar &, ValueRange in) { return in[0]; }));
}

LogicalResult importDequantize(const Node &n) {
  FailureOr<Val> x = n.real(0);
  if (failed(x))
    return failure();
  if (!isQuantized(n.inTensor(0)))
    return n.set(*x);
  auto plain = RankedTensorType::get(DimMath::shape(x->dims), n.e.b.getF32Type());
  Value value = DequantizeOp::create(n.e.b, n.e.loc, plain, n.e.tensor(*x));
  return n.set(n.e.cast(n.e.wrap(value, Elem::F32, x->dims), elemOf(n.outTensor().type)));
}
} // namespace

void registerElementwise(Registry &r) {
  constexpr const char *exact = "f32; int8 and uint8 by TFLite Micro's rule", *real = "f32; quantized: the real value, rounded";
  r.add({
      {"ADD", 2, 2, importAdd, "f32, integers; int8, uint8, int16 by TFLite Micro's rule"},
      {"ADD_N", 1, kAny, importAddN, "f32, integers; int8 by TFLite Micro's rule"},
      {"SUB", 2, 2, importSub, "f32, integers; int8, uint8, int16 by TFLite Micro's rule"},
      {"MUL", 2, 2, importMul, "f32, integers, int8, uint8, int16"},
      {"DIV", 2, 2, importDiv, "f32, integers; int8, uint8 by TFLite Micro's rule"},
      {"FLOOR_DIV", 2, 2, importPlain<flooredQuotient>, "f32, integers"},
      {"FLOOR_MOD", 2, 2, importPlain<modulo>, "f32, integers"},
      {"MAXIMUM", 2, 2, importChoice<larger>, "all types; quantized: one scale"},
      {"MINIMUM", 2, 2, importChoice<smaller>, "all types; quantized: one scale"},
      {"SQUARED_DIFFERENCE", 2, 2, importSquaredDifference, "f32, integers; int8, int16 by TFLite Micro's rule"},
      {"LOGISTIC", 1, 1, importLogistic, exact},
      {"TANH", 1, 1, importTanh, exact},
      {"HARD_SWISH", 1, 1, importHardSwish, exact},
      {"LEAKY_RELU", 1, 1, importLeakyRelu, "f32; int8, int16 by TFLite Micro's rule"},
      {"PRELU", 2, 2, importPrelu, "f32; int8, int16 by TFLite Micro's rule"},
      {"RELU", 1, 1, importRelu, "f32, int8, uint8, int16"},
      {"RELU_N1_TO_1", 1, 1, importReluN1To1, "f32, int8, uint8, int16"},
      {"RELU6", 1, 1, importRelu6, "f32, int8, uint8, int16"},
      {"RELU_0_TO_1", 1, 1, importRelu0To1, "f32, int8, uint8, int16"},
      {"SIN", 1, 1, importUnary<sine>, real},
      {"COS", 1, 1, importUnary<cosine>, real},
      {"EXP", 1, 1, importUnary<exponential>, real},
      {"LOG", 1, 1, importUnary<logarithm>, real},
      {"SQRT", 1, 1, importUnary<root>, real},
      {"RSQRT", 1, 1, importInverseRoot, exact},
      {"ABS", 1, 1, importAbs, "f32; int8, int16 by TFLite Micro's rule"},
      {"NEG", 1, 1, importUnary<negative>, real},
      {"SQUARE", 1, 1, importUnary<square>, real},
      {"FLOOR", 1, 1, importUnary<below>, real},
      {"CEIL", 1, 1, importUnary<above>, real},
      {"ROUND", 1, 1, importUnary<nearest>, real},
      {"ATAN2", 2, 2, importReal<angle>, "f32"},
      {"FAKE_QUANT", 1, 1, importFakeQuant, "f32"},
      {"GELU", 1, 1, importUnary<gaussianUnit>, real},
      {"POW", 2, 2, importReal<power>, "f32"},
      {"SIGN", 1, 1, importSign, "f32, signed integers"},
      {"ELU", 1, 1, importElu, "f32; int8 by TFLite Micro's rule"},
      {"CAST", 1, 1, importCast, "all types"},
      {"QUANTIZE", 1, 1, importQuantize, "f32 to codes; codes to codes"},
      {"DEQUANTIZE", 1, 1, importDequantize, "codes to f32; f16 to f32"},
  });
}

} // namespace mlir::qtensor::tflite
