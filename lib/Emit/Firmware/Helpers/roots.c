// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Square roots and remainders, which are exact before they are rounded.
#include "floats.h"

// One bit of the root a step: the rest, with two more bits of the radicand, has room for twice the root and 1 or it has not.
static inline uint32_t root_of(uint32_t radicand) {
  uint32_t rest = 0, root = 0;
  for (int step = 0; step < 25; ++step) {
    rest = rest << 2 | radicand >> 30;
    radicand <<= 2;
    uint32_t trial = root << 2 | 1;
    root <<= 1;
    if (rest >= trial) {
      rest -= trial;
      ++root;
    }
  }
  return root << 6 | has_lost(rest);
}

HELPER uint32_t f32_root(uint32_t x) {
  if (twice(x) == 0)
    return x;
  if ((int32_t)x < 0 || is_no_number(x))
    return NO_NUMBER;
  if (x == INFINITE)
    return x;
  int32_t exponent = 0;
  uint32_t significand = normalize(x, &exponent); // its first bit becomes the second one of a pair, or the first
  uint32_t is_even = ~(uint32_t)exponent & 1;
  return make_float(0, (exponent + 127 - (int32_t)is_even) >> 1, root_of(significand >> (1 - is_even)));
}

// The dividend's sign, whatever the quotient is, which may have 277 bits.
HELPER uint32_t f32_remainder(uint32_t a, uint32_t b) {
  if (is_no_number(a) || is_no_number(b) || exponent_of(a) == 255 || twice(b) == 0)
    return NO_NUMBER;
  if (twice(a) < twice(b))
    return a;
  int32_t ea = 0, eb = 0;
  uint32_t rest = normalize(a, &ea) >> 8, divisor = normalize(b, &eb) >> 8;
  while (1) {
    if (rest >= divisor)
      rest -= divisor;
    if (ea == eb || rest == 0)
      break;
    rest <<= 1;
    --ea;
  }
  if (rest == 0)
    return a & SIGN;
  int zeros = leading_zeros(rest) - 1;
  return make_float(a & SIGN, eb + 7 - zeros, rest << zeros);
}
