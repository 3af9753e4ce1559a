// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-split-fills | FileCheck %s
// RUN: quant-opt %s -qtensor-split-fills -one-shot-bufferize="bufferize-function-boundaries" | FileCheck %s --check-prefix=BUFFERS
// RUN: quant-opt %s -qtensor-split-fills=empties=true | FileCheck %s --check-prefix=EMPTIES
// RUN: quant-opt %s -one-shot-bufferize="bufferize-function-boundaries" | FileCheck %s --check-prefix=WITHOUT

// CHECK-LABEL: func @sums
// CHECK: %[[F1:.*]] = linalg.fill
// CHECK: linalg.reduce {{.*}} outs(%[[F1]]
// CHECK: tensor.empty
// CHECK: %[[F2:.*]] = linalg.fill
// CHECK: linalg.reduce {{.*}} outs(%[[F2]]
// BUFFERS-LABEL: func @sums
// BUFFERS-NOT: memref.copy
// WITHOUT: memref.copy
func.func @sums(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %a = linalg.reduce { arith.addf } ins(%x : tensor<4x8xf32>) outs(%init : tensor<4xf32>) dimensions = [1]
  %b = linalg.reduce { arith.addf } ins(%y : tensor<4x8xf32>) outs(%init : tensor<4xf32>) dimensions = [1]
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}

// What is filled in place of an argument stays one: its buffer is the caller's.
// CHECK-LABEL: func @argument
// CHECK-COUNT-1: linalg.fill
// CHECK-NOT: linalg.fill
func.func @argument(%e: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %init, %init : tensor<4xf32>, tensor<4xf32>
}

// Two ops that are written to one empty tensor, one after the other: each gets its own.
// CHECK-LABEL: func @empties
// CHECK-COUNT-1: tensor.empty
// CHECK-NOT: tensor.empty
// EMPTIES-LABEL: func @empties
// EMPTIES: %[[A:.*]] = tensor.empty
// EMPTIES: linalg.exp {{.*}} outs(%[[A]]
// EMPTIES: %[[B:.*]] = tensor.empty
// EMPTIES: linalg.exp {{.*}} outs(%[[B]]
func.func @empties(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %a = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b = linalg.exp ins(%a : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %b : tensor<4xf32>
}
