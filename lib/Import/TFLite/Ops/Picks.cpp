// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elements picked by position: by indices that the model computes, or by tables that are known now.
#include "lib/Import/Graph/Indexed.h"
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {
namespace {
/// x read along `axis` at the positions of a table.
Val pick(Emit &e, const Val &x, int64_t axis, ArrayRef<int64_t> positions) {
  Dims dims = x.dims;
  dims[axis] = e.math.constant(int64_t(positions.size()));
  Val table = e.constant(SmallVector<double>(positions.begin(), positions.end()), {int64_t(positions.size())}, Elem::I32);
  Dims column(x.rank() - axis, e.math.constant(1));
  column[0] = dims[axis];
  Value source = e.tensor(x);
  return e.mapTo(dims, e.reshape(table, column), x.elem, [&](Scalar &s, ValueRange in) {
    SmallVector<Value> position;
    for (int64_t i = 0; i < x.rank(); ++i)
      position.push_back(i == axis ? s.make<arith::IndexCastOp>(s.b.getIndexType(), in[0]) : s.index(i));
    return s.make<tensor::ExtractOp>(source, position);
  });
}

/// An axis of input 0 counted from its start.
FailureOr<int64_t> axisOf(const Node &n, int64_t axis) {
  int64_t rank = n.in(0).rank(), from = axis + (axis < 0 ? rank : 0);
  if (from < 0 || from >= rank)
    return n.fail("the axis " + Twine(axis) + " is none of its input's");
  return from;
}

/// Constant indices are checked; others are kept inside by clamping, where the runtimes read what lies there.
LogicalResult checkIndices(const Node &n, unsigned input, std::optional<int64_t> extent) {
  const Val &indices = n.in(input);
  if (!isInteger(indices.elem))
    return n.fail("its indices must be integers");
  if (!extent || *extent < 1)
    return n.fail("picks from an axis of no or open extent");
  for (int64_t i = 0, count = indices.constant ? indices.constant->numElements() : 0; i < count; ++i)
    if (int64_t index = indices.constant->intAt(i); index < 0 || index >= *extent)
      return n.fail("the index " + Twine(index) + " is outside of the extent " + Twine(*extent));
  return success();
}

Val gather(const Node &n, const Val &x, const Val &indices, int64_t axis, int64_t batch) {
  Emit &e = n.e;
  Dims dims(x.dims.begin(), x.dims.begin() + axis);
  dims.append(indices.dims.begin() + batch, indices.dims.end());
  dims.append(x.dims.begin() + axis + 1, x.dims.end());
  int64_t inserted = indices.rank() - batch;
  // The indices' leading axes are the output's first ones, the others lie at the axis.
  SmallVector<AffineExpr> read;
  for (int64_t i = 0; i < indices.rank(); ++i)
    read.push_back(e.b.getAffineDimExpr(i < batch ? i : axis + i - batch));
  Value source = e.tensor(x);
  int64_t last = *DimMath::number(x.dims[axis]) - 1;
  AffineMap maps[] = {AffineMap::get(dims.size(), 0, read, e.b.getContext()), e.b.getMultiDimIdentityMap(dims.size())};
  SmallVector<utils::IteratorType> loops(dims.size(), utils::IteratorType::parallel);
  Value made = e.generic(e.tensor(indices), e.empty(dims, e.type(x.elem)), maps, loops, [&](Scalar &s, ValueRange in) -> Value {
    Value raw = s.make<arith::IndexCastOp>(s.b.getIndexType(), in[0]);
    Value index = s.min(s.max(raw, s.like(raw, 0)), s.like(raw, double(last)));
    SmallVector<Value> position;
    for (int64_t i = 0; i < x.rank(); ++i)
      position.push_back(i == axis ? index : s.index(i < axis ? i : i + inserted - 1));
    return s.make<tensor::ExtractOp>(source, position);
  });
  return e.wrap(made, x.elem, dims);
}

LogicalResult importGather(const Node &n) {
  const Val &x = n.in(0), &indices = n.in(1);
  FailureOr<int64_t> axis = axisOf(n, n.option("axis"));
  int64_t batch = n.option("batch_dims") + (n.option("batch_dims") < 0 ? indices.rank() : 0);
  if (failed(axis) || failed(n.requireSameScale()))
    return failure();
  if (batch < 0 || batch > *axis || batch > indices.rank())
    return n.fail("has " + Twine(n.option("batch_dims")) + " batch axes, which its axis or its indices do not have");
  for (int64_t i = 0; i < batch; ++i)
    if (!DimMath::same(x.dims[i], indices.dims[i]))
      return n.fail("its input and its indices differ along batch axis " + Twine(i));
  if (failed(checkIndices(n, 1, DimMath::number(x.dims[*axis]))))
    return failure();
  return n.set(gather(n, x, indices, *axis, batch));
}

/// Elements, or slices of the trailing axes, at the positions that the last axis of the indices holds.
LogicalResult importGatherNd(const Node &n) {
  const Val &x = n.in(0), &indices = n.in(1);
  auto depth = indices.rank() ? DimMath::number(indices.dims.back()) : std::nullopt;
  if (!depth || *depth < 1 || *depth > x.rank() || !isInteger(indices.elem))
    return n.fail("its indices must be integers whose last axis holds up to as many as its input has axes");
  if (failed(n.requireSameScale()))
    return failure();
  SmallVector<int64_t> last;
  for (int64_t axis = 0; axis < *depth; ++axis) {
    auto extent = DimMath::number(x.dims[axis]);
    if (!extent || *extent < 1)
      return n.fail("picks from an axis of no or open extent");
    last.push_back(*extent - 1);
  }
  for (int64_t i = 0, count = indices.constant ? indices.constant->numElements() : 0; i < count; ++i)
    if (int64_t index = indices.constant->intAt(i); index < 0 || index > last[i % *depth])
      return n.fail("the index " + Twine(index) + " is outside of the extent " + Twine(last[i % *depth] + 1));
  int64_t lead = indices.rank() - 1;
  Dims dims(indices.dims.begin(), indices.dims.end() - 1);
  dims.append(x.dims.begin() + *depth, x.dims.end());
  Value source = n.e.tensor(x), places = n.e.tensor(indices);
  return n.set(n.e.mapTo(dims, {}, x.elem, [&](Scalar &s, ValueRange) -> Value {
    SmallVector<Value> position, place;
    for (int64_t i = 0; i < lead; ++i)
      place.push_back(s.index(i));
    place.push_back({});
    for (int64_t axis = 0; axis < x.rank(); ++axis) {
      if (axis >= *depth) {
        position.push_back(s.index(lead + axis - *depth));
        continue;
      }
      place.back() = s.number(s.b.getIndexType(), double(axis));
      Value raw = s.make<arith::IndexCastOp>(s.b.getIndexType(), s.make<tensor::ExtractOp>(places, place));
      position.push_back(s.min(s.max(raw, s.like(raw, 0)), s.like(raw, double(last[axis]))));
    }
    return s.make<tensor::ExtractOp>(source, position);
  }));
}

/// Input 0 with input 1 in place of what lies at the position that input 2 gives, moved so far that it fits.
LogicalResult importUpdate(const Node &n) {
  Emit &e = n.e;
  const Val &x = n.in(0), &update = n.in(1), &start = n.in(2);
  if (failed(n.requireSameScale()) || failed(n.requireSameScale(1)))
    return failure();
  bool fits = update.rank() == x.rank() && update.elem == x.elem && isInteger(start.elem) && start.rank() == 1 &&
              DimMath::number(start.dims[0]) == x.rank();
  for (int64_t axis = 0; fits && axis < x.rank(); ++axis) {
    auto whole = DimMath::number(x.dims[axis]), part = DimMath::number(update.dims[axis]);
    fits = whole && part && *part <= *whole;
  }
  if (!fits)
    return n.fail("takes a tensor, a smaller one of its type and rank, and the position of that, of fixed extents");
  Scalar s(e.b, e.loc);
  Value places = e.tensor(start);
  SmallVector<OpFoldResult> offsets, strides(x.rank(), e.b.getIndexAttr(1));
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    Value number = s.make<tensor::ExtractOp>(places, ValueRange{s.number(e.b.getIndexType(), double(axis))});
    Value raw = s.make<arith::IndexCastOp>(e.b.getIndexType(), number);
    int64_t most = *DimMath::number(x.dims[axis]) - *DimMath::number(update.dims[axis]);
    offsets.push_back(s.min(s.max(raw, s.like(raw, 0)), s.like(raw, double(most))));
  }
  Value made = tensor::InsertSliceOp::create(e.b, e.loc, e.tensor(update), e.tensor(x), offsets, update.dims, strides);
  return n.set(e.wrap(made, x.elem, x.dims));
}

/// Rows of a table, here the second input, by their numbers.
LogicalResult importEmbedding(const Node &n) {
  if (n.in(1).rank() < 1 || isQuantized(n.inTensor(1)) != isQuantized(n.outTensor()))
    return n.fail("looks up rows of a table that is none, or that is quantized where its output is not");
  if (failed(n.requireSameScale(1)) || failed(checkIndices(n, 0, DimMath::number(n.in(1).dims[0]))))
    return failure();
  return n.set(gather(n, n.in(1), n.in(0), 0, 0));
}

LogicalResult importMirrorPad(const Node &n) {
  FailureOr<SmallVector<int64_t>> pads = n.numbers(1, "its paddings");
  if (failed(pads) || failed(n.requireSameScale()))
    return failure();
  Val x = n.in(0);
  int64_t offset = n.option("mode") == 0 ? 1 : 0; // REFLECT leaves out the border, SYMMETRIC repeats it.
  if (int64_t(pads->size()) != 2 * x.rank())
    return n.fail("its paddings are not two numbers for each axis");
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    int64_t low = (*pads)[2 * axis], high = (*pads)[2 * axis + 1], extent = DimMath::number(x.dims[axis]).value_or(0);
    if (low < 0 || high < 0 || low > extent - offset || high > extent - offset)
      return n.fail("pads axis " + Twine(axis) + " of extent " + Twine(extent) + " by more than it can mirror");
    if (low == 0 && high == 0)
      continue;
    SmallVector<int64_t> positions;
    for (int64_t i = -low; i < extent + high; ++i)
      positions.push_back(i < 0 ? -i - 1 + offset : i >= extent ? 2 * extent - 1 - offset - i : i);
    x = pick(n.e, x, axis, positions);
  }
  return n.set(x);
}

