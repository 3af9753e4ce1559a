// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parts of a tensor have the encoding of the whole, so that it is rounded once; a function that writes its result transposed reads a
// rounded value as others do; so does a clamp of a part, which no layer can take in.
// RUN: quant-opt %s --calib-run=output=%t.json -o /dev/null
// RUN: quant-opt %s --qtensor-quantize-weights=weights=int8/channel --qtensor-quantize-activations="activations=int8/asymmetric statistics=%t.json rounding=double" | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#swap = affine_map<(i, j) -> (j, i)>

// CHECK-LABEL: func.func @main
// CHECK: %[[A:.*]] = linalg.matmul
// CHECK: %[[L:.*]] = tensor.extract_slice %[[A]][0, 0]
// CHECK: %[[QL:.*]] = qtensor.quantize %[[L]] : tensor<2x2xf32> -> tensor<2x2xf32, #[[WHOLE:.*]]>
// CHECK: %[[R:.*]] = tensor.extract_slice %[[A]][0, 2]
// CHECK: %[[QR:.*]] = qtensor.quantize %[[R]] : tensor<2x2xf32> -> tensor<2x2xf32, #[[WHOLE]]>
// CHECK: %[[B:.*]] = linalg.matmul {{.*}} ins(%[[QL]],
// CHECK: %[[QB:.*]] = qtensor.quantize %[[B]]
// CHECK: linalg.generic {{.*}} ins(%[[QB]] :
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} ins(%[[QR]] :
// CHECK: arith.maximumf
func.func @main(%x: tensor<2x3xf32> {qtensor.name = "x"}) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = arith.constant dense<[[2.0, 0.0, 10.0, 0.0], [0.0, 2.0, -1.0, 30.0], [0.5, 0.25, 1.0, 0.0]]> : tensor<3x4xf32> loc("w")
  %v = arith.constant dense<[[1.0, 0.5], [0.25, 1.0]]> : tensor<2x2xf32> loc("v")
  %zero = arith.constant 0.0 : f32
  %e4 = tensor.empty() : tensor<2x4xf32>
  %i4 = linalg.fill ins(%zero : f32) outs(%e4 : tensor<2x4xf32>) -> tensor<2x4xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %a = linalg.matmul ins(%x, %w : tensor<2x3xf32>, tensor<3x4xf32>) outs(%i4 : tensor<2x4xf32>) -> tensor<2x4xf32> loc("fc1")
  %l = tensor.extract_slice %a[0, 0] [2, 2] [1, 1] : tensor<2x4xf32> to tensor<2x2xf32> loc("left")
  %r = tensor.extract_slice %a[0, 2] [2, 2] [1, 1] : tensor<2x4xf32> to tensor<2x2xf32> loc("right")
  %b = linalg.matmul ins(%l, %v : tensor<2x2xf32>, tensor<2x2xf32>) outs(%i : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc2")
  %s = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = math.exp %p : f32
    linalg.yield %0 : f32
  } -> tensor<2x2xf32> loc("exp")
  %y = linalg.matmul ins(%s, %v : tensor<2x2xf32>, tensor<2x2xf32>) outs(%i : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc3")
  %m = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = arith.maximumf %p, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<2x2xf32> loc("relu")
  %z = linalg.matmul ins(%m, %v : tensor<2x2xf32>, tensor<2x2xf32>) outs(%i : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc4")
  return %y, %z : tensor<2x2xf32>, tensor<2x2xf32>
}

func.func @samples() -> tensor<2x3xf32> {
  %s = arith.constant dense<[[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]]> : tensor<2x3xf32>
  return %s : tensor<2x3xf32>
}
