// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fourier transforms of reals, and what is read of their complex numbers. Between the two a tensor of complex numbers
// is one of f32 with two elements for each, the real part first.
#include "lib/Import/TFLite/Registry.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

namespace mlir::qtensor::tflite {
namespace {
/// Real and imaginary parts, [rows, n] each.
struct Complex {
  Val re, im;
};

Val reshaped(Emit &e, const Val &x, ArrayRef<int64_t> shape) {
  return e.reshape(x, llvm::map_to_vector(shape, [&](int64_t extent) { return e.math.constant(extent); }));
}

/// One stage for rows of 2 * pairs * group numbers: a and b, which lie half a row apart, become a + b and (a - b)
/// turned, side by side; groups stay together (Stockham's order, in which nothing is sorted in the end).
Complex butterflies(Emit &e, const Complex &x, int64_t rows, int64_t pairs, int64_t group) {
  SmallVector<double> cosines, sines;
  for (int64_t i = 0; i < pairs; ++i) {
    cosines.push_back(std::cos(-M_PI * double(i) / double(pairs)));
    sines.push_back(std::sin(-M_PI * double(i) / double(pairs)));
  }
  Val turns[] = {e.constant(cosines, {1, pairs, 1, 1}, Elem::F32), e.constant(sines, {1, pairs, 1, 1}, Elem::F32)};
  auto half = [&](const Val &part, int64_t which) {
    Val split = reshaped(e, part, {rows, 2, pairs, group});
    return reshaped(e, e.sliceAxis(split, 1, e.math.constant(which), e.math.constant(1)), {rows, pairs, 1, group});
  };
  Val a[] = {half(x.re, 0), half(x.im, 0)}, b[] = {half(x.re, 1), half(x.im, 1)};
  auto join = [&](const Val &first, const Val &second) {
    return reshaped(e, e.concat({first, second}, 2), {rows, 2 * pairs * group});
  };
  auto sum = [&](unsigned part) {
    return e.map({a[part], b[part]}, Elem::F32, [](Scalar &s, ValueRange in) { return s.add(in[0], in[1]); });
  };
  auto turned = [&](bool imaginary) {
    return e.map({a[0], b[0], a[1], b[1], turns[0], turns[1]}, Elem::F32, [&](Scalar &s, ValueRange in) {
      Value re = s.sub(in[0], in[1]), im = s.sub(in[2], in[3]);
      return imaginary ? s.add(s.mul(re, in[5]), s.mul(im, in[4])) : s.sub(s.mul(re, in[4]), s.mul(im, in[5]));
    });
  };
  return {join(sum(0), turned(false)), join(sum(1), turned(true))};
}

/// The transforms of rows of n numbers, a power of two.
Complex transform(Emit &e, Complex x, int64_t rows, int64_t n) {
  for (int64_t pairs = n / 2; pairs > 0; pairs /= 2)
    x = butterflies(e, x, rows, pairs, n / 2 / pairs);
  return x;
}

/// x [rows, h, w] cut or filled with zeros to [rows, height, width].
Val fitted(Emit &e, Val x, int64_t height, int64_t width) {
  for (auto [axis, extent] : {std::pair<int64_t, int64_t>{1, height}, {2, width}}) {
    int64_t given = *DimMath::number(x.dims[axis]);
    if (given > extent)
      x = e.sliceAxis(x, axis, e.math.constant(0), e.math.constant(extent));
    Dims low(3, e.math.constant(0)), high = low;
    high[axis] = e.math.constant(std::max<int64_t>(extent - given, 0));
    if (given < extent)
      x = e.pad(x, low, high, Scalar(e.b, e.loc).number(e.type(Elem::F32), 0));
  }
  return x;
}

/// Rows first, of which the first half counts, and then columns.
LogicalResult importTransform(const Node &n) {
  Emit &e = n.e;
  constexpr int64_t kMost = 1 << 14;
  FailureOr<SmallVector<int64_t>> lengths = n.numbers(1, "the lengths of the transform");
  if (failed(lengths))
    return failure();
  SmallVector<int64_t> shape = DimMath::shape(n.in(0).dims);
  if (n.in(0).elem != Elem::F32 || shape.size() < 2 || ShapedType::isDynamicShape(shape) || lengths->size() != 2 ||
      n.outTensor().type != ElemType::C64)
    return n.fail("takes floats [.., h, w] of fixed extents and two lengths, and gives complex64");
  int64_t height = (*lengths)[0], width = (*lengths)[1], bins = width / 2 + 1, slices = 1;
  for (int64_t length : *lengths)
    if (length < 1 || length > kMost || !llvm::isPowerOf2_64(length))
      return n.fail("has the length " + Twine(length) + ", which is no power of two up to 2^14");
  if (width < 2)
    return n.fail("has rows of one number");
  for (int64_t extent : ArrayRef(shape).drop_back(2))
    slices *= extent;
  Val given = fitted(e, reshaped(e, n.in(0), {slices, shape[shape.size() - 2], shape.back()}), height, width);
  Val flat = reshaped(e, given, {slices * height, width});
  Val zeros = e.map(flat, Elem::F32, [](Scalar &s, ValueRange in) { return s.like(in[0], 0); });
  Complex x = transform(e, {flat, zeros}, slices * height, width);
  auto columns = [&](const Val &part) {
    Val half = e.sliceAxis(part, 1, e.math.constant(0), e.math.constant(bins));
    return reshaped(e, e.transpose(reshaped(e, half, {slices, height, bins}), {0, 2, 1}), {slices * bins, height});
  };
  x = transform(e, {columns(x.re), columns(x.im)}, slices * bins, height);
  SmallVector<int64_t> made(ArrayRef(shape).drop_back(2));
  made.append({height, bins});
  SmallVector<Val> parts;
  for (const Val *part : {&x.re, &x.im})
    parts.push_back(e.unsqueeze(e.transpose(reshaped(e, *part, {slices, bins, height}), {0, 2, 1}), 3));
  SmallVector<int64_t> pairs(made);
  pairs.push_back(2);
  Val both = reshaped(e, e.concat(parts, 3), pairs);
  both.elem = Elem::Complex64;
  both.dims.pop_back();
  n.value(n.op.outputs[0]) = both;
  return success();
}

/// What a float is made of the two parts of a number.
template <typename Fn> LogicalResult readParts(const Node &n, Fn fn) {
  Emit &e = n.e;
  const Val &x = n.in(0);
  if (x.elem != Elem::Complex64)
    return n.fail("takes complex numbers that RFFT2D gives; of others it is not supported");
  Dims pairs = x.dims;
  pairs.push_back(e.math.constant(2));
  Val all = e.wrap(e.tensor(x), Elem::F32, pairs);
  auto part = [&](int64_t which) {
    return e.reshape(e.sliceAxis(all, x.rank(), e.math.constant(which), e.math.constant(1)), x.dims);
  };
  return n.set(fn(e, part));
}

LogicalResult importReal(const Node &n) {
  return readParts(n, [](Emit &, auto part) { return part(0); });
}
LogicalResult importImaginary(const Node &n) {
  return readParts(n, [](Emit &, auto part) { return part(1); });
}

/// The larger part times the root of 1 + the square of their ratio: no square leaves the range of floats.
LogicalResult importMagnitude(const Node &n) {
  return readParts(n, [](Emit &e, auto part) {
    return e.map({part(0), part(1)}, Elem::F32, [](Scalar &s, ValueRange in) {
      Value a = s.abs(in[0]), b = s.abs(in[1]), most = s.max(a, b), least = s.min(a, b), zero = s.like(a, 0);
      Value ratio = s.div(least, s.select(s.eq(most, zero), s.like(a, 1), most));
      return s.mul(most, s.sqrt(s.add(s.mul(ratio, ratio), s.like(a, 1))));
    });
  });
}
} // namespace

void registerFourier(Registry &r) {
  constexpr const char *complex = "complex64 as RFFT2D gives it";
  r.add({
      {"RFFT2D", 2, 2, importTransform, "f32; constant powers of two"},
      {"REAL", 1, 1, importReal, complex},
      {"IMAG", 1, 1, importImaginary, complex},
      {"COMPLEX_ABS", 1, 1, importMagnitude, complex},
  });
}

} // namespace mlir::qtensor::tflite
