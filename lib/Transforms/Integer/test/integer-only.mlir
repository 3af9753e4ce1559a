// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}),canonicalize)' | FileCheck %s
// RUN: quant-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=single}))' | FileCheck %s --check-prefix=SINGLE
// RUN: quant-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=real}))' | FileCheck %s --check-prefix=REAL
// RUN: quant-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qtensor-integer-only))' | FileCheck %s --check-prefix=NONE
// RUN: quant-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}))' 2>&1 >/dev/null | FileCheck %s --check-prefix=WARN

#x = #qtensor.block<int8, [?, ?], scale = 0.5, zero = -3.0>
#w = #qtensor.block<int8, [1, ?], scale = f32>
#b = #qtensor.block<codec<32, int<signed>>, [1], scale = f32>
#y = #qtensor.block<int8, [?, ?], scale = 0.25, zero = -128.0>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// One scale for each output channel; the bias in units of the products; relu as a bound. 0.5 * 0.5 / 0.25 = 1 and
// 0.5 * 0.25 / 0.25 = 0.5.
// CHECK-LABEL: func.func @channels
// CHECK-DAG: %[[M:.*]] = arith.constant dense<1073741824> : tensor<2xi32>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<[1, 0]> : tensor<2xi32>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[7, -9]> : tensor<2xi32>
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<1x4xi8>, tensor<2x4xi8>) outs(%{{.*}} : tensor<1x2xi32>)
// CHECK: %[[X:.*]] = arith.extsi %{{.*}} : i8 to i32
// CHECK: arith.subi %[[X]], %c-3_i32 : i32
// CHECK: %[[T:.*]] = linalg.generic {{.*}} ins(%[[SUM]], %[[B]] : tensor<1x2xi32>, tensor<2xi32>)
// CHECK: qtensor.requantize %[[T]] multiplier(%[[M]] : tensor<2xi32>) shift(%[[S]] : tensor<2xi32>) axis 1 <fixed<double>> clamp{{ ?}}[-128, 127]
// SINGLE: qtensor.requantize {{.*}} <fixed<single>> clamp{{ ?}}[-128, 127]
// REAL: qtensor.requantize %{{.*}} multiplier(%{{.*}} : tensor<2xf32>) axis 1 <real<half_away>>
// NONE: qtensor.quantize
func.func @channels(%x: tensor<1x4xf32, #x>) -> tensor<1x2xf32, #y> {
  %codes = arith.constant dense<[[1, 2, 3, 4], [-5, 6, -7, 8]]> : tensor<2x4xi8>
  %scales = arith.constant dense<[[0.5], [0.25]]> : tensor<2x1xf32>
  %w = qtensor.assemble %codes, %scales : tensor<2x4xi8>, tensor<2x1xf32> -> tensor<2x4xf32, #w>
  %bc = arith.constant dense<[7, -9]> : tensor<2xi32>
  %bs = arith.constant dense<[0.25, 0.125]> : tensor<2xf32>
  %b = qtensor.assemble %bc, %bs : tensor<2xi32>, tensor<2xf32> -> tensor<2xf32, #b>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2xf32>) -> tensor<1x2xf32>
  %acc = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<1x4xf32, #x>, tensor<2x4xf32, #w>)
           outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%acc, %b : tensor<1x2xf32>, tensor<2xf32, #b>) outs(%empty : tensor<1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    %m = arith.maximumf %s, %zero : f32
    linalg.yield %m : f32
  } -> tensor<1x2xf32>
  %q = qtensor.quantize %r : tensor<1x2xf32> -> tensor<1x2xf32, #y>
  return %q : tensor<1x2xf32, #y>
}

// -----

