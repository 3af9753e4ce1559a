// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elementwise arithmetic, comparison and logic with broadcasting.
#include "lib/Import/ONNX/Registry.h"

namespace mlir::qtensor::onnx {
namespace {
using UnaryFn = Value (*)(Scalar &, Value, Elem);
using BinaryFn = Value (*)(Scalar &, Value, Value, Elem);
using FoldFn = OpFoldResult (DimMath::*)(OpFoldResult, OpFoldResult);

/// Shape arithmetic: both inputs are extents of rank at most 1.
std::optional<Val> foldExtents(NodeContext &n, const Val &a, const Val &b, FoldFn fold) {
  bool integral = a.elem == Elem::I64 || a.elem == Elem::I32;
  if (!integral || !a.ints || !b.ints || a.rank() > 1 || b.rank() > 1)
    return std::nullopt;
  size_t count = a.rank() || b.rank() ? std::max(a.ints->size(), b.ints->size()) : 1;
  if ((a.ints->size() != count && a.ints->size() != 1) || (b.ints->size() != count && b.ints->size() != 1))
    return std::nullopt;
  Dims values;
  for (size_t i = 0; i < count; ++i)
    values.push_back((n.e.math.*fold)((*a.ints)[a.ints->size() == 1 ? 0 : i], (*b.ints)[b.ints->size() == 1 ? 0 : i]));
  SmallVector<int64_t> shape;
  if (a.rank() || b.rank())
    shape.push_back(static_cast<int64_t>(count));
  return n.e.ints(values, shape, a.elem);
}

/// Before operator set 7 the second input was aligned to `axis` of the first and only it was broadcast.
FailureOr<Val> alignLegacy(NodeContext &n, const Val &a, const Val &b) {
  if (n.opset >= 7 || !n.hasAttr("axis"))
    return b;
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", 0), a.rank());
  if (failed(axis))
    return failure();
  if (*axis + b.rank() > a.rank())
    return n.fail("'axis' leaves no room for input 1");
  Dims dims = b.dims;
  dims.append(a.rank() - *axis - b.rank(), n.e.math.constant(1));
  return n.e.reshape(b, dims);
}

template <BinaryFn fn, bool toBool = false> LogicalResult binaryOrFold(NodeContext &n, FoldFn fold) {
  if (failed(n.requireSame(0, 1)))
    return failure();
  FailureOr<Val> second = alignLegacy(n, n.in(0), n.in(1));
  if (failed(second))
    return failure();
  if (fold)
    if (std::optional<Val> folded = foldExtents(n, n.in(0), *second, fold))
      return n.set(0, *folded);
  Val inputs[] = {n.in(0), *second};
  if (failed(n.requireBroadcast(inputs)))
    return failure();
  Elem elem = n.in(0).elem;
  return n.set(0, n.e.map(inputs, toBool ? Elem::Bool : elem,
                          [&](Scalar &s, ValueRange in) { return fn(s, in[0], in[1], elem); }));
}

template <BinaryFn fn, bool toBool = false> LogicalResult binary(NodeContext &n) {
  return binaryOrFold<fn, toBool>(n, nullptr);
}

template <BinaryFn fn> LogicalResult variadic(NodeContext &n) {
  SmallVector<Val> inputs;
  for (unsigned i = 0; i < n.numInputs(); ++i) {
    if (!n.has(i))
      return n.fail("input " + Twine(i) + " is missing");
    if (failed(n.requireSame(0, i)))
      return failure();
    inputs.push_back(n.in(i));
  }
  if (failed(n.requireBroadcast(inputs)))
    return failure();
  return n.set(0, n.e.map(inputs, inputs[0].elem, [&](Scalar &s, ValueRange in) {
    Value result = in[0];
    for (Value next : in.drop_front().take_front(inputs.size() - 1))
      result = fn(s, result, next, inputs[0].elem);
    return result;
  }));
}

template <UnaryFn fn, bool toBool = false> LogicalResult unary(NodeContext &n) {
  const Val &x = n.in(0);
  return n.set(
      0, n.e.map(x, toBool ? Elem::Bool : x.elem, [&](Scalar &s, ValueRange in) { return fn(s, in[0], x.elem); }));
}

Value add(Scalar &s, Value x, Value y, Elem) { return s.add(x, y); }
Value sub(Scalar &s, Value x, Value y, Elem) { return s.sub(x, y); }
Value mul(Scalar &s, Value x, Value y, Elem) { return s.mul(x, y); }
Value div(Scalar &s, Value x, Value y, Elem elem) { return s.div(x, y, isUnsigned(elem)); }
Value max(Scalar &s, Value x, Value y, Elem elem) { return s.max(x, y, isUnsigned(elem)); }
Value min(Scalar &s, Value x, Value y, Elem elem) { return s.min(x, y, isUnsigned(elem)); }
Value equal(Scalar &s, Value x, Value y, Elem) { return s.eq(x, y); }
Value less(Scalar &s, Value x, Value y, Elem elem) { return s.lt(x, y, isUnsigned(elem)); }
Value lessEqual(Scalar &s, Value x, Value y, Elem elem) { return s.le(x, y, isUnsigned(elem)); }
Value greater(Scalar &s, Value x, Value y, Elem elem) { return s.lt(y, x, isUnsigned(elem)); }
Value greaterEqual(Scalar &s, Value x, Value y, Elem elem) { return s.le(y, x, isUnsigned(elem)); }
Value bitAnd(Scalar &s, Value x, Value y, Elem) { return s.logicalAnd(x, y); }
Value bitOr(Scalar &s, Value x, Value y, Elem) { return s.logicalOr(x, y); }
Value bitXor(Scalar &s, Value x, Value y, Elem) { return s.make<arith::XOrIOp>(x, y); }
Value bitNot(Scalar &s, Value x, Elem) { return s.make<arith::XOrIOp>(x, s.like(x, -1)); }

Value shiftLeft(Scalar &s, Value x, Value y, Elem) { return s.make<arith::ShLIOp>(x, y); }
Value shiftRight(Scalar &s, Value x, Value y, Elem) { return s.make<arith::ShRUIOp>(x, y); }

/// Remainder with the sign of the dividend (C's fmod).
Value remainder(Scalar &s, Value x, Value y, Elem elem) {
  if (Scalar::isReal(x))
    return s.make<arith::RemFOp>(x, y);
  return isUnsigned(elem) ? s.make<arith::RemUIOp>(x, y) : s.make<arith::RemSIOp>(x, y);
}

/// Remainder with the sign of the divisor (Python's %).
Value modulo(Scalar &s, Value x, Value y, Elem elem) {
  Value rest = remainder(s, x, y, elem);
  if (isUnsigned(elem))
    return rest;
  Value zero = s.like(x, 0);
  Value differs = s.make<arith::XOrIOp>(s.lt(rest, zero), s.lt(y, zero));
  Value wrong = s.logicalAnd(s.logicalNot(s.eq(rest, zero)), differs);
  return s.select(wrong, s.add(rest, y), rest);
}

LogicalResult importMod(NodeContext &n) {
  if (n.attrInt("fmod", 0))
    return binary<remainder>(n);
  return binary<modulo>(n);
}

template <BinaryFn fn, FoldFn fold> LogicalResult folding(NodeContext &n) { return binaryOrFold<fn>(n, fold); }

LogicalResult importPow(NodeContext &n) {
  const Val &x = n.in(0);
  FailureOr<Val> second = alignLegacy(n, x, n.in(1));
  if (failed(second))
    return failure();
  Val y = *second, inputs[] = {x, y};
  if (failed(n.requireBroadcast(inputs)))
    return failure();
  std::optional<double> exponent;
  if (y.constant && y.constant->numElements() == 1)
    exponent = y.constant->realAt(0);
  if (exponent == 2)
    return n.set(0, n.e.mapTo(x.dims, x, x.elem, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[0]); }));
  if (exponent == 0.5 && isFloat(x.elem))
    return n.set(0, n.e.mapTo(x.dims, x, x.elem, [](Scalar &s, ValueRange in) { return s.sqrt(in[0]); }));
  return n.set(0, n.e.map(inputs, x.elem, [&](Scalar &s, ValueRange in) -> Value {
    if (isInteger(x.elem) && isInteger(y.elem)) {
      // A wider exponent than base is cut: exponents that matter fit.
      return s.make<math::IPowIOp>(in[0], s.cast(in[1], y.elem, x.elem));
    }
    Elem wide = isFloat(x.elem) ? x.elem : y.elem;
    return s.cast(s.make<math::PowFOp>(s.cast(in[0], x.elem, wide), s.cast(in[1], y.elem, wide)), wide, x.elem);
  }));
}

