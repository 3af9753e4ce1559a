/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Compares expanded functions with those of the C library, by bits: every exponent, both signs, neighbours of halves. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
float floor_f32(float), ceil_f32(float), trunc_f32(float), roundeven_f32(float);
double floor_f64(double);
static uint32_t bits(float x) {
  uint32_t u;
  memcpy(&u, &x, 4);
  return u;
}
static int check(const char *name, float (*ours)(float), float (*theirs)(float), float x) {
  if (bits(ours(x)) == bits(theirs(x)) || (isnan(x) && isnan(ours(x))))
    return 0;
  printf("%s(%a) = %a, expected %a\n", name, x, ours(x), theirs(x));
  return 1;
}
static int check_wide(double x) {
  double got = floor_f64(x), want = floor(x);
  if (memcmp(&got, &want, 8) == 0 || (isnan(x) && isnan(got)))
    return 0;
  printf("floor(%a) = %a, expected %a\n", x, got, want);
  return 1;
}
int main(void) {
  int wrong = 0;
  for (uint64_t i = 0; i < 1u << 20; i++) {
    uint32_t u = i < 1u << 19 ? (uint32_t)(i << 13) : (uint32_t)(i * 2654435761u);
    float x;
    memcpy(&x, &u, 4);
    uint64_t wide = i < 1u << 19 ? i << 45 : i * 11400714819323198485u;
    double y;
    memcpy(&y, &wide, 8);
    wrong += check_wide(y) + check_wide((double)x);
    wrong += check("floor", floor_f32, floorf, x) + check("ceil", ceil_f32, ceilf, x) + check("trunc", trunc_f32, truncf, x);
    float halves = (float)(int32_t)(u >> 12) * 0.25f - 1000.0f;
    wrong += check("roundeven", roundeven_f32, rintf, halves) + check("roundeven", roundeven_f32, rintf, x);
    if (wrong > 5)
      return 1;
  }
  return wrong != 0;
}
