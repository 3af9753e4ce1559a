// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-fold-scale --qtensor-evaluate-constants | FileCheck %s
// RUN: quant-opt %s --qtensor-fold-scale | qtensor-compare %s -
// RUN: quant-opt %s --qtensor-fold-scale --qtensor-evaluate-constants | qtensor-compare %s -

#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c = affine_map<(n, h, w, c) -> (c)>

// A bias, then a batch normalisation with its root: new weights and one addition are left.
// CHECK-LABEL: @batch_norm
// CHECK-DAG: %[[W:.+]] = arith.constant dense<{{.*}}[1.000000e+00]{{.*}}[-5.000000e-01]{{.*}}> : tensor<2x1x1x1xf32>
// CHECK-DAG: %[[T:.+]] = arith.constant dense<[7.500000e+00, 4.000000e+00]> : tensor<2xf32>
// CHECK: %[[Y:.+]] = linalg.conv_2d_nhwc_fhwc {{.*}} ins(%{{.+}}, %[[W]] :
// CHECK-NEXT: linalg.generic {{.*}} ins(%[[Y]], %[[T]] :
// CHECK-NEXT: bb0
// CHECK-NEXT: arith.addf
// CHECK-NEXT: linalg.yield
// CHECK-NEXT: }
// CHECK-NEXT: return
func.func @batch_norm(%x: tensor<1x3x3x1xf32>) -> tensor<1x3x3x2xf32> {
  %w = arith.constant dense<[[[[2.0]]], [[[4.0]]]]> : tensor<2x1x1x1xf32>
  %bias = arith.constant dense<[16.0, -4.0]> : tensor<2xf32>
  %mean = arith.constant dense<[1.0, 4.0]> : tensor<2xf32>
  %variance = arith.constant dense<[3.75, 15.75]> : tensor<2xf32>
  %gamma = arith.constant dense<[1.0, -0.5]> : tensor<2xf32>
  %beta = arith.constant dense<[0.0, 3.0]> : tensor<2xf32>
  %epsilon = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<1x3x3x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%0 : tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32>
  %y = linalg.conv_2d_nhwc_fhwc {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x3x3x1xf32>, tensor<2x1x1x1xf32>) outs(%init : tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32>
  %b = linalg.generic {indexing_maps = [#id, #c, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y, %bias : tensor<1x3x3x2xf32>, tensor<2xf32>) outs(%0 : tensor<1x3x3x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x3x3x2xf32>
  %z = linalg.generic {indexing_maps = [#id, #c, #c, #c, #c, #id],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%b, %mean, %variance, %gamma, %beta : tensor<1x3x3x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>)
      outs(%0 : tensor<1x3x3x2xf32>) {
  ^bb0(%a: f32, %m: f32, %v: f32, %g: f32, %t: f32, %o: f32):
    %centred = arith.subf %a, %m : f32
    %shifted = arith.addf %v, %epsilon : f32
    %root = math.sqrt %shifted : f32
    %normal = arith.divf %centred, %root : f32
    %scaled = arith.mulf %g, %normal : f32
    %result = arith.addf %scaled, %t : f32
    linalg.yield %result : f32
  } -> tensor<1x3x3x2xf32>
  return %z : tensor<1x3x3x2xf32>
}

// A scalar factor behind a matrix product leaves nothing behind.
// CHECK-LABEL: @layer_scale
// CHECK-DAG: arith.constant dense<{{.*}}[5.000000e-01, 1.000000e+00]{{.*}}> : tensor<2x2xf32>
// CHECK: %[[Y:.+]] = linalg.matmul
// CHECK-NEXT: return %[[Y]]
func.func @layer_scale(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %half = arith.constant 0.5 : f32
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<3x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%0 : tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x2xf32>, tensor<2x2xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  %z = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<3x2xf32>) outs(%0 : tensor<3x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.mulf %a, %half : f32
    linalg.yield %s : f32
  } -> tensor<3x2xf32>
  return %z : tensor<3x2xf32>
}

// Groups of a convolution: its channels are collapsed before they are scaled. Weights take their channel's scale, shifts stay
// behind the collapse.
// CHECK-LABEL: @grouped
// CHECK-DAG: %[[W:.+]] = arith.constant dense<{{.*}}1.000000e+00{{.*}}4.000000e+00{{.*}}9.000000e+00{{.*}}1.600000e+01{{.*}}> : tensor<2x2x1x1x1xf32>
// CHECK-DAG: %[[T:.+]] = arith.constant dense<[5.000000e+00, 6.000000e+00, 7.000000e+00, 8.000000e+00]> : tensor<4xf32>
// CHECK: %[[Y:.+]] = linalg.conv_2d_nhwgc_gfhwc {{.*}} ins(%{{.+}}, %[[W]] :
// CHECK: %[[C:.+]] = tensor.collapse_shape %[[Y]]
// CHECK: linalg.generic {{.*}} ins(%[[C]], %[[T]] : tensor<1x3x3x4xf32>, tensor<4xf32>)
// CHECK-NOT: arith.mulf
// CHECK: arith.addf
func.func @grouped(%x: tensor<1x3x3x2x1xf32>) -> tensor<1x3x3x4xf32> {
  %w = arith.constant dense<[[[[[1.0]]], [[[2.0]]]], [[[[3.0]]], [[[4.0]]]]]> : tensor<2x2x1x1x1xf32>
  %scale = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %shift = arith.constant dense<[5.0, 6.0, 7.0, 8.0]> : tensor<4xf32>
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<1x3x3x2x2xf32>
  %1 = tensor.empty() : tensor<1x3x3x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%0 : tensor<1x3x3x2x2xf32>) -> tensor<1x3x3x2x2xf32>
  %y = linalg.conv_2d_nhwgc_gfhwc {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<1x3x3x2x1xf32>, tensor<2x2x1x1x1xf32>) outs(%init : tensor<1x3x3x2x2xf32>) -> tensor<1x3x3x2x2xf32>
  %c = tensor.collapse_shape %y [[0], [1], [2], [3, 4]] : tensor<1x3x3x2x2xf32> into tensor<1x3x3x4xf32>
  %z = linalg.generic {indexing_maps = [affine_map<(n, h, w, c) -> (n, h, w, c)>, affine_map<(n, h, w, c) -> (c)>,
                                        affine_map<(n, h, w, c) -> (c)>, affine_map<(n, h, w, c) -> (n, h, w, c)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%c, %scale, %shift : tensor<1x3x3x4xf32>, tensor<4xf32>, tensor<4xf32>) outs(%1 : tensor<1x3x3x4xf32>) {
  ^bb0(%a: f32, %s: f32, %t: f32, %o: f32):
    %m = arith.mulf %a, %s : f32
    %r = arith.addf %m, %t : f32
    linalg.yield %r : f32
  } -> tensor<1x3x3x4xf32>
  return %z : tensor<1x3x3x4xf32>
}

// Not folded: a scale along the rows, an activation, a result that something else reads too.
// CHECK-LABEL: @others
// CHECK: arith.mulf
// CHECK: arith.maximumf
// CHECK: arith.mulf
func.func @others(%x: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x2xf32>) {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %rows = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %0 = tensor.empty() : tensor<3x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%0 : tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x2xf32>, tensor<2x2xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  %z = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%y, %rows : tensor<3x2xf32>, tensor<3xf32>) outs(%0 : tensor<3x2xf32>) {
  ^bb0(%a: f32, %r: f32, %o: f32):
    %s = arith.mulf %a, %r : f32
    linalg.yield %s : f32
  } -> tensor<3x2xf32>
  %y2 = linalg.matmul ins(%x, %w : tensor<3x2xf32>, tensor<2x2xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  %z2 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
                        iterator_types = ["parallel", "parallel"]}
      ins(%y2 : tensor<3x2xf32>) outs(%0 : tensor<3x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %a, %zero : f32
    %s = arith.mulf %r, %half : f32
    linalg.yield %s : f32
  } -> tensor<3x2xf32>
  return %y, %z, %z2 : tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x2xf32>
}
