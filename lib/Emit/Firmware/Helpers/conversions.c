// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Comparisons, and between floats and integers. Integers that would not fit are the nearest that do; what is no number is 0.
#include "floats.h"

// In the order of the numbers, for all that are numbers; both zeros are 0.
static inline int32_t ordered(uint32_t x) { return (int32_t)x < 0 ? (int32_t)(SIGN - x) : (int32_t)x; }

uint32_t f32_is_unordered(uint32_t a, uint32_t b) { return is_no_number(a) || is_no_number(b); }

uint32_t f32_is_less(uint32_t a, uint32_t b) { return !is_no_number(a) && !is_no_number(b) && ordered(a) < ordered(b); }

uint32_t f32_is_at_most(uint32_t a, uint32_t b) { return !is_no_number(a) && !is_no_number(b) && ordered(a) <= ordered(b); }

uint32_t f32_is_equal(uint32_t a, uint32_t b) { return !is_no_number(a) && (a == b || twice(a | b) == 0); }

// The number with a sign that is `magnitude`, its first bit at any place, times 2^(exponent - 158).
static inline uint32_t from_magnitude(uint32_t sign, uint32_t magnitude, int32_t exponent) {
  int zeros = leading_zeros(magnitude);
  magnitude <<= zeros;
  return make_float(sign, exponent - zeros, magnitude >> 1 | (magnitude & 1));
}

uint32_t f32_from_u32(uint32_t x) { return x ? from_magnitude(0, x, 158) : 0; }

uint32_t f32_from_i32(int32_t x) {
  uint32_t sign = (uint32_t)x & SIGN;
  return x ? from_magnitude(sign, sign ? 0 - (uint32_t)x : (uint32_t)x, 158) : 0;
}

static inline uint32_t from_wide(uint32_t sign, uint32_t high, uint32_t low) {
  if (high == 0)
    return low ? from_magnitude(sign, low, 158) : 0;
  int zeros = leading_zeros(high);
  uint32_t top = high << zeros | low >> 1 >> (31 - zeros);
  return make_float(sign, 190 - zeros, top >> 1 | has_lost((top & 1) | low << zeros));
}

uint32_t f32_from_u64(uint64_t x) { return from_wide(0, (uint32_t)(x >> 32), (uint32_t)x); }

uint32_t f32_from_i64(int64_t x) {
  uint32_t sign = (uint32_t)(x >> 32) & SIGN;
  uint64_t magnitude = sign ? 0 - (uint64_t)x : (uint64_t)x;
  return from_wide(sign, (uint32_t)(magnitude >> 32), (uint32_t)magnitude);
}

// The whole part of a magnitude below 2^32.
static inline uint32_t whole(uint32_t x, uint32_t exponent) { return exponent < 127 ? 0 : (x << 8 | SIGN) >> (158 - exponent); }

int32_t i32_from_f32(uint32_t x) {
  uint32_t exponent = exponent_of(x);
  if (exponent >= 158)
    return is_no_number(x) ? 0 : (int32_t)x < 0 ? INT32_MIN : INT32_MAX;
  uint32_t magnitude = whole(x, exponent);
  return (int32_t)x < 0 ? -(int32_t)magnitude : (int32_t)magnitude;
}

uint32_t u32_from_f32(uint32_t x) {
  uint32_t exponent = exponent_of(x);
  if ((int32_t)x < 0)
    return 0;
  if (exponent >= 159)
    return is_no_number(x) ? 0 : UINT32_MAX;
  return whole(x, exponent);
}

// The same below 2^64, which is `high` and `low`.
static inline uint64_t wide_whole(uint32_t x, uint32_t exponent) {
  if (exponent < 159)
    return whole(x, exponent);
  uint32_t magnitude = x << 8 | SIGN, bits = exponent - 158;
  return (uint64_t)(magnitude >> (32 - bits)) << 32 | (bits > 31 ? 0 : magnitude << bits);
}

int64_t i64_from_f32(uint32_t x) {
  uint32_t exponent = exponent_of(x);
  if (exponent >= 190)
    return is_no_number(x) ? 0 : (int32_t)x < 0 ? INT64_MIN : INT64_MAX;
  uint64_t magnitude = wide_whole(x, exponent);
  return (int32_t)x < 0 ? -(int64_t)magnitude : (int64_t)magnitude;
}

uint64_t u64_from_f32(uint32_t x) {
  uint32_t exponent = exponent_of(x);
  if ((int32_t)x < 0)
    return 0;
  if (exponent >= 191)
    return is_no_number(x) ? 0 : UINT64_MAX;
  return wide_whole(x, exponent);
}
