// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data movement: on codes where the tensor is quantized, whose scale the result shares.
#include "lib/Import/TFLite/Registry.h"

namespace mlir::qtensor::tflite {
namespace {
Dims constants(const Node &n, ArrayRef<int64_t> extents) {
  return llvm::map_to_vector(extents, [&](int64_t extent) { return n.e.math.constant(extent); });
}

LogicalResult setReshaped(const Node &n, ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  if (failed(n.requireSameScale()))
    return failure();
  if (DimMath::number(n.e.math.product(n.in(0).dims)) != count)
    return n.fail("its output has another number of elements than its input");
  return n.set(n.e.reshape(n.in(0), constants(n, shape)));
}

/// The shape of the output is in the file; what operands and options say of it was said to the converter.
LogicalResult importReshape(const Node &n) { return setReshaped(n, n.outTensor().shape); }

LogicalResult importPad(const Node &n) {
  FailureOr<SmallVector<int64_t>> pads = n.numbers(1, "its paddings");
  const Val &x = n.in(0);
  if (failed(pads) || failed(n.requireSameScale()))
    return failure();
  if (int64_t(pads->size()) != 2 * x.rank() || llvm::any_of(*pads, [](int64_t pad) { return pad < 0 || pad > 1 << 20; }))
    return n.fail("its paddings are not two numbers in [0, 2^20] for each axis");
  Dims low, high;
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    low.push_back(n.e.math.constant((*pads)[2 * axis]));
    high.push_back(n.e.math.constant((*pads)[2 * axis + 1]));
  }
  double zero = isQuantized(n.inTensor(0)) ? double(n.inTensor(0).quantization.zero[0]) : 0;
  Value value = Scalar(n.e.b, n.e.loc).number(n.e.type(x.elem), zero);
  if (n.has(2))
    value = n.e.element(n.in(2));
  return n.set(n.e.pad(x, low, high, value));
}

LogicalResult importConcat(const Node &n) {
  SmallVector<Val> parts;
  int64_t rank = n.in(0).rank(), axis = n.option("axis");
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis >= rank)
    return n.fail("the axis " + Twine(n.option("axis")) + " is none of its inputs'");
  FailureOr<int64_t> activation = n.activation();
  if (failed(activation))
    return failure();
  bool same = true;
  for (unsigned i = 0; i < n.numInputs(); ++i) {
    if (n.in(i).rank() != rank)
      return n.fail("its inputs have different ranks");
    for (int64_t other = 0; other < rank; ++other)
      if (other != axis && !DimMath::same(n.in(i).dims[other], n.in(0).dims[other]))
        return n.fail("its inputs differ along axis " + Twine(other));
    same &= n.inTensor(i).quantization.scale == n.outTensor().quantization.scale &&
            n.inTensor(i).quantization.zero == n.outTensor().quantization.zero;
    parts.push_back(n.in(i));
  }
  bool quantized = isQuantized(n.outTensor());
  if (quantized && (!same || *activation))
    return n.fail("its inputs have other scales than its output, or it has an activation; the format wants the same scale and no "
                  "activation: requantize in front of it");
  Val out = n.e.concat(parts, axis);
  if (*activation)
    out = n.e.map(out, out.elem, [&](Scalar &s, ValueRange in) { return n.activate(s, in[0], *activation); });
  return n.set(out);
}

LogicalResult importSlice(const Node &n) {
  FailureOr<SmallVector<int64_t>> begin = n.numbers(1, "its starts"), size = n.numbers(2, "its sizes");
  const Val &x = n.in(0);
  if (failed(begin) || failed(size) || failed(n.requireSameScale()))
    return failure();
  if (int64_t(begin->size()) != x.rank() || int64_t(size->size()) != x.rank())
    return n.fail("does not have one start and size for each axis");
  SmallVector<int64_t> sizes;
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    auto extent = DimMath::number(x.dims[axis]);
    int64_t length = (*size)[axis] < 0 ? extent.value_or(0) - (*begin)[axis] : (*size)[axis];
    if (!extent || (*begin)[axis] < 0 || length < 0 || (*begin)[axis] > *extent || length > *extent - (*begin)[axis])
      return n.fail("cuts outside of axis " + Twine(axis));
    sizes.push_back(length);
  }
  Dims ones(x.rank(), n.e.math.constant(1));
  return n.set(n.e.slice(x, constants(n, *begin), constants(n, sizes), ones));
}