/// The first elements of each sequence, as many as its length says, in reverse; what lies behind them stays.
LogicalResult importReverseSequence(const Node &n) {
  Emit &e = n.e;
  const Val &x = n.in(0), &lengths = n.in(1);
  FailureOr<int64_t> sequence = axisOf(n, n.option("seq_dim")), batch = axisOf(n, n.option("batch_dim"));
  if (failed(sequence) || failed(batch) || failed(n.requireSameScale()))
    return failure();
  auto extent = DimMath::number(x.dims[*sequence]);
  if (*sequence == *batch || !extent || !isInteger(lengths.elem) || lengths.rank() != 1 ||
      !DimMath::same(lengths.dims[0], x.dims[*batch]))
    return n.fail("does not have one length for each sequence, which are integers");
  IndexRange range{{e.math.constant(*extent + 1)}, /*fromEnd=*/false, n.place()};
  if (failed(requireInside(e, lengths, range, [&](const Twine &what) { return n.fail(what); })))
    return failure();
  Value source = e.tensor(x), counts = e.tensor(lengths);
  return n.set(e.mapTo(x.dims, {}, x.elem, [&](Scalar &s, ValueRange) -> Value {
    SmallVector<Value> position;
    for (int64_t i = 0; i < x.rank(); ++i)
      position.push_back(s.index(i));
    Value here = position[*sequence], raw = s.make<tensor::ExtractOp>(counts, position[*batch]);
    Value length = s.min(s.make<arith::IndexCastOp>(s.b.getIndexType(), raw), s.like(here, double(*extent)));
    position[*sequence] = s.select(s.lt(here, length), s.sub(s.sub(length, s.like(here, 1)), here), here);
    return s.make<tensor::ExtractOp>(source, position);
  }));
}

