// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Comparisons, choices between two values, and logic.
#include "lib/Import/TFLite/Registry.h"
#include "lib/Reference/FinalMap.h"
#include "lib/Reference/FixedPoint.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {
namespace {
using CompareFn = Value (*)(Scalar &, Value, Value, bool isUnsigned);
Value below(Scalar &s, Value a, Value b, bool isUnsigned) { return s.lt(a, b, isUnsigned); }
Value belowOrEqual(Scalar &s, Value a, Value b, bool isUnsigned) { return s.le(a, b, isUnsigned); }
Value above(Scalar &s, Value a, Value b, bool isUnsigned) { return s.lt(b, a, isUnsigned); }
Value aboveOrEqual(Scalar &s, Value a, Value b, bool isUnsigned) { return s.le(b, a, isUnsigned); }
Value equal(Scalar &s, Value a, Value b, bool) { return s.eq(a, b); }
Value unequal(Scalar &s, Value a, Value b, bool) { return s.logicalNot(s.eq(a, b)); }

/// What the published kernels compare for a code of 8 bits: 2^8 (code - zero) times the scale, rounded to an integer. Codes
/// of a scale below 2^-9 may become equal.
Val comparable(const Node &n, unsigned input) {
  const Quantization &q = n.inTensor(input).quantization;
  reference::QuantizedMultiplier by = reference::quantizeMultiplier(double(q.scale[0]), n.singleRounding());
  FixedMode mode = n.singleRounding() ? FixedMode::Single : FixedMode::Double;
  SmallVector<double> values;
  bool isSigned = graph::isSigned(n.in(input).elem);
  int64_t first = isSigned ? -128 : 0;
  for (int64_t code = first; code < first + 256; ++code)
    values.push_back(double(reference::mapFixed((code - q.zero[0]) * 256, by.multiplier, by.shift, mode)));
  Emit &e = n.e;
  Value table = e.tensor(e.constant(values, {256}, Elem::I32));
  return e.map(n.in(input), Elem::I32, [&](Scalar &s, ValueRange in) -> Value {
    Value wide = s.widen(in[0], s.b.getI32Type(), !isSigned);
    Value index = s.make<arith::IndexCastOp>(s.b.getIndexType(), s.sub(wide, s.like(wide, double(first))));
    return s.make<tensor::ExtractOp>(table, index);
  });
}

template <CompareFn fn> LogicalResult importCompare(const Node &n) {
  FailureOr<Dims> dims = n.broadcast();
  if (failed(dims))
    return failure();
  Val inputs[] = {n.in(0), n.in(1)};
  if (inputs[0].elem != inputs[1].elem)
    return n.fail("its inputs have different types");
  bool quantized = isQuantized(n.inTensor(0));
  if (quantized != isQuantized(n.inTensor(1)))
    return n.fail("compares quantized with plain numbers");
  if (quantized && bitWidth(inputs[0].elem) != 8)
    return n.fail("compares quantized " + elemName(inputs[0].elem) +
                  ", for which there is no rule; int8 and uint8 have one");
  for (unsigned i : {0u, 1u})
    if (quantized && n.inTensor(i).quantization.scale.size() != 1)
      return n.fail("compares a tensor of several scales");
  for (unsigned i : {0u, 1u})
    if (quantized)
      inputs[i] = comparable(n, i);
  bool isUnsigned = graph::isUnsigned(inputs[0].elem) || inputs[0].elem == Elem::Bool;
  return n.set(n.e.mapTo(*dims, inputs, Elem::Bool, [&](Scalar &s, ValueRange in) { return fn(s, in[0], in[1], isUnsigned); }));
}

/// Both values have the output's scale.
LogicalResult importSelect(const Node &n) {
  if (n.in(0).elem != Elem::Bool || n.in(1).elem != n.in(2).elem)
    return n.fail("takes a condition and two values of one type");
  if (failed(n.requireSameScale(1)) || failed(n.requireSameScale(2)))
    return failure();
  Val condition = n.in(0);
  // SELECT, unlike SELECT_V2, takes a vector that chooses rows.
  if (n.op.code == operatorCode("SELECT") && condition.rank() == 1 && n.in(1).rank() > 1) {
    Dims column(n.in(1).rank(), n.e.math.constant(1));
    column[0] = condition.dims[0];
    condition = n.e.reshape(condition, column);
  }
  Val inputs[] = {condition, n.in(1), n.in(2)};
  std::optional<Dims> dims = n.e.broadcastDims(inputs);
  if (!dims)
    return n.fail("the shapes of its inputs do not broadcast");
  return n.set(n.e.mapTo(*dims, inputs, n.in(1).elem, [](Scalar &s, ValueRange in) { return s.select(in[0], in[1], in[2]); }));
}

using BitsFn = Value (*)(Scalar &, Value, Value, Elem);
Value difference(Scalar &s, Value a, Value b, Elem) { return s.make<arith::XOrIOp>(a, b); }
/// Amounts below zero and beyond the bits of a number count as zero and as all but one of them.
Value shifted(Scalar &s, Value a, Value b, Elem elem) {
  Value most = s.like(b, bitWidth(elem) - 1), amount = s.min(b, most, isUnsigned(elem));
  if (isUnsigned(elem))
    return s.make<arith::ShRUIOp>(a, amount);
  return s.make<arith::ShRSIOp>(a, s.max(amount, s.like(b, 0)));
}

using LogicFn = Value (*)(Scalar &, ValueRange);
Value conjunction(Scalar &s, ValueRange in) { return s.logicalAnd(in[0], in[1]); }
Value disjunction(Scalar &s, ValueRange in) { return s.logicalOr(in[0], in[1]); }
Value negation(Scalar &s, ValueRange in) { return s.logicalNot(in[0]); }

template <LogicFn fn> LogicalResult importLogic(const Node &n) {
  FailureOr<Dims> dims = n.broadcast();
  if (failed(dims))
    return failure();
  SmallVector<Val> inputs;
  for (unsigned i = 0; i < n.numInputs(); ++i) {
    if (n.in(i).elem != Elem::Bool)
      return n.fail("takes truth values");
    inputs.push_back(n.in(i));
  }
  return n.set(n.e.mapTo(*dims, inputs, Elem::Bool, fn));
}

/// Bits of plain integers.
template <BitsFn fn> LogicalResult importBits(const Node &n) {
  FailureOr<Dims> dims = n.broadcast();
  if (failed(dims))
    return failure();
  const Val &a = n.in(0), &b = n.in(1);
  if (a.elem != b.elem || !isInteger(a.elem) || isQuantized(n.inTensor(0)) || isQuantized(n.inTensor(1)))
    return n.fail("takes integers of one type that are not quantized");
  Val inputs[] = {a, b};
  return n.set(n.e.mapTo(*dims, inputs, a.elem, [&](Scalar &s, ValueRange in) { return fn(s, in[0], in[1], a.elem); }));
}

/// The bits of each element as those of another type.
LogicalResult importBitcast(const Node &n) {
  const Val &x = n.in(0);
  Elem elem = elemOf(n.outTensor().type);
  Type from = n.e.type(x.elem), to = n.e.type(elem);
  if (!to || x.elem == Elem::Bool || elem == Elem::Bool || from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth())
    return n.fail("its input and output must be numbers of as many bits");
  return n.set(n.e.map(
      x, elem, [&](Scalar &s, ValueRange in) { return from == to ? in[0] : s.make<arith::BitcastOp>(to, in[0]); }));
}

/// The position of the first largest or smallest element; codes have the order of their reals.
template <bool largest> LogicalResult importArg(const Node &n) {
  FailureOr<SmallVector<int64_t>> given = n.numbers(1, "its axis");
  if (failed(given))
    return failure();
  const Val &x = n.in(0);
  int64_t axis = given->size() == 1 ? (*given)[0] + ((*given)[0] < 0 ? x.rank() : 0) : -1;
  Elem elem = elemOf(n.outTensor().type);
  if (axis < 0 || axis >= x.rank() || !isInteger(elem))
    return n.fail("its axis is none of its input's, or its output is no integer");
  Emit &e = n.e;
  Val sought = largest ? x : e.map(x, x.elem, [](Scalar &s, ValueRange in) -> Value {
    return Scalar::isReal(in[0]) ? s.neg(in[0]) : s.make<arith::XOrIOp>(in[0], s.like(in[0], -1));
  });
  constexpr double kFar = 0x7fffffff;
  Val pair[] = {sought, e.maximum(sought, {axis}, /*keep=*/true)};
  Val positions = e.mapTo(x.dims, pair, Elem::I32, [&](Scalar &s, ValueRange in) {
    Value here = s.make<arith::IndexCastOp>(s.b.getI32Type(), s.index(axis));
    return s.select(s.eq(in[0], in[1]), here, s.like(here, kFar));
  });
  Val first = e.reduce(positions, {axis}, /*keep=*/false, Elem::I32, kFar,
                       [](Scalar &s, ValueRange in) { return s.min(in[1], in[0]); });
  return n.set(e.cast(first, elem));
}
} // namespace

