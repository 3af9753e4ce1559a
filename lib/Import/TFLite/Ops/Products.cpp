// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stacks of matrix products.
#include "lib/Import/TFLite/Registry.h"

namespace mlir::qtensor::tflite {
namespace {
/// The last two axes exchanged: of the codes where the input is quantized.
FailureOr<Val> operand(const Node &n, unsigned i, bool transposed) {
  if (n.in(i).rank() < 2)
    return n.fail("input " + Twine(i) + " is no matrix");
  if (!transposed)
    return n.real(i);
  SmallVector<int64_t> order = allAxes(n.in(i).rank());
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return n.realFrom(i, n.e.transpose(n.in(i), order));
}

LogicalResult importBatchMatmul(const Node &n) {
  FailureOr<Val> a = operand(n, 0, n.option("adj_x")), b = operand(n, 1, n.option("adj_y"));
  if (failed(a) || failed(b))
    return failure();
  if (!DimMath::same(a->dims.back(), b->dims[b->rank() - 2]))
    return n.fail("the inner extents of its inputs differ");
  Val batches[] = {*a, *b};
  for (Val &x : batches)
    x.dims.pop_back_n(2);
  if (!n.e.broadcastDims(batches))
    return n.fail("the stacks of its inputs do not broadcast");
  return n.setReal(contract(n.e, *a, *b, Elem::F32));
}
} // namespace

void registerProducts(Registry &r) {
  r.add({{"BATCH_MATMUL", 2, 2, importBatchMatmul, "f32, int8, int16 x int8"}});
}

} // namespace mlir::qtensor::tflite
