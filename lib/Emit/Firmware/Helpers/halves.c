// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Floats of 16 bits: 5 of exponent, 10 of mantissa.
#include "floats.h"

HELPER uint32_t f32_from_f16(uint32_t half) {
  uint32_t sign = half << 16 & SIGN, magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00)
    return magnitude > 0x7c00 ? NO_NUMBER : sign | INFINITE;
  if (magnitude >= 0x400)
    return sign | ((magnitude << 13) + ((127 - 15) << 23));
  if (magnitude == 0)
    return sign;
  int zeros = leading_zeros(magnitude); // units of 2^-24
  return sign | (uint32_t)(134 - zeros) << 23 | ((magnitude << zeros >> 8) & (HIDDEN - 1));
}

// Without 13 bits of the significand, or more where the result is subnormal.
HELPER uint32_t f16_from_f32(uint32_t x) {
  uint32_t sign = x >> 16 & 0x8000, exponent = exponent_of(x), significand = (x & (HIDDEN - 1)) | HIDDEN, head = 0;
  if (is_no_number(x))
    return 0x7e00;
  if (exponent >= 143)
    return sign | 0x7c00;
  if (exponent < 101)
    return sign;
  if (exponent < 113)
    significand = shift_right(significand, 113 - exponent);
  else
    head = (exponent - 113) << 10;
  return sign | (head + ((significand + 0xfff + (significand >> 13 & 1)) >> 13));
}
