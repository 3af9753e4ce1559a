// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Transposed convolution: a convolution of the input with zeros between its elements, by the reversed kernel.
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::onnx {
namespace {
/// Per spatial dimension.
struct Transposed {
  SmallVector<int64_t> kernel, strides, dilations;
  Dims low;   // what is cut off in front
  Dims extra; // room beyond the last element for 'output_padding' and larger results
  Dims out;   // extents of the result
};

FailureOr<SmallVector<int64_t>> listOr(NodeContext &n, StringRef name, size_t count, int64_t otherwise, int64_t least) {
  SmallVector<int64_t> values = n.attrInts(name);
  if (values.empty())
    values.assign(count, otherwise);
  if (values.size() != count || llvm::any_of(values, [&](int64_t v) { return v < least || v > 1 << 20; }))
    return n.fail("'" + name + "' has a wrong length or entry");
  return values;
}

FailureOr<Transposed> readTransposed(NodeContext &n, const Val &x, const Val &w) {
  size_t rank = x.rank() - 2;
  auto strides = listOr(n, "strides", rank, 1, 1), dilations = listOr(n, "dilations", rank, 1, 1);
  auto pads = listOr(n, "pads", 2 * rank, 0, 0), extra = listOr(n, "output_padding", rank, 0, 0);
  auto wanted = listOr(n, "output_shape", rank, 0, 0);
  if (failed(strides) || failed(dilations) || failed(pads) || failed(extra) || failed(wanted))
    return failure();
  StringRef mode = n.attrString("auto_pad", "NOTSET");
  Transposed t{DimMath::shape(ArrayRef(w.dims).drop_front(2)), *strides, *dilations, {}, {}, {}};
  DimMath &m = n.e.math;
  for (size_t i = 0; i < rank; ++i) {
    OpFoldResult extent = x.dims[2 + i];
    if (DimMath::number(extent).value_or(1) < 1 || ShapedType::isDynamic(t.kernel[i]) || t.kernel[i] < 1)
      return n.fail("needs a constant kernel, and positive extents of input and kernel");
    int64_t reach = (*extra)[i] + (t.kernel[i] - 1) * t.dilations[i] + 1;
    OpFoldResult stride = m.constant(t.strides[i]);
    OpFoldResult full = m.add(m.mul(stride, m.sub(extent, m.constant(1))), m.constant(reach));
    OpFoldResult out = m.sub(full, m.constant((*pads)[i] + (*pads)[rank + i])), low = m.constant((*pads)[i]);
    OpFoldResult room = m.constant((*extra)[i]);
    bool same = mode.starts_with("SAME");
    if (same || (*wanted)[i] > 0) {
      out = (*wanted)[i] > 0 ? m.constant((*wanted)[i]) : m.mul(extent, stride);
      OpFoldResult total = m.max(m.sub(full, out), m.constant(0)), half = m.floorDiv(total, m.constant(2));
      low = mode == "SAME_UPPER" ? half : m.sub(total, half);
      room = m.add(room, m.max(m.sub(out, full), m.constant(0)));
    }
    if (DimMath::number(out).value_or(1) < 1)
      return n.fail("the padding leaves nothing of dimension " + Twine(i + 2));
    t.low.push_back(low);
    t.extra.push_back(room);
    t.out.push_back(out);
  }
  return t;
}

/// x with stride - 1 zeros between elements and room for the kernel on both sides.
Val stretch(Emit &e, const Val &x, const Transposed &t) {
  Dims dims(x.dims.begin(), x.dims.begin() + 2), offsets(2, e.math.constant(0)), strides(2, e.math.constant(1));
  for (size_t i = 0; i < t.kernel.size(); ++i) {
    int64_t reach = (t.kernel[i] - 1) * t.dilations[i];
    OpFoldResult stride = e.math.constant(t.strides[i]);
    OpFoldResult spread = e.math.mul(stride, e.math.sub(x.dims[2 + i], e.math.constant(1)));
    dims.push_back(e.math.add(e.math.add(spread, e.math.constant(1 + 2 * reach)), t.extra[i]));
    offsets.push_back(e.math.constant(reach));
    strides.push_back(stride);
  }
  Value zeros = e.filled(dims, x.elem, 0);
  return e.wrap(tensor::InsertSliceOp::create(e.b, e.loc, e.tensor(x), zeros, offsets, x.dims, strides), x.elem, dims);
}

/// [C, F/group, kernel..] -> [F, C/group, reversed kernel..].
Val reverseKernel(Emit &e, const Val &w, int64_t group) {
  DimMath &m = e.math;
  Dims split = {m.constant(group), m.floorDiv(w.dims[0], m.constant(group)), w.dims[1]};
  split.append(w.dims.begin() + 2, w.dims.end());
  SmallVector<int64_t> permutation = allAxes(w.rank() + 1);
  std::swap(permutation[1], permutation[2]);
  Dims merged = {m.mul(w.dims[1], m.constant(group)), split[1]};
  merged.append(w.dims.begin() + 2, w.dims.end());
  Val turned = e.reshape(e.transpose(e.reshape(w, split), permutation), merged);
  Value source = e.tensor(turned);
  return e.mapTo(merged, {}, w.elem, [&](Scalar &s, ValueRange) -> Value {
    SmallVector<Value> position = {s.index(0), s.index(1)};
    for (int64_t i = 2; i < w.rank(); ++i) {
      double last = static_cast<double>(*DimMath::number(w.dims[i]) - 1);
      position.push_back(s.sub(s.number(s.b.getIndexType(), last), s.index(i)));
    }
    return s.make<tensor::ExtractOp>(source, position);
  });
}

LogicalResult importConvTranspose(NodeContext &n) {
  const Val &x = n.in(0), &w = n.in(1);
  int64_t group = n.attrInt("group", 1);
  if (failed(n.requireRank(0, 3, 16)) || failed(n.requireRank(1, x.rank(), x.rank())) || failed(n.requireSame(0, 1)))
    return failure();
  auto channels = DimMath::number(w.dims[0]), perGroup = DimMath::number(w.dims[1]);
  if (group < 1 || !channels || !perGroup || *channels % group != 0)
    return n.fail("'group' must divide the constant number of input channels");
  FailureOr<Transposed> t = readTransposed(n, x, w);
  if (failed(t))
    return failure();
  Val stretched = stretch(n.e, x, *t);
  Window window;
  window.kernel = t->kernel, window.dilations = t->dilations;
  window.strides.assign(t->kernel.size(), 1);
  window.low.assign(t->kernel.size(), n.e.math.constant(0));
  window.high = window.low;
  for (size_t i = 0; i < t->kernel.size(); ++i) {
    int64_t reach = (t->kernel[i] - 1) * t->dilations[i];
    window.out.push_back(n.e.math.sub(stretched.dims[2 + i], n.e.math.constant(reach)));
  }
  FailureOr<Val> out = convolve(n, stretched, reverseKernel(n.e, w, group), window, group, accumulatorOf(x.elem));
  if (failed(out))
    return failure();
  Dims offsets(2, n.e.math.constant(0)), sizes(out->dims.begin(), out->dims.begin() + 2);
  for (size_t i = 0; i < t->kernel.size(); ++i) {
    offsets.push_back(t->low[i]);
    sizes.push_back(t->out[i]);
  }
  Val cut = n.e.slice(*out, offsets, sizes, Dims(x.rank(), n.e.math.constant(1)));
  if (n.has(2)) {
    if (n.in(2).rank() != 1 || DimMath::number(n.in(2).dims[0]) != *perGroup * group)
      return n.fail("the bias does not have one entry per filter");
    cut = addChannelBias(n.e, cut, n.in(2));
  }
  return n.set(0, n.e.cast(cut, x.elem));
}
} // namespace

void registerConvTranspose(Registry &r) {
  r.add({{"", "ConvTranspose", 1, kNewest, 2, 3,
          "auto_pad dilations group kernel_shape output_padding output_shape pads strides", importConvTranspose}});
}

} // namespace mlir::qtensor::onnx
