// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions over volumes [N, D, H, W, C], of floats: the runtimes have no others.
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {
namespace {
constexpr const char *kAxes[] = {"d", "h", "w"};

LogicalResult requireVolumes(const Node &n, unsigned x, unsigned filter) {
  if (n.in(x).rank() != 5 || n.in(filter).rank() != 5)
    return n.fail("takes a volume [N, D, H, W, C] and a filter of rank 5");
  if (n.in(x).elem != Elem::F32 || n.in(filter).elem != Elem::F32)
    return n.fail("takes floats, as in the runtimes; of " + elemName(n.in(x).elem) + " and " +
                  elemName(n.in(filter).elem) + " it is not supported");
  return success();
}

/// Windows of the filter [KD, KH, KW, .., ..] over a volume of these extents.
FailureOr<SmallVector<Span>> readSpans(const Node &n, ArrayRef<OpFoldResult> extents, const Val &filter) {
  SmallVector<Span> spans;
  for (unsigned axis = 0; axis < 3; ++axis) {
    FailureOr<Span> span = readSpan(n, extents[axis], DimMath::numberOrDynamic(filter.dims[axis]), kAxes[axis]);
    if (failed(span))
      return failure();
    spans.push_back(*span);
  }
  return spans;
}

/// x, which has its margins, and a filter [KD, KH, KW, C, F] -> [N, OD, OH, OW, F].
Val convolve(Emit &e, const Val &x, const Val &filter, ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
             ArrayRef<int64_t> extents) {
  Dims out{x.dims[0]};
  for (int64_t extent : extents)
    out.push_back(e.math.constant(extent));
  out.push_back(filter.dims[4]);
  Value init = e.filled(out, Elem::F32, 0);
  auto conv = linalg::Conv3DNdhwcDhwcfOp::create(e.b, e.loc, init.getType(), ValueRange{e.tensor(x), e.tensor(filter)},
                                                 ValueRange{init}, e.b.getI64VectorAttr(strides),
                                                 e.b.getI64VectorAttr(dilations));
  return e.wrap(conv->getResult(0), Elem::F32, out);
}

LogicalResult importConv3d(const Node &n) {
  if (failed(requireVolumes(n, 0, 1)))
    return failure();
  Emit &e = n.e;
  const Val &x = n.in(0), &filter = n.in(1);
  if (!DimMath::same(x.dims[4], filter.dims[3]))
    return n.fail("its filter is for another number of channels");
  FailureOr<SmallVector<Span>> spans = readSpans(n, ArrayRef(x.dims).slice(1, 3), filter);
  if (failed(spans))
    return failure();
  Dims low(5, e.math.constant(0)), high = low;
  SmallVector<int64_t> strides, dilations, extents;
  for (auto [axis, span] : llvm::enumerate(*spans)) {
    low[1 + axis] = e.math.constant(span.low), high[1 + axis] = e.math.constant(span.high);
    strides.push_back(span.stride), dilations.push_back(span.dilation), extents.push_back(span.out);
  }
  Val padded = e.pad(x, low, high, Scalar(e.b, e.loc).number(e.type(Elem::F32), 0));
  return n.setSum(convolve(e, padded, filter, strides, dilations, extents), 2);
}

/// The filter [KD, KH, KW, O, C] with its window turned around, as [KD, KH, KW, C, O].
Val turned(Emit &e, const Val &filter) {
  Dims offsets(5, e.math.constant(0)), strides(5, e.math.constant(1));
  for (unsigned axis = 0; axis < 3; ++axis) {
    offsets[axis] = e.math.sub(filter.dims[axis], e.math.constant(1));
    strides[axis] = e.math.constant(-1);
  }
  return e.transpose(e.slice(filter, offsets, filter.dims, strides), {0, 1, 2, 4, 3});
}

/// A transposed convolution is one over the input with zeros between its elements, with the window turned. The windows
/// are those of the convolution that makes the input of the output.
LogicalResult importTransposed(const Node &n) {
  if (failed(requireVolumes(n, 2, 1)))
    return failure();
  Emit &e = n.e;
  const Val &x = n.in(2), &filter = n.in(1);
  FailureOr<SmallVector<int64_t>> shape = n.numbers(0, "its output's shape");
  if (failed(shape))
    return failure();
  if (shape->size() != 5 || DimMath::number(x.dims[0]) != (*shape)[0] ||
      DimMath::number(filter.dims[3]) != (*shape)[4] || !DimMath::same(x.dims[4], filter.dims[4]))
    return n.fail(
        "its output's shape is not that of its batch and its filter, or its filter is for another number of channels");
  Dims wide = x.dims, offsets(5, e.math.constant(0)), steps(5, e.math.constant(1)), out;
  for (int64_t extent : *shape)
    out.push_back(e.math.constant(extent));
  FailureOr<SmallVector<Span>> spans = readSpans(n, ArrayRef(out).slice(1, 3), filter);
  if (failed(spans))
    return failure();
  SmallVector<int64_t> dilations;
  for (auto [axis, span] : llvm::enumerate(*spans)) {
    int64_t extent = (*shape)[1 + axis], reach = (span.kernel - 1) * span.dilation;
    if (DimMath::number(x.dims[1 + axis]) != span.out)
      return n.fail("its output has the extent " + Twine(extent) + ", which its input does not make");
    wide[1 + axis] = e.math.constant(extent + reach);
    offsets[1 + axis] = e.math.constant(reach - span.low);
    steps[1 + axis] = e.math.constant(span.stride);
    dilations.push_back(span.dilation);
  }
  Value spread =
      tensor::InsertSliceOp::create(e.b, e.loc, e.tensor(x), e.filled(wide, Elem::F32, 0), offsets, x.dims, steps);
  return n.setSum(convolve(e, e.wrap(spread, Elem::F32, wide), turned(e, filter), {1, 1, 1}, dilations,
                           ArrayRef(*shape).slice(1, 3)),
                  3);
}
} // namespace

void registerVolumes(Registry &r) {
  r.add({
      {"CONV_3D", 2, 3, importConv3d, "f32"},
      {"CONV_3D_TRANSPOSE", 3, 4, importTransposed, "f32; constant output shape"},
  });
}

} // namespace mlir::qtensor::tflite
