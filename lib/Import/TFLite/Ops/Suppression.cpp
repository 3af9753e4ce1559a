// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/TFLite/Ops/Suppression.h"
#include "lib/Import/Graph/Indexed.h"
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {

Val column(Emit &e, const Val &x, int64_t column) {
  Val part = e.sliceAxis(x, x.rank() - 1, e.math.constant(column), e.math.constant(1));
  return e.reshape(part, x.dims[x.rank() - 2]);
}

Value overlap(Scalar &s, ValueRange box, ValueRange other) {
  auto area = [&](ValueRange of) { return s.mul(s.sub(of[2], of[0]), s.sub(of[3], of[1])); };
  Value zero = s.like(box[0], 0), mine = area(box), others = area(other);
  Value height = s.max(s.sub(s.min(box[2], other[2]), s.max(box[0], other[0])), zero);
  Value width = s.max(s.sub(s.min(box[3], other[3]), s.max(box[1], other[1])), zero);
  Value common = s.mul(height, width), whole = s.sub(s.add(mine, others), common);
  Value real = s.logicalAnd(s.lt(zero, mine), s.lt(zero, others));
  return s.select(real, s.div(common, whole), zero);
}

namespace {
/// The first of the best of the scores that are left, and its score; in any case a place of theirs.
struct Best {
  Value place, score, found;
  Best(Emit &e, const Val &left) {
    Val pair[] = {left, e.maximum(left, {0}, /*keep=*/true)};
    Val places = e.map(pair, Elem::I32, [](Scalar &s, ValueRange in) {
      Value here = s.make<arith::IndexCastOp>(s.b.getI32Type(), s.index(0));
      return s.select(s.eq(in[0], in[1]), here, s.like(here, 0x7fffffff));
    });
    place = e.element(e.minimum(places, {0}, /*keep=*/false)), score = e.element(pair[1]);
    Scalar s(e.b, e.loc);
    // A score that is no number is the best to no comparison.
    found = s.logicalAnd(s.lt(s.like(score, kDropped), score), s.lt(place, s.like(place, 0x7fffffff)));
    place = s.select(found, place, s.like(place, 0));
  }
};
} // namespace

Taken takeBest(Emit &e, const Choice &choice, Rescore rescore) {
  auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(e.b, e.loc, value).getResult(); };
  OpFoldResult rounds = e.math.constant(choice.rounds);
  SmallVector<Value> first{e.tensor(choice.scores), e.filled(rounds, Elem::I32, -1)};
  if (choice.keepsScores)
    first.push_back(e.filled(rounds, Elem::F32, 0));
  SmallVector<Val> read(choice.others);
  for (Val &other : read)
    other = e.wrap(e.tensor(other), other.elem, other.dims);
  auto loop = scf::ForOp::create(
      e.b, e.loc, index(0), index(choice.rounds), index(1), first,
      [&](OpBuilder &, Location, Value round, ValueRange carried) {
        // Each iteration has constants of its own.
        Emit inner(e.b, e.math);
        inner.setLoc(e.loc);
        Val left = inner.wrap(carried[0], Elem::F32, choice.scores.dims);
        Best best(inner, left);
        Scalar s(e.b, e.loc);
        Value found = best.found;
        if (choice.limit)
          found = s.logicalAnd(found, s.lt(round, choice.limit));
        Value at = s.make<arith::IndexCastOp>(s.b.getIndexType(), best.place);
        SmallVector<Val> inputs{left};
        inputs.append(read);
        Val next = inner.mapTo(left.dims, inputs, Elem::F32, [&](Scalar &s, ValueRange in) {
          // Behind the inputs the body sees what the result's memory holds.
          return rescore(s, in[0], s.eq(s.index(0), at), at, in.slice(1, read.size()));
        });
        auto insert = [&](Value made, Value into) { return s.make<tensor::InsertOp>(made, into, round); };
        SmallVector<Value> yielded{inner.tensor(next),
                                   insert(s.select(found, best.place, s.like(best.place, -1)), carried[1])};
        if (choice.keepsScores)
          yielded.push_back(insert(s.select(found, best.score, s.like(best.score, 0)), carried[2]));
        scf::YieldOp::create(e.b, e.loc, yielded);
      });
  Taken made{e.wrap(loop.getResult(1), Elem::I32, rounds), std::nullopt};
  if (choice.keepsScores)
    made.scores = e.wrap(loop.getResult(2), Elem::F32, rounds);
  return made;
}