/// Zeros, or input 0, with the elements of the last input on the diagonal of the last two axes.
LogicalResult importDiagonal(const Node &n) {
  Emit &e = n.e;
  bool sets = n.numInputs() == 2;
  const Val &diagonal = n.in(n.numInputs() - 1);
  if (diagonal.rank() < 1 || diagonal.elem != n.in(0).elem || failed(n.requireSameScale(0)) ||
      (sets && failed(n.requireSameScale(1))))
    return n.fail("takes matrices and diagonals of one type");
  Dims dims = sets ? n.in(0).dims : diagonal.dims, wanted;
  if (!sets)
    dims.push_back(dims.back());
  int64_t rank = int64_t(dims.size());
  if (rank < 2)
    return n.fail("its input is no matrix");
  wanted.assign(dims.begin(), dims.end() - 2);
  wanted.push_back(e.math.min(dims[rank - 2], dims[rank - 1]));
  if (!llvm::equal(wanted, diagonal.dims, DimMath::same))
    return n.fail("its diagonals do not have the extents of those of its matrices");
  auto extent = DimMath::number(wanted.back());
  if (!extent || *extent < 1)
    return n.fail("has no elements, or an open extent");
  double zero = isQuantized(n.outTensor()) ? double(n.outTensor().quantization.zero[0]) : 0;
  Value source = e.tensor(diagonal);
  auto body = [&](Scalar &s, ValueRange in) -> Value {
    SmallVector<Value> position;
    for (int64_t i = 0; i < rank - 1; ++i)
      position.push_back(s.index(i));
    Value row = position.back(), on = s.eq(row, s.index(rank - 1));
    position.back() = s.min(row, s.like(row, double(*extent - 1)));
    Value element = s.make<tensor::ExtractOp>(source, position);
    return s.select(on, element, sets ? in[0] : s.like(element, zero));
  };
  return n.set(sets ? e.mapTo(dims, n.in(0), diagonal.elem, body) : e.mapTo(dims, {}, diagonal.elem, body));
}

