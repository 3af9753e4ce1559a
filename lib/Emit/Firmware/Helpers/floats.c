// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums and products.
#include "floats.h"

uint32_t f32_add(uint32_t a, uint32_t b) {
  // x is the larger one.
  int swaps = twice(a) < twice(b);
  uint32_t x = swaps ? b : a, y = swaps ? a : b;
  uint32_t ex = exponent_of(x), ey = exponent_of(y), my = y | HIDDEN;
  if (__builtin_expect(ex == 255, 0))
    return is_no_number(x) || (ey == 255 && x != y) ? NO_NUMBER : x;
  if (ey == 0) {
    if (twice(y) == 0)
      return twice(x) ? x : x & y;
    ey = 1;
    my = y;
    if (ex == 0) { // sums of subnormal numbers are exact
      uint32_t sum = (x ^ y) & SIGN ? x - twice(y) / 2 : x + twice(y) / 2;
      return twice(sum) ? sum : 0;
    }
  }
  uint32_t distance = ex - ey;
  if (distance > 25)
    return x; // y is less than half of the last place, also where that halves
  uint32_t mx = (x | HIDDEN) << 8 >> 1;
  my <<= 8;
  my = my >> 1 >> distance | has_lost(my << (31 - distance));
  uint32_t head = x & ~(HIDDEN - 1); // sign and exponent
  uint32_t sum;
  if ((int32_t)(x ^ y) >= 0) {
    sum = mx + my;
    if ((int32_t)sum < 0) {
      if (ex == 254)
        return head + HIDDEN;
      return head + rounded(sum >> 1 | (sum & 1));
    }
  } else {
    sum = mx - my;
    if (sum >> 30 == 0) {
      if (sum == 0)
        return 0;
      uint32_t steps = leading_zeros(sum) - 1;
      steps = steps < ex - 1 ? steps : ex - 1;
      sum <<= steps;
      head -= steps << 23;
    }
  }
  return head - HIDDEN + rounded(sum);
}

// Of factors one of which is 0, infinite or no number.
static inline uint32_t special_product(uint32_t sign, uint32_t a, uint32_t b) {
  uint32_t large = twice(a) > twice(b) ? twice(a) : twice(b), small = twice(a) > twice(b) ? twice(b) : twice(a);
  if (large < twice(INFINITE))
    return sign;
  return large > twice(INFINITE) || small == 0 ? NO_NUMBER : sign | INFINITE;
}

uint32_t f32_multiply(uint32_t a, uint32_t b) {
  uint32_t sign = (a ^ b) & SIGN, ma = a << 8 | SIGN, mb = b << 8 | SIGN;
  int32_t ea = exponent_of(a), eb = exponent_of(b);
  if ((uint32_t)(ea - 1) >= 254 || (uint32_t)(eb - 1) >= 254) {
    if (is_special(a) || is_special(b))
      return special_product(sign, a, b);
    ma = normalize(a, &ea);
    mb = normalize(b, &eb);
  }
  uint32_t low, product = long_product(ma, mb >> 1, &low);
  product |= has_lost(low);
  uint32_t carry = product >> 30;
  return make_float(sign, ea + eb - 127 + (int32_t)carry, product << (1 - carry));
}

// x * 2^24 / y with its first bit at 24, of significands of 24 bits; 1 is added to what is shifted by 6 if anything is left.
static inline uint32_t significand_quotient(uint32_t x, uint32_t y) {
  uint32_t quotient = 1, rest = x - y;
  if (processor_divides()) {
    for (int digit = 0; digit < 3; ++digit) {
      uint32_t next = (rest << 8) / y;
      rest = (rest << 8) - next * y;
      quotient = quotient << 8 | next;
    }
  } else {
    do { // the first bit arrives where it belongs when all are known
      rest <<= 1;
      quotient <<= 1;
      if (rest >= y) {
        rest -= y;
        ++quotient;
      }
    } while (quotient < 1u << 24);
  }
  return quotient << 6 | has_lost(rest);
}

uint32_t f32_divide(uint32_t a, uint32_t b) {
  uint32_t sign = (a ^ b) & SIGN, ma = a << 8 | SIGN, mb = b << 8 | SIGN;
  int32_t ea = exponent_of(a), eb = exponent_of(b);
  if ((uint32_t)(ea - 1) >= 254 || (uint32_t)(eb - 1) >= 254) {
    if (is_no_number(a) || is_no_number(b))
      return NO_NUMBER;
    if (is_special(a) || is_special(b)) {
      int to_zero = twice(a) == 0 || twice(b) == twice(INFINITE), to_infinity = twice(b) == 0 || twice(a) == twice(INFINITE);
      return to_zero && to_infinity ? NO_NUMBER : to_zero ? sign : sign | INFINITE;
    }
    ma = normalize(a, &ea);
    mb = normalize(b, &eb);
  }
  uint32_t is_less = ma < mb;
  uint32_t quotient = significand_quotient(ma >> 8 << is_less, mb >> 8);
  return make_float(sign, ea - eb + 127 - (int32_t)is_less, quotient);
}
