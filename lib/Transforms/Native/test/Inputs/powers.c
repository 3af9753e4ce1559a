/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Compares expanded functions with the C library's doubles: the bits of what is no normal number, others within 0.501
 * of the last place. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
float power(float, float), angle(float, float);
static float number(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
static int check(const char *name, float got, double want, float x, float y) {
  float rounded = (float)want;
  int same = memcmp(&got, &rounded, 4) == 0 || (isnan(got) && isnan(rounded));
  if (!same && isnormal(rounded) && isnormal(got)) {
    int exponent;
    frexp(want, &exponent);
    same = fabs((double)got - want) <= ldexp(0.501, exponent - 24);
  }
  if (!same && (fpclassify(rounded) == FP_SUBNORMAL || fabsf(rounded) <= 0x1p-126f))
    same = fabs((double)got - want) <= 0.501 * 0x1p-149;
  if (same)
    return 0;
  printf("%s(%a, %a) = %a, expected %a\n", name, x, y, got, want);
  return 1;
}
int main(void) {
  static const float borders[] = {
      0.0f,     1.0f, 2.0f, 3.0f, 0.5f, 1.5f, 0x1p24f, 0x1.000002p0f, 0x1.fffffep-1f, 0x1p-149f, 0x1.fffffep127f,
      INFINITY, NAN};
  enum { count = sizeof borders / sizeof *borders };
  int wrong = 0;
  for (int i = 0; i < 4 * count * count && wrong < 9; ++i) {
    float x = borders[i / 4 / count], y = borders[i / 4 % count];
    x = i & 1 ? -x : x;
    y = i & 2 ? -y : y;
    wrong += check("power", power(x, y), pow(x, y), x, y) + check("angle", angle(x, y), atan2(x, y), x, y);
  }
  uint32_t state = 1;
  for (int i = 0; i < 1 << 20 && wrong < 9; ++i) {
    state = state * 1664525u + 1013904223u;
    float x = number(state >> 8 ^ state << 9), z = number(state * 2654435761u);
    /* Exponents for which most powers are numbers; whole ones too. */
    float y = i % 3 ? (float)((int32_t)(state >> 4) % 4000) / (i % 3 == 1 ? 97.0f : 1000.0f) - 10.0f
                    : (float)((int32_t)(state >> 9) % 41 - 20);
    float near = 1.0f + (float)((int32_t)state >> 8) * 0x1p-26f;
    wrong += check("power", power(x, y), pow(x, y), x, y) +
             check("power", power(near, 20 * y), pow(near, 20 * y), near, 20 * y);
    wrong += check("angle", angle(x, z), atan2(x, z), x, z) + check("angle", angle(near, y), atan2(near, y), near, y);
  }
  return wrong != 0;
}
