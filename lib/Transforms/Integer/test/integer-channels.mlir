// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions in groups of channels, whose weights have a scale for each filter of each group.
// RUN: quant-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}),canonicalize)' | FileCheck %s
// RUN: quant-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}))' 2>&1 >/dev/null | FileCheck %s --check-prefix=WARN

#x = #qtensor.block<int8, [?, ?, ?, ?, ?], scale = 0.5, zero = -3.0>
#w = #qtensor.block<int8, [1, 1, ?, ?, ?], scale = f32>
#y = #qtensor.block<int8, [?, ?, ?, ?], scale = 0.25, zero = -128.0>
#g = #qtensor.block<int8, [?, ?, ?, ?, ?], scale = 0.25, zero = -128.0>

// The scales follow the channels that the groups are collapsed to; a bias is added there.
// 0.5 * {1, 2, 4, 8} / 0.25 = {2, 4, 8, 16}, and {2, 4, 8, 32} / (0.5 * {1, 2, 4, 8}) = {4, 4, 4, 8}.
// CHECK-LABEL: func.func @collapsed
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[4, 4, 4, 8]> : tensor<4xi32>
// CHECK-DAG: %[[M:.*]] = arith.constant dense<1073741824> : tensor<4xi32>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<[2, 3, 4, 5]> : tensor<4xi32>
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<1x2x2x2x3xi8>, tensor<2x2x1x1x3xi8>) outs(%{{.*}} : tensor<1x2x2x2x2xi32>)
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[SUM]] {{\[\[}}0], [1], [2], [3, 4]] : tensor<1x2x2x2x2xi32> into tensor<1x2x2x4xi32>
// CHECK: %[[T:.*]] = linalg.generic {{.*}} ins(%[[C]], %[[B]] : tensor<1x2x2x4xi32>, tensor<4xi32>)
// CHECK: qtensor.requantize %[[T]] multiplier(%[[M]] : tensor<4xi32>) shift(%[[S]] : tensor<4xi32>) axis 3 <fixed<double>>
// WARN-NOT: stays real
func.func @collapsed(%x: tensor<1x2x2x2x3xf32, #x>) -> tensor<1x2x2x4xf32, #y> {
  %codes = arith.constant dense<7> : tensor<2x2x1x1x3xi8>
  %scales = arith.constant dense<[[[[[1.0]]], [[[2.0]]]], [[[[4.0]]], [[[8.0]]]]]> : tensor<2x2x1x1x1xf32>
  %w = qtensor.assemble %codes, %scales : tensor<2x2x1x1x3xi8>, tensor<2x2x1x1x1xf32> -> tensor<2x2x1x1x3xf32, #w>
  %bias = arith.constant dense<[2.0, 4.0, 8.0, 32.0]> : tensor<4xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2x2x2x2xf32>
  %o = tensor.empty() : tensor<1x2x2x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x2x2x2xf32>) -> tensor<1x2x2x2x2xf32>
  %acc = linalg.conv_2d_nhwgc_gfhwc {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<1x2x2x2x3xf32, #x>, tensor<2x2x1x1x3xf32, #w>) outs(%init : tensor<1x2x2x2x2xf32>) -> tensor<1x2x2x2x2xf32>
  %c = tensor.collapse_shape %acc [[0], [1], [2], [3, 4]] : tensor<1x2x2x2x2xf32> into tensor<1x2x2x4xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(n, h, w, c) -> (n, h, w, c)>, affine_map<(n, h, w, c) -> (c)>,
                                        affine_map<(n, h, w, c) -> (n, h, w, c)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%c, %bias : tensor<1x2x2x4xf32>, tensor<4xf32>) outs(%o : tensor<1x2x2x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x2x2x4xf32>
  %q = qtensor.quantize %r : tensor<1x2x2x4xf32> -> tensor<1x2x2x4xf32, #y>
  return %q : tensor<1x2x2x4xf32, #y>
}

// -----