LogicalResult importBitShift(NodeContext &n) {
  bool left = n.attrString("direction", "") == "LEFT";
  if (!left && n.attrString("direction", "") != "RIGHT")
    return n.fail("'direction' must be LEFT or RIGHT");
  return left ? binary<shiftLeft>(n) : binary<shiftRight>(n);
}

LogicalResult importWhere(NodeContext &n) {
  if (n.in(0).elem != Elem::Bool)
    return n.fail("input 0 must be bool");
  if (failed(n.requireSame(1, 2)))
    return failure();
  Val inputs[] = {n.in(0), n.in(1), n.in(2)};
  if (failed(n.requireBroadcast(inputs)))
    return failure();
  return n.set(0,
               n.e.map(inputs, n.in(1).elem, [](Scalar &s, ValueRange in) { return s.select(in[0], in[1], in[2]); }));
}

LogicalResult importMean(NodeContext &n) {
  SmallVector<Val> inputs = n.allInputs();
  if (failed(n.requireFloat(0)) || failed(n.requireBroadcast(inputs)))
    return failure();
  double count = static_cast<double>(inputs.size());
  return n.set(0, n.e.map(inputs, inputs[0].elem, [&](Scalar &s, ValueRange in) {
    Value total = in[0];
    for (Value next : in.drop_front().take_front(inputs.size() - 1))
      total = s.add(total, next);
    return s.div(total, s.like(total, count));
  }));
}

