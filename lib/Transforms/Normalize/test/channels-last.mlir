// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-channels-last | FileCheck %s
// RUN: quant-opt %s --qtensor-channels-last | qtensor-compare %s -

// CHECK-LABEL: @conv
// CHECK: %[[X:.+]] = linalg.transpose ins(%{{.+}} : tensor<?x3x8x9xf32>) {{.*}} permutation = [0, 2, 3, 1]
// CHECK: %[[W:.+]] = linalg.transpose ins(%{{.+}} : tensor<4x3x3x2xf32>) {{.*}} permutation = [0, 2, 3, 1]
// CHECK: %[[Y:.+]] = linalg.conv_2d_nhwc_fhwc {{.*}} ins(%[[X]], %[[W]] : tensor<?x8x9x3xf32>, tensor<4x3x2x3xf32>)
// CHECK-SAME: -> tensor<?x3x8x4xf32>
// CHECK: linalg.transpose ins(%[[Y]] : {{.*}} permutation = [0, 3, 1, 2]
func.func @conv(%x: tensor<?x3x8x9xf32>) -> tensor<?x4x3x8xf32> {
  %w = arith.constant dense<0.5> : tensor<4x3x3x2xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x3x8x9xf32>
  %empty = tensor.empty(%n) : tensor<?x4x3x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x4x3x8xf32>) -> tensor<?x4x3x8xf32>
  %y = linalg.conv_2d_nchw_fchw {strides = dense<[2, 1]> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<?x3x8x9xf32>, tensor<4x3x3x2xf32>) outs(%init : tensor<?x4x3x8xf32>) -> tensor<?x4x3x8xf32>
  return %y : tensor<?x4x3x8xf32>
}

// A filter that is no constant is not moved.
// CHECK-LABEL: @conv_of_two_inputs
// CHECK-SAME: %[[W:[a-z0-9]+]]: tensor<4x3x3x3xf32>
// CHECK: linalg.generic {{.*}} ins(%{{.+}}, %[[W]] : tensor<1x8x8x3xf32>, tensor<4x3x3x3xf32>)
func.func @conv_of_two_inputs(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x4x6x6xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  %y = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) outs(%init : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  return %y : tensor<1x4x6x6xf32>
}

// CHECK-LABEL: @depthwise
// CHECK: linalg.transpose ins(%{{.+}} : tensor<6x3x3xf32>) {{.*}} permutation = [1, 2, 0]
// CHECK: linalg.depthwise_conv_2d_nhwc_hwc {{.*}} : tensor<1x8x8x6xf32>, tensor<3x3x6xf32>)
func.func @depthwise(%x: tensor<1x6x8x8xf32>) -> tensor<1x6x6x6xf32> {
  %w = arith.constant dense<0.5> : tensor<6x3x3xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x6x6x6xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x6x6x6xf32>) -> tensor<1x6x6x6xf32>
  %y = linalg.depthwise_conv_2d_nchw_chw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x6x8x8xf32>, tensor<6x3x3xf32>) outs(%init : tensor<1x6x6x6xf32>) -> tensor<1x6x6x6xf32>
  return %y : tensor<1x6x6x6xf32>
}

// CHECK-LABEL: @grouped
// CHECK: linalg.conv_2d_nhwgc_gfhwc {{.*}} : tensor<1x8x8x2x3xf32>, tensor<2x4x3x3x3xf32>)
func.func @grouped(%x: tensor<1x2x3x8x8xf32>) -> tensor<1x2x4x6x6xf32> {
  %w = arith.constant dense<0.5> : tensor<2x4x3x3x3xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2x4x6x6xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2x4x6x6xf32>) -> tensor<1x2x4x6x6xf32>
  %y = linalg.conv_2d_ngchw_gfchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x2x3x8x8xf32>, tensor<2x4x3x3x3xf32>) outs(%init : tensor<1x2x4x6x6xf32>)
      -> tensor<1x2x4x6x6xf32>
  return %y : tensor<1x2x4x6x6xf32>
}

// One image dimension (upstream has no named op with a filter per row), and pooling as a generic.
// CHECK-LABEL: @one_dimension
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{.+}}, %{{.+}} : tensor<1x8x3xf32>, tensor<4x3x3xf32>) outs(%{{.+}} : tensor<1x6x4xf32>)
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{.+}}, %{{.+}} : tensor<1x6x4xf32>, tensor<2xf32>) outs(%{{.+}} : tensor<1x3x4xf32>)
func.func @one_dimension(%x: tensor<1x3x8xf32>) -> tensor<1x4x3xf32> {
  %w = arith.constant dense<0.5> : tensor<4x3x3xf32>
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %empty = tensor.empty() : tensor<1x4x6xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  %y = linalg.conv_1d_ncw_fcw {strides = dense<1> : tensor<1xi64>, dilations = dense<1> : tensor<1xi64>}
      ins(%x, %w : tensor<1x3x8xf32>, tensor<4x3x3xf32>) outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  %window = tensor.empty() : tensor<2xf32>
  %empty2 = tensor.empty() : tensor<1x4x3xf32>
  %init2 = linalg.fill ins(%low : f32) outs(%empty2 : tensor<1x4x3xf32>) -> tensor<1x4x3xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(n, c, o, k) -> (n, c, o * 2 + k)>, affine_map<(n, c, o, k) -> (k)>,
                                        affine_map<(n, c, o, k) -> (n, c, o)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%y, %window : tensor<1x4x6xf32>, tensor<2xf32>) outs(%init2 : tensor<1x4x3xf32>) {
  ^bb0(%a: f32, %k: f32, %acc: f32):
    %m = arith.maximumf %acc, %a : f32
    linalg.yield %m : f32
  } -> tensor<1x4x3xf32>
  return %p : tensor<1x4x3xf32>
}

// CHECK-LABEL: @already
// CHECK-NOT: linalg.transpose
func.func @already(%x: tensor<1x8x8x3xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x6x6x4xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x6x6x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  %y = linalg.conv_2d_nhwc_fhwc {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x8x8x3xf32>, tensor<4x3x3x3xf32>) outs(%init : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  return %y : tensor<1x6x6x4xf32>
}
