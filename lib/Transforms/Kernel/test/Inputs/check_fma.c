// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compares a compiled a * b + c, at the processor level given, with fmaf of the C library in every bit: random bit
// patterns, sums that lie next to the midpoint of two f32, cancellation, and subnormal results.
#include "fma.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 1 << 20, SCRATCH = 1 << 24 };

static float a[COUNT], b[COUNT], c[COUNT], y[COUNT];
static uint64_t state = 20261122;

static uint32_t next(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 32);
}

static float any(void) {
  uint32_t bits = next();
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static float sign(void) { return next() % 2 ? 1.0f : -1.0f; }

static float fraction(void) { return 1 + (float)(next() >> 9) * 0x1p-23f; }

static void make(int kind, int i) {
  int exponent = (int)(next() % 200) - 100, k = 1 + (int)(next() % 23);
  a[i] = any();
  b[i] = any();
  c[i] = any();
  if (kind == 1) { // c plus half its last place, plus or minus as little as 2^-46 of that
    c[i] = sign() * ldexpf(fraction(), exponent);
    a[i] = sign() * ldexpf(1 - ldexpf(1, -k), exponent - 24);
    b[i] = 1 + sign() * ldexpf(1, -k);
  } else if (kind == 2) { // cancellation: what the product loses in f32
    a[i] = sign() * ldexpf(fraction(), exponent / 2);
    b[i] = ldexpf(fraction(), exponent / 3);
    c[i] = -a[i] * b[i];
  } else if (kind == 3) { // subnormal results
    a[i] = sign() * ldexpf(fraction(), -60 - (int)(next() % 20));
    b[i] = ldexpf(fraction(), -70 - (int)(next() % 25));
    c[i] = sign() * ldexpf(fraction(), -126 - (int)(next() % 24));
  } else if (kind == 4) { // numbers as kernels meet them
    a[i] = (float)(int)(next() % 200001) - 100000;
    b[i] = sign() * fraction() * 0x1p-9f;
    c[i] = sign() * ldexpf(fraction(), (int)(next() % 12));
  }
}

int main(int argc, char **argv) {
  qt_options options = {.level = argc > 2 ? argv[2] : NULL};
  qt_weights weights = {.path = argc > 1 ? argv[1] : NULL};
  fma_handle *handle;
  if (fma_open(&weights, &options, &handle) != QT_OK)
    return puts("not opened"), 1;
  qt_tensor in[] = {{a, QT_F32, 1, {COUNT}}, {b, QT_F32, 1, {COUNT}}, {c, QT_F32, 1, {COUNT}}}, out[1];
  size_t bytes;
  if (fma_shapes(handle, in, out, &bytes) != QT_OK || bytes > SCRATCH)
    return puts("no shapes"), 1;
  out[0].data = y;
  void *scratch = aligned_alloc(64, SCRATCH);
  long wrong = 0, twice = 0;
  for (int kind = 0; kind < 5; ++kind) {
    for (int i = 0; i < COUNT; ++i)
      make(kind, i);
    if (fma_run(handle, NULL, in, out, scratch) != QT_OK)
      return puts("not run"), 1;
    for (int i = 0; i < COUNT; ++i) {
      float one = fmaf(a[i], b[i], c[i]), two = (float)((double)a[i] * b[i] + c[i]);
      int same = memcmp(&one, &y[i], sizeof one) == 0 || (isnan(one) && isnan(y[i]));
      twice += memcmp(&one, &two, sizeof one) != 0 && !isnan(one);
      if (!same && wrong++ < 5)
        printf("%a * %a + %a = %a, not %a\n", a[i], b[i], c[i], one, y[i]);
    }
  }
  printf("%ld sums are wrong where f64 is rounded twice\n%ld differ\n", twice, wrong);
  fma_close(handle);
  free(scratch);
  return wrong != 0;
}
