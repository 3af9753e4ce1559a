// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" | FileCheck %s

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>

// The destination is written in place and no operand is copied.
// CHECK-LABEL: func.func @decode
// CHECK-SAME: (%[[C:.*]]: memref<4x64xi8>, %[[S:.*]]: memref<4x2xf16>)
// CHECK: %[[Y:.*]] = memref.alloc
// CHECK-NOT: memref.copy
// CHECK: qtensor.decode %[[C]], %[[S]] as #{{.*}} outs(%[[Y]] : memref<4x64xf32>)
// CHECK: return %[[Y]]
func.func @decode(%c: tensor<4x64xi8>, %s: tensor<4x2xf16>) -> tensor<4x64xf32> {
  %e = tensor.empty() : tensor<4x64xf32>
  %y = qtensor.decode %c, %s as #w outs(%e : tensor<4x64xf32>) : tensor<4x64xi8>, tensor<4x2xf16> -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}