// Rounded while the groups are apart (a channel shuffle reads them so): the map is of the channels, whose codes are taken
// apart again.
#x = #qtensor.block<int8, [?, ?, ?, ?, ?], scale = 0.5, zero = -3.0>
#w = #qtensor.block<int8, [1, 1, ?, ?, ?], scale = f32>
#g = #qtensor.block<int8, [?, ?, ?, ?, ?], scale = 0.25, zero = -128.0>
// CHECK-LABEL: func.func @apart
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x2x2x2x2xi32>)
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[SUM]]
// CHECK: %[[Q:.*]] = qtensor.requantize %[[C]] {{.*}} axis 3 <fixed<double>>
// CHECK: %[[K:.*]] = qtensor.component %[[Q]] "codes" : tensor<1x2x2x4xf32, #{{.*}}> -> tensor<1x2x2x4xi8>
// CHECK: %[[E:.*]] = tensor.expand_shape %[[K]] {{.*}} into tensor<1x2x2x2x2xi8>
// CHECK: qtensor.assemble %[[E]]
// WARN-NOT: stays real
func.func @apart(%x: tensor<1x2x2x2x3xf32, #x>) -> tensor<1x2x2x2x2xf32, #g> {
  %codes = arith.constant dense<7> : tensor<2x2x1x1x3xi8>
  %scales = arith.constant dense<[[[[[1.0]]], [[[2.0]]]], [[[[4.0]]], [[[8.0]]]]]> : tensor<2x2x1x1x1xf32>
  %w = qtensor.assemble %codes, %scales : tensor<2x2x1x1x3xi8>, tensor<2x2x1x1x1xf32> -> tensor<2x2x1x1x3xf32, #w>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2x2x2x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x2x2x2xf32>) -> tensor<1x2x2x2x2xf32>
  %acc = linalg.conv_2d_nhwgc_gfhwc {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<1x2x2x2x3xf32, #x>, tensor<2x2x1x1x3xf32, #w>) outs(%init : tensor<1x2x2x2x2xf32>) -> tensor<1x2x2x2x2xf32>
  %q = qtensor.quantize %acc : tensor<1x2x2x2x2xf32> -> tensor<1x2x2x2x2xf32, #g>
  return %q : tensor<1x2x2x2x2xf32, #g>
}

// -----

// A collapse that mixes channels with columns leaves the layer real, with a warning.
#x = #qtensor.block<int8, [?, ?, ?, ?, ?], scale = 0.5, zero = -3.0>
#w = #qtensor.block<int8, [1, 1, ?, ?, ?], scale = f32>
#y = #qtensor.block<int8, [?, ?, ?], scale = 0.25, zero = -128.0>
// CHECK-LABEL: func.func @mixed
// CHECK: qtensor.quantize
// WARN: 'qtensor.quantize' op stays real arithmetic between codes
func.func @mixed(%x: tensor<1x2x2x2x3xf32, #x>) -> tensor<1x2x8xf32, #y> {
  %codes = arith.constant dense<7> : tensor<2x2x1x1x3xi8>
  %scales = arith.constant dense<[[[[[1.0]]], [[[2.0]]]], [[[[4.0]]], [[[8.0]]]]]> : tensor<2x2x1x1x1xf32>
  %w = qtensor.assemble %codes, %scales : tensor<2x2x1x1x3xi8>, tensor<2x2x1x1x1xf32> -> tensor<2x2x1x1x3xf32, #w>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2x2x2x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x2x2x2xf32>) -> tensor<1x2x2x2x2xf32>
  %acc = linalg.conv_2d_nhwgc_gfhwc {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<1x2x2x2x3xf32, #x>, tensor<2x2x1x1x3xf32, #w>) outs(%init : tensor<1x2x2x2x2xf32>) -> tensor<1x2x2x2x2xf32>
  %c = tensor.collapse_shape %acc [[0], [1], [2, 3, 4]] : tensor<1x2x2x2x2xf32> into tensor<1x2x8xf32>
  %q = qtensor.quantize %c : tensor<1x2x8xf32> -> tensor<1x2x8xf32, #y>
  return %q : tensor<1x2x8xf32, #y>
}
