// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums and products.
#include "floats.h"

uint32_t f32_add(uint32_t a, uint32_t b) {
  // x is the larger one.
  int swaps = twice(a) < twice(b);
  uint32_t x = swaps ? b : a, y = swaps ? a : b;
  PIN(x);
  PIN(y);
  uint32_t ex = exponent_of(x), ey = exponent_of(y), my = y | HIDDEN;
  if (__builtin_expect(ex == 255, 0))
    return is_no_number(x) || (ey == 255 && x != y) ? NO_NUMBER : x;
  if (__builtin_expect(ey == 0, 0)) {
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
  my <<= 8;
  my = my >> 1 >> distance | has_lost(my << (31 - distance));
  uint32_t sum, mx = (x | HIDDEN) << 8 >> 1, head = x & ~(HIDDEN - 1); // sign and exponent
  PIN(head);
  if ((int32_t)(x ^ y) >= 0) {
    sum = mx + my;
    if ((int32_t)sum < 0) {
      head += HIDDEN;
      if (twice(head) == twice(INFINITE))
        return head;
      sum = sum >> 1 | (sum & 1);
    }
  } else {
    sum = mx - my;
    if (sum >> 30 == 0) {
      if (sum == 0)
        return 0;
      uint32_t steps = leading_zeros(sum) - 1, most = exponent_of(head) - 1;
      steps = steps < most ? steps : most;
      sum <<= steps;
      head -= steps << 23;
    }
  }
  return head - HIDDEN + rounded(sum);
}

uint32_t f32_multiply(uint32_t a, uint32_t b) {
  uint32_t sign = a ^ b, ma, mb, low;
  int32_t ea = (int32_t)exponent_of(a), eb = (int32_t)exponent_of(b), exponent = ea + eb;
  if ((uint32_t)(ea - 1) >= 254 || (uint32_t)(eb - 1) >= 254) {
    PIN(a);
    PIN(b);
    if (twice(a) == 0 || twice(b) == 0)
      return exponent_of(a) == 255 || exponent_of(b) == 255 ? NO_NUMBER : sign & SIGN;
    if (twice(a) >= twice(INFINITE) || twice(b) >= twice(INFINITE))
      return is_no_number(a) || is_no_number(b) ? NO_NUMBER : (sign & SIGN) | INFINITE;
    exponent = 0;
    ma = normalize(a, &exponent);
    mb = normalize(b, &exponent);
  } else {
    ma = a << 8 | SIGN;
    mb = b << 8 | SIGN;
  }
  PIN(ma);
  PIN(mb);
  PIN(exponent);
  PIN(sign);
  uint32_t product = long_product(ma, mb >> 1, &low);
  product |= has_lost(low);
  PIN(product);
  uint32_t carry = product >> 30;
  return make_float(sign & SIGN, exponent - 127 + (int32_t)carry, product << (1 - carry));
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
    ea = eb = 0;
    ma = normalize(a, &ea);
    mb = normalize(b, &eb);
  }
  uint32_t is_less = ma < mb;
  uint32_t quotient = significand_quotient(ma >> 8 << is_less, mb >> 8);
  return make_float(sign, ea - eb + 127 - (int32_t)is_less, quotient);
}
