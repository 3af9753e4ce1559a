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
      {"TRANSPOSE", 2, 2, importTranspose, "all types"},
      {"SPLIT", 2, 2, importSplit, "all types"},
      {"SPLIT_V", 3, 3, importSplitV, "all types"},
      {"PACK", 1, kAny, importPack, "all types"},
      {"UNPACK", 1, 1, importUnpack, "all types"},
  });
}

} // namespace mlir::qtensor::tflite
