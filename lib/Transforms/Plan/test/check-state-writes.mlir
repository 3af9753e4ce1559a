// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-check-state-writes))' | FileCheck %s

// CHECK-LABEL: @main
// CHECK-SAME: %[[C:.*]]: tensor<8x4xf32> {qtensor.state = "cache"}, %[[A:.*]]: index
// CHECK: %[[LOW:.*]] = arith.cmpi sge, %[[A]], %{{.*}} : index
// CHECK: %[[HIGH:.*]] = arith.cmpi sle, %[[A]], %[[LAST:.*]] : index
// CHECK: %[[FITS:.*]] = arith.andi %[[LOW]], %[[HIGH]]
// CHECK: cf.assert %[[FITS]], "a write into the state 'cache' goes past its end: dimension 0 has 8 places; start again with state_init"
// CHECK: %[[MIN:.*]] = arith.minsi %[[A]], %[[LAST]]
// CHECK: %[[AT:.*]] = arith.maxsi %[[MIN]], %{{.*}}
// CHECK: tensor.insert_slice %{{.*}} into %[[C]][%[[AT]], 0] [2, 4] [1, 1]
// Neither a place that is known nor what is no state is checked.
// CHECK-NOT: cf.assert
func.func @main(%c: tensor<8x4xf32> {qtensor.state = "cache"}, %at: index, %x: tensor<2x4xf32>, %o: tensor<8x4xf32>)
    -> (tensor<8x4xf32> {qtensor.state = "cache"}, tensor<8x4xf32>) {
  %1 = tensor.insert_slice %x into %c[%at, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<8x4xf32>
  %2 = tensor.insert_slice %x into %1[6, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<8x4xf32>
  %3 = tensor.insert_slice %x into %o[%at, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<8x4xf32>
  return %2, %3 : tensor<8x4xf32>, tensor<8x4xf32>
}
