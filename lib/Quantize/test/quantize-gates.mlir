// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions and products of what layers make read rounded values; of a product with a function of the same tensor that tensor is
// rounded alone.
// RUN: quant-opt %s --calib-run=output=%t.json -o /dev/null
// RUN: quant-opt %s --qtensor-quantize-weights=weights=int8/channel --qtensor-quantize-activations="activations=int8/asymmetric statistics=%t.json rounding=double" | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>

// CHECK-LABEL: func.func @main
// CHECK: %[[A:.*]] = linalg.matmul
// CHECK: %[[QA:.*]] = qtensor.quantize %[[A]]
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[QA]] :
// CHECK: math.exp
// CHECK: %[[P:.*]] = linalg.generic {{.*}} ins(%[[QA]], %[[S]] :
// CHECK: arith.mulf
// CHECK: %[[QP:.*]] = qtensor.quantize %[[P]]
// CHECK: %[[B:.*]] = linalg.matmul {{.*}} ins(%[[QP]],
// CHECK: %[[QB:.*]] = qtensor.quantize %[[B]]
// CHECK: %[[G:.*]] = linalg.generic {{.*}} ins(%[[QB]] :
// CHECK: math.tanh
// CHECK: %[[QG:.*]] = qtensor.quantize %[[G]]
// CHECK: linalg.generic {{.*}} ins(%[[QP]], %[[QG]] :
func.func @main(%x: tensor<2x3xf32> {qtensor.name = "x"}) -> tensor<2x3xf32> {
  %w = arith.constant dense<[[2.0, 0.0, 1.0], [0.0, 2.0, -1.0], [0.5, 0.25, 1.0]]> : tensor<3x3xf32> loc("w")
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x3xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>
  %a = linalg.matmul ins(%x, %w : tensor<2x3xf32>, tensor<3x3xf32>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32> loc("fc1")
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = math.exp %p : f32
    linalg.yield %0 : f32
  } -> tensor<2x3xf32> loc("exp")
  %m = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %s : tensor<2x3xf32>, tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q : f32
    linalg.yield %0 : f32
  } -> tensor<2x3xf32> loc("own")
  %b = linalg.matmul ins(%m, %w : tensor<2x3xf32>, tensor<3x3xf32>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32> loc("fc2")
  %g = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = math.tanh %p : f32
    linalg.yield %0 : f32
  } -> tensor<2x3xf32> loc("tanh")
  %n = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m, %g : tensor<2x3xf32>, tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q : f32
    linalg.yield %0 : f32
  } -> tensor<2x3xf32> loc("gated")
  %c = linalg.matmul ins(%n, %w : tensor<2x3xf32>, tensor<3x3xf32>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32> loc("fc3")
  return %c : tensor<2x3xf32>
}

func.func @samples() -> tensor<2x3xf32> {
  %0 = arith.constant dense<[[1.0, -2.0, 1.5], [4.0, 0.5, 3.0]]> : tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