namespace {
// Inputs by number; sigma makes the choice a soft one (V5).
constexpr unsigned kBoxes = 0, kScores = 1, kMost = 2, kOverlap = 3, kThreshold = 4, kSigma = 5;

/// The largest number of boxes that is chosen.
FailureOr<int64_t> readMost(const Node &n) {
  SmallVector<int64_t> boxes = DimMath::shape(n.in(kBoxes).dims), scores = DimMath::shape(n.in(kScores).dims);
  bool real = n.in(kBoxes).elem == Elem::F32 && n.in(kScores).elem == Elem::F32;
  if (!real || boxes.size() != 2 || boxes[1] != 4 || boxes[0] < 1 || scores != SmallVector<int64_t>{boxes[0]})
    return n.fail("takes boxes [n, 4] and scores [n] of floats");
  for (unsigned i = kMost; i < n.numInputs(); ++i)
    if (!n.has(i) || n.in(i).rank() != 0 || n.in(i).elem != (i == kMost ? Elem::I32 : Elem::F32))
      return n.fail("input " + Twine(i) + " must be a number of " + (i == kMost ? "int32" : "float32"));
  if (n.op.outputs.size() != (n.numInputs() > kSigma ? 3 : 2))
    return n.fail("has " + Twine(n.op.outputs.size()) + " outputs for " + Twine(n.numInputs()) + " inputs");
  FailureOr<SmallVector<int64_t>> most = n.numbers(kMost, "the largest number of boxes");
  if (failed(most))
    return failure();
  constexpr int64_t kLimit = 1 << 16;
  if (most->front() < 1 || most->front() > kLimit)
    return n.fail("chooses up to " + Twine(most->front()) + " boxes, which is not in [1, 2^16]");
  return most->front();
}

/// Top, left, bottom and right of boxes whose two corners stand in any order.
SmallVector<Val> readCorners(Emit &e, const Val &boxes) {
  SmallVector<Val> sides(4);
  for (unsigned axis = 0; axis < 2; ++axis) {
    Val ends[] = {column(e, boxes, axis), column(e, boxes, axis + 2)};
    sides[axis] = e.map(ends, Elem::F32, [](Scalar &s, ValueRange in) { return s.min(in[0], in[1]); });
    sides[axis + 2] = e.map(ends, Elem::F32, [](Scalar &s, ValueRange in) { return s.max(in[0], in[1]); });
  }
  return sides;
}

/// The score behind a round in which a box with this overlap was taken. `rest`: the limit of the overlap, the threshold
/// of the scores, and sigma of a soft choice.
Value rescored(Scalar &s, Value score, Value common, ValueRange rest) {
  Value dropped = s.like(score, kDropped), gone = s.le(rest[0], common), next = score;
  if (rest.size() > 2) {
    Value zero = s.like(score, 0), sigma = rest[2], isSoft = s.lt(zero, sigma);
    Value rate = s.div(s.like(score, -0.5), s.select(isSoft, sigma, s.like(score, 1)));
    Value lowered = s.mul(score, s.exp(s.mul(s.mul(rate, common), common)));
    next = s.select(isSoft, lowered, score);
    gone = s.logicalOr(gone, s.logicalOr(s.le(next, rest[1]), s.le(score, dropped)));
  }
  return s.select(gone, dropped, next);
}

/// What is taken drops itself as what overlaps wholly; a box without area overlaps nothing and is taken again, as in
/// the runtime, which ends behind as many rounds as there were candidates.
LogicalResult importSuppression(const Node &n) {
  FailureOr<int64_t> most = readMost(n);
  if (failed(most))
    return failure();
  Emit &e = n.e;
  bool soft = n.numInputs() > kSigma;
  bool known = soft && n.in(kSigma).constant;
  if (known && n.in(kSigma).constant->realAt(0) < 0)
    return n.fail("its sigma is negative");
  if (soft && !known)
    forbid(
        e, n.in(kSigma), [](Scalar &s, ValueRange in) { return s.lt(in[0], s.like(in[0], 0)); },
        n.place() + "sigma is negative");
  Choice choice;
  Val candidates[] = {n.in(kScores), n.in(kThreshold)};
  choice.scores = e.map(candidates, Elem::F32, [](Scalar &s, ValueRange in) {
    return s.select(s.lt(in[1], in[0]), in[0], s.like(in[0], kDropped));
  });
  Val flags = e.map(choice.scores, Elem::I32, [](Scalar &s, ValueRange in) -> Value {
    return s.make<arith::ExtUIOp>(s.b.getI32Type(), s.lt(s.like(in[0], kDropped), in[0]));
  });
  choice.rounds = *most, choice.keepsScores = soft;
  choice.limit =
      arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(), e.element(e.sum(flags, {0}, /*keep=*/false)));
  choice.others = readCorners(e, n.in(kBoxes));
  SmallVector<Value> sides;
  for (const Val &side : choice.others)
    sides.push_back(e.tensor(side));
  for (unsigned i = kOverlap; i < n.numInputs(); ++i)
    choice.others.push_back(n.in(i));
  Taken taken = takeBest(e, choice, [&](Scalar &s, Value score, Value, Value place, ValueRange others) {
    SmallVector<Value> box;
    for (Value side : sides)
      box.push_back(s.make<tensor::ExtractOp>(side, place));
    return rescored(s, score, overlap(s, others.take_front(4), box), others.drop_front(4));
  });
  Val places = e.map(taken.places, Elem::I32, [](Scalar &s, ValueRange in) { return s.max(in[0], s.like(in[0], 0)); });
  Val found = e.map(taken.places, Elem::I32, [](Scalar &s, ValueRange in) -> Value {
    return s.make<arith::ExtUIOp>(s.b.getI32Type(), s.le(s.like(in[0], 0), in[0]));
  });
  if (soft && failed(n.set(*taken.scores, 1)))
    return failure();
  return success(succeeded(n.set(places)) && succeeded(n.set(e.sum(found, {0}, /*keep=*/false), soft ? 2 : 1)));
}
} // namespace

void registerSuppression(Registry &r) {
  r.add({
      {"NON_MAX_SUPPRESSION_V4", 5, 5, importSuppression, "f32; a constant number of boxes"},
      {"NON_MAX_SUPPRESSION_V5", 6, 6, importSuppression, "f32; a constant number of boxes"},
  });
}

} // namespace mlir::qtensor::tflite
