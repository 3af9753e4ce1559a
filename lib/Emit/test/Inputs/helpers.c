// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Holds every helper function of firmware against this machine's floats and integers, on all pairs of numbers at the borders and on
// random ones, many of which nearly cancel or round at a tie. helpers <millions of random pairs>. -DDIVIDES, -DMULTIPLIES_LONG and
// -DCOUNTS_ZEROS are what the processor has.
#include <fenv.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int processor_divides(void) { return DIVIDES; }
int processor_multiplies_long(void) { return MULTIPLIES_LONG; }
int processor_counts_zeros(void) { return COUNTS_ZEROS; }

uint32_t f32_add(uint32_t, uint32_t), f32_multiply(uint32_t, uint32_t), f32_divide(uint32_t, uint32_t);
uint32_t f32_fma(uint32_t, uint32_t, uint32_t), f32_remainder(uint32_t, uint32_t), f32_from_f16(uint32_t), f16_from_f32(uint32_t);
uint32_t f32_is_unordered(uint32_t, uint32_t), f32_is_less(uint32_t, uint32_t), f32_is_at_most(uint32_t, uint32_t), f32_is_equal(uint32_t, uint32_t);
uint32_t f32_from_u32(uint32_t), f32_from_i32(int32_t), f32_from_u64(uint64_t), f32_from_i64(int64_t);
int32_t i32_from_f32(uint32_t);
uint32_t u32_from_f32(uint32_t);
int64_t i64_from_f32(uint32_t);
uint64_t u64_from_f32(uint32_t);
uint64_t u64_multiply(uint64_t, uint64_t), u64_shift_left(uint64_t, uint32_t), u64_shift_right(uint64_t, uint32_t);
int64_t i64_shift_right(int64_t, uint32_t);
uint32_t u32_divide(uint32_t, uint32_t, uint32_t *);
int32_t i32_divide(int32_t, int32_t, int32_t *);
uint64_t u64_divide(uint64_t, uint64_t, uint64_t *);
int64_t i64_divide(int64_t, int64_t, int64_t *);

static uint64_t state = 88172645463325252u;
static uint64_t next(void) { // xorshift64*, G. Marsaglia, S. Vigna
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 2685821657736338717u;
}

static float number(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

// What is no number has one spelling here.
static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return isnan(x) ? 0x7fc00000u : bits;
}

static unsigned long checks, wrong;
static void check(const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t got, uint64_t want) {
  ++checks;
  if (got != want && ++wrong <= 20)
    printf("%s(%" PRIx64 ", %" PRIx64 ", %" PRIx64 ") is %" PRIx64 ", not %" PRIx64 "\n", name, a, b, c, got, want);
}

// C leaves open what does not fit.
static int64_t cut(float x, int64_t low, int64_t high, float below, float above) {
  return isnan(x) ? 0 : x <= below ? low : x >= above ? high : (int64_t)x;
}

static void check_float(uint32_t a) {
  volatile float x = number(a);
  check("i32_from_f32", a, 0, 0, (uint64_t)(int64_t)i32_from_f32(a), (uint64_t)cut(x, INT32_MIN, INT32_MAX, -0x1p31f, 0x1p31f));
  check("i64_from_f32", a, 0, 0, (uint64_t)i64_from_f32(a), (uint64_t)cut(x, INT64_MIN, INT64_MAX, -0x1p63f, 0x1p63f));
  check("u32_from_f32", a, 0, 0, u32_from_f32(a), (uint64_t)cut(x, 0, UINT32_MAX, 0, 0x1p32f));
  check("u64_from_f32", a, 0, 0, u64_from_f32(a), isnan(x) || x <= 0 ? 0 : x >= 0x1p64f ? UINT64_MAX : (uint64_t)x);
}

