// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parts of a tensor that lie at regular distances: codes are moved as they are. Sizes are known; starts may come from
// the data.
#include "lib/Import/Graph/Indexed.h"
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {
namespace {
/// A part by axis of the input.
struct Part {
  SmallVector<OpFoldResult> offsets, sizes, steps;
  SmallVector<int64_t> dropped; ///< Axes of the part that the output lacks.
  SmallVector<int64_t> added;   ///< Axes of extent 1 of the output.
};

Val take(Emit &e, const Val &x, const Part &part) {
  return e.unsqueeze(e.squeeze(e.slice(x, part.offsets, part.sizes, part.steps), part.dropped), part.added);
}

/// Element `i` of a list of starts as an offset in [0, limit): what is outside is an error of the run. With `fromEnd`,
/// negative ones count from the end.
FailureOr<OpFoldResult> startAt(const Node &n, unsigned input, int64_t i, int64_t limit, bool fromEnd) {
  Emit &e = n.e;
  Val start = e.sliceAxis(n.in(input), 0, e.math.constant(i), e.math.constant(1));
  IndexRange range{{e.math.constant(limit)}, fromEnd, n.place()};
  if (failed(requireInside(e, start, range, [&](const Twine &what) { return n.fail(what); })))
    return failure();
  Scalar s(e.b, e.loc);
  return OpFoldResult(clampIndex(s, e.element(start), start.elem, e.math.value(range.limits[0], e.loc)));
}

LogicalResult importSlice(const Node &n) {
  const Val &x = n.in(0), &begin = n.in(1);
  FailureOr<SmallVector<int64_t>> size = n.numbers(2, "its sizes");
  if (failed(size) || failed(n.requireSameScale()))
    return failure();
  if (!isInteger(begin.elem) || begin.rank() != 1 || DimMath::number(begin.dims[0]) != x.rank() ||
      int64_t(size->size()) != x.rank())
    return n.fail("does not have one start and size for each axis");
  Part part;
  part.steps.assign(x.rank(), n.e.math.constant(1));
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    int64_t extent = DimMath::number(x.dims[axis]).value_or(-1), length = (*size)[axis];
    if (extent < 0 || length > extent || (length < 0 && !begin.constant))
      return n.fail("cuts outside of axis " + Twine(axis) + ", or up to its end from a start that the data holds");
    if (!begin.constant) {
      FailureOr<OpFoldResult> start = startAt(n, 1, axis, extent - length + 1, /*fromEnd=*/false);
      if (failed(start))
        return failure();
      part.offsets.push_back(*start);
      part.sizes.push_back(n.e.math.constant(length));
      continue;
    }
    int64_t first = begin.constant->intAt(axis);
    length = length < 0 ? extent - first : length;
    if (first < 0 || length < 0 || first > extent - length)
      return n.fail("cuts outside of axis " + Twine(axis));
    part.offsets.push_back(n.e.math.constant(first));
    part.sizes.push_back(n.e.math.constant(length));
  }
  return n.set(take(n.e, x, part));
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
  return {first, std::max<int64_t>(0, int64_t(llvm::divideCeil(std::max<int64_t>(distance, 0), std::abs(stride)))),
          stride};
}

/// Reads the entries of a strided slice: each is a part of an axis, a new axis, or all axes that no other entry is
/// about.
class StridedReader {
public:
  explicit StridedReader(const Node &n) : n(n), x(n.in(0)) {}

  FailureOr<Part> read();

private:
  bool bit(StringRef mask, int64_t entry) const { return (n.option(mask) >> entry) & 1; }
  LogicalResult readBounds();
  LogicalResult readEntry(int64_t entry);
  LogicalResult readMoving(int64_t entry, int64_t extent);
  void whole();
  void add(OpFoldResult offset, int64_t size, int64_t step, bool drops = false);

  const Node &n;
  const Val &x;
  std::optional<SmallVector<int64_t>> begin, end; ///< Nothing where the data holds them.
  SmallVector<int64_t> strides;
  int64_t entries = 0, outputs = 0; ///< Of the slice; axes of the output so far.
  Part part;
};

LogicalResult StridedReader::readBounds() {
  FailureOr<SmallVector<int64_t>> steps = n.numbers(3, "its strides");
  if (failed(steps))
    return failure();
  strides = *steps;
  entries = int64_t(strides.size());
  for (auto [input, to] : {std::pair(1u, &begin), std::pair(2u, &end)}) {
    const Val &given = n.in(input);
    if (!isInteger(given.elem) || given.rank() != 1 || DimMath::number(given.dims[0]) != entries)
      return n.fail("has another number of starts, ends and strides");
    if (!given.constant)
      continue;
    FailureOr<SmallVector<int64_t>> known = n.numbers(input, "its bounds");
    if (failed(known))
      return failure();
    *to = *known;
  }
  return entries <= 32 ? success() : n.fail("has more than 32 entries");
}

void StridedReader::add(OpFoldResult offset, int64_t size, int64_t step, bool drops) {
  if (drops)
    part.dropped.push_back(int64_t(part.offsets.size()));
  else
    ++outputs;
  part.offsets.push_back(offset);
  part.sizes.push_back(n.e.math.constant(size));
  part.steps.push_back(n.e.math.constant(size == 1 ? 1 : step));
}

void StridedReader::whole() { add(n.e.math.constant(0), *DimMath::number(x.dims[part.offsets.size()]), 1); }

/// An entry with a start that the data holds: one element, or the whole axis.
LogicalResult StridedReader::readMoving(int64_t entry, int64_t extent) {
  if (bit("begin_mask", entry) && bit("end_mask", entry) && !bit("shrink_axis_mask", entry) && strides[entry] == 1)
    return whole(), success();
  if (!bit("shrink_axis_mask", entry) || bit("begin_mask", entry) || begin)
    return n.fail(
        "has bounds that the data holds; only starts of single elements may be, other parts have constant bounds");
  FailureOr<OpFoldResult> start = startAt(n, 1, entry, extent, /*fromEnd=*/true);
  if (failed(start))
    return failure();
  add(*start, 1, 1, /*drops=*/true);
  return success();
}

LogicalResult StridedReader::readEntry(int64_t entry) {
  if (part.offsets.size() == size_t(x.rank()))
    return n.fail("has entries for more axes than its input has");
  int64_t axis = int64_t(part.offsets.size()), extent = *DimMath::number(x.dims[axis]), stride = strides[entry];
  if (stride == 0 || std::abs(stride) > int64_t(1) << 31)
    return n.fail("has the stride " + Twine(stride) + "; it must be in [-2^31, 2^31] and not 0");
  bool shrinks = bit("shrink_axis_mask", entry);
  // What ends an axis of which one element remains does not matter.
  if (!begin || (!end && !shrinks))
    return readMoving(entry, extent);
  int64_t first = (*begin)[entry], last = shrinks && !end ? first + 1 : (*end)[entry];
  if (n.option("offset"))
    last += first;
  Stride found = resolve(extent, first, last, stride, bit("begin_mask", entry), bit("end_mask", entry));
  if (shrinks && (found.begin < 0 || found.begin >= extent))
    return n.fail("takes an element outside of axis " + Twine(axis));
  int64_t offset = std::clamp<int64_t>(found.begin, 0, std::max<int64_t>(extent - 1, 0)); // of an empty part
  add(n.e.math.constant(offset), shrinks ? 1 : found.count, found.stride, shrinks);
  return success();
}

FailureOr<Part> StridedReader::read() {
  if (llvm::any_of(x.dims, [](OpFoldResult dim) { return !DimMath::number(dim); }))
    return n.fail("has an extent that is open");
  if (failed(readBounds()))
    return failure();
  int64_t named = 0, ellipses = 0;
  for (int64_t entry = 0; entry < entries; ++entry) {
    bool dots = bit("ellipsis_mask", entry);
    ellipses += dots;
    named += !dots && !bit("new_axis_mask", entry);
  }
  if (ellipses > 1 || named > x.rank())
    return n.fail("has more than one ellipsis, or entries for more axes than its input has");
  if (ellipses && named == x.rank())
    return n.fail(
        "has an ellipsis that stands for no axis, where LiteRT takes other elements than TensorFlow; leave it out");
  for (int64_t entry = 0; entry < entries; ++entry) {
    if (bit("ellipsis_mask", entry)) {
      for (int64_t i = named; i < x.rank(); ++i)
        whole();
    } else if (bit("new_axis_mask", entry)) {
      part.added.push_back(outputs++);
    } else if (failed(readEntry(entry))) {
      return failure();
    }
  }
  while (int64_t(part.offsets.size()) < x.rank())
    whole();
  return part;
}

LogicalResult importStridedSlice(const Node &n) {
  FailureOr<Part> part = StridedReader(n).read();
  if (failed(part) || failed(n.requireSameScale()))
    return failure();
  return n.set(take(n.e, n.in(0), *part));
}
} // namespace

void registerSlices(Registry &r) {
  r.add({
      {"SLICE", 3, 3, importSlice, "all types; constant sizes; a start outside is an error of the run"},
      {"STRIDED_SLICE", 4, 4, importStridedSlice, "all types; constant, but for starts of single elements"},
  });
}

} // namespace mlir::qtensor::tflite
