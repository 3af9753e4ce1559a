// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/EmitFixedPoint16.h"
#include <limits>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using arith::CmpIPredicate;

static constexpr int64_t kLow = std::numeric_limits<int32_t>::min(), kHigh = std::numeric_limits<int32_t>::max();

/// The high half of 2xy for 16-bit x and y that are not both -2^15, ties up.
static Value multiply16(Wide w, Value x, Value y) { return w.right(w.add(w.mul(x, y), w.constant(1 << 14)), w.constant(15)); }

static Value halfUp(Wide w, Value value, int bits) { return divideByPowerOfTwo(w, value, w.constant(bits)); }

/// exp(a) for a in [-1/4, 0) in Q0.15.
static Value expNearZero(Wide w, Value a) {
  Value x = w.add(a, w.constant(1 << 12)), x2 = multiply16(w, x, x), x3 = multiply16(w, x2, x), x4 = multiply16(w, x2, x2);
  Value tail = w.add(multiply16(w, w.add(halfUp(w, x4, 2), x3), w.constant(10923)), x2);
  Value start = w.constant(28918);
  return w.least(w.add(start, multiply16(w, start, w.add(x, halfUp(w, tail, 1)))), w.constant(32767));
}

/// exp(a) as Q0.15 for a <= 0 with that many integer bits.
static Value emitExp16(Wide w, Value a, int integerBits) {
  static constexpr int64_t factors[] = {25520, 19875, 12055, 4435, 600, 11, 0};
  int fraction = 15 - integerBits;
  int64_t quarter = int64_t(1) << (fraction - 2);
  Value inQuarter = w.sub(w.both(a, w.constant(quarter - 1)), w.constant(quarter)), rest = w.sub(inQuarter, a);
  Value result = expNearZero(w, w.left(inQuarter, w.constant(integerBits)));
  for (int i = 0; i < 7 && i - 2 < integerBits; ++i) {
    Value bit = w.compare(CmpIPredicate::ne, w.both(rest, w.constant(int64_t(1) << (fraction - 2 + i))), w.constant(0));
    result = w.select(bit, multiply16(w, result, w.constant(factors[i])), result);
  }
  if (integerBits > 5)
    result = w.select(w.compare(CmpIPredicate::slt, a, w.constant(-(int64_t(32) << fraction))), w.constant(0), result);
  return w.select(w.compare(CmpIPredicate::eq, a, w.constant(0)), w.constant(32767), result);
}

/// The reciprocal of half of 1 + a as Q2.13, for a in [0, 1) as Q0.15.
static Value reciprocalOfHalf(Wide w, Value a) {
  Value half = w.right(w.add(a, w.constant(1 << 15)), w.constant(1));
  Value x = w.add(w.constant(23130), multiply16(w, half, w.constant(-15420)));
  for (int step = 0; step < 3; ++step) {
    Value error = w.sub(w.constant(1 << 13), multiply16(w, half, x));
    x = w.add(x, w.clamp(w.left(multiply16(w, x, error), w.constant(2)), -32768, 32767));
  }
  return x;
}

/// fn of -|a|: what both functions are made of.
static Value negativeMagnitude(Wide w, Value a) { return w.least(a, w.sub(w.constant(0), a)); }

Value integer::emitLogistic16(Wide w, Value a) {
  Value x = reciprocalOfHalf(w, emitExp16(w, negativeMagnitude(w, a), 3));
  Value above = w.least(w.left(x, w.constant(1)), w.constant(32767)), below = w.sub(w.constant(32767), above);
  Value positive = w.compare(CmpIPredicate::sgt, a, w.constant(0)), zero = w.compare(CmpIPredicate::eq, a, w.constant(0));
  return w.select(zero, w.constant(1 << 14), w.select(positive, above, below));
}

Value integer::emitTanh16(Wide w, Value a, int integerBits) {
  Value x = reciprocalOfHalf(w, emitExp16(w, negativeMagnitude(w, a), integerBits + 1));
  Value magnitude = w.clamp(w.left(w.sub(x, w.constant(1 << 13)), w.constant(2)), -32768, 32767);
  Value positive = w.compare(CmpIPredicate::sgt, a, w.constant(0)), zero = w.compare(CmpIPredicate::eq, a, w.constant(0));
  return w.select(zero, w.constant(0), w.select(positive, magnitude, w.sub(w.constant(0), magnitude)));
}

std::pair<Value, Value> integer::emitInverseRoot(Wide w, Value value) {
  // 2 is the least number below which the result is set in the end.
  Value input = w.most(value, w.constant(2)), large = w.compare(CmpIPredicate::sge, input, w.constant(int64_t(1) << 29));
  // At most one division by 4 brings 31 bits below 2^29.
  input = w.select(large, w.right(input, w.constant(2)), input);
  Value zeros = emitHeadroom(w, input).first;
  Value pairs = w.sub(w.right(w.sub(zeros, w.constant(1)), w.constant(1)), w.constant(1));
  Value right = w.sub(w.add(w.constant(11), w.count(large)), pairs);
  input = w.right(w.left(input, w.left(pairs, w.constant(1))), w.constant(1));
  Value half = halfUp(w, input, 1), x = w.constant(1 << 28);
  for (int step = 0; step < 5; ++step) {
    Value cube = w.doublingHighMultiply(w.doublingHighMultiply(x, x), x);
    cube = w.clamp(w.left(cube, w.constant(6)), kLow, kHigh);
    Value next = w.sub(w.doublingHighMultiply(w.constant((1 << 28) + (1 << 27)), x), w.doublingHighMultiply(half, cube));
    x = w.clamp(w.left(next, w.constant(3)), kLow, kHigh);
  }
  x = w.doublingHighMultiply(x, w.constant(1518500250));
  Value left = w.most(w.sub(w.constant(0), right), w.constant(0)), shift = w.least(w.sub(w.constant(0), right), w.constant(0));
  Value one = w.compare(CmpIPredicate::sle, value, w.constant(1));
  return {w.select(one, w.constant(kHigh), w.left(x, left)), w.select(one, w.constant(0), shift)};
}