// All numbers of 16 bits are numbers of 32, and so are the midpoints between them.
static void check_halves(void) {
  static float values[0x7c02];
  for (uint32_t half = 0; half < 0x7c00; ++half) {
    uint32_t exponent = half >> 10, mantissa = half & 0x3ff;
    values[half] = exponent ? ldexpf(1024 + mantissa, (int)exponent - 25) : ldexpf(mantissa, -24);
    check("f32_from_f16", half, 0, 0, f32_from_f16(half), bits_of(values[half]));
    check("f32_from_f16", half | 0x8000, 0, 0, f32_from_f16(half | 0x8000), bits_of(-values[half]));
  }
  values[0x7c00] = 65536;
  for (uint32_t half = 0; half < 0x7c00; ++half) {
    float middle = (values[half] + values[half + 1]) / 2;
    uint32_t upper = half + 1, even = half + (half & 1);
    check("f16_from_f32", bits_of(values[half]), 0, 0, f16_from_f32(bits_of(values[half])), half);
    check("f16_from_f32", bits_of(middle), 0, 0, f16_from_f32(bits_of(middle)), even);
    check("f16_from_f32", bits_of(middle) - 1, 0, 0, f16_from_f32(bits_of(middle) - 1), half);
    check("f16_from_f32", bits_of(-middle) + 1, 0, 0, f16_from_f32(bits_of(-middle) + 1), upper | 0x8000);
  }
  for (uint32_t half = 0x7c00; half < 0x8000; ++half)
    check("f32_from_f16", half, 0, 0, f32_from_f16(half), half == 0x7c00 ? 0x7f800000u : 0x7fc00000u);
  check("f16_from_f32", 0x7f800000u, 0, 0, f16_from_f32(0x7f800000u), 0x7c00);
  check("f16_from_f32", 0x7f800001u, 0, 0, f16_from_f32(0x7f800001u), 0x7e00);
}

static void check_integer(uint64_t a) {
  check("f32_from_u64", a, 0, 0, f32_from_u64(a), bits_of((float)a));
  check("f32_from_i64", a, 0, 0, f32_from_i64((int64_t)a), bits_of((float)(int64_t)a));
  check("f32_from_u32", a, 0, 0, f32_from_u32((uint32_t)a), bits_of((float)(uint32_t)a));
  check("f32_from_i32", a, 0, 0, f32_from_i32((int32_t)a), bits_of((float)(int32_t)a));
}

static void check_floats(uint32_t a, uint32_t b) {
  volatile float x = number(a), y = number(b);
  check("f32_add", a, b, 0, f32_add(a, b), bits_of(x + y));
  check("f32_multiply", a, b, 0, f32_multiply(a, b), bits_of(x * y));
  check("f32_divide", a, b, 0, f32_divide(a, b), bits_of(x / y));
  check("f32_remainder", a, b, 0, f32_remainder(a, b), bits_of(fmodf(x, y)));
  check("f32_is_less", a, b, 0, f32_is_less(a, b), x < y);
  check("f32_is_at_most", a, b, 0, f32_is_at_most(a, b), x <= y);
  check("f32_is_equal", a, b, 0, f32_is_equal(a, b), x == y);
  check("f32_is_unordered", a, b, 0, f32_is_unordered(a, b), isunordered(x, y));
}

static void check_fma(uint32_t a, uint32_t b, uint32_t c) {
  check("f32_fma", a, b, c, f32_fma(a, b, c), bits_of(fmaf(number(a), number(b), number(c))));
}

static void check_quotients(uint64_t a, uint64_t b) {
  uint64_t rest = 1;
  int64_t signed_rest = 1;
  uint32_t rest32 = 1, a32 = (uint32_t)a, b32 = (uint32_t)b;
  int32_t signed_rest32 = 1;
  uint64_t quotient = u64_divide(a, b, &rest);
  check("u64_divide", a, b, 0, quotient, b ? a / b : 0);
  check("rest of u64_divide", a, b, 0, rest, b ? a % b : a);
  quotient = u32_divide(a32, b32, &rest32);
  check("u32_divide", a32, b32, 0, quotient, b32 ? a32 / b32 : 0);
  check("rest of u32_divide", a32, b32, 0, rest32, b32 ? a32 % b32 : a32);
  if (a != (uint64_t)INT64_MIN || b != UINT64_MAX) {
    quotient = (uint64_t)i64_divide((int64_t)a, (int64_t)b, &signed_rest);
    check("i64_divide", a, b, 0, quotient, b ? (uint64_t)((int64_t)a / (int64_t)b) : 0);
    check("rest of i64_divide", a, b, 0, (uint64_t)signed_rest, b ? (uint64_t)((int64_t)a % (int64_t)b) : a);
  }
  if (a32 != (uint32_t)INT32_MIN || b32 != UINT32_MAX) {
    quotient = (uint32_t)i32_divide((int32_t)a32, (int32_t)b32, &signed_rest32);
    check("i32_divide", a32, b32, 0, quotient, b32 ? (uint32_t)((int32_t)a32 / (int32_t)b32) : 0);
    check("rest of i32_divide", a32, b32, 0, (uint32_t)signed_rest32, b32 ? (uint32_t)((int32_t)a32 % (int32_t)b32) : a32);
  }
}