// Padding is the zero point; a clamp to 6 is the code -128 + 6 / 0.25; 16-bit inputs are summed in 64 bits.
#x = #qtensor.block<int16, [?, ?, ?, ?], scale = 0.5>
#w = #qtensor.block<int8, [?, ?, ?, ?], scale = 0.5>
#y = #qtensor.block<int16, [?, ?, ?, ?], scale = 0.25>
// CHECK-LABEL: func.func @convolution
// CHECK: tensor.pad %{{.*}} low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: } : tensor<1x4x4x2xi16> to tensor<1x6x6x2xi16>
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4x4x3xi64>)
// CHECK: qtensor.requantize {{.*}} <fixed<x16>> clamp{{ ?}}[-32768, 24]
func.func @convolution(%x: tensor<1x4x4x2xf32, #x>, %codes: tensor<3x3x3x2xi8>) -> tensor<1x4x4x3xf32, #y> {
  %w = qtensor.assemble %codes : tensor<3x3x3x2xi8> -> tensor<3x3x3x2xf32, #w>
  %zero = arith.constant 0.0 : f32
  %six = arith.constant 6.0 : f32
  %padded = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x4x4x2xf32, #x> to tensor<1x6x6x2xf32>
  %empty = tensor.empty() : tensor<1x4x4x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x4x4x3xf32>) -> tensor<1x4x4x3xf32>
  %acc = linalg.conv_2d_nhwc_fhwc {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
           ins(%padded, %w : tensor<1x6x6x2xf32>, tensor<3x3x3x2xf32, #w>) outs(%init : tensor<1x4x4x3xf32>) -> tensor<1x4x4x3xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (a, b, c, d)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%acc : tensor<1x4x4x3xf32>) outs(%empty : tensor<1x4x4x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.minimumf %a, %six : f32
    linalg.yield %m : f32
  } -> tensor<1x4x4x3xf32>
  %q = qtensor.quantize %r : tensor<1x4x4x3xf32> -> tensor<1x4x4x3xf32, #y>
  return %q : tensor<1x4x4x3xf32, #y>
}

// -----

// A product of two tensors, one of them broadcast; and one alone in another scale.
#x = #qtensor.block<uint8, [?, ?], scale = 0.5, zero = 128.0>
#y = #qtensor.block<int8, [?, ?], scale = 0.125>
// CHECK-LABEL: func.func @product
// CHECK: arith.extui
// CHECK: arith.muli
// CHECK: qtensor.requantize {{.*}} <fixed<double>> clamp{{ ?}}[-128, 127] : tensor<2x4xi32> -> tensor<2x4xf32, #{{.*}}>
// CHECK: qtensor.requantize
func.func @product(%a: tensor<2x4xf32, #x>, %b: tensor<1x4xf32, #x>) -> (tensor<2x4xf32, #y>, tensor<2x4xf32, #y>) {
  %empty = tensor.empty() : tensor<2x4xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (0, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<2x4xf32, #x>, tensor<1x4xf32, #x>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %m = arith.mulf %p, %q : f32
    linalg.yield %m : f32
  } -> tensor<2x4xf32>
  %s = qtensor.dequantize %a : tensor<2x4xf32, #x> -> tensor<2x4xf32>
  %0 = qtensor.quantize %r : tensor<2x4xf32> -> tensor<2x4xf32, #y>
  %1 = qtensor.quantize %s : tensor<2x4xf32> -> tensor<2x4xf32, #y>
  return %0, %1 : tensor<2x4xf32, #y>, tensor<2x4xf32, #y>
}

// -----

// No such form, and too many codes for a table: it stays real arithmetic between a read and a rounding.
#x = #qtensor.block<int16, [?], scale = 0.5>
// WARN-COUNT-1: warning: 'qtensor.quantize' op stays real arithmetic
// WARN-NOT: warning
// CHECK-LABEL: func.func @other
// CHECK: math.exp
// CHECK: qtensor.quantize
func.func @other(%x: tensor<4xf32, #x>) -> tensor<4xf32, #x> {
  %empty = tensor.empty() : tensor<4xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32, #x>) outs(%empty : tensor<4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %m = math.exp %p : f32
    linalg.yield %m : f32
  } -> tensor<4xf32>
  %0 = qtensor.quantize %r : tensor<4xf32> -> tensor<4xf32, #x>
  return %0 : tensor<4xf32, #x>
}
