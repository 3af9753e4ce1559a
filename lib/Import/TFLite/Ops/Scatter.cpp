// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elements written to, or summed up at, positions that the model computes: loops in the order of the updates.
#include "lib/Import/Graph/Indexed.h"
#include "lib/Import/TFLite/Registry.h"

namespace mlir::qtensor::tflite {
namespace {
Value replace(Scalar &, Value, Value update, Elem) { return update; }
Value addition(Scalar &s, Value old, Value update, Elem elem) {
  return elem == Elem::Bool ? s.logicalOr(old, update) : s.add(old, update);
}
Value product(Scalar &s, Value old, Value update, Elem) { return s.mul(old, update); }
Value largest(Scalar &s, Value old, Value update, Elem elem) { return s.max(old, update, isUnsigned(elem)); }
Value smallest(Scalar &s, Value old, Value update, Elem elem) { return s.min(old, update, isUnsigned(elem)); }

LogicalResult checkInside(const Node &n, const Val &indices, ArrayRef<OpFoldResult> limits) {
  IndexRange range{SmallVector<OpFoldResult>(limits), /*fromEnd=*/false, n.place()};
  return requireInside(n.e, indices, range, [&](const Twine &what) { return n.fail(what); });
}

/// Extents that a constant input holds.
FailureOr<Dims> readExtents(const Node &n, unsigned input) {
  FailureOr<SmallVector<int64_t>> extents = n.numbers(input, "the extents of its output");
  if (failed(extents))
    return failure();
  Dims dims;
  double count = 1;
  for (int64_t extent : *extents) {
    count *= double(std::max<int64_t>(extent, 0));
    if (extent < 0 || count > 0x1p40)
      return n.fail("its output has the extent " + Twine(extent) + ", or more than 2^40 elements");
    dims.push_back(n.e.math.constant(extent));
  }
  return dims;
}

/// Zeros, to which slices are added: what several updates write to one place is their sum, as in the runtime.
LogicalResult importScatterNd(const Node &n) {
  const Val &indices = n.in(0), &updates = n.in(1);
  FailureOr<Dims> dims = readExtents(n, 2);
  if (failed(dims) || failed(n.requireSameScale(1)))
    return failure();
  auto width = indices.rank() ? DimMath::number(indices.dims.back()) : std::nullopt;
  if (!isInteger(indices.elem) || !width || *width < 1 || *width > int64_t(dims->size()))
    return n.fail("its indices must be integers whose last axis holds up to as many as its output has axes");
  Dims wanted(indices.dims.begin(), indices.dims.end() - 1);
  wanted.append(dims->begin() + *width, dims->end());
  if (!llvm::equal(wanted, updates.dims, DimMath::same))
    return n.fail("its updates do not have the extents of its indices and of what they index");
  if (failed(checkInside(n, indices, ArrayRef(*dims).take_front(*width))))
    return failure();
  Val zeros = n.e.wrap(n.e.filled(*dims, updates.elem, 0), updates.elem, *dims);
  return n.set(scatterSlices(n.e, zeros, indices, updates, addition));
}

/// One value everywhere but at some positions: one number, a list of numbers, or a list of positions.
LogicalResult importSparseToDense(const Node &n) {
  Emit &e = n.e;
  Val indices = n.in(0), values = n.in(2);
  FailureOr<Dims> dims = readExtents(n, 1);
  if (failed(dims))
    return failure();
  if (values.elem != n.in(3).elem || DimMath::number(e.math.product(n.in(3).dims)) != 1)
    return n.fail("its default is not one value of the type of its values");
  auto rank = int64_t(dims->size());
  if (indices.rank() < 2 && rank != 1)
    return n.fail("has one number for each position in an output of " + Twine(rank) + " axes");
  if (indices.rank() > 2 || !isInteger(indices.elem) || values.rank() > 1)
    return n.fail("takes integer indices of at most two axes and values of at most one");
  Dims column{indices.rank() ? indices.dims[0] : e.math.constant(1),
              indices.rank() > 1 ? indices.dims[1] : e.math.constant(1)};
  if (DimMath::number(column[1]) != rank)
    return n.fail("its indices do not have one number for each axis of its output");
  if (values.rank() && DimMath::number(values.dims[0]) != 1 && !DimMath::same(values.dims[0], column[0]))
    return n.fail("has another number of values than of positions");
  indices = e.reshape(indices, column);
  if (failed(checkInside(n, indices, *dims)))
    return failure();
  Val filled = e.wrap(e.filled(*dims, e.element(n.in(3))), values.elem, *dims);
  return n.set(scatterSlices(e, filled, indices, e.broadcast(values, column[0]), replace));
}

/// What a segment without elements is.
Val neutral(Emit &e, Combine combine, ArrayRef<OpFoldResult> dims, Elem elem) {
  Type type = e.type(elem);
  auto limit = [&](bool most) -> Value {
    if (auto real = dyn_cast<FloatType>(type))
      return arith::ConstantOp::create(e.b, e.loc,
                                       e.b.getFloatAttr(real, APFloat::getLargest(real.getFloatSemantics(), !most)));
    unsigned bits = type.getIntOrFloatBitWidth();
    APInt integer = isUnsigned(elem) ? (most ? APInt::getMaxValue(bits) : APInt::getMinValue(bits))
                                     : (most ? APInt::getSignedMaxValue(bits) : APInt::getSignedMinValue(bits));
    return arith::ConstantOp::create(e.b, e.loc, e.b.getIntegerAttr(type, integer));
  };
  if (combine == largest || combine == smallest)
    return e.wrap(e.filled(dims, limit(combine == smallest)), elem, dims);
  return e.wrap(e.filled(dims, elem, combine == product ? 1 : 0), elem, dims);
}

/// Input 0 combined over all positions that input 1 gives one number; those with a negative one are left out if
/// `skips`.
LogicalResult combineSegments(const Node &n, int64_t segments, Combine combine, bool skips) {
  Emit &e = n.e;
  const Val &x = n.in(0), &numbers = n.in(1);
  if (isQuantized(n.inTensor(0)) || x.elem == Elem::Bool)
    return n.fail("is quantized or of truth values, for which there is no rule; keep it in float");
  if (!isInteger(numbers.elem) || numbers.rank() > x.rank() ||
      !llvm::equal(numbers.dims, ArrayRef(x.dims).take_front(numbers.rank()), DimMath::same))
    return n.fail("its segments are not integers with the leading extents of its input");
  Dims dims{e.math.constant(segments)}, column = numbers.dims;
  dims.append(x.dims.begin() + numbers.rank(), x.dims.end());
  column.push_back(e.math.constant(1));
  Val start = neutral(e, combine, dims, x.elem), updates = x, places = numbers;
  if (skips) {
    // A neutral element at place 0 changes nothing.
    places = e.map(numbers, numbers.elem, [](Scalar &s, ValueRange in) { return s.max(in[0], s.like(in[0], 0)); });
    Dims aligned = numbers.dims;
    aligned.append(x.rank() - numbers.rank(), e.math.constant(1));
    Val inputs[] = {e.reshape(numbers, aligned), x, neutral(e, combine, Dims(x.rank(), e.math.constant(1)), x.elem)};
    updates = e.mapTo(x.dims, inputs, x.elem,
                      [](Scalar &s, ValueRange in) { return s.select(s.lt(in[0], s.like(in[0], 0)), in[2], in[1]); });
  }
  places = e.reshape(places, column);
  if (failed(checkInside(n, places, dims[0])))
    return failure();
  return n.set(scatterSlices(e, start, places, updates, combine));
}

/// The segments lie side by side in ascending order; how many there are follows from the last.
LogicalResult importSegmentSum(const Node &n) {
  FailureOr<SmallVector<int64_t>> numbers = n.numbers(1, "its segments");
  if (failed(numbers))
    return failure();
  bool fits = !numbers->empty() && n.in(1).rank() == 1 && numbers->front() >= 0 && numbers->front() <= 1 << 20;
  for (size_t i = 1; fits && i < numbers->size(); ++i)
    fits = (*numbers)[i] == (*numbers)[i - 1] || (*numbers)[i] == (*numbers)[i - 1] + 1;
  if (!fits)
    return n.fail("its segments are not a list of numbers from 0 on of which each is the one before it or the next");
  return combineSegments(n, numbers->back() + 1, addition, /*skips=*/false);
}

template <Combine combine> LogicalResult importUnsortedSegment(const Node &n) {
  FailureOr<SmallVector<int64_t>> count = n.numbers(2, "the number of its segments");
  if (failed(count))
    return failure();
  if (count->size() != 1 || count->front() < 1 || count->front() > 1 << 30)
    return n.fail("the number of its segments must be one number in [1, 2^30]");
  return combineSegments(n, count->front(), combine, /*skips=*/true);
}
} // namespace

void registerScatter(Registry &r) {
  constexpr const char *segments = "f32, integers; constant number of segments";
  r.add({
      {"SCATTER_ND", 3, 3, importScatterNd, "all types; constant shape; an index outside is an error of the run"},
      {"SPARSE_TO_DENSE", 4, 4, importSparseToDense,
       "all types; constant shape; an index outside is an error of the run"},
      {"SEGMENT_SUM", 2, 2, importSegmentSum, "f32, integers; constant segments"},
      {"UNSORTED_SEGMENT_MAX", 3, 3, importUnsortedSegment<largest>, segments},
      {"UNSORTED_SEGMENT_MIN", 3, 3, importUnsortedSegment<smallest>, segments},
      {"UNSORTED_SEGMENT_PROD", 3, 3, importUnsortedSegment<product>, segments},
      {"UNSORTED_SEGMENT_SUM", 3, 3, importUnsortedSegment<addition>, segments},
  });
}

} // namespace mlir::qtensor::tflite
