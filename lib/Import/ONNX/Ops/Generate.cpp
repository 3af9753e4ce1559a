// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that make tensors from attributes or extents.
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::onnx {
namespace {
std::shared_ptr<TensorData> attributeTensor(NodeContext &n, StringRef name) {
  auto found = n.node.attributes.find(name.str());
  if (found == n.node.attributes.end() || found->second.kind != NodeAttribute::Kind::Tensor)
    return nullptr;
  auto data = std::make_shared<TensorData>(*found->second.tensor);
  data->name = n.node.outputs[0];
  return data;
}

LogicalResult importConstant(NodeContext &n) {
  if (auto data = attributeTensor(n, "value"))
    return n.set(0, n.e.constant(std::move(data)));
  if (n.hasAttr("value_int"))
    return n.set(0, n.e.ints(n.e.math.constant(n.attrInt("value_int", 0)), {}));
  if (n.hasAttr("value_float"))
    return n.set(0, n.e.constant(n.attrFloat("value_float", 0), {}, Elem::F32));
  if (n.hasAttr("value_floats")) {
    SmallVector<double> values = n.attrFloats("value_floats");
    return n.set(0, n.e.constant(values, static_cast<int64_t>(values.size()), Elem::F32));
  }
  if (!n.hasAttr("value_ints"))
    return n.fail("has no numeric value");
  Dims values;
  for (int64_t value : n.attrInts("value_ints"))
    values.push_back(n.e.math.constant(value));
  return n.set(0, n.e.ints(values, static_cast<int64_t>(values.size())));
}

LogicalResult importConstantOfShape(NodeContext &n) {
  FailureOr<Dims> dims = n.extents(0, "the shape");
  if (failed(dims))
    return failure();
  auto value = attributeTensor(n, "value");
  if (value && value->numElements() != 1)
    return n.fail("'value' must have one element");
  Elem elem = value ? value->elem : Elem::F32;
  auto count = DimMath::number(n.e.math.product(*dims));
  if (isInteger(elem) && dims->size() <= 1 && count && *count <= 64) {
    // Such vectors are usually the start of more shape arithmetic.
    Dims ints(*count, n.e.math.constant(value->intAt(0)));
    return n.set(0, n.e.ints(ints, DimMath::shape(*dims), elem));
  }
  Val one = value ? n.e.constant(std::move(value)) : n.e.constant(0.0, {}, Elem::F32);
  return n.set(0, n.e.wrap(n.e.filled(*dims, n.e.element(one)), elem, *dims));
}

/// max(ceil((limit - start) / delta), 0) for numbers that may be extents.
LogicalResult rangeOfInts(NodeContext &n, OpFoldResult start, OpFoldResult limit, int64_t delta) {
  DimMath &m = n.e.math;
  Elem elem = n.in(0).elem;
  OpFoldResult distance = delta > 0 ? m.sub(limit, start) : m.sub(start, limit);
  OpFoldResult count = m.max(m.ceilDiv(distance, m.constant(std::abs(delta))), m.constant(0));
  auto length = DimMath::number(count);
  if (length && *length <= 64) {
    Dims values;
    for (int64_t i = 0; i < *length; ++i)
      values.push_back(m.add(start, m.constant(i * delta)));
    return n.set(0, n.e.ints(values, *length, elem));
  }
  Value first = m.value(start, n.e.loc);
  return n.set(0, n.e.mapTo(count, {}, elem, [&](Scalar &s, ValueRange) -> Value {
    Value position = s.add(first, s.mul(s.index(0), s.number(s.b.getIndexType(), static_cast<double>(delta))));
    return s.make<arith::IndexCastOp>(n.e.type(elem), position);
  }));
}

LogicalResult importRange(NodeContext &n) {
  for (unsigned i = 0; i < 3; ++i)
    if (failed(n.requireSame(0, i)))
      return failure();
  if (n.in(0).ints && n.in(1).ints && n.in(2).ints) {
    FailureOr<SmallVector<int64_t>> delta = n.numbers(2, "'delta'");
    if (failed(delta))
      return failure();
    if (delta->size() != 1 || n.in(0).ints->size() != 1 || n.in(1).ints->size() != 1 || delta->front() == 0 ||
        std::abs(delta->front()) > int64_t(1) << 40)
      return n.fail("start, limit and delta must be scalars and delta not zero");
    return rangeOfInts(n, n.in(0).ints->front(), n.in(1).ints->front(), delta->front());
  }
  // Bounds from the data: the length is known when the model runs.
  Elem elem = n.in(0).elem;
  if (elem == Elem::Bool)
    return n.fail("its inputs must be numbers");
  Scalar s(n.e.b, n.e.loc);
  Value start = n.e.element(n.in(0)), limit = n.e.element(n.in(1)), delta = n.e.element(n.in(2)), count;
  if (isFloat(elem)) {
    count = s.cast(s.make<math::CeilOp>(s.div(s.sub(limit, start), delta)), elem, Elem::I64);
  } else {
    Value distance = s.widen(s.sub(limit, start), n.e.b.getI64Type());
    count = s.make<arith::CeilDivSIOp>(distance, s.widen(delta, n.e.b.getI64Type()));
  }
  Value length = s.make<arith::IndexCastOp>(n.e.b.getIndexType(), s.max(count, s.like(count, 0)));
  return n.set(0, n.e.mapTo(OpFoldResult(length), {}, elem, [&](Scalar &s, ValueRange) {
    Value position = s.make<arith::IndexCastOp>(s.b.getI64Type(), s.index(0));
    return s.add(start, s.mul(s.cast(position, Elem::I64, elem), delta));
  }));
}

LogicalResult importTrilu(NodeContext &n) {
  const Val &x = n.in(0);
  bool upper = n.attrInt("upper", 1);
  SmallVector<int64_t> diagonal = {0};
  if (failed(n.requireRank(0, 2, 16)))
    return failure();
  if (n.has(1)) {
    FailureOr<SmallVector<int64_t>> given = n.numbers(1, "the diagonal");
    if (failed(given))
      return failure();
    diagonal = *given;
  }
  if (diagonal.size() != 1)
    return n.fail("the diagonal must be one number");
  int64_t last = x.rank() - 1;
  return n.set(0, n.e.map(x, x.elem, [&](Scalar &s, ValueRange in) {
    Value edge = s.add(s.index(last - 1), s.number(s.b.getIndexType(), static_cast<double>(diagonal[0])));
    Value keep = upper ? s.le(edge, s.index(last)) : s.le(s.index(last), edge);
    return s.select(keep, in[0], s.like(in[0], 0));
  }));
}

LogicalResult importEyeLike(NodeContext &n) {
  const Val &x = n.in(0);
  Elem elem = n.hasAttr("dtype") ? static_cast<Elem>(n.attrInt("dtype", 0)) : x.elem;
  double shift = static_cast<double>(n.attrInt("k", 0));
  if (failed(n.requireRank(0, 2, 2)))
    return failure();
  if (!n.e.type(elem))
    return n.fail("can't make a matrix of " + elemName(elem));
  return n.set(0, n.e.mapTo(x.dims, {}, elem, [&](Scalar &s, ValueRange) {
    Value diagonal = s.eq(s.add(s.index(0), s.number(s.b.getIndexType(), shift)), s.index(1));
    return s.select(diagonal, s.number(n.e.type(elem), 1), s.number(n.e.type(elem), 0));
  }));
}

LogicalResult importOneHot(NodeContext &n) {
  const Val &indices = n.in(0), &values = n.in(2);
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", -1), indices.rank() + 1);
  if (failed(axis))
    return failure();
  OpFoldResult depth;
  if (n.in(1).ints && n.in(1).ints->size() == 1) {
    depth = n.in(1).ints->front();
  } else {
    Scalar s(n.e.b, n.e.loc);
    Value raw = s.cast(n.e.element(n.in(1)), n.in(1).elem, Elem::I64);
    depth = s.make<arith::IndexCastOp>(n.e.b.getIndexType(), raw);
  }
  if (DimMath::number(depth).value_or(1) < 1 || values.rank() != 1)
    return n.fail("the depth must be positive and the values a vector of two");
  Dims dims = indices.dims;
  dims.insert(dims.begin() + *axis, depth);
  Scalar outer(n.e.b, n.e.loc);
  Value extent = n.e.math.value(depth, n.e.loc), pair = n.e.tensor(values);
  auto pick = [&](double i) -> Value {
    return outer.make<tensor::ExtractOp>(pair, ValueRange{outer.number(n.e.b.getIndexType(), i)});
  };
  Value off = pick(0), on = pick(1);
  Val inputs[] = {n.e.unsqueeze(indices, *axis)};
  return n.set(0, n.e.mapTo(dims, inputs, values.elem, [&](Scalar &s, ValueRange in) {
    Value wide = s.cast(in[0], indices.elem, Elem::I64);
    Value index = s.make<arith::IndexCastOp>(s.b.getIndexType(), wide), zero = s.number(s.b.getIndexType(), 0);
    Value position = s.select(s.lt(index, zero), s.add(index, extent), index);
    return s.select(s.eq(position, s.index(*axis)), on, off);
  }));
}
} // namespace

void registerGenerate(Registry &r) {
  r.add({
      {"", "Constant", 1, kNewest, 0, 0, "value value_float value_floats value_int value_ints", importConstant,
       "no strings, no sparse tensors"},
      {"", "ConstantOfShape", 9, kNewest, 1, 1, "value", importConstantOfShape,
       "the shape must not depend on the data"},
      {"", "Range", 11, kNewest, 3, 3, "stash_type", importRange},
      {"", "Trilu", 14, kNewest, 1, 2, "upper", importTrilu, "constant diagonal"},
      {"", "EyeLike", 9, kNewest, 1, 1, "dtype k", importEyeLike},
      {"", "OneHot", 9, kNewest, 3, 3, "axis", importOneHot},
  });
}

} // namespace mlir::qtensor::onnx
