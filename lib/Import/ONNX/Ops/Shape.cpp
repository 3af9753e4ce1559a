// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shape arithmetic and reshaping. Shapes never become tensors in IR as long as only such operators read them.
#include "lib/Import/ONNX/Registry.h"

namespace mlir::qtensor::onnx {
namespace {
LogicalResult importShape(NodeContext &n) {
  const Val &x = n.in(0);
  int64_t rank = x.rank();
  auto clampAxis = [&](int64_t axis) { return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank); };
  int64_t start = clampAxis(n.attrInt("start", 0)), end = clampAxis(n.attrInt("end", rank));
  end = std::max(start, end);
  return n.set(0, n.e.ints(ArrayRef(x.dims).slice(start, end - start), {end - start}));
}

LogicalResult importSize(NodeContext &n) { return n.set(0, n.e.ints(n.e.math.product(n.in(0).dims), {})); }

LogicalResult importIdentity(NodeContext &n) { return n.set(0, n.in(0)); }

LogicalResult importDropout(NodeContext &n) {
  // With training_mode absent or false, dropout passes its input on.
  if (n.has(2)) {
    FailureOr<SmallVector<double>> training = n.reals(2, "'training_mode'");
    if (failed(training))
      return failure();
    if (training->size() != 1 || training->front() != 0)
      return n.fail("'training_mode' is on; export the model for inference");
  }
  if (n.wants(1))
    (void)n.set(1, n.e.wrap(n.e.filled(n.in(0).dims, Elem::Bool, 1), Elem::Bool, n.in(0).dims));
  return n.set(0, n.in(0));
}

LogicalResult importCastTo(NodeContext &n, Elem elem) {
  if (!n.e.type(elem))
    return n.fail("can't convert to " + elemName(elem));
  if (n.attrInt("saturate", 1) == 0)
    return n.set(0, n.e.cast(n.in(0), elem));
  const Val &x = n.in(0);
  bool tiny = isFloat(elem) && bitWidth(elem) < 16;
  if (!tiny)
    return n.set(0, n.e.cast(x, elem));
  return n.set(0, n.e.map(x, elem, [&](Scalar &s, ValueRange in) { return s.castSaturating(in[0], x.elem, elem); }));
}

LogicalResult importCast(NodeContext &n) { return importCastTo(n, static_cast<Elem>(n.attrInt("to", 0))); }
LogicalResult importCastLike(NodeContext &n) { return importCastTo(n, n.in(1).elem); }

LogicalResult importBitCast(NodeContext &n) {
  Elem to = static_cast<Elem>(n.attrInt("to", 0));
  const Val &x = n.in(0);
  if (!n.e.type(to) || bitWidth(to) != bitWidth(x.elem) || to == Elem::Bool || x.elem == Elem::Bool)
    return n.fail("can't reinterpret " + elemName(x.elem) + " as " + elemName(to) + ": the sizes must be equal");
  return n.set(0, n.e.map(x, to, [&](Scalar &s, ValueRange in) -> Value {
    Type type = n.e.type(to);
    return in[0].getType() == type ? in[0] : s.make<arith::BitcastOp>(type, in[0]);
  }));
}

/// The target extents of Reshape: 0 copies, -1 is what remains.
FailureOr<Dims> reshapeTarget(NodeContext &n, const Val &x, Dims target) {
  bool allowZero = n.attrInt("allowzero", 0);
  std::optional<unsigned> open;
  OpFoldResult known = n.e.math.constant(1);
  for (auto [i, dim] : llvm::enumerate(target)) {
    std::optional<int64_t> number = DimMath::number(dim);
    if (number == -1) {
      if (open)
        return n.fail("the shape has more than one -1");
      open = i;
      continue;
    }
    if (number && *number < 0)
      return n.fail("the shape has the extent " + Twine(*number));
    if (number == 0 && !allowZero) {
      if (static_cast<int64_t>(i) >= x.rank())
        return n.fail("the shape copies extent " + Twine(i) + ", which the input does not have");
      dim = x.dims[i];
    }
    known = n.e.math.mul(known, dim);
  }
  OpFoldResult total = n.e.math.product(x.dims);
  auto knownNumber = DimMath::number(known), totalNumber = DimMath::number(total);
  if (!open) {
    if (knownNumber && totalNumber && *knownNumber != *totalNumber)
      return n.fail("can't reshape " + Twine(*totalNumber) + " elements into " + Twine(*knownNumber));
    return target;
  }
  if (knownNumber == 0 || (knownNumber && totalNumber && *totalNumber % *knownNumber != 0))
    return n.fail("no extent can stand for -1 in the shape");
  target[*open] = n.e.math.floorDiv(total, known);
  return target;
}

LogicalResult importReshape(NodeContext &n) {
  Dims wanted;
  if (n.opset < 5) {
    for (int64_t dim : n.attrInts("shape"))
      wanted.push_back(n.e.math.constant(dim));
  } else {
    if (!n.has(1))
      return n.fail("input 1 is missing");
    FailureOr<Dims> given = n.extents(1, "the shape");
    if (failed(given))
      return failure();
    wanted = *given;
  }
  FailureOr<Dims> target = reshapeTarget(n, n.in(0), wanted);
  return failed(target) ? failure() : n.set(0, n.e.reshape(n.in(0), *target));
}

LogicalResult importFlatten(NodeContext &n) {
  const Val &x = n.in(0);
  int64_t axis = n.attrInt("axis", 1);
  if (axis < -x.rank() || axis > x.rank())
    return n.fail("axis " + Twine(axis) + " is outside its tensor");
  axis = axis < 0 ? axis + x.rank() : axis;
  ArrayRef<OpFoldResult> dims = x.dims;
  return n.set(0, n.e.reshape(x, {n.e.math.product(dims.take_front(axis)), n.e.math.product(dims.drop_front(axis))}));
}

LogicalResult importUnsqueeze(NodeContext &n) {
  auto given = n.numbersFrom("axes", 1);
  if (failed(given))
    return failure();
  if (!*given)
    return n.fail("'axes' are missing");
  auto axes = n.axes(**given, n.in(0).rank() + static_cast<int64_t>((*given)->size()));
  return failed(axes) ? failure() : n.set(0, n.e.unsqueeze(n.in(0), *axes));
}

LogicalResult importSqueeze(NodeContext &n) {
  const Val &x = n.in(0);
  auto given = n.numbersFrom("axes", 1);
  if (failed(given))
    return failure();
  SmallVector<int64_t> axes;
  if (*given) {
    auto normal = n.axes(**given, x.rank());
    if (failed(normal))
      return failure();
    axes = *normal;
  } else {
    for (auto [i, dim] : llvm::enumerate(x.dims))
      if (DimMath::number(dim) == 1)
        axes.push_back(i);
  }
  for (int64_t axis : axes)
    if (DimMath::number(x.dims[axis]).value_or(1) != 1)
      return n.fail("axis " + Twine(axis) + " has an extent other than 1");
  return n.set(0, n.e.squeeze(x, axes));
}

LogicalResult importExpand(NodeContext &n) {
  FailureOr<Dims> target = n.extents(1, "the shape");
  if (failed(target))
    return failure();
  // The target broadcasts both ways: an extent 1 in it keeps the input's.
  Val shape = n.e.wrap(Value(), n.in(0).elem, *target);
  Val both[] = {n.in(0), shape};
  if (failed(n.requireBroadcast(both)))
    return failure();
  return n.set(0, n.e.broadcast(n.in(0), *n.e.broadcastDims(both)));
}
} // namespace

