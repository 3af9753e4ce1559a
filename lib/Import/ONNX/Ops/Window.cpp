// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The attributes that convolutions and poolings share.
#include "lib/Import/ONNX/Ops/Contract.h"

namespace mlir::qtensor::onnx {
namespace {
/// No window, stride, dilation or padding is larger in a model that means it; products below can't overflow.
constexpr int64_t kMaxWindow = 1 << 20;

FailureOr<SmallVector<int64_t>> readList(NodeContext &n, StringRef name, size_t count, int64_t otherwise,
                                         int64_t least) {
  SmallVector<int64_t> values = n.attrInts(name);
  if (values.empty())
    values.assign(count, otherwise);
  if (values.size() != count)
    return n.fail("'" + name + "' has " + Twine(values.size()) + " entries where " + Twine(count) + " are needed");
  for (int64_t value : values)
    if (value < least || value > kMaxWindow)
      return n.fail("'" + name + "' has the entry " + Twine(value));
  return values;
}
} // namespace

bool Window::padded() const {
  auto nonZero = [](OpFoldResult pad) { return DimMath::number(pad) != 0; };
  return llvm::any_of(low, nonZero) || llvm::any_of(high, nonZero);
}

FailureOr<Window> readWindow(NodeContext &n, ArrayRef<OpFoldResult> spatial, ArrayRef<int64_t> kernel) {
  size_t rank = spatial.size();
  Window w;
  w.kernel = kernel.empty() ? n.attrInts("kernel_shape") : SmallVector<int64_t>(kernel);
  if (w.kernel.size() != rank || (n.hasAttr("kernel_shape") && n.attrInts("kernel_shape") != w.kernel))
    return n.fail("'kernel_shape' does not fit the shapes of its inputs");
  auto strides = readList(n, "strides", rank, 1, 1), dilations = readList(n, "dilations", rank, 1, 1);
  auto pads = readList(n, "pads", 2 * rank, 0, 0);
  if (failed(strides) || failed(dilations) || failed(pads))
    return failure();
  w.strides = *strides, w.dilations = *dilations;
  StringRef mode = n.attrString("auto_pad", "NOTSET");
  if (mode != "NOTSET" && mode != "VALID" && mode != "SAME_UPPER" && mode != "SAME_LOWER")
    return n.fail("'auto_pad' has the value '" + mode + "'");
  DimMath &m = n.e.math;
  for (size_t i = 0; i < rank; ++i) {
    if (w.kernel[i] < 1 || w.kernel[i] > kMaxWindow)
      return n.fail("the window has the extent " + Twine(w.kernel[i]));
    OpFoldResult reach = m.constant((w.kernel[i] - 1) * w.dilations[i] + 1), stride = m.constant(w.strides[i]);
    OpFoldResult low = m.constant(mode == "NOTSET" ? (*pads)[i] : 0);
    OpFoldResult high = m.constant(mode == "NOTSET" ? (*pads)[rank + i] : 0), out;
    if (mode.starts_with("SAME")) {
      out = m.ceilDiv(spatial[i], stride);
      OpFoldResult last = m.mul(m.sub(out, m.constant(1)), stride);
      OpFoldResult total = m.max(m.sub(m.add(last, reach), spatial[i]), m.constant(0));
      low = mode == "SAME_UPPER" ? m.floorDiv(total, m.constant(2)) : m.ceilDiv(total, m.constant(2));
      high = m.sub(total, low);
    } else {
      OpFoldResult room = m.sub(m.add(m.add(spatial[i], low), high), reach);
      out = m.add(n.attrInt("ceil_mode", 0) ? m.ceilDiv(room, stride) : m.floorDiv(room, stride), m.constant(1));
      // A last window that starts in the padding behind the input is dropped.
      auto outs = DimMath::number(out), extent = DimMath::number(spatial[i]);
      if (n.attrInt("ceil_mode", 0) && outs && extent && (*outs - 1) * w.strides[i] >= *extent + *DimMath::number(low))
        out = m.constant(*outs - 1);
    }
    if (DimMath::number(out).value_or(1) < 0)
      return n.fail("the window does not fit into dimension " + Twine(i + 2));
    w.low.push_back(low);
    w.high.push_back(high);
    w.out.push_back(out);
  }
  return w;
}

} // namespace mlir::qtensor::onnx
