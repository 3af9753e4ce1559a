// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors of one value or of a repeated one, and the extents of others.
#include "lib/Import/TFLite/Registry.h"

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
      {"SHAPE", 1, 1, importShape, "fixed extents"},
      {"TILE", 2, 2, importTile, "all types; constant repeats"},
      {"ZEROS_LIKE", 1, 1, importZeros, "all types"},
  });
}

} // namespace mlir::qtensor::tflite