Value negate(Scalar &s, Value x, Elem) { return s.neg(x); }
Value absolute(Scalar &s, Value x, Elem elem) { return s.abs(x, isUnsigned(elem)); }
Value sign(Scalar &s, Value x, Elem elem) {
  Value zero = s.like(x, 0), one = s.like(x, 1);
  Value positive = s.select(s.lt(zero, x, isUnsigned(elem)), one, zero);
  return isUnsigned(elem) ? positive : s.select(s.lt(x, zero), s.like(x, -1), positive);
}
Value reciprocal(Scalar &s, Value x, Elem) { return s.div(s.like(x, 1), x); }
Value isNan(Scalar &s, Value x, Elem) { return s.isNan(x); }
template <typename OpT> Value apply(Scalar &s, Value x, Elem) { return s.make<OpT>(x); }

/// A float operator that is one op of the math dialect.
template <typename OpT> LogicalResult real(NodeContext &n) {
  return failed(n.requireFloat(0)) ? failure() : unary<apply<OpT>>(n);
}

LogicalResult importIsInf(NodeContext &n) {
  if (failed(n.requireFloat(0)))
    return failure();
  bool negative = n.attrInt("detect_negative", 1), positive = n.attrInt("detect_positive", 1);
  return n.set(0, n.e.map(n.in(0), Elem::Bool, [&](Scalar &s, ValueRange in) {
    Value infinity = s.like(in[0], std::numeric_limits<double>::infinity());
    Value isPositive = s.eq(in[0], infinity), isNegative = s.eq(s.neg(in[0]), infinity);
    if (negative && positive)
      return s.logicalOr(isPositive, isNegative);
    return positive ? isPositive : negative ? isNegative : s.number(s.b.getI1Type(), 0);
  }));
}
} // namespace