/// One axis of a strided slice, as Python's x[begin:end:stride] resolves it.
struct Stride {
  int64_t begin, count, stride;
};

Stride resolve(int64_t extent, int64_t begin, int64_t end, int64_t stride, bool openBegin, bool openEnd) {
  bool forward = stride > 0;
  auto clamp = [&](int64_t position) {
    position += position < 0 ? extent : 0;
    return forward ? std::clamp<int64_t>(position, 0, extent) : std::clamp<int64_t>(position, -1, extent - 1);
  };
  int64_t first = openBegin ? (forward ? 0 : extent - 1) : clamp(begin);
  int64_t last = openEnd ? (forward ? extent : -1) : clamp(end);
  int64_t distance = forward ? last - first : first - last;
  return {first, std::max<int64_t>(0, int64_t(llvm::divideCeil(std::max<int64_t>(distance, 0), std::abs(stride)))), stride};
}

LogicalResult importStridedSlice(const Node &n) {
  FailureOr<SmallVector<int64_t>> begin = n.numbers(1, "its starts"), end = n.numbers(2, "its ends"),
                                  strides = n.numbers(3, "its strides");
  if (failed(begin) || failed(end) || failed(strides) || failed(n.requireSameScale()))
    return failure();
  Val x = n.in(0);
  if (begin->size() != end->size() || begin->size() != strides->size() || int64_t(begin->size()) > x.rank())
    return n.fail("has another number of starts, ends and strides than of axes");
  if (n.option("ellipsis_mask") || n.option("new_axis_mask"))
    return n.fail("has an ellipsis or a new axis, which is not supported; slice and reshape instead");
  SmallVector<int64_t> offsets, sizes, steps, dropped, reversed;
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    auto extent = DimMath::number(x.dims[axis]);
    bool given = axis < int64_t(begin->size());
    auto bit = [&](StringRef mask) { return ((n.option(mask) >> axis) & 1) != 0; };
    int64_t stride = given ? (*strides)[axis] : 1;
    if (!extent || stride == 0)
      return n.fail("has the stride 0, or an extent that is open");
    Stride part = given ? resolve(*extent, (*begin)[axis], n.option("offset") ? (*begin)[axis] + (*end)[axis] : (*end)[axis],
                                  stride, bit("begin_mask"), bit("end_mask"))
                        : Stride{0, *extent, 1};
    if (given && bit("shrink_axis_mask")) {
      part.count = 1;
      dropped.push_back(axis);
      if (part.begin < 0 || part.begin >= *extent)
        return n.fail("takes an element outside of axis " + Twine(axis));
    }
    offsets.push_back(std::clamp<int64_t>(part.begin, 0, std::max<int64_t>(*extent - 1, 0))); // of an empty part
    sizes.push_back(part.count);
    steps.push_back(part.count == 1 ? 1 : part.stride);
  }
  Val out = n.e.slice(x, constants(n, offsets), constants(n, sizes), constants(n, steps));
  return n.set(n.e.squeeze(out, dropped));
}

LogicalResult importTranspose(const Node &n) {
  FailureOr<SmallVector<int64_t>> order = n.numbers(1, "its permutation");
  if (failed(order) || failed(n.requireSameScale()))
    return failure();
  SmallVector<int64_t> sorted(*order);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, allAxes(n.in(0).rank())))
    return n.fail("its permutation is none of its input's axes");
  return n.set(n.e.transpose(n.in(0), *order));
}

LogicalResult split(const Node &n, unsigned input, int64_t axis, ArrayRef<int64_t> lengths) {
  const Val &x = n.in(input);
  axis += axis < 0 ? x.rank() : 0;
  if (axis < 0 || axis >= x.rank() || lengths.size() != n.op.outputs.size())
    return n.fail("has an axis or a number of parts that does not fit its tensors");
  int64_t at = 0, extent = DimMath::number(x.dims[axis]).value_or(-1);
  for (auto [i, length] : llvm::enumerate(lengths)) {
    if (length < 0 || length > extent - at)
      return n.fail("its parts do not fit into axis " + Twine(axis));
    if (failed(n.requireSameScale(input, i)) ||
        failed(n.set(n.e.sliceAxis(x, axis, n.e.math.constant(at), n.e.math.constant(length)), i)))
      return failure();
    at += length;
  }
  return success();
}

