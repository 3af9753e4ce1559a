// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pooling over windows and over whole images.
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor::onnx {
namespace {
using utils::IteratorType;

double lowest(Elem elem) {
  if (isFloat(elem))
    return -std::numeric_limits<double>::infinity();
  return isSigned(elem) ? -std::ldexp(1.0, bitWidth(elem) - 1) : 0;
}

/// Reduction over windows of an input that is padded with `start`.
Val poolGeneric(Emit &e, const Val &x, const Window &window, Elem elem, double start, Body body) {
  unsigned rank = window.kernel.size(), loops = 2 + 2 * rank;
  SmallVector<AffineExpr> xs = {e.b.getAffineDimExpr(0), e.b.getAffineDimExpr(1)}, ks;
  for (unsigned i = 0; i < rank; ++i) {
    AffineExpr tap = e.b.getAffineDimExpr(2 + rank + i);
    xs.push_back(e.b.getAffineDimExpr(2 + i) * window.strides[i] + tap * window.dilations[i]);
    ks.push_back(tap);
  }
  AffineMap maps[] = {AffineMap::get(loops, 0, xs, e.b.getContext()), AffineMap::get(loops, 0, ks, e.b.getContext()),
                      AffineMap::getMultiDimIdentityMap(loops, e.b.getContext()).getMajorSubMap(2 + rank)};
  Dims kernel = llvm::map_to_vector(window.kernel, [&](int64_t k) -> OpFoldResult { return e.math.constant(k); });
  Dims out = {x.dims[0], x.dims[1]};
  out.append(window.out);
  SmallVector<IteratorType> iterators(2 + rank, IteratorType::parallel);
  iterators.append(rank, IteratorType::reduction);
  Value taps = e.empty(kernel, e.type(elem)); // only its shape is read: it bounds the window's loops
  Value made =
      e.generic({e.tensor(x), taps}, e.filled(out, elem, start), maps, iterators, [&](Scalar &s, ValueRange in) {
        return body(s, {in[0], in[2]});
      });
  return e.wrap(made, elem, out);
}

/// Padding; windows that reach beyond it because of ceil_mode are padded too.
Val padForWindow(Emit &e, const Val &x, const Window &window, double value) {
  Dims low(2, e.math.constant(0)), high(2, e.math.constant(0));
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    OpFoldResult last = e.math.mul(e.math.sub(window.out[i], e.math.constant(1)), e.math.constant(window.strides[i]));
    OpFoldResult reach = e.math.add(last, e.math.constant((window.kernel[i] - 1) * window.dilations[i] + 1));
    OpFoldResult needed = e.math.sub(reach, e.math.add(x.dims[2 + i], window.low[i]));
    low.push_back(window.low[i]);
    high.push_back(DimMath::number(needed) ? e.math.max(window.high[i], needed) : window.high[i]);
  }
  return e.pad(x, low, high, Scalar(e.b, e.loc).number(e.type(x.elem), value));
}

LogicalResult importMaxPool(NodeContext &n) {
  const Val &x = n.in(0);
  if (failed(n.requireRank(0, 3, 16)))
    return failure();
  FailureOr<Window> window = readWindow(n, ArrayRef(x.dims).drop_front(2), {});
  if (failed(window))
    return failure();
  bool noSign = isUnsigned(x.elem);
  Val padded = padForWindow(n.e, x, *window, lowest(x.elem));
  return n.set(0, poolGeneric(n.e, padded, *window, x.elem, lowest(x.elem),
                              [&](Scalar &s, ValueRange in) { return s.max(in[1], in[0], noSign); }));
}

/// How many elements each window covers along one axis: [out]. Padding counts if `includePad`, what ceil_mode adds
/// never.
Val windowCounts(Emit &e, const Window &w, OpFoldResult extent, size_t i, bool includePad, Elem elem) {
  DimMath &m = e.math;
  OpFoldResult begin = includePad ? m.constant(0) : w.low[i];
  OpFoldResult end = m.add(extent, w.low[i]);
  if (includePad)
    end = m.add(end, w.high[i]);
  auto outs = DimMath::number(w.out[i]), first = DimMath::number(begin), last = DimMath::number(end);
  if (outs && first && last && *outs <= 1 << 12) {
    SmallVector<double> counts;
    for (int64_t o = 0; o < *outs; ++o) {
      int64_t count = 0;
      for (int64_t k = 0; k < w.kernel[i]; ++k) {
        int64_t position = o * w.strides[i] + k * w.dilations[i];
        count += position >= *first && position < *last;
      }
      counts.push_back(static_cast<double>(count));
    }
    return e.constant(counts, *outs, elem);
  }
  Value from = m.value(begin, e.loc), to = m.value(end, e.loc);
  return e.mapTo(w.out[i], {}, elem, [&](Scalar &s, ValueRange) -> Value {
    Type index = s.b.getIndexType();
    Value start = s.mul(s.index(0), s.number(index, w.strides[i])), step = s.number(index, w.dilations[i]);
    auto taps = [&](Value bound) { // taps before `bound`
      Value distance = s.max(s.sub(bound, start), s.number(index, 0));
      return s.min(s.make<arith::CeilDivSIOp>(distance, step), s.number(index, w.kernel[i]));
    };
    Value wide = s.make<arith::IndexCastOp>(s.b.getI64Type(), s.sub(taps(to), taps(from)));
    return s.cast(wide, Elem::I64, elem);
  });
}

/// Divides sums of windows by the number of elements they cover.
Val divideByCounts(Emit &e, const Val &sums, const Val &x, const Window &w, bool includePad) {
  SmallVector<Val> inputs = {sums};
  bool full = !w.padded();
  double count = 1;
  for (size_t i = 0; i < w.kernel.size(); ++i) {
    count *= static_cast<double>(w.kernel[i]);
    auto out = DimMath::number(w.out[i]), extent = DimMath::number(x.dims[2 + i]);
    // Without padding only ceil_mode makes windows that are not full.
    if (out && extent)
      full &= (*out - 1) * w.strides[i] + (w.kernel[i] - 1) * w.dilations[i] < *extent;
  }
  if (full)
    return e.mapTo(sums.dims, sums, sums.elem,
                   [&](Scalar &s, ValueRange in) { return s.div(in[0], s.like(in[0], count)); });
  for (size_t i = 0; i < w.kernel.size(); ++i) {
    Val counts = windowCounts(e, w, x.dims[2 + i], i, includePad, sums.elem);
    Dims dims = counts.dims;
    dims.append(w.kernel.size() - 1 - i, e.math.constant(1));
    inputs.push_back(e.reshape(counts, dims));
  }
  return e.mapTo(sums.dims, inputs, sums.elem, [&](Scalar &s, ValueRange in) {
    Value covered = in[1];
    for (size_t i = 2; i < inputs.size(); ++i)
      covered = s.mul(covered, in[i]);
    return s.div(in[0], covered);
  });
}

LogicalResult importAveragePool(NodeContext &n) {
  if (failed(n.requireRank(0, 3, 16)) || failed(n.requireFloat(0)))
    return failure();
  FailureOr<Val> out = averagePool(n, n.in(0), accumulatorOf(n.in(0).elem));
  return failed(out) ? failure() : n.set(0, n.e.cast(*out, n.in(0).elem));
}

LogicalResult importLpPool(NodeContext &n) {
  const Val &x = n.in(0);
  double p = n.hasAttr("p") && n.opset < 2 ? n.attrFloat("p", 2) : static_cast<double>(n.attrInt("p", 2));
  if (failed(n.requireRank(0, 3, 16)) || failed(n.requireFloat(0)))
    return failure();
  FailureOr<Window> window = readWindow(n, ArrayRef(x.dims).drop_front(2), {});
  if (failed(window))
    return failure();
  Val sums = poolGeneric(n.e, padForWindow(n.e, x, *window, 0), *window, x.elem, 0, [&](Scalar &s, ValueRange in) {
    return s.add(in[1], s.make<math::PowFOp>(s.abs(in[0]), s.like(in[0], p)));
  });
  return n.set(0, n.e.map(sums, x.elem, [&](Scalar &s, ValueRange in) -> Value {
    return s.make<math::PowFOp>(in[0], s.like(in[0], 1 / p));
  }));
}

SmallVector<int64_t> spatialAxes(const Val &x) { return llvm::to_vector(llvm::seq<int64_t>(2, x.rank())); }

LogicalResult importGlobalAveragePool(NodeContext &n) {
  if (failed(n.requireRank(0, 2, 16)) || failed(n.requireFloat(0)))
    return failure();
  return n.set(0, n.e.mean(n.in(0), spatialAxes(n.in(0)), /*keep=*/true));
}

LogicalResult importGlobalMaxPool(NodeContext &n) {
  if (failed(n.requireRank(0, 2, 16)))
    return failure();
  return n.set(0, n.e.maximum(n.in(0), spatialAxes(n.in(0)), /*keep=*/true));
}
} // namespace

