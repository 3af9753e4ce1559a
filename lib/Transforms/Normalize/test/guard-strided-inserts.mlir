// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-guard-strided-inserts | FileCheck %s
// A padding in front of what spreads keeps its place, however often canonicalization runs.
// RUN: quant-opt %s -qtensor-guard-strided-inserts -canonicalize | FileCheck %s --check-prefix=KEPT
// RUN: quant-opt %s -qtensor-guard-strided-inserts -canonicalize | qtensor-compare %s -

// CHECK-LABEL: func.func @spread(
// CHECK: linalg.generic
// CHECK: linalg.yield %{{.*}} : i8
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0] [4] [2]
// KEPT-LABEL: func.func @spread(
// KEPT: %[[P:.*]] = tensor.pad
// KEPT: tensor.insert_slice %[[P]] into %{{.*}}[0] [4] [2]
func.func @spread(%a: tensor<2xi8>) -> tensor<7xi8> {
  %c0 = arith.constant 0 : i8
  %p = tensor.pad %a low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %c0 : i8
  } : tensor<2xi8> to tensor<4xi8>
  %e = tensor.empty() : tensor<7xi8>
  %f = linalg.fill ins(%c0 : i8) outs(%e : tensor<7xi8>) -> tensor<7xi8>
  %r = tensor.insert_slice %p into %f[0] [4] [2] : tensor<4xi8> into tensor<7xi8>
  return %r : tensor<7xi8>
}

// Without strides the canonicalization is right.
// CHECK-LABEL: func.func @behind(
// CHECK: linalg.fill
func.func @behind(%a: tensor<2xi8>) -> tensor<7xi8> {
  %c0 = arith.constant 0 : i8
  %e = tensor.empty() : tensor<7xi8>
  %f = linalg.fill ins(%c0 : i8) outs(%e : tensor<7xi8>) -> tensor<7xi8>
  %r = tensor.insert_slice %a into %f[0] [2] [1] : tensor<2xi8> into tensor<7xi8>
  return %r : tensor<7xi8>
}
