// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// a * b + c, rounded once: the product has 48 bits of 64, the first at 62, and so the sum is exact but for a last bit that says whether
// anything was lost, far below where it is rounded.
#include "floats.h"

struct wide {
  uint32_t high, low;
};

static inline struct wide wide_right(struct wide x, uint32_t bits) {
  if (bits > 63)
    return (struct wide){0, has_lost(x.high | x.low)};
  if (bits > 31)
    return (struct wide){0, shift_right(x.high, bits - 32) | has_lost(x.low)};
  return (struct wide){x.high >> bits, shift_right(x.low, bits) | x.high << 1 << (31 - bits)};
}

static inline struct wide wide_left(struct wide x, uint32_t bits) {
  if (bits > 31)
    return (struct wide){x.low << (bits - 32), 0};
  return (struct wide){x.high << bits | x.low >> 1 >> (31 - bits), x.low << bits};
}

static inline struct wide wide_sum(struct wide x, struct wide y) {
  uint32_t low = x.low + y.low;
  return (struct wide){x.high + y.high + (low < y.low), low};
}

static inline struct wide wide_difference(struct wide x, struct wide y) {
  return (struct wide){x.high - y.high - (x.low < y.low), x.low - y.low};
}

// With its first bit at 62, and rounded.
static inline uint32_t finish(uint32_t sign, int32_t exponent, struct wide sum) {
  if ((int32_t)sum.high < 0)
    return make_float(sign, exponent + 1, sum.high >> 1 | has_lost((sum.high & 1) | sum.low));
  if ((sum.high | sum.low) == 0)
    return 0;
  uint32_t zeros = sum.high ? leading_zeros(sum.high) - 1 : 31 + leading_zeros(sum.low);
  sum = wide_left(sum, zeros);
  return make_float(sign, exponent - (int32_t)zeros, sum.high | has_lost(sum.low));
}

// Of operands one of which is infinite or no number, or a factor that is 0.
static inline uint32_t special(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t sign = (a ^ b) & SIGN;
  if (is_no_number(a) || is_no_number(b) || is_no_number(c))
    return NO_NUMBER;
  if (twice(a) == twice(INFINITE) || twice(b) == twice(INFINITE)) {
    if (twice(a) == 0 || twice(b) == 0 || (c ^ sign) == (INFINITE | SIGN))
      return NO_NUMBER;
    return sign | INFINITE;
  }
  return twice(c) ? c : c & sign;
}

uint32_t f32_fma(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t sign = (a ^ b) & SIGN, ma = a << 8 | SIGN, mb = b << 8 | SIGN, mc = c | HIDDEN;
  int32_t ea = exponent_of(a), eb = exponent_of(b), ec = exponent_of(c);
  if ((uint32_t)(ea - 1) >= 254 || (uint32_t)(eb - 1) >= 254) {
    if (is_special(a) || is_special(b))
      return special(a, b, c);
    ea = eb = 0;
    ma = normalize(a, &ea);
    mb = normalize(b, &eb);
  }
  if ((uint32_t)(ec - 1) >= 254) {
    if (ec)
      return special(a, b, c);
    ec = 1;
    mc = c;
  }
  struct wide product, other = {mc << 8 >> 1, 0};
  product.high = long_product(ma, mb >> 1, &product.low);
  int32_t exponent = ea + eb - 126;
  if (product.high >> 30 == 0) {
    product = wide_sum(product, product);
    --exponent;
  }
  if (exponent >= ec) {
    other = wide_right(other, exponent - ec);
  } else {
    product = wide_right(product, ec - exponent);
    exponent = ec;
  }
  if ((int32_t)(sign ^ c) >= 0) {
    product = wide_sum(product, other);
  } else {
    product = wide_difference(product, other);
    if ((int32_t)product.high < 0) {
      sign ^= SIGN;
      product = wide_difference((struct wide){0, 0}, product);
    }
  }
  return finish(sign, exponent, product);
}