void registerLogic(Registry &r) {
  constexpr const char *types = "f32, integers; int8, uint8 by TFLite Micro's rule",
                       *choice = "all types; quantized: one scale";
  r.add({
      {"LESS", 2, 2, importCompare<below>, types},
      {"LESS_EQUAL", 2, 2, importCompare<belowOrEqual>, types},
      {"GREATER", 2, 2, importCompare<above>, types},
      {"GREATER_EQUAL", 2, 2, importCompare<aboveOrEqual>, types},
      {"EQUAL", 2, 2, importCompare<equal>, "f32, integers, bool; int8 by TFLite Micro's rule"},
      {"NOT_EQUAL", 2, 2, importCompare<unequal>, "f32, integers, bool; int8 by TFLite Micro's rule"},
      {"SELECT", 3, 3, importSelect, choice},
      {"SELECT_V2", 3, 3, importSelect, choice},
      {"LOGICAL_AND", 2, 2, importLogic<conjunction>, "bool"},
      {"LOGICAL_OR", 2, 2, importLogic<disjunction>, "bool"},
      {"LOGICAL_NOT", 1, 1, importLogic<negation>, "bool"},
      {"BITCAST", 1, 1, importBitcast, "numbers of as many bits"},
      {"BITWISE_XOR", 2, 2, importBits<difference>, "integers"},
      {"RIGHT_SHIFT", 2, 2, importBits<shifted>, "integers"},
      {"ARG_MAX", 2, 2, importArg<true>, "all types; the first of equal ones"},
      {"ARG_MIN", 2, 2, importArg<false>, "all types; the first of equal ones"},
  });
}

} // namespace mlir::qtensor::tflite
