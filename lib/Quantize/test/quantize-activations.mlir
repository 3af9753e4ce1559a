// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-quantize-activations=activations=int8/token | FileCheck %s
// RUN: quant-opt %s --qtensor-quantize-activations=activations=int8/32@mse | FileCheck %s --check-prefix=BLOCK
// RUN: quant-opt %s --qtensor-quantize-activations="activations=int8/static statistics=%S/Inputs/ranges.json" | FileCheck %s --check-prefix=STATIC
// RUN: quant-opt %s --qtensor-quantize-activations="activations=uint8/static statistics=%S/Inputs/ranges.json" | FileCheck %s --check-prefix=ASYM
// RUN: quant-opt %s --qtensor-quantize-activations="activations=int8/asymmetric statistics=%S/Inputs/ranges.json" | FileCheck %s --check-prefix=SIGNED

#w = #qtensor.block<int4, [1, 32], scale = f16>
#f = #qtensor.block<int8, [1, ?, ?, ?], scale = f32>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// CHECK: #[[X:.*]] = #qtensor.block<int8, [1, ?], scale = f32>
// CHECK-LABEL: func @main
// One quantize for two readers; a contraction with a plain weight keeps its input.
// CHECK: %[[Q:.*]] = qtensor.quantize %[[A:[a-z0-9]+]] : tensor<?x64xf32> -> tensor<?x64xf32, #[[X]]>
// CHECK-NOT: qtensor.quantize
// CHECK: linalg.matmul {{.*}} ins(%[[Q]]
// CHECK: linalg.matmul {{.*}} ins(%[[Q]]
// CHECK: linalg.matmul {{.*}} ins(%[[A]]

// BLOCK: #qtensor.block<int8, [1, 32], scale = f16>
// BLOCK: qtensor.quantize %{{.*}} encoder "mse"
// The largest magnitude in the file is 12.7, so 12.7 / 127.
// STATIC: #qtensor.block<int8, [?, ?], scale = 0.1{{[0-9]*}}>
// The range is -2.5 .. 12.7: 15.2 / 255 a step, and 0 is code 42.
// ASYM: #qtensor.block<uint8, [?, ?], scale = 0.0596078{{[0-9]*}}, zero = 4.200000e+01>
// SIGNED: #qtensor.block<int8, [?, ?], scale = 0.0596078{{[0-9]*}}, zero = -8.600000e+01>
func.func @main(%x: tensor<?x64xf32> {qtensor.name = "x"}, %i: tensor<?x64xf32>, %plain: tensor<64x64xf32>)
    -> (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
  %c = arith.constant dense<1> : tensor<64x64xi8>
  %s = arith.constant dense<1.0> : tensor<64x2xf16>
  %w = qtensor.assemble %c, %s : tensor<64x64xi8>, tensor<64x2xf16> -> tensor<64x64xf32, #w>
  %0 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x64xf32>, tensor<64x64xf32, #w>) outs(%i : tensor<?x64xf32>) -> tensor<?x64xf32>
  %1 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x64xf32>, tensor<64x64xf32, #w>) outs(%i : tensor<?x64xf32>) -> tensor<?x64xf32>
  %2 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %plain : tensor<?x64xf32>, tensor<64x64xf32>) outs(%i : tensor<?x64xf32>) -> tensor<?x64xf32>
  return %0, %1, %2 : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>
}
