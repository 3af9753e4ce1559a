// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -allow-unregistered-dialect --pass-pipeline='builtin.module(func.func(qtensor-plan-greedily))' -split-input-file | FileCheck %s
// RUN: quant-opt %s -allow-unregistered-dialect --pass-pipeline='builtin.module(func.func(qtensor-plan-greedily{places-interface=false}))' -split-input-file | FileCheck %s --check-prefix=CALLER

// Three tensors of a chain: two at once. Without inputs and outputs the one between them; views are no buffers.
// CHECK: func.func @main({{.*}} attributes {qtensor.greedy = 128 : i64}
// CALLER: func.func @main({{.*}} attributes {qtensor.greedy = 64 : i64}
func.func @main(%x: tensor<4x16xi8>) -> tensor<4x16xi8> {
  %e = tensor.empty() : tensor<64xi8>
  %f = tensor.empty() : tensor<4x16xi8>
  %v = tensor.collapse_shape %x [[0, 1]] : tensor<4x16xi8> into tensor<64xi8>
  %a = linalg.copy ins(%v : tensor<64xi8>) outs(%e : tensor<64xi8>) -> tensor<64xi8>
  %w = tensor.expand_shape %a [[0, 1]] output_shape [4, 16] : tensor<64xi8> into tensor<4x16xi8>
  %y = linalg.copy ins(%w : tensor<4x16xi8>) outs(%f : tensor<4x16xi8>) -> tensor<4x16xi8>
  return %y : tensor<4x16xi8>
}

// -----

// What is written into an operand lies there: 64, 32 and 48 bytes are live at once.
// CHECK: func.func @main({{.*}} attributes {qtensor.greedy = 144 : i64}
func.func @main(%x: tensor<32xi8>) -> tensor<16xi8> {
  %e = tensor.empty() : tensor<64xi8>
  %s = tensor.empty() : tensor<16xi8>
  %zero = arith.constant 0 : i8
  %a = linalg.fill ins(%zero : i8) outs(%e : tensor<64xi8>) -> tensor<64xi8>
  %b = linalg.copy ins(%x : tensor<32xi8>) outs(%x : tensor<32xi8>) -> tensor<32xi8>
  %c = "test.op"(%a, %b) : (tensor<64xi8>, tensor<32xi8>) -> tensor<48xi8>
  %y = "test.op"(%c) : (tensor<48xi8>) -> tensor<16xi8>
  return %y : tensor<16xi8>
}
