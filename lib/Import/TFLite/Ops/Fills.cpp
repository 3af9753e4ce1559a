// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors of one value or of a repeated one, and the extents of others.
#include "lib/Import/TFLite/Registry.h"
#include <cmath>

namespace mlir::qtensor::tflite {
namespace {
/// The output's extents, which the file must know.
FailureOr<Dims> outDims(const Node &n) {
  Dims dims;
  for (int64_t extent : n.outTensor().shape) {
    if (extent < 0)
      return n.fail("its output's extents are open");
    dims.push_back(n.e.math.constant(extent));
  }
  return dims;
}

LogicalResult importBroadcast(const Node &n) {
  FailureOr<Dims> dims = outDims(n);
  if (failed(dims) || failed(n.requireSameScale()))
    return failure();
  Val target;
  target.dims = *dims;
  std::optional<Dims> both = n.e.broadcastDims({n.in(0), target});
  if (!both || !llvm::equal(*both, *dims, DimMath::same))
    return n.fail("its input does not broadcast to its output");
  return n.set(n.e.broadcast(n.in(0), *dims));
}

LogicalResult importTile(const Node &n) {
  FailureOr<SmallVector<int64_t>> repeats = n.numbers(1, "its repeats");
  const Val &x = n.in(0);
  if (failed(repeats) || failed(n.requireSameScale()))
    return failure();
  if (int64_t(repeats->size()) != x.rank() || llvm::any_of(*repeats, [](int64_t r) { return r < 1 || r > 1 << 20; }))
    return n.fail("its repeats are not one number in [1, 2^20] for each axis");
  DimMath &m = n.e.math;
  // [a, b] -> [1, a, 1, b] -> [r0, a, r1, b] -> [r0 * a, r1 * b].
  Dims split, wide, out;
  for (auto [extent, repeat] : llvm::zip_equal(x.dims, *repeats)) {
    split.append({m.constant(1), extent});
    wide.append({m.constant(repeat), extent});
    out.push_back(m.mul(m.constant(repeat), extent));
  }
  return n.set(n.e.reshape(n.e.broadcast(n.e.reshape(x, split), wide), out));
}

LogicalResult importFill(const Node &n) {
  FailureOr<Dims> dims = outDims(n);
  if (failed(dims) || failed(n.requireSameScale(1)))
    return failure();
  if (DimMath::number(n.e.math.product(n.in(1).dims)) != 1)
    return n.fail("fills with " + Twine(n.in(1).rank()) + " axes; it must be one value");
  return n.set(n.e.wrap(n.e.filled(*dims, n.e.element(n.in(1))), n.in(1).elem, *dims));
}

LogicalResult importZeros(const Node &n) {
  const Val &x = n.in(0);
  if (failed(n.requireSameScale()))
    return failure();
  double zero = isQuantized(n.outTensor()) ? double(n.outTensor().quantization.zero[0]) : 0;
  return n.set(n.e.wrap(n.e.filled(x.dims, x.elem, zero), x.elem, x.dims));
}

/// The extents of two shapes broadcast.
LogicalResult importBroadcastArgs(const Node &n) {
  Val shapes[2];
  for (unsigned i : {0u, 1u}) {
    FailureOr<SmallVector<int64_t>> extents = n.numbers(i, "its shapes");
    if (failed(extents))
      return failure();
    for (int64_t extent : *extents) {
      if (extent < 0 || extent > int64_t(1) << 31)
        return n.fail("has the extent " + Twine(extent) + " in a shape");
      shapes[i].dims.push_back(n.e.math.constant(extent));
    }
  }
  std::optional<Dims> both = n.e.broadcastDims(shapes);
  if (!both)
    return n.fail("its shapes do not broadcast");
  SmallVector<double> extents;
  for (OpFoldResult extent : *both)
    extents.push_back(double(*DimMath::number(extent)));
  return n.set(n.e.constant(extents, {int64_t(extents.size())}, n.in(0).elem));
}

/// How many axes the input has.
LogicalResult importRank(const Node &n) {
  Elem elem = elemOf(n.outTensor().type);
  if (!isInteger(elem))
    return n.fail("its output must be an integer");
  return n.set(n.e.constant({double(n.in(0).rank())}, {}, elem));
}

/// start, start + delta, ... in front of the limit: counted and summed up in the numbers' type, as the runtime does.
template <typename T> std::vector<double> steps(T start, T limit, T delta) {
  std::vector<double> made;
  T distance = std::abs(limit - start), step = std::abs(delta), value = start;
  double count =
      std::is_floating_point_v<T> ? std::ceil(distance / step) : llvm::divideCeil(uint64_t(distance), uint64_t(step));
  for (double i = 0; i < count; ++i, value = T(value + delta))
    made.push_back(double(value));
  return made;
}

LogicalResult importRange(const Node &n) {
  double bounds[3];
  Elem elem = n.in(0).elem;
  for (unsigned i : {0u, 1u, 2u}) {
    if (!n.in(i).constant || n.in(i).constant->numElements() != 1 || n.in(i).elem != elem)
      return n.fail("its start, limit and step must be constants of one type; export the model with constant ones");
    bounds[i] = n.in(i).constant->realAt(0);
  }
  auto [start, limit, delta] = bounds;
  double most = std::abs(limit - start) / std::abs(delta);
  if (delta == 0 || (start < limit && delta < 0) || (start > limit && delta > 0))
    return n.fail("its step is 0 or leads away from its limit");
  if (!(most <= 1 << 20) || !(std::abs(start) + std::abs(limit) <= 0x1p53))
    return n.fail("has numbers beyond 2^53 or more than 2^20 elements");
  if (elem != Elem::F32 && elem != Elem::I32 && elem != Elem::I64)
    return n.fail("makes " + elemName(elem) + "; it makes float32, int32 or int64");
  std::vector<double> made = elem == Elem::F32 ? steps(float(start), float(limit), float(delta))
                                               : steps(int64_t(start), int64_t(limit), int64_t(delta));
  return n.set(n.e.constant(made, {int64_t(made.size())}, elem));
}

/// One value where the position along an axis is the index, and another elsewhere.
LogicalResult importOneHot(const Node &n) {
  Emit &e = n.e;
  const Val &indices = n.in(0);
  FailureOr<SmallVector<int64_t>> depth = n.numbers(1, "its depth");
  if (failed(depth))
    return failure();
  int64_t rank = indices.rank() + 1, axis = n.option("axis") + (n.option("axis") < 0 ? rank : 0);
  if (axis < 0 || axis >= rank || depth->size() != 1 || depth->front() < 0 || depth->front() > 1 << 30)
    return n.fail("its axis is none of its output's, or its depth is not one number in [0, 2^30]");
  bool single =
      DimMath::number(e.math.product(n.in(2).dims)) == 1 && DimMath::number(e.math.product(n.in(3).dims)) == 1;
  if (!isInteger(indices.elem) || n.in(2).elem != n.in(3).elem || !single || failed(n.requireSameScale(2)) ||
      failed(n.requireSameScale(3)))
    return n.fail("takes integer indices and two values of one type");
  Dims dims = indices.dims;
  dims.insert(dims.begin() + axis, e.math.constant(depth->front()));
  Value on = e.element(n.in(2)), off = e.element(n.in(3));
  return n.set(e.mapTo(dims, e.unsqueeze(indices, axis), n.in(2).elem, [&](Scalar &s, ValueRange in) {
    Value here = s.make<arith::IndexCastOp>(s.b.getI64Type(), s.index(axis));
    return s.select(s.eq(here, s.cast(in[0], indices.elem, Elem::I64)), on, off);
  }));
}

LogicalResult importShape(const Node &n) {
  SmallVector<double> extents;
  for (OpFoldResult extent : n.in(0).dims) {
    auto number = DimMath::number(extent);
    if (!number)
      return n.fail("its input has an open extent");
    extents.push_back(double(*number));
  }
  Elem elem = elemOf(n.outTensor().type);
  if (!isInteger(elem))
    return n.fail("its output must be integers");
  return n.set(n.e.constant(extents, {int64_t(extents.size())}, elem));
}
} // namespace

void registerFills(Registry &r) {
  r.add({
      {"BROADCAST_ARGS", 2, 2, importBroadcastArgs, "constant shapes"},
      {"BROADCAST_TO", 2, 2, importBroadcast, "all types; constant shape"},
      {"FILL", 2, 2, importFill, "all types; constant shape"},
      {"ONE_HOT", 4, 4, importOneHot, "all types; constant depth"},
      {"RANGE", 3, 3, importRange, "f32, int32, int64; constants"},
      {"RANK", 1, 1, importRank, "all types"},
      {"SHAPE", 1, 1, importShape, "fixed extents"},
      {"TILE", 2, 2, importTile, "all types; constant repeats"},
      {"ZEROS_LIKE", 1, 1, importZeros, "all types"},
  });
}

} // namespace mlir::qtensor::tflite
