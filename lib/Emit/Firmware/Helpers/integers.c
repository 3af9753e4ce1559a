// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products, shifts and quotients. A quotient by 0 is 0 and leaves the dividend, as nobody asks for it.
#include "processor.h"

static inline uint32_t high_of(uint64_t x) { return (uint32_t)(x >> 32); }
static inline uint64_t join(uint32_t high, uint32_t low) { return (uint64_t)high << 32 | low; }

uint64_t u64_multiply(uint64_t a, uint64_t b) {
  uint32_t low, high = long_product((uint32_t)a, (uint32_t)b, &low);
  return join(high + (uint32_t)a * high_of(b) + high_of(a) * (uint32_t)b, low);
}

// Shifts by 0 to 63. What crosses from one half to the other goes by one bit and then by the rest, so that no shift is by 32.
uint64_t u64_shift_left(uint64_t x, uint32_t bits) {
  uint32_t low = (uint32_t)x, n = bits & 31, crossing = low >> 1 >> (n ^ 31);
  return bits > 31 ? join(low << n, 0) : join(high_of(x) << n | crossing, low << n);
}

uint64_t u64_shift_right(uint64_t x, uint32_t bits) {
  uint32_t high = high_of(x), n = bits & 31, crossing = high << 1 << (n ^ 31);
  return bits > 31 ? join(0, high >> n) : join(high >> n, (uint32_t)x >> n | crossing);
}

int64_t i64_shift_right(int64_t x, uint32_t bits) {
  int32_t high = (int32_t)high_of((uint64_t)x);
  uint32_t n = bits & 31, crossing = (uint32_t)high << 1 << (n ^ 31);
  return (int64_t)(bits > 31 ? join((uint32_t)(high >> 31), (uint32_t)(high >> n)) : join((uint32_t)(high >> n), (uint32_t)x >> n | crossing));
}

// The divisor, not 0, goes up to the dividend's first bit, and comes down again bit by bit.
#define QUOTIENT_BY_BITS(name, type, signed_type)                                                                                 \
  INLINE type name(type n, type d, type *rest) {                                                                                  \
    type quotient = 0, bit = 1;                                                                                                   \
    while (d < n && (signed_type)d >= 0) {                                                                                        \
      d <<= 1;                                                                                                                    \
      bit <<= 1;                                                                                                                  \
    }                                                                                                                             \
    do {                                                                                                                          \
      if (n >= d) {                                                                                                               \
        n -= d;                                                                                                                   \
        quotient |= bit;                                                                                                          \
      }                                                                                                                           \
      d >>= 1;                                                                                                                    \
      bit >>= 1;                                                                                                                  \
    } while (bit);                                                                                                                \
    *rest = n;                                                                                                                    \
    return quotient;                                                                                                              \
  }
QUOTIENT_BY_BITS(narrow_quotient_by_bits, uint32_t, int32_t)
QUOTIENT_BY_BITS(quotient_by_bits, uint64_t, int64_t)

uint32_t u32_divide(uint32_t n, uint32_t d, uint32_t *rest) {
  *rest = n;
  return d ? narrow_quotient_by_bits(n, d, rest) : 0;
}

int32_t i32_divide(int32_t n, int32_t d, int32_t *rest) {
  uint32_t left, sn = (uint32_t)(n >> 31), sd = (uint32_t)(d >> 31), s = sn ^ sd;
  uint32_t quotient = u32_divide(((uint32_t)n ^ sn) - sn, ((uint32_t)d ^ sd) - sd, &left);
  *rest = (int32_t)((left ^ sn) - sn);
  return (int32_t)((quotient ^ s) - s);
}

// One digit of 16 bits: what comes down joins the rest, which is less than the divisor. An estimate by the divisor's upper half is too
// large by 2 at most, since the divisor's first bit is at 31 (D. Knuth, The Art of Computer Programming 2, 4.3.1, theorem B).
INLINE uint32_t digit(uint32_t *rest, uint32_t comes, uint32_t d) {
  uint32_t estimate = *rest / (d >> 16), left = (*rest - estimate * (d >> 16)) << 16 | comes, less = estimate * (d & 0xffff);
  if (left < less) {
    --estimate;
    left += d;
    if (left >= d && left < less) { // no carry
      --estimate;
      left += d;
    }
  }
  *rest = left - less;
  return estimate;
}

// Of high * 2^32 + low by d > high, whose first bit is at 31.
INLINE uint32_t long_quotient(uint32_t high, uint32_t low, uint32_t d, uint32_t *rest) {
  uint32_t first = digit(&high, low >> 16, d), second = digit(&high, low & 0xffff, d);
  *rest = high;
  return first << 16 | second;
}

// Quotients of less than 32 bits, by d >= 2^32: the dividend's half by the divisor's first 32 bits is too large by 1 at most once it is
// one less (H. S. Warren, Hacker's Delight, 9-5).
INLINE uint32_t short_quotient(uint64_t n, uint64_t d, uint64_t *rest) {
  int zeros = leading_zeros(high_of(d));
  uint32_t first = high_of(d) << zeros | (uint32_t)d >> 1 >> (31 - zeros), unused;
  uint32_t quotient = long_quotient(high_of(n) >> 1, (uint32_t)(n >> 1), first, &unused) >> (31 - zeros);
  quotient -= quotient != 0;
  uint32_t low, high = long_product(quotient, (uint32_t)d, &low);
  n -= join(high + quotient * high_of(d), low);
  if (n >= d) {
    ++quotient;
    n -= d;
  }
  *rest = n;
  return quotient;
}

INLINE uint64_t quotient_by_digits(uint64_t n, uint64_t d, uint64_t *rest) {
  uint32_t low = (uint32_t)d, left = high_of(n), first = 0;
  if (n < d)
    return 0; // which leaves n
  if (high_of(d))
    return short_quotient(n, d, rest);
  if (left == 0) {
    *rest = (uint32_t)n % low;
    return (uint32_t)n / low;
  }
  if (left >= low) {
    first = left / low;
    left -= first * low;
  }
  int zeros = leading_zeros(low);
  uint32_t second = long_quotient(left << zeros | (uint32_t)n >> 1 >> (31 - zeros), (uint32_t)n << zeros, low << zeros, &left);
  *rest = left >> zeros;
  return join(first, second);
}

uint64_t u64_divide(uint64_t n, uint64_t d, uint64_t *rest) {
  *rest = n;
  if (d == 0)
    return 0;
  return processor_divides() ? quotient_by_digits(n, d, rest) : quotient_by_bits(n, d, rest);
}

int64_t i64_divide(int64_t n, int64_t d, int64_t *rest) {
  uint64_t left, sn = (uint64_t)(n >> 63), sd = (uint64_t)(d >> 63), s = sn ^ sd;
  uint64_t quotient = u64_divide(((uint64_t)n ^ sn) - sn, ((uint64_t)d ^ sd) - sd, &left);
  *rest = (int64_t)((left ^ sn) - sn);
  return (int64_t)((quotient ^ s) - s);
}