FailureOr<Val> averagePool(NodeContext &n, const Val &x, Elem elem) {
  FailureOr<Window> window = readWindow(n, ArrayRef(x.dims).drop_front(2), {});
  if (failed(window))
    return failure();
  Val sums = poolGeneric(n.e, padForWindow(n.e, x, *window, 0), *window, elem, 0,
                         [](Scalar &s, ValueRange in) { return s.add(in[1], s.widen(in[0], in[1].getType())); });
  return divideByCounts(n.e, sums, x, *window, n.attrInt("count_include_pad", 0));
}

void registerPool(Registry &r) {
  r.add({
      {"", "MaxPool", 1, kNewest, 1, 1, "auto_pad ceil_mode dilations kernel_shape pads storage_order strides",
       importMaxPool, "without the output Indices"},
      {"", "AveragePool", 1, kNewest, 1, 1, "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides",
       importAveragePool},
      {"", "LpPool", 2, kNewest, 1, 1, "auto_pad ceil_mode dilations kernel_shape p pads strides", importLpPool},
      {"", "GlobalAveragePool", 1, kNewest, 1, 1, "", importGlobalAveragePool},
      {"", "GlobalMaxPool", 1, kNewest, 1, 1, "", importGlobalMaxPool},
  });
}

} // namespace mlir::qtensor::onnx
