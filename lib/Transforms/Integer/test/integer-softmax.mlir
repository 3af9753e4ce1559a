// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A softmax of codes is the published rule: with the result's encoding if that is the rule's, else with 16 bits, which become the
// result's codes. exp(0), exp(-1) and exp(-2) are 0.665, 0.245 and 0.090 of their sum.
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}))' -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: qtensor-interpret %t.mlir
// RUN: quant-opt %t.mlir --pass-pipeline='builtin.module(func.func(qtensor-lower-rules),qtensor-lower-requantize)' | qtensor-interpret -

#x = #qtensor.block<int8, [?, ?], scale = 0.5, zero = -3.0>
#wide = #qtensor.block<int16, [?, ?], scale = 0.5>
#own = #qtensor.block<int8, [?, ?], scale = 0.00390625, zero = -128.0>
#other = #qtensor.block<int8, [?, ?], scale = 0.01, zero = 0.0>
#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// CHECK-DAG: #[[SIXTEEN:.*]] = #qtensor.block<int16, [?, ?], scale = 1.52587890625E-5, zero = -3.276800e+04>
// CHECK-LABEL: func.func @softmax
// CHECK: %[[OWN:.*]] = qtensor.as "tflite.softmax"(%{{.*}}) {beta = 1.000000e+00 : f64, rounding = "double"} : (tensor<1x3xf32, #{{.*}}>) -> tensor<1x3xf32, #
// CHECK: qtensor.as "tflite.softmax"(%{{.*}}) {{.*}} -> tensor<1x3xf32, #[[SIXTEEN]]>
// CHECK: qtensor.requantize
// CHECK-NOT: qtensor.quantize
func.func @softmax(%codes: tensor<1x3xi8>) -> (tensor<1x3xi8>, tensor<1x3xi8>) attributes {
    inputs = [dense<[[1, -1, -3]]> : tensor<1x3xi8>],
    expect = [dense<[[42, -65, -105]]> : tensor<1x3xi8>, dense<[[67, 24, 9]]> : tensor<1x3xi8>]} {
  %a = qtensor.assemble %codes : tensor<1x3xi8> -> tensor<1x3xf32, #x>
  %x = qtensor.dequantize %a : tensor<1x3xf32, #x> -> tensor<1x3xf32>
  %low = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x3xf32>
  %e1 = tensor.empty() : tensor<1xf32>
  %f = linalg.fill ins(%low : f32) outs(%e1 : tensor<1xf32>) -> tensor<1xf32>
  %m = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<1x3xf32>) outs(%f : tensor<1xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = arith.maximumf %o, %p : f32
    linalg.yield %0 : f32
  } -> tensor<1xf32>
  %t = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<1x3xf32>, tensor<1xf32>) outs(%e : tensor<1x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.subf %p, %q : f32
    %1 = math.exp %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x3xf32>
  %g = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1xf32>) -> tensor<1xf32>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%t : tensor<1x3xf32>) outs(%g : tensor<1xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = arith.addf %o, %p : f32
    linalg.yield %0 : f32
  } -> tensor<1xf32>
  %w = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%t, %s : tensor<1x3xf32>, tensor<1xf32>) outs(%e : tensor<1x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.divf %p, %q : f32
    linalg.yield %0 : f32
  } -> tensor<1x3xf32>
  %0 = qtensor.quantize %w : tensor<1x3xf32> -> tensor<1x3xf32, #own>
  %1 = qtensor.quantize %w : tensor<1x3xf32> -> tensor<1x3xf32, #other>
  %c = qtensor.component %0 "codes" : tensor<1x3xf32, #own> -> tensor<1x3xi8>
  %d = qtensor.component %1 "codes" : tensor<1x3xf32, #other> -> tensor<1x3xi8>
  return %c, %d : tensor<1x3xi8>, tensor<1x3xi8>
}
