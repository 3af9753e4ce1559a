/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * What layers of integer-only networks compute, one sum at a time, in the words of the published kernels. Text goes to the
 * debugger of a bundle's example (board.h). */
#pragma once
#include "board.h"
#include <stdint.h>

static uint8_t oracle_arena[1 << 16] __attribute__((aligned(16)));
static int8_t oracle_want[1 << 16] __attribute__((aligned(4)));
static int oracle_layers, oracle_wrong;

static void put_text(const char *text) { board_call(0x04, text); }

static void put_number(uint32_t n) {
  char digits[12], *at = digits + 11;
  *at = 0;
  do
    *--at = (char)('0' + n % 10);
  while (n /= 10);
  put_text(at);
}

static int32_t saturate(int64_t v) { return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v; }
static int8_t clamp(int64_t v, int low, int high) { return (int8_t)(v < low ? low : v > high ? high : v); }

/* gemmlowp's names: SaturatingRoundingDoublingHighMul, RoundingDivideByPOT. */
static int32_t high_mul(int32_t a, int32_t b) {
  return a == INT32_MIN && b == INT32_MIN ? INT32_MAX : (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}
static int32_t divide(int32_t x, int bits) {
  int64_t mask = (1ll << bits) - 1, rest = x & mask, threshold = (mask >> 1) + (x < 0);
  return bits > 31 ? 0 : (int32_t)(((int64_t)x >> bits) + (rest > threshold));
}
static int32_t map(int64_t x, int32_t multiplier, int shift, int single) {
  if (!single)
    return divide(high_mul(saturate(shift > 0 ? x * (1ll << shift) : x), multiplier), shift < 0 ? -shift : 0);
  int bits = 31 - shift;
  int64_t p = x * multiplier;
  return saturate(bits > 62 ? 0 : bits <= 0 ? p << -bits : ((p >> (bits - 1)) + 1) >> 1);
}

/// Inputs and outputs are `parts` groups of channels.
static void oracle_parts(const int8_t *x, const int8_t *w, const int32_t *bias, const int32_t *multiplier, const int32_t *shift,
                        int parts, int batch, int height, int width, int depth, int channels, int kh, int kw, int stride, int dilation,
                        int top, int left, int rows, int columns, int depthwise, int single, int low, int high, int zero,
                        int out_zero) {
  for (int i = 0; i < batch * rows * columns * channels; ++i) {
    int o = i % channels, column = i / channels % columns, row = i / channels / columns % rows, n = i / channels / columns / rows;
    int32_t sum = bias[o];
    for (int t = 0; t < kh * kw; ++t) {
      int r = row * stride + t / kw * dilation - top, c = column * stride + t % kw * dilation - left;
      if (r < 0 || c < 0 || r >= height || c >= width)
        continue;
      const int8_t *pixel = x + ((n * height + r) * width + c) * depth;
      if (depthwise)
        sum += (pixel[o / (channels / depth)] - zero) * w[t * channels + o];
      else
        for (int d = 0; d < depth / parts; ++d)
          sum += (pixel[o / (channels / parts) * (depth / parts) + d] - zero) * w[(o * kh * kw + t) * (depth / parts) + d];
    }
    oracle_want[i] = clamp((int64_t)map(sum, multiplier[o], shift[o], single) + out_zero, low, high);
  }
}

static void oracle_conv(const int8_t *x, const int8_t *w, const int32_t *bias, const int32_t *multiplier, const int32_t *shift,
                        int batch, int height, int width, int depth, int channels, int kh, int kw, int stride, int dilation,
                        int top, int left, int rows, int columns, int depthwise, int single, int low, int high, int zero,
                        int out_zero) {
  oracle_parts(x, w, bias, multiplier, shift, 1, batch, height, width, depth, channels, kh, kw, stride, dilation, top, left, rows,
               columns, depthwise, single, low, high, zero, out_zero);
}

/* Codes of 16 bits, sums of 64, fixed<x16>. */
static __attribute__((unused)) void oracle_words(const int16_t *x, const int8_t *w, const int64_t *bias, const int32_t *multiplier,
                                                 const int32_t *shift, int batch, int height, int width, int depth, int channels,
                                                 int kh, int kw, int stride, int dilation, int top, int left, int rows,
                                                 int columns, int depthwise, int low, int high) {
  for (int i = 0; i < batch * rows * columns * channels; ++i) {
    int o = i % channels, column = i / channels % columns, row = i / channels / columns % rows, n = i / channels / columns / rows;
    int64_t sum = bias[o];
    for (int t = 0; t < kh * kw; ++t) {
      int r = row * stride + t / kw * dilation - top, c = column * stride + t % kw * dilation - left;
      if (r < 0 || c < 0 || r >= height || c >= width)
        continue;
      const int16_t *pixel = x + ((n * height + r) * width + c) * depth;
      if (depthwise)
        sum += pixel[o / (channels / depth)] * w[t * channels + o];
      else
        for (int d = 0; d < depth; ++d)
          sum += pixel[d] * w[(o * kh * kw + t) * depth + d];
    }
    int bits = 15 - shift[o];
    int64_t reduced = multiplier[o] < 0x7FFF0000 ? (multiplier[o] + (1 << 15)) >> 16 : 0x7FFF;
    int64_t code = saturate((sum * reduced + (1ll << (bits - 1))) >> bits);
    ((int16_t *)oracle_want)[i] = (int16_t)(code < low ? low : code > high ? high : code);
  }
}

/* Weights in groups of gh x gw x gc of a channel, each times a factor; fixed<x16> of sums of 48 bits. A fully connected layer has a
 * window of 1 x 1. */
static void oracle_groups(const int8_t *x, const int8_t *w, const int32_t *bias, const int32_t *multiplier, const int32_t *shift,
                          const int32_t *factors, int batch, int height, int width, int depth, int channels, int kh, int kw,
                          int stride, int dilation, int top, int left, int rows, int columns, int gh, int gw, int gc, int low,
                          int high, int zero, int out_zero) {
  int across = (kw + gw - 1) / gw, deep = (depth + gc - 1) / gc, each = (kh + gh - 1) / gh * across * deep;
  for (int i = 0; i < batch * rows * columns * channels; ++i) {
    int o = i % channels, column = i / channels % columns, row = i / channels / columns % rows, n = i / channels / columns / rows;
    int64_t sum = bias[o];
    for (int t = 0; t < kh * kw; ++t) {
      int r = row * stride + t / kw * dilation - top, c = column * stride + t % kw * dilation - left;
      if (r < 0 || c < 0 || r >= height || c >= width)
        continue;
      const int8_t *pixel = x + ((n * height + r) * width + c) * depth;
      const int32_t *factor = factors + o * each + (t / kw / gh * across + t % kw / gw) * deep;
      for (int d = 0; d < depth; ++d)
        sum += (int64_t)((pixel[d] - zero) * w[(o * kh * kw + t) * depth + d]) * factor[d / gc];
    }
    int bits = 15 - shift[o];
    int64_t reduced = multiplier[o] < 0x7FFF0000 ? (multiplier[o] + (1 << 15)) >> 16 : 0x7FFF;
    oracle_want[i] = clamp((int64_t)saturate((sum * reduced + (1ll << (bits - 1))) >> bits) + out_zero, low, high);
  }
}

static void oracle_pool(const int8_t *x, int height, int width, int channels, int kh, int kw, int stride, int top, int left,
                        int rows, int columns, int largest, int low, int high) {
  for (int i = 0; i < rows * columns * channels; ++i) {
    int o = i % channels, column = i / channels % columns, row = i / channels / columns, sum = largest ? -128 : 0, count = 0;
    for (int t = 0; t < kh * kw; ++t) {
      int r = row * stride + t / kw - top, c = column * stride + t % kw - left;
      if (r < 0 || c < 0 || r >= height || c >= width)
        continue;
      int code = x[(r * width + c) * channels + o];
      sum = !largest ? sum + code : code > sum ? code : sum;
      ++count;
    }
    oracle_want[i] = clamp(largest ? sum : sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count, low, high);
  }
}

/* Sums through a final map, windows at a border brought to `multiple` codes where that is not 0. */
static __attribute__((unused)) void oracle_mean(const int8_t *x, int height, int width, int channels, int kh, int kw,
                                                int stride, int top, int left, int rows, int columns, int multiple,
                                                int32_t multiplier, int shift, int single, int low, int high, int zero,
                                                int out_zero) {
  for (int i = 0; i < rows * columns * channels; ++i) {
    int o = i % channels, column = i / channels % columns, row = i / channels / columns, sum = 0, count = 0;
    for (int t = 0; t < kh * kw; ++t) {
      int r = row * stride + t / kw - top, c = column * stride + t % kw - left;
      if (r < 0 || c < 0 || r >= height || c >= width)
        continue;
      sum += x[(r * width + c) * channels + o] - zero;
      ++count;
    }
    oracle_want[i] =
        clamp((int64_t)map(multiple ? sum * (multiple / count) : sum, multiplier, shift, single) + out_zero, low, high);
  }
}

static void oracle_add(const int8_t *x, const int8_t *y, int count, int zero_x, int zero_y, int out_zero, int32_t mx, int32_t my,
                       int32_t m, int sx, int sy, int s, int single, int subtract, int low, int high) {
  for (int i = 0; i < count; ++i) {
    int32_t a = map((x[i] - zero_x) * (1ll << 20), mx, sx, single), b = map((y[i] - zero_y) * (1ll << 20), my, sy, single);
    oracle_want[i] = clamp((int64_t)map(subtract ? a - b : a + b, m, s, single) + out_zero, low, high);
  }
}

/* Products; of `rows` of them each is with the same factors. */
static __attribute__((unused)) void oracle_mul(const int8_t *x, const int8_t *y, int batch, int rows, int length, int zero_x,
                                               int zero_y, int out_zero, int32_t multiplier, int shift, int single, int low,
                                               int high) {
  for (int i = 0; i < batch * rows * length; ++i) {
    int factor = y[i / length / rows * length + i % length] - zero_y;
    oracle_want[i] = clamp((int64_t)map((x[i] - zero_x) * factor, multiplier, shift, single) + out_zero, low, high);
  }
}

static void oracle_conv_sum(const int8_t *x, const int8_t *y, const int8_t *w, const int32_t *bias, const int32_t *multiplier,
                            const int32_t *shift, int batch, int height, int width, int depth, int channels, int kh, int kw,
                            int stride, int dilation, int top, int left, int rows, int columns, int depthwise, int single, int low,
                            int high, int zero, int out_zero, int count, int zero_x, int zero_y, int sum_zero, int32_t mx, int32_t my,
                            int32_t m, int sx, int sy, int s, int sum_single, int subtract, int sum_low, int sum_high) {
  oracle_conv(x, w, bias, multiplier, shift, batch, height, width, depth, channels, kh, kw, stride, dilation, top, left, rows,
              columns, depthwise, single, low, high, zero, out_zero);
  oracle_add(oracle_want, y, count, zero_x, zero_y, sum_zero, mx, my, m, sx, sy, s, sum_single, subtract, sum_low, sum_high);
}

static int32_t reciprocal(int32_t a) { /* 1 / (1 + a) in Q0.31 */
  int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2), x = 1515870810 + high_mul(half, -1010580540);
  for (int step = 0; step < 3; ++step)
    x += saturate((int64_t)high_mul(x, (1 << 29) - high_mul(half, x)) * 4);
  return saturate((int64_t)x * 2);
}

