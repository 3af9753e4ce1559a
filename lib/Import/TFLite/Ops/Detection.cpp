// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The end of object detectors: boxes relative to anchors become corners, and of boxes that overlap the best remain.
#include "lib/Import/TFLite/Ops/Suppression.h"
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {
namespace {
/// What the operator's options say, checked.
struct Detector {
  int64_t boxes, classes,
      columns; ///< Columns of scores: the classes, behind one for the background where they are one more.
  int64_t most, perClass;
  bool regular;
  double threshold, overlap;

  int64_t firstColumn() const { return columns - classes; }
};

/// Corners of all boxes, a vector each.
struct Corners {
  Val top, left, bottom, right;
};

FailureOr<Detector> readDetector(const Node &n) {
  auto shape = [&](unsigned i) { return DimMath::shape(n.in(i).dims); };
  SmallVector<int64_t> codes = shape(0), scores = shape(1), anchors = shape(2);
  if (codes.size() != 3 || scores.size() != 3 || anchors.size() != 2 || codes[0] != 1 || scores[0] != 1 ||
      codes[2] < 4 || codes[1] != scores[1] || anchors[0] != codes[1] || anchors[1] != 4 || codes[1] < 1 ||
      n.op.outputs.size() != 4)
    return n.fail("takes boxes [1, n, 4], scores [1, n, classes] and anchors [n, 4], and has four outputs");
  Detector d{codes[1],
             n.option("num_classes"),
             scores[2],
             n.option("max_detections"),
             n.option("detections_per_class"),
             n.option("use_regular_nms") != 0,
             n.realOption("nms_score_threshold"),
             n.realOption("nms_iou_threshold")};
  if (!n.op.options.numbers.count("detections_per_class"))
    d.perClass = 100;
  if (d.classes < 1 || d.columns < d.classes || d.columns > d.classes + 1)
    return n.fail("has scores of " + Twine(d.columns) + " columns for " + Twine(d.classes) +
                  " classes; there is one for each, and may be one for the background");
  constexpr int64_t kMost = 1 << 16;
  if (d.most < 1 || d.most > kMost || d.perClass < 1 || d.perClass > kMost || !(d.overlap > 0) || !(d.overlap <= 1))
    return n.fail("has a number of detections outside of [1, 2^16], or an overlap that is not in (0, 1]");
  if (!d.regular && std::min(n.option("max_classes_per_detection"), d.classes) != 1)
    return n.fail("gives a box several classes, which the runtimes write beyond its outputs; take "
                  "max_classes_per_detection = 1 or use_regular_nms");
  for (StringRef scale : {"y_scale", "x_scale", "h_scale", "w_scale"})
    if (!(std::abs(n.realOption(scale)) > 0))
      return n.fail("has the scale 0, or none, for its boxes");
  d.perClass = std::min(d.perClass, d.boxes);
  return d;
}

/// Plain reals of an input.
FailureOr<Val> plain(const Node &n, unsigned i) {
  FailureOr<Val> x = n.real(i);
  if (failed(x) || !isQuantized(n.inTensor(i)))
    return x;
  auto type = RankedTensorType::get(DimMath::shape(x->dims), n.e.b.getF32Type());
  Value value = DequantizeOp::create(n.e.b, n.e.loc, type, n.e.tensor(*x));
  return n.e.wrap(value, Elem::F32, x->dims);
}

Corners decode(const Node &n, const Val &codes, const Val &anchors) {
  Emit &e = n.e;
  auto edge = [&](unsigned axis, double side) {
    const char *places[] = {"y_scale", "x_scale"}, *sizes[] = {"h_scale", "w_scale"};
    double place = n.realOption(places[axis]), size = n.realOption(sizes[axis]);
    Val inputs[] = {column(e, codes, axis), column(e, codes, axis + 2), column(e, anchors, axis),
                    column(e, anchors, axis + 2)};
    return e.map(inputs, Elem::F32, [&](Scalar &s, ValueRange in) {
      Value center = s.add(s.mul(s.div(in[0], s.like(in[0], place)), in[3]), in[2]);
      Value half = s.mul(s.mul(s.like(in[1], 0.5), s.exp(s.div(in[1], s.like(in[1], size)))), in[3]);
      return side < 0 ? s.sub(center, half) : s.add(center, half);
    });
  };
  return {edge(0, -1), edge(1, -1), edge(0, 1), edge(1, 1)};
}

/// The best of boxes that overlap by less than the limit. Scores below the threshold are no candidates.
Val takeBoxes(Emit &e, const Detector &d, const Corners &corners, const Val &scores, int64_t count) {
  Val candidates = e.map(scores, Elem::F32, [&](Scalar &s, ValueRange in) {
    return s.select(s.le(s.like(in[0], d.threshold), in[0]), in[0], s.like(in[0], kDropped));
  });
  Choice choice{candidates, count, {corners.top, corners.left, corners.bottom, corners.right}, Value()};
  SmallVector<Value> sides;
  for (const Val &side : choice.others)
    sides.push_back(e.tensor(side));
  auto rescore = [&](Scalar &s, Value score, Value isTaken, Value taken, ValueRange corners) {
    SmallVector<Value> box;
    for (Value side : sides)
      box.push_back(s.make<tensor::ExtractOp>(side, taken));
    Value gone = s.logicalOr(isTaken, s.lt(s.like(score, float(d.overlap)), overlap(s, box, corners)));
    return s.select(gone, s.like(score, kDropped), score);
  };
  return takeBest(e, choice, rescore).places;
}

/// Elements of `x` at places; 0 where a place is -1.
Val pickOr0(Emit &e, const Val &x, const Val &places, Elem elem) {
  Value source = e.tensor(x);
  return e.map(places, elem, [&](Scalar &s, ValueRange in) {
    Value none = s.lt(in[0], s.like(in[0], 0));
    Value at = s.make<arith::IndexCastOp>(s.b.getIndexType(), s.select(none, s.like(in[0], 0), in[0]));
    Value element = s.make<tensor::ExtractOp>(source, at);
    return s.select(none, s.like(element, 0), element);
  });
}

/// Boxes, their classes, their scores, and how many there are.
LogicalResult setDetections(const Node &n, const Corners &corners, const Val &boxes, const Val &classes,
                            const Val &scores) {
  Emit &e = n.e;
  OpFoldResult one = e.math.constant(1), count = boxes.dims[0];
  SmallVector<Val> sides;
  for (const Val *side : {&corners.top, &corners.left, &corners.bottom, &corners.right})
    sides.push_back(e.reshape(pickOr0(e, *side, boxes, Elem::F32), {one, count, one}));
  Val found = e.map(boxes, Elem::F32, [](Scalar &s, ValueRange in) {
    Type real = s.b.getF32Type();
    return s.select(s.lt(in[0], s.like(in[0], 0)), s.number(real, 0), s.number(real, 1));
  });
  return success(succeeded(n.set(e.concat(sides, 2), 0)) &&
                 succeeded(n.set(e.reshape(e.cast(classes, Elem::F32), {one, count}), 1)) &&
                 succeeded(n.set(e.reshape(scores, {one, count}), 2)) &&
                 succeeded(n.set(e.sum(found, {0}, /*keep=*/true), 3)));
}

/// Each box has its best class alone.
LogicalResult suppressFast(const Node &n, const Detector &d, const Corners &corners, const Val &scores) {
  Emit &e = n.e;
  Val top[] = {scores, e.maximum(scores, {1}, /*keep=*/true)};
  Val places = e.map(top, Elem::I32, [](Scalar &s, ValueRange in) {
    Value here = s.make<arith::IndexCastOp>(s.b.getI32Type(), s.index(1));
    return s.select(s.eq(in[0], in[1]), here, s.like(here, 0x7fffffff));
  });
  Val classes = e.minimum(places, {1}, /*keep=*/false), best = e.reshape(top[1], scores.dims[0]);
  Val taken = takeBoxes(e, d, corners, best, d.most);
  return setDetections(n, corners, taken, pickOr0(e, classes, taken, Elem::I32), pickOr0(e, best, taken, Elem::F32));
}

/// Each class takes boxes for itself: for each in turn, the boxes that it took, -1 for none, and their scores.
std::pair<Val, Val> takeOfClasses(Emit &e, const Detector &d, const Corners &corners, const Val &scores) {
  auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(e.b, e.loc, value).getResult(); };
  Dims all{e.math.constant(d.classes), e.math.constant(d.perClass)}, one(2, e.math.constant(1));
  SmallVector<Value> first{e.empty(all, e.type(Elem::I32)), e.empty(all, e.type(Elem::F32))};
  Value table = e.tensor(scores);
  auto loop = scf::ForOp::create(
      e.b, e.loc, index(0), index(d.classes), index(1), first,
      [&](OpBuilder &, Location, Value number, ValueRange carried) {
        Emit inner(e.b, e.math);
        inner.setLoc(e.loc);
        OpFoldResult zero = e.math.constant(0);
        Val part =
            inner.slice(inner.wrap(table, Elem::F32, scores.dims), {zero, number}, {scores.dims[0], one[0]}, one);
        Val ofClass = inner.reshape(part, scores.dims[0]), taken = takeBoxes(inner, d, corners, ofClass, d.perClass);
        Val inputs[] = {taken, pickOr0(inner, ofClass, taken, Elem::F32)};
        Val values = inner.map(inputs, Elem::F32, [](Scalar &s, ValueRange in) {
          return s.select(s.lt(in[0], s.like(in[0], 0)), s.like(in[1], kDropped), in[1]);
        });
        SmallVector<Value> next;
        for (auto [made, into] : llvm::zip_equal(ArrayRef<Val>{taken, values}, carried))
          next.push_back(tensor::InsertSliceOp::create(e.b, e.loc, inner.tensor(made), into,
                                                       ArrayRef<OpFoldResult>{number, zero},
                                                       ArrayRef<OpFoldResult>{one[0], all[1]}, one));
        scf::YieldOp::create(e.b, e.loc, next);
      });
  OpFoldResult count = e.math.constant(d.classes * d.perClass);
  return {e.reshape(e.wrap(loop.getResult(0), Elem::I32, all), count),
          e.reshape(e.wrap(loop.getResult(1), Elem::F32, all), count)};
}

/// The best of all that the classes take, of equal ones those of the first class.
LogicalResult suppressRegular(const Node &n, const Detector &d, const Corners &corners, const Val &scores) {
  Emit &e = n.e;
  auto [boxes, values] = takeOfClasses(e, d, corners, scores);
  auto rescore = [](Scalar &s, Value score, Value isTaken, Value, ValueRange) {
    return s.select(isTaken, s.like(score, kDropped), score);
  };
  Val best = takeBest(e, {values, d.most, {}, Value()}, rescore).places;
  Val pair[] = {best, pickOr0(e, boxes, best, Elem::I32)};
  Val taken = e.map(pair, Elem::I32, [](Scalar &s, ValueRange in) {
    return s.select(s.lt(in[0], s.like(in[0], 0)), s.like(in[0], -1), in[1]);
  });
  Val classes = e.map(best, Elem::I32, [&](Scalar &s, ValueRange in) {
    return s.div(s.max(in[0], s.like(in[0], 0)), s.like(in[0], double(d.perClass)));
  });
  return setDetections(n, corners, taken, classes, pickOr0(e, values, best, Elem::F32));
}

LogicalResult importDetection(const Node &n) {
  FailureOr<Detector> d = readDetector(n);
  if (failed(d))
    return failure();
  FailureOr<Val> codes = plain(n, 0), given = plain(n, 1), anchors = plain(n, 2);
  if (failed(codes) || failed(given) || failed(anchors))
    return failure();
  Emit &e = n.e;
  Val scores = e.reshape(*given, {e.math.constant(d->boxes), e.math.constant(d->columns)});
  scores = e.sliceAxis(scores, 1, e.math.constant(d->firstColumn()), e.math.constant(d->classes));
  Corners corners = decode(n, *codes, *anchors);
  return d->regular ? suppressRegular(n, *d, corners, scores) : suppressFast(n, *d, corners, scores);
}
} // namespace

void registerDetection(Registry &r) {
  r.addCustom("TFLite_Detection_PostProcess",
              {nullptr, 3, 3, importDetection,
               "f32; quantized: the real value; one class for each box, or regular suppression"});
}

} // namespace mlir::qtensor::tflite
