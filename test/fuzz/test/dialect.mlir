// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Damaged IR of dialect qtensor: a module or errors, and no crash. (Verifiers of upstream's ops are not so robust.)
// RUN: qtensor-fuzz mlir --mutations 1500 %s | FileCheck %s
// CHECK: mlir: 1 files, 1501 runs, 0 complaints

#s = #qtensor.block<int8, [4, 64], scale = f32, offset = f32[?, ?]>
#w = #qtensor.block<int4, [1, 64], scale = #s>
#z = #qtensor.block<uint4, [1, 128], scale = f16, zero = uint4>
#t = #qtensor.block<codec<4, table<[-1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0]>, tie = low>, [1, 16], scale = neg f16>
func.func @main(%x: tensor<4x128xf32>, %c: tensor<4x128xi8>, %f: tensor<4x1xf16>, %p: tensor<4x1xi8>) -> (tensor<4x128xf32>, tensor<4x128xf32, #w>) {
  %0 = qtensor.quantize %x : tensor<4x128xf32> -> tensor<4x128xf32, #w>
  %1 = qtensor.assemble %c, %f, %p : tensor<4x128xi8>, tensor<4x1xf16>, tensor<4x1xi8> -> tensor<4x128xf32, #z>
  %2 = qtensor.dequantize %1 : tensor<4x128xf32, #z> -> tensor<4x128xf32>
  %3 = qtensor.quantize %2 encoder "mse" : tensor<4x128xf32> -> tensor<4x128xf32, #t>
  %4 = qtensor.component %3 "scale" : tensor<4x128xf32, #t> -> tensor<4x8xf16>
  return %2, %0 : tensor<4x128xf32>, tensor<4x128xf32, #w>
}
