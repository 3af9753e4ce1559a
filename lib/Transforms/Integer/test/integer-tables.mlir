// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What elementwise ops compute of one encoded tensor is a table: of the product with a function of the same tensor too. The
// codes are those of the reals: 2 * sigmoid(2) = 1.76, -2 * sigmoid(-2) = -0.24, 0 in steps of 0.25.
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}))' -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: qtensor-interpret %t.mlir
// RUN: qtensor-compare %s %t.mlir
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}))' 2>&1 >/dev/null | FileCheck %s --check-prefix=WARN
// WARN-COUNT-2: warning: 'qtensor.quantize' op stays real arithmetic
// WARN-NOT: warning

#x = #qtensor.block<int8, [?, ?], scale = 0.5, zero = -3.0>
#u = #qtensor.block<uint8, [?, ?], scale = 0.5, zero = 100.0>
#small = #qtensor.block<int4, [?, ?], scale = 0.5>
#wide = #qtensor.block<int16, [?, ?], scale = 0.001>
#y = #qtensor.block<int8, [?, ?], scale = 0.25, zero = 5.0>
#id = affine_map<(i, j) -> (i, j)>
#turned = affine_map<(i, j) -> (j, i)>

// CHECK-LABEL: func.func @silu
// CHECK-NOT: math.exp
// CHECK: %[[T:.*]] = arith.constant dense<{{.*}}> : tensor<256xi8>
// CHECK: tensor.extract %[[T]]
// CHECK-NOT: qtensor.quantize
// CHECK: return
func.func @silu(%codes: tensor<1x3xi8>) -> tensor<1x3xi8> attributes {
    inputs = [dense<[[1, -7, -3]]> : tensor<1x3xi8>], expect = [dense<[[12, 4, 5]]> : tensor<1x3xi8>]} {
  %x = qtensor.assemble %codes : tensor<1x3xi8> -> tensor<1x3xf32, #x>
  %d = qtensor.dequantize %x : tensor<1x3xf32, #x> -> tensor<1x3xf32>
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<1x3xf32>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d : tensor<1x3xf32>) outs(%e : tensor<1x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = arith.negf %p : f32
    %1 = math.exp %0 : f32
    %2 = arith.addf %1, %one : f32
    %3 = arith.divf %one, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<1x3xf32>
  %m = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<1x3xf32, #x>, tensor<1x3xf32>) outs(%e : tensor<1x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q : f32
    linalg.yield %0 : f32
  } -> tensor<1x3xf32>
  %r = qtensor.quantize %m : tensor<1x3xf32> -> tensor<1x3xf32, #y>
  %c = qtensor.component %r "codes" : tensor<1x3xf32, #y> -> tensor<1x3xi8>
  return %c : tensor<1x3xi8>
}

// Codes without a sign, and of fewer bits.
// CHECK-LABEL: func.func @kinds
// CHECK: tensor<256xi8>
// CHECK: arith.extui
// CHECK: tensor<16xi8>
// CHECK-NOT: qtensor.quantize
// CHECK: return
func.func @kinds(%a: tensor<1x3xi8>, %b: tensor<1x3xi8>) -> (tensor<1x3xi8>, tensor<1x3xi8>) attributes {
    inputs = [dense<[[104, -128, 98]]> : tensor<1x3xi8>, dense<[[-8, 7, 0]]> : tensor<1x3xi8>],
    expect = [dense<[[13, 61, 9]]> : tensor<1x3xi8>, dense<[[21, 19, 5]]> : tensor<1x3xi8>]} {
  %x = qtensor.assemble %a : tensor<1x3xi8> -> tensor<1x3xf32, #u>
  %z = qtensor.assemble %b : tensor<1x3xi8> -> tensor<1x3xf32, #small>
  %e = tensor.empty() : tensor<1x3xf32>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<1x3xf32, #u>) outs(%e : tensor<1x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = math.absf %p : f32
    linalg.yield %0 : f32
  } -> tensor<1x3xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%z : tensor<1x3xf32, #small>) outs(%e : tensor<1x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = math.absf %p : f32
    linalg.yield %0 : f32
  } -> tensor<1x3xf32>
  %q = qtensor.quantize %s : tensor<1x3xf32> -> tensor<1x3xf32, #y>
  %r = qtensor.quantize %t : tensor<1x3xf32> -> tensor<1x3xf32, #y>
  %c = qtensor.component %q "codes" : tensor<1x3xf32, #y> -> tensor<1x3xi8>
  %d = qtensor.component %r "codes" : tensor<1x3xf32, #y> -> tensor<1x3xi8>
  return %c, %d : tensor<1x3xi8>, tensor<1x3xi8>
}

// 65536 entries are no table; neither is what depends on other elements.
// CHECK-LABEL: func.func private @stays
// CHECK-COUNT-2: qtensor.quantize
func.func private @stays(%w: tensor<2x2xf32, #wide>, %x: tensor<2x2xf32, #x>) -> (tensor<2x2xf32, #y>, tensor<2x2xf32, #y>) {
  %e = tensor.empty() : tensor<2x2xf32>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<2x2xf32, #wide>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = math.exp %p : f32
    linalg.yield %0 : f32
  } -> tensor<2x2xf32>
  %t = linalg.generic {indexing_maps = [#id, #turned, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %x : tensor<2x2xf32, #x>, tensor<2x2xf32, #x>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = math.exp %p : f32
    %1 = arith.addf %0, %q : f32
    linalg.yield %1 : f32
  } -> tensor<2x2xf32>
  %0 = qtensor.quantize %s : tensor<2x2xf32> -> tensor<2x2xf32, #y>
  %1 = qtensor.quantize %t : tensor<2x2xf32> -> tensor<2x2xf32, #y>
  return %0, %1 : tensor<2x2xf32, #y>, tensor<2x2xf32, #y>
}