static void oracle_softmax(const int8_t *x, const int32_t *terms, int rows, int length) {
  for (int row = 0; row < rows; ++row, x += length) {
    int largest = -128;
    int32_t sum = 0;
    for (int i = 0; i < length; ++i)
      largest = x[i] > largest ? x[i] : largest;
    for (int i = 0; i < length; ++i)
      sum += divide(terms[largest - x[i]], 12);
    int headroom = __builtin_clz((unsigned)sum);
    int32_t inverse = reciprocal((int32_t)(((uint32_t)sum << headroom) - (1u << 31)));
    for (int i = 0; i < length; ++i)
      oracle_want[row * length + i] = clamp((int64_t)divide(high_mul(inverse, terms[largest - x[i]]), 35 - headroom) - 128, -128, 127);
  }
}

/* The bytes behind an output must stay, the arena begins with anything. */
static void oracle_guard(int8_t *got, int count) {
  for (int i = 0; i < count + 32; ++i)
    got[i] = 0x55;
  for (unsigned i = 0; i < sizeof oracle_arena; ++i)
    oracle_arena[i] = (uint8_t)(i * 37 + 11);
}

static __attribute__((unused)) void oracle_copy(void *to, const void *from, int count) {
  for (int i = 0; i < count; ++i)
    ((int8_t *)to)[i] = ((const int8_t *)from)[i];
}

