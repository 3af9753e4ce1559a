// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elementwise arithmetic, comparison and logic with broadcasting.
#include "lib/Import/Graph/Indexed.h"
#include "lib/Import/ONNX/Registry.h"

namespace mlir::qtensor::onnx {
namespace {
using UnaryFn = Value (*)(Scalar &, Value, Elem);
using BinaryFn = Value (*)(Scalar &, Value, Value, Elem);
using FoldFn = OpFoldResult (DimMath::*)(OpFoldResult, OpFoldResult);

/// One entry of the result of an operator from those of its inputs, or nothing if it is not known while importing.
using FoldEntry = llvm::function_ref<std::optional<OpFoldResult>(DimMath &, ArrayRef<OpFoldResult>)>;

/// Shape arithmetic: all inputs are extents (or facts about them) of rank at most 1.
std::optional<Val> foldEntries(NodeContext &n, ArrayRef<Val> inputs, Elem elem, FoldEntry fold) {
  size_t count = 1;
  int64_t rank = 0;
  for (const Val &input : inputs) {
    bool integral = input.elem == Elem::I64 || input.elem == Elem::I32 || input.elem == Elem::Bool;
    if (!integral || !input.ints || input.rank() > 1)
      return std::nullopt;
    rank = std::max(rank, input.rank());
    count = input.ints->size() == 1 ? count : input.ints->size();
  }
  Dims values;
  for (size_t i = 0; i < count; ++i) {
    SmallVector<OpFoldResult> entries;
    for (const Val &input : inputs) {
      if (input.ints->size() != 1 && input.ints->size() != count)
        return std::nullopt;
      entries.push_back((*input.ints)[input.ints->size() == 1 ? 0 : i]);
    }
    std::optional<OpFoldResult> value = fold(n.e.math, entries);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  SmallVector<int64_t> shape(rank, static_cast<int64_t>(count));
  return n.e.ints(values, shape, elem);
}

std::optional<Val> foldExtents(NodeContext &n, const Val &a, const Val &b, FoldFn fold) {
  if (a.elem == Elem::Bool)
    return std::nullopt;
  return foldEntries(n, {a, b}, a.elem, [&](DimMath &math, ArrayRef<OpFoldResult> in) -> std::optional<OpFoldResult> {
    return (math.*fold)(in[0], in[1]);
  });
}

enum class Relation { Equal, Less, LessOrEqual, Greater, GreaterOrEqual };

std::optional<bool> compareExtents(DimMath &math, Relation relation, OpFoldResult a, OpFoldResult b) {
  auto inverse = [](std::optional<bool> fact) { return fact ? std::optional(!*fact) : fact; };
  switch (relation) {
  case Relation::Equal:
    return math.equal(a, b);
  case Relation::Less:
    return math.less(a, b);
  case Relation::LessOrEqual:
    return inverse(math.less(b, a));
  case Relation::Greater:
    return math.less(b, a);
  case Relation::GreaterOrEqual:
    return inverse(math.less(a, b));
  }
  llvm_unreachable("all relations are handled");
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

/// A comparison. Exporters compare extents with -1 or with each other and choose a shape by the answer.
template <BinaryFn fn, Relation relation> LogicalResult compare(NodeContext &n) {
  auto known = [](DimMath &math, ArrayRef<OpFoldResult> in) -> std::optional<OpFoldResult> {
    std::optional<bool> fact = compareExtents(math, relation, in[0], in[1]);
    return fact ? std::optional(math.constant(*fact)) : std::nullopt;
  };
  if (n.in(0).elem == n.in(1).elem && n.opset >= 7)
    if (std::optional<Val> folded = foldEntries(n, {n.in(0), n.in(1)}, Elem::Bool, known))
      return n.set(0, *folded);
  return binary<fn, true>(n);
}

/// `inPairs`: one op for each two, whose result can be rounded.
template <BinaryFn fn, bool inPairs = false> LogicalResult variadic(NodeContext &n) {
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
  if (inPairs && inputs.size() > 2) {
    Val result = inputs[0];
    for (const Val &next : ArrayRef(inputs).drop_front())
      result = n.e.map({result, next}, result.elem,
                       [&](Scalar &s, ValueRange in) { return fn(s, in[0], in[1], result.elem); });
    return n.set(0, result);
  }
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

Value remainder(Scalar &s, Value x, Value y, Elem elem) { return graph::remainder(s, x, y, isUnsigned(elem)); }
Value modulo(Scalar &s, Value x, Value y, Elem elem) { return graph::modulo(s, x, y, isUnsigned(elem)); }

LogicalResult importMod(NodeContext &n) {
  if (n.attrInt("fmod", 0))
    return binary<remainder>(n);
  return binary<modulo>(n);
}

/// Integers divided by zero are an error of the run.
template <LogicalResult (*import)(NodeContext &)> LogicalResult dividing(NodeContext &n) {
  if (failed(import(n)))
    return failure();
  if (isInteger(n.in(1).elem) && !n.in(1).ints)
    forbid(
        n.e, n.in(1), [](Scalar &s, ValueRange in) { return s.eq(in[0], s.like(in[0], 0)); },
        n.node.place() + "divides by zero");
  return success();
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
  auto choose = [](DimMath &, ArrayRef<OpFoldResult> in) -> std::optional<OpFoldResult> {
    std::optional<int64_t> condition = DimMath::number(in[0]);
    return condition ? std::optional(*condition ? in[1] : in[2]) : std::nullopt;
  };
  if (std::optional<Val> folded = foldEntries(n, inputs, n.in(1).elem, choose))
    return n.set(0, *folded);
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
      {"", "Div", 1, kNewest, 2, 2, legacy, dividing<folding<div, &DimMath::truncDiv>>},
      {"", "Pow", 1, kNewest, 2, 2, "axis broadcast", importPow},
      {"", "Mod", 10, kNewest, 2, 2, "fmod", dividing<importMod>},
      {"", "Max", 1, kNewest, 1, kAny, "consumed_inputs", variadic<max>},
      {"", "Min", 1, kNewest, 1, kAny, "consumed_inputs", variadic<min>},
      {"", "Sum", 1, kNewest, 1, kAny, "consumed_inputs", variadic<add, /*inPairs=*/true>},
      {"", "Mean", 1, kNewest, 1, kAny, "consumed_inputs", importMean},
      {"", "Equal", 7, kNewest, 2, 2, "", compare<equal, Relation::Equal>},
      {"", "Less", 7, kNewest, 2, 2, "", compare<less, Relation::Less>},
      {"", "LessOrEqual", 12, kNewest, 2, 2, "", compare<lessEqual, Relation::LessOrEqual>},
      {"", "Greater", 7, kNewest, 2, 2, "", compare<greater, Relation::Greater>},
      {"", "GreaterOrEqual", 12, kNewest, 2, 2, "", compare<greaterEqual, Relation::GreaterOrEqual>},
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