void registerShape(Registry &r) {
  r.add({
      {"", "Shape", 1, kNewest, 1, 1, "start end", importShape},
      {"", "Size", 1, kNewest, 1, 1, "", importSize},
      {"", "Identity", 1, kNewest, 1, 1, "", importIdentity, "tensors, no sequences or optional values"},
      {"", "Dropout", 1, kNewest, 1, 3, "ratio seed is_test consumed_inputs", importDropout, "inference only"},
      {"", "Cast", 6, kNewest, 1, 1, "to saturate", importCast, "no strings"},
      {"", "CastLike", 15, kNewest, 2, 2, "saturate", importCastLike, "no strings"},
      {"", "BitCast", 26, kNewest, 1, 1, "to", importBitCast, "types of equal size"},
      {"", "Reshape", 1, kNewest, 1, 2, "allowzero shape consumed_inputs", importReshape,
       "the shape must not depend on the data"},
      {"", "Flatten", 1, kNewest, 1, 1, "axis", importFlatten},
      {"", "Unsqueeze", 1, kNewest, 1, 2, "axes", importUnsqueeze},
      {"", "Squeeze", 1, kNewest, 1, 2, "axes", importSqueeze},
      {"", "Expand", 8, kNewest, 2, 2, "", importExpand, "the shape must not depend on the data"},
  });
}

} // namespace mlir::qtensor::onnx
