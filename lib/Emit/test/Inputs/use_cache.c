// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// use_cache <weights> <bound>: fills the cache token by token, compares every step with attention in double over all keys
// and values so far, then writes past the end.
#include "cache.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { H = 4, G = 2, T = 70, D = 32 };

static float keys[T][G][D], values[T][G][D];
static char message[256];

static void keep(void *user, const char *text) {
  (void)user;
  snprintf(message, sizeof message, "%s", text);
}

static float number(int t, int g, int d, int seed) {
  unsigned x = (unsigned)(t * 7919 + g * 104729 + d * 1299709 + seed * 15485863);
  x ^= x >> 13;
  x *= 2654435761u;
  return (float)((x >> 8) % 2001) / 1000 - 1;
}

/// The largest difference from the exact result over the keys and values of tokens 0 to `last`.
static double compare(const float *q, const float *y, int last) {
  double worst = 0;
  for (int h = 0; h < H; ++h) {
    double weights[T], top = -INFINITY, total = 0;
    for (int t = 0; t <= last; ++t) {
      weights[t] = 0;
      for (int d = 0; d < D; ++d)
        weights[t] += (double)q[h * D + d] * keys[t][h / (H / G)][d];
      weights[t] /= sqrt(D);
      top = fmax(top, weights[t]);
    }
    for (int t = 0; t <= last; ++t)
      total += weights[t] = exp(weights[t] - top);
    for (int d = 0; d < D; ++d) {
      double sum = 0;
      for (int t = 0; t <= last; ++t)
        sum += weights[t] / total * values[t][h / (H / G)][d];
      worst = fmax(worst, fabs(sum - y[h * D + d]));
    }
  }
  return worst;
}

int main(int argc, char **argv) {
  qt_weights weights = {argc > 1 ? argv[1] : NULL, NULL, 0};
  qt_options options = {0};
  options.report = keep;
  cache_handle *handle = NULL;
  if (cache_open(&weights, &options, &handle) != QT_OK)
    return 1;
  static float q[H * D], y[H * D];
  qt_tensor in[3] = {{q, QT_F32, 4, {1, H, 1, D}}, {NULL, QT_F32, 4, {1, G, 1, D}}, {NULL, QT_F32, 4, {1, G, 1, D}}};
  qt_tensor out = {y, QT_F32, 4, {1, H, 1, D}};
  in[1].data = keys[0], in[2].data = values[0];
  size_t bytes = 0;
  cache_shapes(handle, in, NULL, &bytes);
  void *scratch = aligned_alloc(64, (bytes + 64) / 64 * 64);
  size_t state_bytes = cache_state_size(handle);
  void *state = aligned_alloc(64, (state_bytes + 63) / 64 * 64);
  cache_state_init(handle, state);
  double worst = 0;
  for (int t = 0; t < T; ++t) {
    for (int g = 0; g < G; ++g)
      for (int d = 0; d < D; ++d)
        keys[t][g][d] = number(t, g, d, 1), values[t][g][d] = number(t, g, d, 2);
    for (int i = 0; i < H * D; ++i)
      q[i] = 2 * number(t, i / D, i % D, 3);
    in[1].data = keys[t], in[2].data = values[t];
    if (cache_run(handle, state, in, &out, scratch) != QT_OK) {
      printf("step %d: %s\n", t, message);
      return 1;
    }
    worst = fmax(worst, compare(q, y, t));
  }
  printf("%zu bytes, largest difference %.6f\n", state_bytes, worst);
  int status = cache_run(handle, state, in, &out, scratch);
  printf("past the end: %d, %s\n", status != QT_OK, message);
  cache_state_init(handle, state);
  printf("again: %d\n", cache_run(handle, state, in, &out, scratch) == QT_OK);
  if (worst > atof(argv[2]))
    printf("FAIL: more than %s\n", argv[2]);
  cache_close(handle);
  free(state);
  free(scratch);
  return 0;
}