static void check_integers(uint64_t a, uint64_t b) {
  uint32_t bits = b & 63;
  check("u64_multiply", a, b, 0, u64_multiply(a, b), a * b);
  check("u64_shift_left", a, bits, 0, u64_shift_left(a, bits), a << bits);
  check("u64_shift_right", a, bits, 0, u64_shift_right(a, bits), a >> bits);
  check("i64_shift_right", a, bits, 0, (uint64_t)i64_shift_right((int64_t)a, bits), (uint64_t)((int64_t)a >> bits));
  check_quotients(a, b);
}

// Floats around every kind of border: exponents by mantissas by signs.
static size_t borders(uint32_t *floats) {
  static const uint32_t exponents[] = {0, 1, 2, 23, 24, 63, 103, 126, 127, 128, 150, 157, 158, 159, 189, 190, 191, 230, 252, 253, 254, 255};
  static const uint32_t mantissas[] = {0, 1, 2, 3, 0x3fffff, 0x400000, 0x400001, 0x555555, 0x7ffffe, 0x7fffff};
  size_t count = 0;
  for (size_t e = 0; e < sizeof exponents / sizeof *exponents; ++e)
    for (size_t m = 0; m < sizeof mantissas / sizeof *mantissas; ++m)
      for (uint32_t sign = 0; sign < 2; ++sign)
        floats[count++] = sign << 31 | exponents[e] << 23 | mantissas[m];
  return count;
}

// Random bits, of a random length, and with long runs.
static uint64_t any_integer(void) {
  uint64_t x = next();
  unsigned bits = next() & 63, kind = next() & 3;
  return kind == 0 ? x : kind == 1 ? x >> bits : kind == 2 ? (uint64_t)((int64_t)(x | INT64_MIN) >> bits) : x & ~(UINT64_MAX >> bits);
}

// Another number whose exponent lies nearby, so that sums cancel and ties are met.
static uint32_t near(uint32_t x, unsigned reach) {
  uint32_t y = (uint32_t)next();
  uint32_t exponent = ((x >> 23) + (uint32_t)(next() % (2 * reach + 1)) - reach) & 255;
  uint32_t mantissa = next() & 1 ? y & 0x7fffff : (x + y % 5 - 2) & 0x7fffff;
  mantissa &= next() & 1 ? 0x7fffff : ~(0x7fffffu >> (next() % 24));
  return (y & 0x80000000u) | exponent << 23 | (mantissa & 0x7fffff);
}

static void check_random(void) {
  uint32_t a = (uint32_t)next(), b = next() & 1 ? (uint32_t)next() : near(a, 30);
  if (next() & 1)
    a = near(a, 0);
  check_float(a);
  check_floats(a, b);
  // A third operand near the product, so that it nearly cancels.
  uint32_t product = bits_of(number(a) * number(b));
  check_fma(a, b, next() & 1 ? near(product, 50) : (product ^ 0x80000000u) + (uint32_t)(next() % 9) - 4);
  check_fma(near(0x3f800000u, 120), near(0x3f800000u, 120), (uint32_t)next());
  uint64_t x = any_integer(), y = any_integer();
  check_integer(x);
  check_integers(x, y);
}

int main(int argc, char **argv) {
  static uint32_t floats[1000];
  check_halves();
  size_t count = borders(floats);
  for (size_t i = 0; i < count; ++i) {
    check_float(floats[i]);
    for (size_t j = 0; j < count; ++j) {
      check_floats(floats[i], floats[j]);
      check_fma(floats[i], floats[j], floats[(i * 7 + j * 13) % count]);
    }
  }
  for (unsigned i = 0; i < 64 * 64; ++i)
    for (int j = 0; j < 9; ++j) {
      uint64_t a = (1ull << (i & 63)) + (uint64_t)(j % 3) - 1, b = (1ull << (i >> 6)) + (uint64_t)(j / 3) - 1;
      check_integer(a);
      check_integers(a, b);
    }
  for (unsigned long i = 0, pairs = argc > 1 ? strtoul(argv[1], NULL, 10) * 1000000 : 0; i < pairs; ++i)
    check_random();
  printf("%lu checks, %lu wrong\n", checks, wrong);
  return wrong != 0;
}
