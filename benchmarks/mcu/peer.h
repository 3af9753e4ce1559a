/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * The layers of test/firmware/Inputs/layers.py by the functions that CMSIS-NN has and muRISCV-NN has under the same names. Only
 * their own work lies in the counted regions: what they want computed once beforehand is done outside. */
#pragma once
#include "arm_nnfunctions.h"

static uint8_t peer_scratch[48 * 1024] __attribute__((aligned(16)));
static int8_t peer_digits[64 * 1024] __attribute__((aligned(16)));
static int32_t peer_sums[1024];

/* Two weights in a byte, the first in the low half. */
static const int8_t *peer_pack(const int8_t *weights, int count) {
  for (int i = 0; i < count; i += 2)
    peer_digits[i / 2] = (int8_t)((weights[i] & 15) | (uint32_t)(i + 1 < count ? weights[i + 1] : 0) << 4);
  return peer_digits;
}

static void peer_product(const int8_t *x, const int8_t *w, const int32_t *bias, const int32_t *multiplier, const int32_t *shift,
                         int depth, int channels, int low, int high, int zero, int out_zero, int bits, int8_t *y) {
  cmsis_nn_dims in = {1, 1, 1, depth}, filter = {depth, 1, 1, channels}, biases = {1, 1, 1, channels}, out = {1, 1, 1, channels};
  cmsis_nn_fc_params how = {.input_offset = -zero, .filter_offset = 0, .output_offset = out_zero, .activation = {low, high}};
  cmsis_nn_per_tensor_quant_params map = {multiplier[0], shift[0]};
  cmsis_nn_context room = {peer_sums, sizeof peer_sums};
  if (bits == 4) {
    const int8_t *packed = peer_pack(w, depth * channels);
    region_begin();
    arm_fully_connected_s4(&room, &how, &map, &in, x, &filter, packed, &biases, bias, &out, y);
    region_end();
    return;
  }
  if (arm_fully_connected_s8_get_buffer_size(&filter))
    arm_vector_sum_s8(peer_sums, depth, channels, w, -zero, 0, bias);
  region_begin();
  arm_fully_connected_s8(&room, &how, &map, &in, x, &filter, w, &biases, bias, &out, y);
  region_end();
}

static void peer_conv(const int8_t *x, const int8_t *w, const int32_t *bias, const int32_t *multiplier, const int32_t *shift,
                      int batch, int height, int width, int depth, int channels, int kh, int kw, int stride, int dilation,
                      int top, int left, int rows, int columns, int depthwise, int single, int low, int high, int zero,
                      int out_zero, int bits, int8_t *y) {
  (void)single;
  if (height * width * kh * kw == 1) {
    peer_product(x, w, bias, multiplier, shift, depth, channels, low, high, zero, out_zero, bits, y);
    return;
  }
  cmsis_nn_dims in = {batch, height, width, depth}, out = {batch, rows, columns, channels}, biases = {1, 1, 1, channels};
  cmsis_nn_per_channel_quant_params map = {(int32_t *)multiplier, (int32_t *)shift};
  cmsis_nn_context room = {peer_scratch, sizeof peer_scratch};
  if (depthwise) {
    cmsis_nn_dims filter = {1, kh, kw, channels};
    cmsis_nn_dw_conv_params how = {.input_offset = -zero, .output_offset = out_zero, .ch_mult = channels / depth,
                                   .stride = {stride, stride}, .padding = {left, top}, .dilation = {dilation, dilation},
                                   .activation = {low, high}};
    region_begin();
    arm_depthwise_conv_wrapper_s8(&room, &how, &map, &in, x, &filter, w, &biases, bias, &out, y);
    region_end();
    return;
  }
  cmsis_nn_dims filter = {channels, kh, kw, depth};
  cmsis_nn_conv_params how = {.input_offset = -zero, .output_offset = out_zero, .stride = {stride, stride},
                              .padding = {left, top}, .dilation = {dilation, dilation}, .activation = {low, high}};
  region_begin();
  arm_convolve_wrapper_s8(&room, &how, &map, &in, x, &filter, w, &biases, bias, &out, y);
  region_end();
}

static void peer_pool(const int8_t *x, int height, int width, int channels, int kh, int kw, int stride, int top, int left,
                      int rows, int columns, int max, int low, int high, int bits, int8_t *y) {
  (void)bits;
  cmsis_nn_dims in = {1, height, width, channels}, filter = {1, kh, kw, 1}, out = {1, rows, columns, channels};
  cmsis_nn_pool_params how = {.stride = {stride, stride}, .padding = {left, top}, .activation = {low, high}};
  cmsis_nn_context room = {peer_scratch, sizeof peer_scratch};
  region_begin();
  if (max)
    arm_max_pool_s8(&room, &how, &in, x, &filter, &out, y);
  else
    arm_avgpool_s8(&room, &how, &in, x, &filter, &out, y);
  region_end();
}

static void peer_add(const int8_t *x, const int8_t *y, int count, int zero_x, int zero_y, int out_zero, int32_t mx, int32_t my,
                     int32_t m, int sx, int sy, int s, int single, int subtract, int low, int high, int bits, int8_t *out) {
  (void)single, (void)subtract, (void)bits;
  region_begin();
  arm_elementwise_add_s8(x, y, -zero_x, mx, sx, -zero_y, my, sy, 20, out, out_zero, m, s, low, high, count);
  region_end();
}

/* Codes are sixteenths: what the terms of layers.py are made for. */
static void peer_softmax(const int8_t *x, const int32_t *terms, int rows, int length, int bits, int8_t *y) {
  (void)terms, (void)bits;
  region_begin();
  arm_softmax_s8(x, rows, length, 1 << 30, 23, -248, y);
  region_end();
}
