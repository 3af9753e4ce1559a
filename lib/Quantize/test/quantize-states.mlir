// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-quantize-states=caches=int8/token | FileCheck %s
// RUN: quant-opt %s --qtensor-quantize-states | FileCheck %s --check-prefix=NONE
// RUN: echo 'key caches=int4/8/f16' > %t && quant-opt %s --qtensor-quantize-states=plan=%t | FileCheck %s --check-prefix=PLAN

// A write rounds, a contraction reads the codes, another reader decodes; what is no float matrix stays.
// CHECK: #[[KV:.*]] = #qtensor.block<int8, [1, ?], scale = f32>
// CHECK: func.func @main(%[[P:.*]]: tensor<1xi64> {{.*}}, %[[K:.*]]: tensor<8x16xf32, #[[KV]]> {qtensor.state = "keys"}
// CHECK: %[[W:.*]] = qtensor.insert %{{.*}} into %[[K]][%{{.*}}, 0] [1, 16] [1, 1] : tensor<1x16xf32> into tensor<8x16xf32, #[[KV]]>
// CHECK: linalg.matvec ins(%[[W]], %{{.*}} : tensor<8x16xf32, #[[KV]]>, tensor<16xf32>)
// CHECK: %[[D:.*]] = qtensor.dequantize %[[W]]
// CHECK: tensor.extract_slice %[[D]]
// CHECK: return %{{.*}}, %[[W]]
// PLAN: #qtensor.block<int4, [1, 8], scale = f16>
// NONE: tensor.insert_slice
func.func @main(%p: tensor<1xi64> {qtensor.state = "position"}, %k: tensor<8x16xf32> {qtensor.state = "keys"}, %x: tensor<1x16xf32>, %q: tensor<16xf32>)
    -> (tensor<1xi64> {qtensor.state = "position"}, tensor<8x16xf32> {qtensor.state = "keys"}, tensor<8xf32>, tensor<1x16xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %i = tensor.extract %p[%c0] : tensor<1xi64>
  %at = arith.index_cast %i : i64 to index
  %all = tensor.insert_slice %x into %k[%at, 0] [1, 16] [1, 1] : tensor<1x16xf32> into tensor<8x16xf32>
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %y = linalg.matvec ins(%all, %q : tensor<8x16xf32>, tensor<16xf32>) outs(%f : tensor<8xf32>) -> tensor<8xf32>
  %row = tensor.extract_slice %all[0, 0] [1, 16] [1, 1] : tensor<8x16xf32> to tensor<1x16xf32>
  return %p, %all, %y, %row : tensor<1xi64>, tensor<8x16xf32>, tensor<8xf32>, tensor<1x16xf32>
}