/* What lies behind so many bytes of the arena must stay. */
static __attribute__((unused)) void oracle_beyond(unsigned bytes) {
  for (unsigned i = bytes; i < sizeof oracle_arena; ++i)
    if (oracle_arena[i] != (uint8_t)(i * 37 + 11)) {
      ++oracle_wrong;
      put_text("wrong: behind the arena\n");
      return;
    }
}

static void oracle_compare(const char *name, const int8_t *got, int count) {
  int bad = 0;
  for (int i = 0; i < count; ++i)
    bad += got[i] != oracle_want[i];
  for (int i = count; i < count + 32; ++i)
    bad += got[i] != 0x55;
  ++oracle_layers;
  if (!bad)
    return;
  ++oracle_wrong;
  put_text("wrong: ");
  put_text(name);
  put_text(" ");
  put_number((uint32_t)bad);
  put_text("\n");
}

/* What is executed between these is counted by a plugin of the emulator (lib/Measure/Plugin/count.c). */
__attribute__((noinline)) void region_begin(void) { __asm__ volatile("nop" ::: "memory"); }
__attribute__((noinline)) void region_end(void) { __asm__ volatile("nop" ::: "memory"); }

/* The region before it was of `units` products or elements. */
static __attribute__((unused)) void oracle_counted(const char *name, uint32_t units) {
  put_text("layer ");
  put_text(name);
  put_text(" units ");
  put_number(units);
  put_text("\n");
}

static int oracle_result(void) {
  put_text("layers ");
  put_number((uint32_t)oracle_layers);
  put_text(" wrong ");
  put_number((uint32_t)oracle_wrong);
  put_text("\n");
  return oracle_wrong != 0;
}
