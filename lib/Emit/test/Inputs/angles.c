// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Holds firmware's sines, cosines and roots to their bounds, against this machine's doubles: angles <stride>, of all numbers each
// stride-th. Roots are exact.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int processor_divides(void) { return 1; }
int processor_multiplies_long(void) { return 1; }
int processor_counts_zeros(void) { return 1; }

uint32_t f32_sine(uint32_t), f32_cosine(uint32_t), f32_root(uint32_t);

static float number(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

// In units of the last place of the exact value.
static double error(float got, double want) {
  if (isnan(want))
    return isnan(got) ? 0 : INFINITY;
  if ((double)got == want)
    return 0;
  int exponent;
  frexp(want, &exponent);
  return fabs((double)got - want) / ldexp(1, exponent > -125 ? exponent - 24 : -149);
}

int main(int argc, char **argv) {
  uint64_t stride = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
  double worst[3] = {0};
  uint32_t where[3] = {0};
  for (uint64_t i = 0; i < 1ull << 32; i += stride) {
    uint32_t bits = (uint32_t)i;
    float x = number(bits);
    float root = number(f32_root(bits)), exact = sqrtf(x);
    double errors[3] = {error(number(f32_sine(bits)), sin(x)), error(number(f32_cosine(bits)), cos(x)),
                        root == exact || (isnan(root) && isnan(exact)) ? 0 : 1};
    for (int k = 0; k < 3; ++k)
      if (!(errors[k] <= worst[k])) {
        worst[k] = errors[k];
        where[k] = bits;
      }
  }
  printf("sine %.4f at %a, cosine %.4f at %a, root %.4f at %a\n", worst[0], number(where[0]), worst[1], number(where[1]), worst[2], number(where[2]));
  return !(worst[0] <= 0.52 && worst[1] <= 0.52 && worst[2] == 0);
}
