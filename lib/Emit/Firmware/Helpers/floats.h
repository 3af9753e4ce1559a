// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Floats of 32 bits in integers: IEEE 754's binary32, rounded to nearest, ties to even; subnormal numbers are numbers. Every result
// that is no number is NO_NUMBER.
//
// Before it is rounded a significand has its first bit at 30: 24 bits that stay and 7 below, the last of which is 1 if anything
// was lost further down. An exponent is the format's: 1 to 254, subnormal numbers have 1 and no first bit.
#pragma once
#include "processor.h"

#define SIGN 0x80000000u
#define INFINITE 0x7f800000u
#define NO_NUMBER 0x7fc00000u
#define HIDDEN 0x00800000u

static inline uint32_t exponent_of(uint32_t x) { return x >> 23 & 255; }
// Magnitudes twice as large, without a sign: in the order of the numbers.
static inline uint32_t twice(uint32_t x) { return x << 1; }
static inline int is_no_number(uint32_t x) { return twice(x) > twice(INFINITE); }
static inline int is_special(uint32_t x) { return twice(x) == 0 || twice(x) >= twice(INFINITE); }
static inline uint32_t has_lost(uint32_t x) { return x != 0; }

// Shifts by 0 to 31, and what falls out is the last bit's.
static inline uint32_t shift_right(uint32_t x, uint32_t bits) {
  return x >> bits | has_lost(x << 1 << (31 - bits));
}

// The 24 bits of a significand, which may become 25 and carry into an exponent that is added.
static inline uint32_t rounded(uint32_t significand) { return (significand + 63 + (significand >> 7 & 1)) >> 7; }

// The number of a sign, an exponent of any size and a significand.
INLINE uint32_t make_float(uint32_t sign, int32_t exponent, uint32_t significand) {
  if (__builtin_expect((uint32_t)(exponent - 1) < 254, 1))
    return sign + ((uint32_t)(exponent - 1) << 23) + rounded(significand);
  if (exponent > 0)
    return sign | INFINITE;
  return exponent < -30 ? sign : sign + rounded(shift_right(significand, (uint32_t)(1 - exponent)));
}

// A factor or divisor of any size other than 0: its first bit at 31. Its exponent is added to others.
INLINE uint32_t normalize(uint32_t x, int32_t *exponents) {
  int32_t exponent = (int32_t)exponent_of(x);
  x <<= 8;
  if (exponent) {
    x |= SIGN;
    PIN(x);
    *exponents += exponent;
  } else {
    int zeros = leading_zeros(x);
    x <<= zeros;
    PIN(x);
    *exponents += 1 - zeros;
  }
  PIN(*exponents);
  return x;
}
