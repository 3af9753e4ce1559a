// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sines and cosines, off by 0.52 of the last place at most (lib/Emit/test/Inputs/angles.c holds all numbers to it). An angle is the nearest
// number of quarter turns and a rest of at most pi / 4, of which 32 bits count; series in fixed point do the rest.
#include "floats.h"

#define ONE 0x3f800000u

// 2 / pi, 32 bits behind the point on (M. Payne, R. Hanek, "Radian reduction for trigonometric functions", SIGNUM 18, 1983).
static const uint32_t quarters[8] = {0,          0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                     0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};

// magnitude * 2^(exponent - 31), the first bit at 31, beside whole quarter turns.
struct angle {
  uint32_t magnitude, quarter, sign;
  int32_t exponent;
};

static inline uint32_t upper(uint32_t a, uint32_t b) {
  uint32_t low;
  return long_product(a, b, &low);
}

// Of a magnitude of 1/2 and more. The product with all of 2 / pi lacks what are whole turns, and bits from 2^-70 on: a number of 24
// bits comes no nearer than 2^-31 to a whole number of quarter turns.
static inline struct angle reduce(uint32_t x, uint32_t exponent) {
  uint32_t bit = exponent - 120, shift = bit & 31, significand = (x & (HIDDEN - 1)) | HIDDEN, window[3], low[3], high[2];
  const uint32_t *first = quarters + (bit >> 5);
  for (int i = 0; i < 3; ++i)
    window[i] = first[i] << shift | first[i + 1] >> 1 >> (31 - shift);
  high[1] = long_product(significand, window[2], &low[2]);
  high[0] = long_product(significand, window[1], &low[1]);
  low[1] += high[1];
  low[0] = significand * window[0] + high[0] + (low[1] < high[1]);
  // Two bits of quarter turns, and 64 behind the point.
  struct angle made = {0, low[0] >> 30, 0, 0};
  uint32_t fraction = low[0] << 2 | low[1] >> 30, rest = low[1] << 2 | low[2] >> 30;
  if ((int32_t)fraction < 0) {
    ++made.quarter;
    made.sign = SIGN;
    rest = 0 - rest;
    fraction = ~fraction + (rest == 0);
  }
  if (fraction == 0) {
    fraction = rest;
    rest = 0;
    made.exponent = -32;
  }
  int zeros = leading_zeros(fraction);
  made.magnitude = upper(fraction << zeros | rest >> 1 >> (31 - zeros), 0xc90fdaa2u); // pi / 2
  int narrow = (int32_t)made.magnitude >= 0;
  made.magnitude <<= narrow;
  made.exponent -= zeros + narrow;
  return made;
}

// The next terms of a series in -x^2, of 32 bits behind the point.
static inline uint32_t series(uint32_t square, const uint32_t *terms, int count) {
  uint32_t sum = terms[0];
  for (int i = 1; i < count; ++i)
    sum = terms[i] - upper(square, sum);
  return upper(square, sum);
}

// The sine of a magnitude and whole quarter turns.
static inline uint32_t sine_of(uint32_t x, uint32_t more_quarters) {
  static const uint32_t odd[] = {0x6c, 0x2e3c, 0xd00d0, 0x2222222, 0x2aaaaaab};     // 1 / 11!, 1 / 9! ... 1 / 3!
  static const uint32_t even[] = {0x9, 0x4a0, 0x1a01a, 0x5b05b0, 0xaaaaaab, 0x80000000}; // 1 / 12! ... 1 / 2!
  uint32_t exponent = exponent_of(x);
  struct angle angle = {x << 8 | SIGN, 0, 0, (int32_t)exponent - 127};
  if (exponent >= 126)
    angle = reduce(x, exponent);
  uint32_t quarter = angle.quarter + more_quarters, sign = quarter << 30 & SIGN;
  uint32_t shift = (uint32_t)(-2 * angle.exponent - 2), square = shift > 31 ? 0 : upper(angle.magnitude, angle.magnitude) >> shift;
  if (quarter & 1) {
    uint32_t less = series(square, even, 6);
    return less ? make_float(sign, 126, (0 - less) >> 1) : sign | ONE;
  }
  uint32_t value = angle.magnitude - upper(angle.magnitude, series(square, odd, 5));
  int narrow = (int32_t)value >= 0;
  return make_float(sign ^ angle.sign, angle.exponent + 127 - narrow, value << narrow >> 1);
}

// Where x - x^3 / 6 rounds to x, and 1 - x^2 / 2 to 1.
static inline int is_tiny(uint32_t x) { return exponent_of(x) < 115; }

HELPER uint32_t f32_sine(uint32_t x) {
  if (is_tiny(x))
    return x;
  return exponent_of(x) == 255 ? NO_NUMBER : sine_of(x & ~SIGN, 0) ^ (x & SIGN);
}

HELPER uint32_t f32_cosine(uint32_t x) {
  if (is_tiny(x))
    return ONE;
  return exponent_of(x) == 255 ? NO_NUMBER : sine_of(x & ~SIGN, 1);
}