LogicalResult importReverse(const Node &n) {
  FailureOr<SmallVector<int64_t>> axes = n.numbers(1, "its axes");
  if (failed(axes) || failed(n.requireSameScale()))
    return failure();
  Val x = n.in(0);
  for (int64_t given : *axes) {
    FailureOr<int64_t> axis = axisOf(n, given);
    if (failed(axis))
      return failure();
    auto extent = DimMath::number(x.dims[*axis]);
    if (!extent || *extent > 1 << 20)
      return n.fail("reverses an axis whose extent is open or beyond 2^20");
    SmallVector<int64_t> positions;
    for (int64_t i = *extent; i-- > 0;)
      positions.push_back(i);
    x = pick(n.e, x, *axis, positions);
  }
  return n.set(x);
}
} // namespace

void registerPicks(Registry &r) {
  constexpr const char *indices = "all types; indices that are no constants are clamped to the axis";
  r.add({
      {"GATHER", 2, 2, importGather, indices},
      {"GATHER_ND", 2, 2, importGatherNd, indices},
      {"DYNAMIC_UPDATE_SLICE", 3, 3, importUpdate, "all types; quantized: one scale"},
      {"EMBEDDING_LOOKUP", 2, 2, importEmbedding, indices},
      {"MIRROR_PAD", 2, 2, importMirrorPad, "all types; constant paddings"},
      {"MATRIX_DIAG", 1, 1, importDiagonal, "all types"},
      {"MATRIX_SET_DIAG", 2, 2, importDiagonal, "all types"},
      {"REVERSE_SEQUENCE", 2, 2, importReverseSequence, "all types; a length outside is an error of the run"},
      {"REVERSE_V2", 2, 2, importReverse, "all types; constant axes"},
  });
}

} // namespace mlir::qtensor::tflite