void registerElementwise(Registry &r) {
  constexpr const char *legacy = "axis broadcast consumed_inputs";
  r.add({
      {"", "Add", 1, kNewest, 2, 2, legacy, folding<add, &DimMath::add>},
      {"", "Sub", 1, kNewest, 2, 2, legacy, folding<sub, &DimMath::sub>},
      {"", "Mul", 1, kNewest, 2, 2, legacy, folding<mul, &DimMath::mul>},
      {"", "Div", 1, kNewest, 2, 2, legacy, folding<div, &DimMath::truncDiv>},
      {"", "Pow", 1, kNewest, 2, 2, "axis broadcast", importPow},
      {"", "Mod", 10, kNewest, 2, 2, "fmod", importMod},
      {"", "Max", 1, kNewest, 1, kAny, "consumed_inputs", variadic<max>},
      {"", "Min", 1, kNewest, 1, kAny, "consumed_inputs", variadic<min>},
      {"", "Sum", 1, kNewest, 1, kAny, "consumed_inputs", variadic<add>},
      {"", "Mean", 1, kNewest, 1, kAny, "consumed_inputs", importMean},
      {"", "Equal", 7, kNewest, 2, 2, "", binary<equal, true>},
      {"", "Less", 7, kNewest, 2, 2, "", binary<less, true>},
      {"", "LessOrEqual", 12, kNewest, 2, 2, "", binary<lessEqual, true>},
      {"", "Greater", 7, kNewest, 2, 2, "", binary<greater, true>},
      {"", "GreaterOrEqual", 12, kNewest, 2, 2, "", binary<greaterEqual, true>},
      {"", "And", 7, kNewest, 2, 2, "", binary<bitAnd>},
      {"", "Or", 7, kNewest, 2, 2, "", binary<bitOr>},
      {"", "Xor", 7, kNewest, 2, 2, "", binary<bitXor>},
      {"", "Not", 1, kNewest, 1, 1, "", unary<bitNot>},
      {"", "BitwiseAnd", 18, kNewest, 2, 2, "", binary<bitAnd>},
      {"", "BitwiseOr", 18, kNewest, 2, 2, "", binary<bitOr>},
      {"", "BitwiseXor", 18, kNewest, 2, 2, "", binary<bitXor>},
      {"", "BitwiseNot", 18, kNewest, 1, 1, "", unary<bitNot>},
      {"", "BitShift", 11, kNewest, 2, 2, "direction", importBitShift},
      {"", "Where", 9, kNewest, 3, 3, "", importWhere},
      {"", "Neg", 1, kNewest, 1, 1, "consumed_inputs", unary<negate>},
      {"", "Abs", 1, kNewest, 1, 1, "consumed_inputs", unary<absolute>},
      {"", "Sign", 9, kNewest, 1, 1, "", unary<sign>},
      {"", "Reciprocal", 1, kNewest, 1, 1, "consumed_inputs", unary<reciprocal>},
      {"", "Sqrt", 1, kNewest, 1, 1, "consumed_inputs", real<math::SqrtOp>},
      {"", "Exp", 1, kNewest, 1, 1, "consumed_inputs", real<math::ExpOp>},
      {"", "Log", 1, kNewest, 1, 1, "consumed_inputs", real<math::LogOp>},
      {"", "Ceil", 1, kNewest, 1, 1, "consumed_inputs", real<math::CeilOp>},
      {"", "Floor", 1, kNewest, 1, 1, "consumed_inputs", real<math::FloorOp>},
      {"", "Round", 11, kNewest, 1, 1, "", real<math::RoundEvenOp>},
      {"", "Sin", 7, kNewest, 1, 1, "", real<math::SinOp>},
      {"", "Cos", 7, kNewest, 1, 1, "", real<math::CosOp>},
      {"", "Tan", 7, kNewest, 1, 1, "", real<math::TanOp>},
      {"", "Asin", 7, kNewest, 1, 1, "", real<math::AsinOp>},
      {"", "Acos", 7, kNewest, 1, 1, "", real<math::AcosOp>},
      {"", "Atan", 7, kNewest, 1, 1, "", real<math::AtanOp>},
      {"", "Sinh", 9, kNewest, 1, 1, "", real<math::SinhOp>},
      {"", "Cosh", 9, kNewest, 1, 1, "", real<math::CoshOp>},
      {"", "Asinh", 9, kNewest, 1, 1, "", real<math::AsinhOp>},
      {"", "Acosh", 9, kNewest, 1, 1, "", real<math::AcoshOp>},
      {"", "Atanh", 9, kNewest, 1, 1, "", real<math::AtanhOp>},
      {"", "Tanh", 1, kNewest, 1, 1, "consumed_inputs", real<math::TanhOp>},
      {"", "Erf", 9, kNewest, 1, 1, "", real<math::ErfOp>},
      {"", "IsNaN", 9, kNewest, 1, 1, "", unary<isNan, true>},
      {"", "IsInf", 10, kNewest, 1, 1, "detect_negative detect_positive", importIsInf},
  });
}

} // namespace mlir::qtensor::onnx
