// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions in the layout of the model (channels first): named linalg ops where one fits.
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor::onnx {
namespace {
using utils::IteratorType;

template <typename OpT> Value named(Emit &e, Value x, Value w, Value init, const Window &window) {
  auto strides = e.b.getI64VectorAttr(window.strides), dilations = e.b.getI64VectorAttr(window.dilations);
  return OpT::create(e.b, e.loc, init.getType(), ValueRange{x, w}, ValueRange{init}, strides, dilations)->getResult(0);
}

/// x [N, G, C, spatial..], w [G, F, C, kernel..] -> [N, G, F, out..] for any number of spatial dimensions.
Value groupedGeneric(Emit &e, Value x, Value w, Value init, const Window &window) {
  unsigned rank = window.kernel.size();
  unsigned loops = 4 + 2 * rank; // n, g, f, out.., c, kernel..
  auto dim = [&](unsigned i) { return e.b.getAffineDimExpr(i); };
  SmallVector<AffineExpr> xs = {dim(0), dim(1), dim(3 + rank)}, ws = {dim(1), dim(2), dim(3 + rank)},
                          outs = {dim(0), dim(1), dim(2)};
  for (unsigned i = 0; i < rank; ++i) {
    xs.push_back(dim(3 + i) * window.strides[i] + dim(4 + rank + i) * window.dilations[i]);
    ws.push_back(dim(4 + rank + i));
    outs.push_back(dim(3 + i));
  }
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(loops, 0, exprs, e.b.getContext()); };
  SmallVector<IteratorType> iterators(3 + rank, IteratorType::parallel);
  iterators.append(1 + rank, IteratorType::reduction);
  return e.generic({x, w}, init, {map(xs), map(ws), map(outs)}, iterators, [](Scalar &s, ValueRange in) {
    Type type = in[2].getType();
    return s.add(in[2], s.mul(s.widen(in[0], type), s.widen(in[1], type)));
  });
}

/// Splits axis 1 (or 0 of weights) of extent group * rest into two.
Val splitGroups(Emit &e, const Val &x, int64_t axis, int64_t group) {
  Dims dims = x.dims;
  dims[axis] = e.math.floorDiv(dims[axis], e.math.constant(group));
  dims.insert(dims.begin() + axis, e.math.constant(group));
  return e.reshape(x, dims);
}

Value groupedConv(Emit &e, const Val &x, const Val &w, const Window &window, int64_t group, Elem elem) {
  Val split = splitGroups(e, x, 1, group), weights = splitGroups(e, w, 0, group);
  Dims out = {x.dims[0], weights.dims[0], weights.dims[1]};
  out.append(window.out);
  Value init = e.filled(out, elem, 0), made;
  if (window.kernel.size() == 2)
    made = named<linalg::Conv2DNgchwGfchwOp>(e, e.tensor(split), e.tensor(weights), init, window);
  else
    made = groupedGeneric(e, e.tensor(split), e.tensor(weights), init, window);
  Dims merged = {x.dims[0], w.dims[0]};
  merged.append(window.out);
  return e.tensor(e.reshape(e.wrap(made, elem, out), merged));
}

/// The named op for this convolution; null if none fits.
Value namedConv(Emit &e, const Val &x, const Val &w, const Window &window, int64_t group, Value init) {
  size_t rank = window.kernel.size();
  auto channels = DimMath::number(w.dims[0]);
  if (group == 1 && rank == 1)
    return named<linalg::Conv1DNcwFcwOp>(e, e.tensor(x), e.tensor(w), init, window);
  if (group == 1 && rank == 2)
    return named<linalg::Conv2DNchwFchwOp>(e, e.tensor(x), e.tensor(w), init, window);
  if (group == 1 && rank == 3)
    return named<linalg::Conv3DNcdhwFcdhwOp>(e, e.tensor(x), e.tensor(w), init, window);
  bool depthwise = channels == group && DimMath::number(w.dims[1]) == 1;
  if (depthwise && rank == 1)
    return named<linalg::DepthwiseConv1DNcwCwOp>(e, e.tensor(x), e.tensor(e.squeeze(w, 1)), init, window);
  if (depthwise && rank == 2)
    return named<linalg::DepthwiseConv2DNchwChwOp>(e, e.tensor(x), e.tensor(e.squeeze(w, 1)), init, window);
  return {};
}
} // namespace

