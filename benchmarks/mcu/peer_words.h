/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Layers with codes of 16 bits by the functions that CMSIS-NN has for them (peer.h: those of 8 bits). */
#pragma once
#include "peer.h"

static void peer_words(const int16_t *x, const int8_t *w, const int64_t *bias, const int32_t *multiplier, const int32_t *shift,
                       int batch, int height, int width, int depth, int channels, int kh, int kw, int stride, int dilation,
                       int top, int left, int rows, int columns, int depthwise, int low, int high, int bits, void *y) {
  (void)bits;
  cmsis_nn_dims in = {batch, height, width, depth}, out = {batch, rows, columns, channels}, biases = {1, 1, 1, channels};
  cmsis_nn_per_channel_quant_params map = {(int32_t *)multiplier, (int32_t *)shift};
  cmsis_nn_context room = {peer_scratch, sizeof peer_scratch};
  if (height * width * kh * kw == 1) {
    cmsis_nn_dims filter = {depth, 1, 1, channels};
    cmsis_nn_fc_params how = {.activation = {low, high}};
    cmsis_nn_per_tensor_quant_params one = {multiplier[0], shift[0]};
    region_begin();
    arm_fully_connected_s16(&room, &how, &one, &in, x, &filter, w, &biases, bias, &out, y);
    region_end();
    return;
  }
  if (depthwise) {
    cmsis_nn_dims filter = {1, kh, kw, channels};
    cmsis_nn_dw_conv_params how = {.ch_mult = channels / depth, .stride = {stride, stride}, .padding = {left, top},
                                   .dilation = {dilation, dilation}, .activation = {low, high}};
    region_begin();
    arm_depthwise_conv_wrapper_s16(&room, &how, &map, &in, x, &filter, w, &biases, bias, &out, y);
    region_end();
    return;
  }
  cmsis_nn_dims filter = {channels, kh, kw, depth};
  cmsis_nn_conv_params how = {.stride = {stride, stride}, .padding = {left, top}, .dilation = {dilation, dilation},
                              .activation = {low, high}};
  cmsis_nn_bias_data wide = {bias, false};
  region_begin();
  arm_convolve_wrapper_s16(&room, &how, &map, &in, x, &filter, w, &biases, &wide, &out, y);
  region_end();
}
