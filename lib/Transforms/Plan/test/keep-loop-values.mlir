// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-keep-loop-values | FileCheck %s
// RUN: quant-opt %s -split-input-file -qtensor-keep-loop-values -one-shot-bufferize="bufferize-function-boundaries" | FileCheck %s --check-prefix=BUFFERS
// RUN: not quant-opt %s -split-input-file -one-shot-bufferize="bufferize-function-boundaries" 2>&1 | FileCheck %s --check-prefix=WITHOUT

// What is made anew is copied to where its predecessor was; what was written there stays.
// CHECK-LABEL: func @states
// CHECK: scf.for {{.*}} iter_args(%[[ALL:.*]] = %{{.*}}, %[[H:.*]] = %{{.*}})
// CHECK: %[[NEW:.*]] = linalg.map
// CHECK: %[[INTO:.*]] = linalg.fill {{.*}} outs(%[[ALL]]
// CHECK: %[[KEPT:.*]] = bufferization.materialize_in_destination %[[NEW]] in %[[H]]
// CHECK: scf.yield %[[INTO]], %[[KEPT]]
// BUFFERS-LABEL: func @states
// BUFFERS: scf.for {{.*}} iter_args(%[[ALL:.*]] = %arg0, %[[H:.*]] = %arg1)
// BUFFERS: memref.copy %{{.*}}, %[[H]]
// BUFFERS: scf.yield %[[ALL]], %[[H]]
// WITHOUT: Yield operand #1 is not equivalent to the corresponding iter bbArg
func.func @states(%all: tensor<4xi32>, %h: tensor<4xi32>, %x: tensor<4xi32>) -> (tensor<4xi32>, tensor<4xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %seven = arith.constant 7 : i32
  %r:2 = scf.for %i = %c0 to %c9 step %c1 iter_args(%a = %all, %s = %h) -> (tensor<4xi32>, tensor<4xi32>) {
    %empty = tensor.empty() : tensor<4xi32>
    %new = linalg.map { arith.addi } ins(%s, %x : tensor<4xi32>, tensor<4xi32>) outs(%empty : tensor<4xi32>)
    %into = linalg.fill ins(%seven : i32) outs(%a : tensor<4xi32>) -> tensor<4xi32>
    scf.yield %into, %new : tensor<4xi32>, tensor<4xi32>
  }
  return %r#0, %r#1 : tensor<4xi32>, tensor<4xi32>
}

// -----

// What was given in another place is copied aside before anything can overwrite it.
// CHECK-LABEL: func @swap
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}})
// CHECK-DAG: %[[OLD_A:.*]] = bufferization.alloc_tensor() copy(%[[A]])
// CHECK-DAG: %[[OLD_B:.*]] = bufferization.alloc_tensor() copy(%[[B]])
// CHECK-DAG: %[[NEW_A:.*]] = bufferization.materialize_in_destination %[[OLD_B]] in %[[A]]
// CHECK-DAG: %[[NEW_B:.*]] = bufferization.materialize_in_destination %[[OLD_A]] in %[[B]]
// CHECK: scf.yield %[[NEW_A]], %[[NEW_B]]
func.func @swap(%x: tensor<4xi32>, %y: tensor<4xi32>, %n: index) -> (tensor<4xi32>, tensor<4xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y) -> (tensor<4xi32>, tensor<4xi32>) {
    scf.yield %b, %a : tensor<4xi32>, tensor<4xi32>
  }
  return %r#0, %r#1 : tensor<4xi32>, tensor<4xi32>
}

// -----

// What is passed on twice goes from its first place to the second.
// CHECK-LABEL: func @twice
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}})
// CHECK: %[[NEW:.*]] = linalg.map
// CHECK-NEXT: %[[FIRST:.*]] = bufferization.materialize_in_destination %[[NEW]] in %[[A]]
// CHECK-NEXT: %[[SECOND:.*]] = bufferization.materialize_in_destination %[[FIRST]] in %[[B]]
// CHECK-NEXT: scf.yield %[[FIRST]], %[[SECOND]]
func.func @twice(%x: tensor<4xi32>, %y: tensor<4xi32>, %n: index) -> (tensor<4xi32>, tensor<4xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y) -> (tensor<4xi32>, tensor<4xi32>) {
    %empty = tensor.empty() : tensor<4xi32>
    %new = linalg.map { arith.addi } ins(%a, %b : tensor<4xi32>, tensor<4xi32>) outs(%empty : tensor<4xi32>)
    scf.yield %new, %new : tensor<4xi32>, tensor<4xi32>
  }
  return %r#0, %r#1 : tensor<4xi32>, tensor<4xi32>
}

// -----

// What is passed on beside its successor is copied aside before that is written over it.
// CHECK-LABEL: func @successor
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}})
// CHECK: %[[NEW:.*]] = linalg.map
// CHECK-NEXT: %[[ASIDE:.*]] = bufferization.alloc_tensor() copy(%[[NEW]])
// CHECK-NEXT: %[[NEXT:.*]] = tensor.insert %{{.*}} into %[[NEW]]
// CHECK-NEXT: %[[NEW_A:.*]] = bufferization.materialize_in_destination %[[NEXT]] in %[[A]]
// CHECK-NEXT: %[[NEW_B:.*]] = bufferization.materialize_in_destination %[[ASIDE]] in %[[B]]
// CHECK-NEXT: scf.yield %[[NEW_A]], %[[NEW_B]]
func.func @successor(%x: tensor<4xi32>, %y: tensor<4xi32>, %n: index) -> (tensor<4xi32>, tensor<4xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %seven = arith.constant 7 : i32
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y) -> (tensor<4xi32>, tensor<4xi32>) {
    %empty = tensor.empty() : tensor<4xi32>
    %new = linalg.map { arith.addi } ins(%a, %b : tensor<4xi32>, tensor<4xi32>) outs(%empty : tensor<4xi32>)
    %next = tensor.insert %seven into %new[%c0] : tensor<4xi32>
    scf.yield %next, %new : tensor<4xi32>, tensor<4xi32>
  }
  return %r#0, %r#1 : tensor<4xi32>, tensor<4xi32>
}
