// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-quantize-weights="weights=int4/32 plan=%S/Inputs/layers.plan" --qtensor-quantize-activations=plan=%S/Inputs/layers.plan 2>&1 | FileCheck %s

// A pattern that decides nothing is reported where it stands.
// CHECK: layers.plan:6:1: warning: 'no_such_layer' decides no layer
// CHECK-DAG: #[[INT4:.*]] = #qtensor.block<int4, [1, 32], scale = f16>
// CHECK-DAG: #[[NF4:.*]] = #qtensor.block<nf4, [1, 64], scale = f16>
// CHECK-DAG: #[[INT8:.*]] = #qtensor.block<int8, [1, ?], scale = f32>
// CHECK-LABEL: func @main

// The first rule that decides counts: fc1 is nf4 by name of its weight, and takes its activations from the last rule.
// CHECK: qtensor.quantize %arg0 : tensor<3x64xf32> -> tensor<3x64xf32, #[[INT8]]>
// CHECK: linalg.matmul {{.*}}strategy = #qtensor.strategy<integer<2>>{{.*}} tensor<3x64xf32, #[[INT8]]>, tensor<64x64xf32, #[[NF4]]>
// CHECK: linalg.matmul {{.*}}strategy = #qtensor.strategy<float>{{.*}} tensor<3x64xf32, #[[INT8]]>, tensor<64x64xf32, #[[INT4]]>
// CHECK: linalg.matmul ins(%{{.*}} : tensor<3x64xf32>, tensor<64x64xf32>)
func.func @main(%x: tensor<3x64xf32>, %i: tensor<3x64xf32>) -> tensor<3x64xf32> {
  %w1 = arith.constant dense<1.0> : tensor<64x64xf32> loc("fc1.weight")
  %w2 = arith.constant dense<1.0> : tensor<64x64xf32> loc("fc2.weight")
  %w3 = arith.constant dense<1.0> : tensor<64x64xf32> loc("head.weight")
  %0 = linalg.matmul ins(%x, %w1 : tensor<3x64xf32>, tensor<64x64xf32>) outs(%i : tensor<3x64xf32>) -> tensor<3x64xf32> loc("fc1")
  %1 = linalg.matmul ins(%0, %w2 : tensor<3x64xf32>, tensor<64x64xf32>) outs(%i : tensor<3x64xf32>) -> tensor<3x64xf32> loc("fc2")
  %2 = linalg.matmul ins(%1, %w3 : tensor<3x64xf32>, tensor<64x64xf32>) outs(%i : tensor<3x64xf32>) -> tensor<3x64xf32> loc("head")
  return %2 : tensor<3x64xf32>
}
