// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/EmitFixedPoint.h"
#include "lib/Reference/FixedPoint.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using arith::CmpIPredicate;

static constexpr int64_t kLow = std::numeric_limits<int32_t>::min(), kHigh = std::numeric_limits<int32_t>::max();

/// value * 2^-bits for bits in [1, 62], rounded.
static Value shiftRounded(Wide w, Value value, Value bits, RoundingMode rounding) {
  Value below = w.right(value, bits), rest = w.sub(value, w.left(below, bits));
  Value half = w.left(w.constant(1), w.sub(bits, w.constant(1)));
  Value negative = w.compare(CmpIPredicate::slt, value, w.constant(0));
  Value above = w.compare(CmpIPredicate::sgt, rest, half), tie = w.compare(CmpIPredicate::eq, rest, half), up;
  switch (rounding) {
  case RoundingMode::Truncate:
    up = w.both(negative, w.compare(CmpIPredicate::ne, rest, w.constant(0)));
    break;
  case RoundingMode::HalfAway:
    up = w.select(negative, above, w.compare(CmpIPredicate::sge, rest, half));
    break;
  case RoundingMode::HalfEven: {
    Value odd = w.compare(CmpIPredicate::ne, w.both(below, w.constant(1)), w.constant(0));
    up = w.select(tie, odd, above);
    break;
  }
  }
  return w.add(below, w.count(up));
}

Value integer::mapReal(Wide w, Value accumulator, Value multiplier, RoundingMode rounding) {
  Value bits = w.extend(arith::BitcastOp::create(w.b, w.b.getI32Type(), multiplier));
  Value field = w.both(w.right(bits, w.constant(23)), w.constant(255)), fraction = w.both(bits, w.constant(0x7fffff));
  Value normal = w.compare(CmpIPredicate::ne, field, w.constant(0));
  Value significand = w.add(fraction, w.select(normal, w.constant(0x800000), w.constant(0)));
  Value special = w.compare(CmpIPredicate::eq, field, w.constant(255));
  Value nan = w.both(special, w.compare(CmpIPredicate::ne, fraction, w.constant(0)));
  significand = w.select(nan, w.constant(0), significand);
  Value negative = w.compare(CmpIPredicate::slt, bits, w.constant(0));
  significand = w.select(negative, w.sub(w.constant(0), significand), significand);
  Value product = w.mul(accumulator, significand), exponent = w.sub(w.most(field, w.constant(1)), w.constant(150));
  // To the left: from 2^8 on, a product that is not 0 has left 32 bits.
  Value positive = w.compare(CmpIPredicate::sgt, product, w.constant(0));
  Value zero = w.compare(CmpIPredicate::eq, product, w.constant(0));
  Value beyond = w.select(positive, w.constant(int64_t(1) << 61), w.constant(-(int64_t(1) << 61)));
  Value shifted = w.left(product, w.clamp(exponent, 0, 7));
  Value large = w.select(w.compare(CmpIPredicate::sgt, exponent, w.constant(7)), beyond, shifted);
  large = w.select(zero, product, w.clamp(large, -(int64_t(1) << 61), int64_t(1) << 61));
  Value small = shiftRounded(w, product, w.clamp(w.sub(w.constant(0), exponent), 1, 62), rounding);
  return w.select(w.compare(CmpIPredicate::sge, exponent, w.constant(0)), large, small);
}

/// (value + half a unit) * 2^-bits, ties up; `bits` in [0, 94], |value| at most 2^62.
static Value shiftHalfUp(Wide w, Value value, Value bits) {
  Value bounded = w.clamp(bits, 1, 63), before = w.right(value, w.sub(bounded, w.constant(1)));
  Value rounded = w.add(w.right(value, bounded), w.both(before, w.constant(1)));
  rounded = w.select(w.compare(CmpIPredicate::sgt, bits, w.constant(63)), w.constant(0), rounded);
  return w.select(w.compare(CmpIPredicate::sgt, bits, w.constant(0)), rounded, value);
}

Value integer::divideByPowerOfTwo(Wide w, Value value, Value amount) {
  Value bits = w.least(amount, w.constant(31)), mask = w.sub(w.left(w.constant(1), bits), w.constant(1));
  Value threshold = w.add(w.right(mask, w.constant(1)), w.count(w.compare(CmpIPredicate::slt, value, w.constant(0))));
  Value up = w.count(w.compare(CmpIPredicate::sgt, w.both(value, mask), threshold));
  Value divided = w.add(w.right(value, bits), up);
  return w.select(w.compare(CmpIPredicate::sgt, amount, w.constant(31)), w.constant(0), divided);
}

/// gemmlowp: a doubling high multiplication, ties up, then a division, ties away from zero.
static Value mapDouble(Wide w, Value accumulator, Value multiplier, Value shift) {
  Value left = w.clamp(shift, 0, 31), right = w.most(w.sub(w.constant(0), shift), w.constant(0));
  Value product = w.mul(w.clamp(w.left(accumulator, left), kLow, kHigh), multiplier);
  Value high = w.right(w.add(product, w.constant(int64_t(1) << 30)), w.constant(31));
  high = w.least(high, w.constant(kHigh));
  return divideByPowerOfTwo(w, high, right);
}