LogicalResult importSplit(const Node &n) {
  FailureOr<SmallVector<int64_t>> axis = n.numbers(0, "its axis");
  if (failed(axis) || axis->size() != 1)
    return failure();
  int64_t parts = int64_t(n.op.outputs.size()), rank = n.in(1).rank(), at = (*axis)[0] + ((*axis)[0] < 0 ? rank : 0);
  int64_t extent = at >= 0 && at < rank ? DimMath::number(n.in(1).dims[at]).value_or(-1) : -1;
  if (extent < 0 || extent % parts != 0)
    return n.fail("cannot cut its input into " + Twine(parts) + " equal parts");
  return split(n, 1, at, SmallVector<int64_t>(parts, extent / parts));
}

LogicalResult importSplitV(const Node &n) {
  FailureOr<SmallVector<int64_t>> sizes = n.numbers(1, "its sizes"), axis = n.numbers(2, "its axis");
  if (failed(sizes) || failed(axis) || axis->size() != 1)
    return failure();
  int64_t rank = n.in(0).rank(), at = (*axis)[0] + ((*axis)[0] < 0 ? rank : 0), known = 0;
  if (at < 0 || at >= rank)
    return n.fail("the axis " + Twine((*axis)[0]) + " is none of its input's");
  for (int64_t size : *sizes)
    known += std::max<int64_t>(size, 0);
  for (int64_t &size : *sizes)
    size = size < 0 ? DimMath::number(n.in(0).dims[at]).value_or(0) - known : size;
  return split(n, 0, at, *sizes);
}

LogicalResult importPack(const Node &n) {
  int64_t rank = n.in(0).rank() + 1, axis = n.option("axis") + (n.option("axis") < 0 ? rank : 0);
  if (axis < 0 || axis >= rank)
    return n.fail("the axis " + Twine(n.option("axis")) + " is none of its output's");
  SmallVector<Val> parts;
  for (unsigned i = 0; i < n.numInputs(); ++i) {
    if (failed(n.requireSameScale(i)))
      return failure();
    if (!llvm::equal(n.in(i).dims, n.in(0).dims, DimMath::same))
      return n.fail("its inputs have different shapes");
    parts.push_back(n.e.unsqueeze(n.in(i), axis));
  }
  return n.set(n.e.concat(parts, axis));
}

LogicalResult importUnpack(const Node &n) {
  const Val &x = n.in(0);
  int64_t axis = n.option("axis") + (n.option("axis") < 0 ? x.rank() : 0);
  if (axis < 0 || axis >= x.rank() || DimMath::number(x.dims[axis]) != int64_t(n.op.outputs.size()))
    return n.fail("the axis " + Twine(n.option("axis")) + " does not have one element for each output");
  for (unsigned i = 0; i < n.op.outputs.size(); ++i) {
    Val part = n.e.sliceAxis(x, axis, n.e.math.constant(i), n.e.math.constant(1));
    if (failed(n.requireSameScale(0, i)) || failed(n.set(n.e.squeeze(part, axis), i)))
      return failure();
  }
  return success();
}
} // namespace

void registerMoves(Registry &r) {
  r.add({
      {"RESHAPE", 1, 2, importReshape, "all types"},
      {"SQUEEZE", 1, 1, importReshape, "all types"},
      {"EXPAND_DIMS", 2, 2, importReshape, "all types"},
      {"PAD", 2, 2, importPad, "all types"},
      {"PADV2", 3, 3, importPad, "all types"},
      {"CONCATENATION", 1, kAny, importConcat, "all types; quantized: one scale"},
      {"SLICE", 3, 3, importSlice, "all types; constant starts and sizes"},
      {"STRIDED_SLICE", 4, 4, importStridedSlice, "all types; constant, no new axes"},
      {"TRANSPOSE", 2, 2, importTranspose, "all types"},
      {"SPLIT", 2, 2, importSplit, "all types"},
      {"SPLIT_V", 3, 3, importSplitV, "all types"},
      {"PACK", 1, kAny, importPack, "all types"},
      {"UNPACK", 1, 1, importUnpack, "all types"},
  });
}

} // namespace mlir::qtensor::tflite