FailureOr<Val> convolve(NodeContext &n, const Val &x, const Val &w, const Window &window, int64_t group, Elem elem) {
  auto channels = DimMath::number(x.dims[1]), perGroup = DimMath::number(w.dims[1]),
       filters = DimMath::number(w.dims[0]);
  if (group < 1 || (filters && *filters % group != 0))
    return n.fail("'group' is " + Twine(group) + ", which must divide the number of filters");
  if (channels && perGroup && *channels != *perGroup * group)
    return n.fail("the input has " + Twine(*channels) + " channels, the weights are for " + Twine(*perGroup) + " x " +
                  Twine(group));
  Emit &e = n.e;
  e.requireEqual(x.dims[1], e.math.mul(w.dims[1], e.math.constant(group)), "the weights are for other channels");
  Dims low(2, e.math.constant(0)), high(2, e.math.constant(0));
  low.append(window.low);
  high.append(window.high);
  Val padded = e.pad(x, low, high, Scalar(e.b, e.loc).number(e.type(x.elem), 0));
  Dims out = {x.dims[0], w.dims[0]};
  out.append(window.out);
  bool isNamed = window.kernel.size() <= 3 && group == 1;
  isNamed |= window.kernel.size() <= 2 && filters == group && perGroup == 1;
  if (!isNamed)
    return e.wrap(groupedConv(e, padded, w, window, group, elem), elem, out);
  return e.wrap(namedConv(e, padded, w, window, group, e.filled(out, elem, 0)), elem, out);
}

Val addChannelBias(Emit &e, const Val &x, const Val &bias) {
  Dims dims = bias.dims;
  dims.append(x.rank() - 2, e.math.constant(1));
  Val inputs[] = {x, e.reshape(bias, dims)};
  return e.mapTo(x.dims, inputs, x.elem,
                 [&](Scalar &s, ValueRange in) { return s.add(in[0], s.cast(in[1], bias.elem, x.elem)); });
}

namespace {
LogicalResult importConv(NodeContext &n) {
  const Val &x = n.in(0), &w = n.in(1);
  if (failed(n.requireRank(0, 3, 16)) || failed(n.requireRank(1, x.rank(), x.rank())) || failed(n.requireSame(0, 1)))
    return failure();
  SmallVector<int64_t> kernel = DimMath::shape(ArrayRef(w.dims).drop_front(2));
  if (llvm::any_of(kernel, ShapedType::isDynamic))
    return n.fail("the extents of the kernel must be constant");
  FailureOr<Window> window = readWindow(n, ArrayRef(x.dims).drop_front(2), kernel);
  if (failed(window))
    return failure();
  FailureOr<Val> out = convolve(n, x, w, *window, n.attrInt("group", 1), accumulatorOf(x.elem));
  if (failed(out))
    return failure();
  Val result = *out;
  if (n.has(2)) {
    if (failed(n.requireRank(2, 1, 1)))
      return failure();
    auto biases = DimMath::number(n.in(2).dims[0]), filters = DimMath::number(w.dims[0]);
    if (biases && filters && *biases != *filters)
      return n.fail("has " + Twine(*biases) + " biases for " + Twine(*filters) + " filters");
    result = addChannelBias(n.e, result, n.in(2));
  }
  return n.set(0, n.e.cast(result, x.elem));
}
} // namespace

void registerConv(Registry &r) {
  r.add({
      {"", "Conv", 1, kNewest, 2, 3, "auto_pad dilations group kernel_shape pads strides", importConv},
  });
}

} // namespace mlir::qtensor::onnx
