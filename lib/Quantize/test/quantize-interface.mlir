// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-quantize-interface="activations=int8/asymmetric statistics=%S/Inputs/ranges.json results=true" | FileCheck %s --check-prefix=RESULTS
// RUN: quant-opt %s --qtensor-quantize-interface="activations=int8/asymmetric statistics=%S/Inputs/ranges.json" | FileCheck %s --check-prefix=INPUTS
// RUN: quant-opt %s --qtensor-quantize-interface="activations=int8/token results=true" | FileCheck %s --check-prefix=DYNAMIC
// RUN: quant-opt %s --qtensor-quantize-interface="activations=none results=true" --qtensor-quantize-interface="activations=none" | FileCheck %s --check-prefix=OWN
// RUN: sed 's/^module {/module attributes {qtensor.rounding = "double"} {/' %s | quant-opt --qtensor-quantize-interface="results=true" --qtensor-quantize-interface | FileCheck %s --check-prefix=FILE
#x = #qtensor.block<int8, [?, ?], scale = 5.000000e-01, zero = 3.000000e+00>

// The range of the result is -1 .. 4.1: 5.1 / 255 a step, and 0 is code -78.
// RESULTS: func.func @main(%[[X:.*]]: tensor<2x8xf32> {qtensor.name = "x"}, {{.*}}) -> (tensor<2x8xi8> {qtensor.name = "y", qtensor.scale = 2.000000e-02 : f32, qtensor.zero = -78 : i64}
// RESULTS: arith.addf
// RESULTS: arith.addf
// RESULTS: %[[R:.*]] = qtensor.quantize %{{.*}} : tensor<2x8xf32> -> tensor<2x8xf32, #
// RESULTS: %[[C:.*]] = qtensor.component %[[R]] "codes"
// RESULTS: return %[[C]]
// An input that is read as codes alone, and one that is read in another way too.
// INPUTS: func.func @main(%[[X:.*]]: tensor<2x8xi8> {qtensor.name = "x", qtensor.scale = 5.000000e-01 : f32, qtensor.zero = 3 : i64}, %{{.*}}: tensor<2x8xf32> {qtensor.name = "z"})
// INPUTS: qtensor.assemble %[[X]] : tensor<2x8xi8> -> tensor<2x8xf32, #
// INPUTS: qtensor.quantize %{{.*}} : tensor<2x8xf32>
// Of formats that are not static no result becomes codes but what the model decodes itself.
// DYNAMIC: func.func @main(%{{.*}}: tensor<2x8xf32> {qtensor.name = "x"}{{.*}}) -> (tensor<2x8xf32> {qtensor.name = "y"}, tensor<2x8xi8> {qtensor.name = "w",
// OWN: func.func @main(%{{.*}}: tensor<2x8xi8> {qtensor.name = "x", {{.*}}) -> (tensor<2x8xf32> {qtensor.name = "y"}, tensor<2x8xi8> {qtensor.name = "w", qtensor.scale = 5.000000e-01 : f32, qtensor.zero = 3 : i64})
// OWN: %[[Q:.*]] = qtensor.assemble
// OWN: %[[C:.*]] = qtensor.component %[[Q]] "codes"
// OWN: return %{{.*}}, %[[C]]
// A .tflite file says itself what is outside.
// FILE: func.func @main(%{{.*}}: tensor<2x8xf32> {qtensor.name = "x"}{{.*}}) -> (tensor<2x8xf32> {qtensor.name = "y"}, tensor<2x8xf32> {qtensor.name = "w"})
module {
func.func @main(%x: tensor<2x8xf32> {qtensor.name = "x"}, %z: tensor<2x8xf32> {qtensor.name = "z"}) -> (tensor<2x8xf32> {qtensor.name = "y"}, tensor<2x8xf32> {qtensor.name = "w"}) {
  %q = qtensor.quantize %x : tensor<2x8xf32> -> tensor<2x8xf32, #x>
  %r = qtensor.quantize %z : tensor<2x8xf32> -> tensor<2x8xf32, #x>
  %a = qtensor.dequantize %q : tensor<2x8xf32, #x> -> tensor<2x8xf32>
  %b = qtensor.dequantize %r : tensor<2x8xf32, #x> -> tensor<2x8xf32>
  %s = arith.addf %a, %b : tensor<2x8xf32>
  %t = arith.addf %s, %z : tensor<2x8xf32>
  return %t, %a : tensor<2x8xf32>, tensor<2x8xf32>
}
}
