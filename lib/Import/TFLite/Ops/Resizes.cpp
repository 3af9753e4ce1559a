// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that change the extents of images: transposed convolutions and resizing.
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {
namespace {
/// The constant filter [F, KH, KW, C] with its window turned by 180 degrees.
Val turned(const Node &n, const Val &filter) {
  auto data = std::make_shared<TensorData>(*filter.constant);
  auto bytes = std::make_shared<std::vector<char>>(data->bytes.size());
  int64_t window = data->dims[1] * data->dims[2];
  size_t row = data->dims[3] ? data->bytes.size() / size_t(std::max<int64_t>(data->dims[0] * window * data->dims[3], 1)) * data->dims[3] : 0;
  for (int64_t f = 0; f < data->dims[0]; ++f)
    for (int64_t at = 0; at < window; ++at)
      std::memcpy(bytes->data() + (f * window + window - 1 - at) * row, data->bytes.data() + (f * window + at) * row, row);
  data->bytes = ArrayRef<char>(bytes->data(), bytes->size());
  data->owner = bytes;
  return n.e.constant(std::move(data));
}

/// x with stride - 1 zeros between its pixels, in an image of the given extents, from `low` on; codes where quantized.
Val spread(const Node &n, const Val &x, double zero, ArrayRef<int64_t> strides, ArrayRef<int64_t> low, ArrayRef<int64_t> extents) {
  Emit &e = n.e;
  DimMath &m = e.math;
  Dims dims = {x.dims[0], m.constant(extents[0]), m.constant(extents[1]), x.dims[3]};
  Dims offsets = {m.constant(0), m.constant(low[0]), m.constant(low[1]), m.constant(0)};
  Dims steps = {m.constant(1), m.constant(strides[0]), m.constant(strides[1]), m.constant(1)};
  Value filled = e.filled(dims, x.elem, zero);
  Value made = tensor::InsertSliceOp::create(e.b, e.loc, e.tensor(x), filled, offsets, x.dims, steps);
  return e.wrap(made, x.elem, dims);
}

/// A transposed convolution is one over the input with zeros between its pixels, with the window turned.
LogicalResult importTransposeConv(const Node &n) {
  const Val &x = n.in(2), &w = n.in(1);
  if (x.rank() != 4 || w.rank() != 4 || n.outTensor().shape.size() != 4 || !w.constant)
    return n.fail("its tensors must be [N, H, W, C], its filter a constant");
  if (!DimMath::same(x.dims[3], w.dims[3]) || DimMath::number(w.dims[0]) != n.outTensor().shape[3])
    return n.fail("its filter is for another number of channels");
  int64_t strides[] = {n.option("stride_h"), n.option("stride_w")}, low[2], extents[2];
  bool same = n.option("padding") == 0;
  for (int axis = 0; axis < 2; ++axis) {
    int64_t in = *DimMath::number(x.dims[1 + axis]), window = *DimMath::number(w.dims[1 + axis]);
    int64_t out = n.outTensor().shape[1 + axis], stride = strides[axis];
    if (stride < 1 || stride > 1 << 20 || window < 1 || out < 1)
      return n.fail("has the stride " + Twine(stride) + " and a window of " + Twine(window));
    int64_t expected = same ? int64_t(llvm::divideCeil(out, stride)) : (out - window) / stride + 1;
    if (expected != in || (!same && out < window))
      return n.fail("its output has the extent " + Twine(out) + ", which an input of " + Twine(in) + " does not make");
    int64_t padding = same ? std::max<int64_t>((in - 1) * stride + window - out, 0) / 2 : 0;
    low[axis] = window - 1 - padding;
    extents[axis] = out + window - 1;
    if (low[axis] < 0 || low[axis] + (in - 1) * stride + 1 > extents[axis])
      return n.fail("its padding is larger than its window");
  }
  bool quantized = isQuantized(n.inTensor(2));
  Val wide = spread(n, x, quantized ? double(n.inTensor(2).quantization.zero[0]) : 0, strides, low, extents);
  FailureOr<Val> input = n.realFrom(2, wide);
  FailureOr<Value> filter = n.filterFrom(1, turned(n, w), 0);
  if (failed(input) || failed(filter))
    return failure();
  Emit &e = n.e;
  Dims out = {x.dims[0], e.math.constant(n.outTensor().shape[1]), e.math.constant(n.outTensor().shape[2]), w.dims[0]};
  Value init = e.filled(out, Elem::F32, 0);
  auto ones = e.b.getI64VectorAttr({1, 1});
  auto conv = linalg::Conv2DNhwcFhwcOp::create(e.b, e.loc, init.getType(), ValueRange{e.tensor(*input), *filter},
                                               ValueRange{init}, ones, ones);
  return n.setSum(e.wrap(conv->getResult(0), Elem::F32, out), 3);
}

/// The number of input elements per output element, and the flags that say where they lie.
struct Scale {
  int64_t in, out;
  bool corners, halves;
};

FailureOr<std::pair<Scale, Scale>> readScales(const Node &n) {
  const Val &x = n.in(0);
  FailureOr<SmallVector<int64_t>> size = n.numbers(1, "its size");
  if (failed(size))
    return failure();
  if (x.rank() != 4 || size->size() != 2 || (*size)[0] < 1 || (*size)[1] < 1 || (*size)[0] > 1 << 20 || (*size)[1] > 1 << 20)
    return n.fail("resizes [N, H, W, C] to two extents in [1, 2^20]");
  bool corners = n.option("align_corners"), halves = n.option("half_pixel_centers");
  Scale rows{*DimMath::number(x.dims[1]), (*size)[0], corners, halves};
  Scale columns{*DimMath::number(x.dims[2]), (*size)[1], corners, halves};
  if (rows.in < 1 || columns.in < 1)
    return n.fail("resizes an empty image");
  return std::pair(rows, columns);
}

/// The nearest input element, in the runtime's f32 arithmetic.
int64_t nearest(const Scale &s, int64_t position) {
  float scale = s.corners && s.out > 1 ? float(s.in - 1) / float(s.out - 1) : float(s.in) / float(s.out);
  float at = (float(position) + (s.halves ? 0.5f : 0.0f)) * scale;
  auto index = int64_t(s.corners ? std::round(at) : std::floor(at));
  return std::clamp<int64_t>(index, 0, s.in - 1);
}

Val indexTable(Emit &e, ArrayRef<int64_t> values) {
  return e.constant(SmallVector<double>(values.begin(), values.end()), {int64_t(values.size())}, Elem::I32);
}

Value asIndex(Scalar &s, Value number) { return s.make<arith::IndexCastOp>(s.b.getIndexType(), number); }

/// out[n, h, w, c] computed by `body` from tables along h and w.
Val overImage(Emit &e, const Val &x, ArrayRef<Val> rows, ArrayRef<Val> columns, Elem elem, Body body) {
  Dims dims = {x.dims[0], rows[0].dims[0], columns[0].dims[0], x.dims[3]};
  SmallVector<Val> inputs;
  for (const Val &table : rows)
    inputs.push_back(e.reshape(table, {table.dims[0], e.math.constant(1), e.math.constant(1)}));
  for (const Val &table : columns)
    inputs.push_back(e.reshape(table, {table.dims[0], e.math.constant(1)}));
  return e.mapTo(dims, inputs, elem, body);
}

LogicalResult importNearest(const Node &n) {
  FailureOr<std::pair<Scale, Scale>> scales = readScales(n);
  if (failed(scales))
    return failure();
  SmallVector<int64_t> rows, columns;
  for (int64_t i = 0; i < scales->first.out; ++i)
    rows.push_back(nearest(scales->first, i));
  for (int64_t i = 0; i < scales->second.out; ++i)
    columns.push_back(nearest(scales->second, i));
  const Val &x = n.in(0);
  Value source = n.e.tensor(x);
  return n.set(overImage(n.e, x, indexTable(n.e, rows), indexTable(n.e, columns), x.elem, [&](Scalar &s, ValueRange in) {
    return s.make<tensor::ExtractOp>(source, ValueRange{s.index(0), asIndex(s, in[0]), asIndex(s, in[1]), s.index(3)});
  }));
}

/// Lower and upper neighbour of every output position, and how far it is from the lower one.
struct Taps {
  SmallVector<int64_t> lower, upper;
  SmallVector<double> fraction;
};

Taps linearTaps(const Scale &s) {
  Taps taps;
  float scale = s.corners && s.out > 1 ? float(s.in - 1) / float(s.out - 1) : float(s.in) / float(s.out);
  for (int64_t i = 0; i < s.out; ++i) {
    float at = s.halves ? (float(i) + 0.5f) * scale - 0.5f : float(i) * scale;
    int64_t below = std::max<int64_t>(int64_t(std::floor(at)), 0);
    taps.lower.push_back(below);
    taps.upper.push_back(std::min<int64_t>(int64_t(std::ceil(at)) < 0 ? 0 : int64_t(std::ceil(at)), s.in - 1));
    taps.fraction.push_back(at - float(below));
  }
  return taps;
}

Val bilinear(Emit &e, const Val &x, const Taps &rows, const Taps &columns) {
  auto real = [&](ArrayRef<double> values) { return e.constant(values, {int64_t(values.size())}, Elem::F32); };
  Val down[] = {indexTable(e, rows.lower), indexTable(e, rows.upper), real(rows.fraction)};
  Val across[] = {indexTable(e, columns.lower), indexTable(e, columns.upper), real(columns.fraction)};
  Value source = e.tensor(x);
  return overImage(e, x, down, across, Elem::F32, [&](Scalar &s, ValueRange in) {
    auto at = [&](Value row, Value column) {
      return s.make<tensor::ExtractOp>(source, ValueRange{s.index(0), asIndex(s, row), asIndex(s, column), s.index(3)});
    };
    Value one = s.like(in[2], 1), dy = in[2], dx = in[5], top = s.sub(one, dy), left = s.sub(one, dx);
    // Added up in the runtimes' order.
    Value first = s.add(s.mul(s.mul(at(in[0], in[3]), top), left), s.mul(s.mul(at(in[1], in[3]), dy), left));
    Value second = s.add(first, s.mul(s.mul(at(in[0], in[4]), top), dx));
    return s.add(second, s.mul(s.mul(at(in[1], in[4]), dy), dx));
  });
}

LogicalResult importBilinear(const Node &n) {
  FailureOr<std::pair<Scale, Scale>> scales = readScales(n);
  if (failed(scales))
    return failure();
  Taps rows = linearTaps(scales->first), columns = linearTaps(scales->second);
  if (!isQuantized(n.inTensor(0)))
    return n.set(bilinear(n.e, n.e.cast(n.in(0), Elem::F32), rows, columns));
  // Unsigned codes are LiteRT's alone, which weighs them as floats.
  if (n.in(0).elem == Elem::U8) {
    if (failed(n.requireSameScale()))
      return failure();
    Val made = bilinear(n.e, n.e.cast(n.in(0), Elem::F32), rows, columns);
    return n.set(n.e.map(made, Elem::U8, [](Scalar &s, ValueRange in) {
      return s.cast(s.add(in[0], s.like(in[0], 0.5)), Elem::F32, Elem::U8);
    }));
  }
  NamedAttribute parameters[] = {n.param("align_corners", n.option("align_corners")),
                                 n.param("half_pixel_centers", n.option("half_pixel_centers"))};
  return n.setByRule("tflite.resize_bilinear", {0}, parameters, [&](Emit &e, ArrayRef<Val> in) {
    auto plain = RankedTensorType::get(DimMath::shape(in[0].dims), e.b.getF32Type());
    Value decoded = DequantizeOp::create(e.b, e.loc, plain, e.tensor(in[0]));
    return bilinear(e, e.wrap(decoded, Elem::F32, in[0].dims), rows, columns);
  });
}
} // namespace

void registerResizes(Registry &r) {
  r.add({
      {"TRANSPOSE_CONV", 3, 4, importTransposeConv, "f32, int8, int16 x int8; constant filter"},
      {"RESIZE_NEAREST_NEIGHBOR", 2, 2, importNearest, "all types; constant size"},
      {"RESIZE_BILINEAR", 2, 2, importBilinear,
       "f32; int8, int16 by TFLite Micro's rule, uint8 by LiteRT's; constant size"},
  });
}

} // namespace mlir::qtensor::tflite
