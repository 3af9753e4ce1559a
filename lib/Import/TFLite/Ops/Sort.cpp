// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order of elements: the largest ones, and intervals between sorted bounds.
#include "lib/Import/Graph/Pairs.h"
#include "lib/Import/TFLite/Registry.h"

namespace mlir::qtensor::tflite {
namespace {
/// The k largest elements of each row and their positions; codes have the order of their reals.
LogicalResult importTopK(const Node &n) {
  const Val &x = n.in(0);
  FailureOr<SmallVector<int64_t>> k = n.numbers(1, "k");
  if (failed(k))
    return failure();
  auto extent = x.rank() ? DimMath::number(x.dims.back()) : std::nullopt;
  if (n.op.outputs.size() != 2 || !extent || k->size() != 1 || k->front() < 0 || k->front() > *extent)
    return n.fail("k must be one number, at most the extent of the last axis of its input, and it has two outputs");
  Elem elem = elemOf(n.outTensor(1).type);
  if (!isInteger(elem) || x.elem == Elem::Bool || failed(n.requireSameScale()))
    return n.fail("takes numbers, and gives their positions as integers");
  int64_t axis = x.rank() - 1;
  Val order = ranks(n.e, x, axis, /*largest=*/true);
  if (failed(n.set(firstElements(n.e, x, order, axis, k->front()))))
    return failure();
  return n.set(firstPositions(n.e, x, order, axis, k->front(), elem), 1);
}

/// How many bounds are at most as large as the element.
LogicalResult importBucketize(const Node &n) {
  const Val &x = n.in(0);
  auto bounds = n.op.options.reals.find("boundaries");
  if (bounds == n.op.options.reals.end() || !llvm::is_sorted(bounds->second) || bounds->second.size() > 1 << 10)
    return n.fail("its boundaries are absent, more than 2^10, or not in ascending order");
  if (isQuantized(n.inTensor(0)) || x.elem == Elem::Bool)
    return n.fail("is quantized or of truth values, for which there is no rule; keep it in float");
  // An integer is not below a bound if and only if it is not below the next integer above it.
  return n.set(n.e.map(x, Elem::I32, [&](Scalar &s, ValueRange in) {
    Value count = s.number(s.b.getI32Type(), 0);
    for (double bound : bounds->second) {
      Value reached = s.le(s.like(in[0], isFloat(x.elem) ? bound : std::ceil(bound)), in[0]);
      count = s.add(count, s.make<arith::ExtUIOp>(s.b.getI32Type(), reached));
    }
    return count;
  }));
}
} // namespace

void registerSort(Registry &r) {
  r.add({
      {"BUCKETIZE", 1, 1, importBucketize, "f32, integers"},
      {"TOPK_V2", 2, 2, importTopK, "all numbers; constant k; of equal ones the first; NaN is not ordered"},
  });
}

} // namespace mlir::qtensor::tflite