Value integer::mapFixed(Wide w, Value accumulator, Value multiplier, Value shift, FixedMode mode) {
  multiplier = w.extend(multiplier);
  shift = w.extend(shift);
  if (mode == FixedMode::Double)
    return mapDouble(w, accumulator, multiplier, shift);
  if (mode == FixedMode::Single)
    return w.clamp(shiftHalfUp(w, w.mul(accumulator, multiplier), w.sub(w.constant(31), shift)), kLow, kHigh);
  Value reduced = w.right(w.add(multiplier, w.constant(1 << 15)), w.constant(16));
  Value product = w.mul(accumulator, w.least(reduced, w.constant(0x7FFF))), bits = w.sub(w.constant(15), shift);
  Value enlarged = w.left(product, w.clamp(w.sub(w.constant(0), bits), 0, 16));
  Value mapped = w.select(w.compare(CmpIPredicate::sle, bits, w.constant(0)), enlarged, shiftHalfUp(w, product, bits));
  return w.clamp(mapped, kLow, kHigh);
}

Value integer::emitOneOverOnePlus(Wide w, Value a) {
  constexpr int64_t high = (int64_t(1) << 31) - 1;
  // a + 2^31 is not negative: halves round down.
  Value half = w.right(w.add(a, w.constant(high + 1)), w.constant(1));
  Value x = w.add(w.constant(1515870810), w.doublingHighMultiply(half, w.constant(-1010580540)));
  for (int step = 0; step < 3; ++step) {
    Value error = w.sub(w.constant(1 << 29), w.doublingHighMultiply(half, x));
    Value by = w.left(w.doublingHighMultiply(x, error), w.constant(2));
    x = w.add(x, w.clamp(by, -high - 1, high));
  }
  return w.clamp(w.left(x, w.constant(1)), -high - 1, high);
}

Value integer::emitLookUp(Wide w, Value table, Value code, bool isSigned) {
  int64_t count = cast<RankedTensorType>(table.getType()).getDimSize(0);
  Value position = isSigned ? w.add(w.extend(code), w.constant(count / 2))
                            : arith::ExtUIOp::create(w.b, w.b.getI64Type(), code).getResult();
  Value index = arith::IndexCastOp::create(w.b, w.b.getIndexType(), position);
  return tensor::ExtractOp::create(w.b, table, index);
}

std::pair<Value, Value> integer::emitHeadroom(Wide w, Value sum) {
  Value zeros = w.constant(0), rest = sum;
  for (int64_t step : {16, 8, 4, 2, 1}) {
    Value free = w.compare(arith::CmpIPredicate::slt, rest, w.constant(int64_t(1) << (32 - step)));
    zeros = w.select(free, w.add(zeros, w.constant(step)), zeros);
    rest = w.select(free, w.left(rest, w.constant(step)), rest);
  }
  return {zeros, rest};
}

Value integer::emitSigmoidTable(ImplicitLocOpBuilder &b) {
  auto type = RankedTensorType::get({256}, b.getI16Type());
  SmallVector<APInt> entries;
  for (uint16_t entry : reference::sigmoidTable())
    entries.emplace_back(16, entry);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, entries));
}

/// The table at |a| / 2^bits with `bits` more fractional bits; `last` beyond its end.
static Value interpolate(Wide w, Value table, Value magnitude, int64_t bits, int64_t last) {
  Value position = w.right(magnitude, w.constant(bits)), rest = w.both(magnitude, w.constant((int64_t(1) << bits) - 1));
  auto entry = [&](int64_t behind) -> Value {
    Value inside = w.least(w.add(position, w.constant(behind)), w.constant(255));
    Value index = arith::IndexCastOp::create(w.b, w.b.getIndexType(), inside);
    return arith::ExtUIOp::create(w.b, w.b.getI64Type(), tensor::ExtractOp::create(w.b, table, index).getResult());
  };
  Value low = entry(0), high = entry(1), line = w.add(w.left(low, w.constant(bits)), w.mul(rest, w.sub(high, low)));
  return w.select(w.compare(CmpIPredicate::sge, position, w.constant(255)), w.constant(last << bits), line);
}

Value integer::emitLogisticByTable(Wide w, Value table, Value a) {
  Value negative = w.compare(CmpIPredicate::slt, a, w.constant(0));
  Value value = interpolate(w, table, w.select(negative, w.sub(w.constant(0), a), a), 9, 32767 * 2);
  Value mirrored = w.sub(w.constant((1 << 25) + (1 << 9) - 1), value);
  return w.right(w.select(negative, mirrored, w.add(value, w.constant(1 << 9))), w.constant(10));
}

Value integer::emitTanhByTable(Wide w, Value table, Value a) {
  Value negative = w.compare(CmpIPredicate::slt, a, w.constant(0));
  Value value = interpolate(w, table, w.select(negative, w.sub(w.constant(0), a), a), 8, 65535);
  Value mirrored = w.sub(w.constant((1 << 23) + (1 << 7) - 1), value);
  return w.right(w.select(negative, mirrored, w.sub(value, w.constant((1 << 23) - (1 << 7)))), w.constant(8));
}
