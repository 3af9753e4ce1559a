// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-make-entry "-qtensor-externalize-constants=max-inline-bytes=8" | FileCheck %s

// The third constant has the bytes of the first: it is stored once. Offsets are multiples of 64.
// CHECK: qtensor.weights = [
// CHECK-SAME: {name = "first", offset = 0 : i64, size = 16 : i64, value = dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> : tensor<4xf32>},
// CHECK-SAME: {format = "int8/channel", name = "constant1", offset = 64 : i64, size = 10 : i64, value = dense_resource<second> : tensor<10xi8>}]
// CHECK: func.func @main(%{{.*}}: !llvm.ptr, %[[W:[a-z0-9]+]]: memref<?xi8>,
// CHECK-DAG: memref.view %[[W]][%c0{{.*}}][] : memref<?xi8> to memref<4xf32>
// CHECK-DAG: memref.view %[[W]][%c64{{.*}}][] : memref<?xi8> to memref<10xi8>
// CHECK-DAG: memref.view %[[W]][%c0{{.*}}][] : memref<?xi8> to memref<2x2xf32>
// CHECK-DAG: arith.constant dense<[5.000000e+00, 6.000000e+00]> : tensor<2xf32>
// CHECK-DAG: linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : tensor<1000xf32>)
// CHECK-NOT: dense_resource{{.*}} : tensor<10xi8>{{$}}
func.func @main() -> (tensor<4xf32>, tensor<10xi8>, tensor<2x2xf32>, tensor<2xf32>, tensor<1000xf32>) {
  %a = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> loc("first")
  %b = arith.constant {qtensor.format = "int8/channel"} dense_resource<second> : tensor<10xi8>
  %c = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %tiny = arith.constant dense<[5.0, 6.0]> : tensor<2xf32>
  %splat = arith.constant dense<7.0> : tensor<1000xf32>
  return %a, %b, %c, %tiny, %splat : tensor<4xf32>, tensor<10xi8>, tensor<2x2xf32>, tensor<2xf32>, tensor<1000xf32>
}

{-#
  dialect_resources: { builtin: { second: "0x0400000000010203040506070809" } }
#-}
