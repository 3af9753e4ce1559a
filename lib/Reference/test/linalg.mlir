// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s

func.func @matmul(%a: tensor<2x3xf32>, %b: tensor<3x2xf32>) -> tensor<2x2xf32> attributes {
    inputs = [dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>,
              dense<[[1.0, 0.0], [0.0, 1.0], [2.0, -1.0]]> : tensor<3x2xf32>],
    expect = [dense<[[17.0, 9.0], [26.0, 9.0]]> : tensor<2x2xf32>]} {
  %init = arith.constant dense<10.0> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<2x3xf32>, tensor<3x2xf32>) outs(%init : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}
// k ascends: 1 + 1 + 2^24 is exact and the last 1 ties up; any other order absorbs the ones into 2^24.
func.func @reduction_order(%a: tensor<1x4xf32>, %b: tensor<4x1xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>) attributes {
    inputs = [dense<[[1.0, 1.0, 16777216.0, 1.0]]> : tensor<1x4xf32>, dense<1.0> : tensor<4x1xf32>],
    expect = [dense<16777220.0> : tensor<1x1xf32>, dense<16777220.0> : tensor<1x1xf32>]} {
  %init = arith.constant dense<0.0> : tensor<1x1xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<1x4xf32>, tensor<4x1xf32>) outs(%init : tensor<1x1xf32>) -> tensor<1x1xf32>
  %a1 = tensor.collapse_shape %a [[0, 1]] : tensor<1x4xf32> into tensor<4xf32>
  %b1 = tensor.collapse_shape %b [[0, 1]] : tensor<4x1xf32> into tensor<4xf32>
  %a3 = tensor.expand_shape %a1 [[0, 1, 2]] output_shape [2, 1, 2] : tensor<4xf32> into tensor<2x1x2xf32>
  %b3 = tensor.expand_shape %b1 [[0, 1, 2]] output_shape [2, 2, 1] : tensor<4xf32> into tensor<2x2x1xf32>
  %1 = linalg.batch_reduce_matmul ins(%a3, %b3 : tensor<2x1x2xf32>, tensor<2x2x1xf32>) outs(%init : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %0, %1 : tensor<1x1xf32>, tensor<1x1xf32>
}
func.func @convolution(%x: tensor<1x3x3x1xf32>, %w: tensor<2x2x1x1xf32>) -> tensor<1x2x2x1xf32> attributes {
    inputs = [dense<[[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]], [[7.0], [8.0], [9.0]]]]> : tensor<1x3x3x1xf32>,
              dense<[[[[1.0]], [[0.0]]], [[[0.0]], [[-1.0]]]]> : tensor<2x2x1x1xf32>],
    expect = [dense<-4.0> : tensor<1x2x2x1xf32>]} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2x2x1xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32>
  %0 = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x3x3x1xf32>, tensor<2x2x1x1xf32>) outs(%init : tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32>
  return %0 : tensor<1x2x2x1xf32>
}
func.func @pooling(%x: tensor<1x4x1x1xf32>) -> tensor<1x2x1x1xf32> attributes {
    inputs = [dense<[[[[1.0]], [[5.0]], [[2.0]], [[-3.0]]]]> : tensor<1x4x1x1xf32>],
    expect = [dense<[[[[5.0]], [[2.0]]]]> : tensor<1x2x1x1xf32>]} {
  %low = arith.constant dense<0xFF800000> : tensor<1x2x1x1xf32>
  %window = tensor.empty() : tensor<2x1xf32>
  %0 = linalg.pooling_nhwc_max {dilations = dense<1> : tensor<2xi64>, strides = dense<[2, 1]> : tensor<2xi64>}
      ins(%x, %window : tensor<1x4x1x1xf32>, tensor<2x1xf32>) outs(%low : tensor<1x2x1x1xf32>) -> tensor<1x2x1x1xf32>
  return %0 : tensor<1x2x1x1xf32>
}
func.func @integers(%a: tensor<1x2xi8>, %b: tensor<2x1xi8>) -> tensor<1x1xi32> attributes {
    inputs = [dense<[[-128, 127]]> : tensor<1x2xi8>, dense<[[-128], [127]]> : tensor<2x1xi8>],
    expect = [dense<32513> : tensor<1x1xi32>]} {
  %init = arith.constant dense<0> : tensor<1x1xi32>
  %0 = linalg.matmul ins(%a, %b : tensor<1x2xi8>, tensor<2x1xi8>) outs(%init : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}
// One scale per two columns: a map that is not linear.
#id = affine_map<(d0, d1) -> (d0, d1)>
#grouped = affine_map<(d0, d1) -> (d0, d1 floordiv 2)>
func.func @blockwise(%q: tensor<1x5xi8>, %s: tensor<1x3xf32>) -> tensor<1x5xf32> attributes {
    inputs = [dense<[[1, 2, 3, 4, 5]]> : tensor<1x5xi8>, dense<[[10.0, 100.0, 1000.0]]> : tensor<1x3xf32>],
    expect = [dense<[[10.0, 20.0, 300.0, 400.0, 5000.0]]> : tensor<1x5xf32>]} {
  %empty = tensor.empty() : tensor<1x5xf32>
  %0 = linalg.generic {indexing_maps = [#id, #grouped, #id], iterator_types = ["parallel", "parallel"]}
      ins(%q, %s : tensor<1x5xi8>, tensor<1x3xf32>) outs(%empty : tensor<1x5xf32>) {
    ^bb0(%code: i8, %scale: f32, %out: f32):
      %1 = arith.sitofp %code : i8 to f32
      %2 = arith.mulf %1, %scale : f32
      linalg.yield %2 : f32
  } -> tensor<1x5xf32>
  return %0 : tensor<1x5xf32>
}
// linalg.index, a captured scalar, a gather by tensor.extract, and two results (arg max).
func.func @payload_index(%t: tensor<4xf32>) -> (tensor<f32>, tensor<index>) attributes {
    inputs = [dense<[3.0, 9.0, -1.0, 9.0]> : tensor<4xf32>], expect = [dense<9.0> : tensor<f32>, dense<1> : tensor<index>]} {
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  %first = arith.constant dense<0> : tensor<index>
  %0:2 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>, affine_map<(d0) -> ()>],
      iterator_types = ["reduction"]} ins(%t : tensor<4xf32>) outs(%low, %first : tensor<f32>, tensor<index>) {
    ^bb0(%x: f32, %best: f32, %at: index):
      %i = linalg.index 0 : index
      %more = arith.cmpf ogt, %x, %best : f32
      %2 = arith.select %more, %x, %best : f32
      %3 = arith.select %more, %i, %at : index
      linalg.yield %2, %3 : f32, index
  } -> (tensor<f32>, tensor<index>)
  return %0#0, %0#1 : tensor<f32>, tensor<index>
}
func.func @payload_gather(%table: tensor<4xf32>, %at: tensor<3xi32>) -> tensor<3xf32> attributes {
    inputs = [dense<[3.0, 9.0, -1.0, 7.0]> : tensor<4xf32>, dense<[3, 0, 2]> : tensor<3xi32>],
    expect = [dense<[8.0, 4.0, 0.0]> : tensor<3xf32>]} {
  %one = arith.constant 1.0 : f32
  %empty = tensor.empty() : tensor<3xf32>
  %0 = linalg.map ins(%at : tensor<3xi32>) outs(%empty : tensor<3xf32>) (%i: i32, %init: f32) {
    %index = arith.index_cast %i : i32 to index
    %value = tensor.extract %table[%index] : tensor<4xf32>
    %sum = arith.addf %value, %one : f32
    linalg.yield %sum : f32
  }
  return %0 : tensor<3xf32>
}
// A payload with control flow is interpreted point by point.
func.func @payload_if(%x: tensor<3xf32>) -> tensor<3xf32> attributes {
    inputs = [dense<[3.0, -2.0, 0.0]> : tensor<3xf32>], expect = [dense<[3.0, 1.0, 2.0]> : tensor<3xf32>]} {
  %empty = tensor.empty() : tensor<3xf32>
  %zero = arith.constant 0.0 : f32
  %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<3xf32>) outs(%empty : tensor<3xf32>) {
    ^bb0(%a: f32, %out: f32):
      %positive = arith.cmpf ogt, %a, %zero : f32
      %i = linalg.index 0 : index
      %1 = scf.if %positive -> f32 {
        scf.yield %a : f32
      } else {
        %j = arith.index_cast %i : index to i32
        %f = arith.sitofp %j : i32 to f32
        scf.yield %f : f32
      }
      linalg.yield %1 : f32
  } -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
func.func @shapes(%x: tensor<2x3xf32>) -> (tensor<3x2xf32>, tensor<2x3x2xf32>, tensor<2xf32>) attributes {
    inputs = [dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>],
    expect = [dense<[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]> : tensor<3x2xf32>,
              dense<[[[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]], [[4.0, 4.0], [5.0, 5.0], [6.0, 6.0]]]> : tensor<2x3x2xf32>,
              dense<[6.0, 15.0]> : tensor<2xf32>]} {
  %e0 = tensor.empty() : tensor<3x2xf32>
  %e1 = tensor.empty() : tensor<2x3x2xf32>
  %zero = arith.constant dense<0.0> : tensor<2xf32>
  %0 = linalg.transpose ins(%x : tensor<2x3xf32>) outs(%e0 : tensor<3x2xf32>) permutation = [1, 0]
  %1 = linalg.broadcast ins(%x : tensor<2x3xf32>) outs(%e1 : tensor<2x3x2xf32>) dimensions = [2]
  %2 = linalg.reduce ins(%x : tensor<2x3xf32>) outs(%zero : tensor<2xf32>) dimensions = [1]
    (%in: f32, %acc: f32) {
      %3 = arith.addf %in, %acc : f32
      linalg.yield %3 : f32
    }
  return %0, %1, %2 : tensor<3x2xf32>, tensor<2x3x2xf32>, tensor<2xf32>
}
func.func @softmax(%x: tensor<2x2xf32>) -> tensor<2x2xf32> attributes {tolerance = 1.0e-7,
    inputs = [dense<[[0.0, 0.0], [1000.0, 998.0]]> : tensor<2x2xf32>],
    expect = [dense<[[0.5, 0.5], [0.8807970779778823, 0.11920292202211755]]> : tensor<2x2xf32>]} {
  %empty = tensor.empty() : tensor<2x2xf32>
  %0 = linalg.softmax dimension(1) ins(%x : tensor<2x2xf32>) outs(%empty : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}
// More elements than lanes, a reduction around them, and an empty extent.
func.func @lanes() -> (tensor<1xf32>, tensor<0x3xf32>) attributes {
    expect = [dense<598.0> : tensor<1xf32>, dense<> : tensor<0x3xf32>]} {
  %x = arith.constant dense<1.0> : tensor<2x299xf32>
  %row = arith.constant dense<0.0> : tensor<299xf32>
  %sums = linalg.reduce ins(%x : tensor<2x299xf32>) outs(%row : tensor<299xf32>) dimensions = [0]
    (%in: f32, %acc: f32) {
      %3 = arith.addf %in, %acc : f32
      linalg.yield %3 : f32
    }
  %total = arith.constant dense<0.0> : tensor<1xf32>
  %rows = tensor.expand_shape %sums [[0, 1]] output_shape [1, 299] : tensor<299xf32> into tensor<1x299xf32>
  %all = linalg.reduce ins(%rows : tensor<1x299xf32>) outs(%total : tensor<1xf32>) dimensions = [1]
    (%in: f32, %acc: f32) {
      %3 = arith.addf %in, %acc : f32
      linalg.yield %3 : f32
    }
  %none = arith.constant dense<> : tensor<0x3xf32>
  %exp = math.exp %none : tensor<0x3xf32>
  return %all, %exp : tensor<1xf32>, tensor<0x3xf32>
}
