// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-pack-layers{target=cortex-m0}))' | FileCheck %s
// Constants become the kernel's bytes; a second run finds nothing to do.
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-pack-layers{target=cortex-m0}))' > %t.mlir
// RUN: quant-opt %t.mlir --pass-pipeline='builtin.module(func.func(qtensor-pack-layers{target=cortex-m0}))' | diff %t.mlir -

// A kernel with room of its own, or its twin without: as is said, or as long as @main stays below its yardstick.
// RUN: quant-opt %S/Inputs/row.mlir --pass-pipeline='builtin.module(func.func(qtensor-pack-layers{target=cortex-m4}))' | FileCheck %s --check-prefix=ROW
// RUN: quant-opt %S/Inputs/row.mlir --pass-pipeline='builtin.module(func.func(qtensor-pack-layers{target=cortex-m4 prefer=memory}))' | FileCheck %s --check-prefix=DIRECT
// RUN: quant-opt %S/Inputs/row.mlir --pass-pipeline='builtin.module(func.func(qtensor-plan-greedily,qtensor-pack-layers{target=cortex-m4}))' | FileCheck %s --check-prefix=DIRECT
// RUN: quant-opt %S/Inputs/row.mlir --pass-pipeline='builtin.module(func.func(qtensor-plan-greedily,qtensor-pack-layers{target=cortex-m4 prefer=speed}))' | FileCheck %s --check-prefix=ROW
// RUN: quant-opt %S/Inputs/row.mlir --pass-pipeline='builtin.module(func.func(qtensor-pack-layers{target=cortex-m4 room=320}))' | FileCheck %s --check-prefix=ROW
// RUN: quant-opt %S/Inputs/row.mlir --pass-pipeline='builtin.module(func.func(qtensor-pack-layers{target=cortex-m4 room=300}))' | FileCheck %s --check-prefix=DIRECT
// ROW: kernel = "dsp.row.pairs.uniform",
// DIRECT: kernel = "dsp.row.pairs.uniform.direct",

// A layer without outputs does nothing.
// CHECK-LABEL: func.func @none(
// CHECK-SAME: %[[OUT:[a-z0-9]+]]: tensor<0x2x2x8xi8>)
// CHECK-NEXT: return %[[OUT]]
// CHECK-LABEL: func.func @pool(
// CHECK-NOT: constants(
// CHECK: qnn.pool2d ins({{.*}} kernel = "{{[a-z.0-9]+}}"
// CHECK-LABEL: func.func @softmax(
// CHECK: %[[C:.*]] = arith.constant dense_resource<{{.*}}> : tensor<{{[0-9]+}}xi8>
// CHECK: qnn.softmax ins(%{{.*}} : tensor<2x10xi8>) constants(%[[C]] : tensor<{{[0-9]+}}xi8>) {{.*}} kernel = "{{[a-z.0-9]+}}"
// CHECK-LABEL: func.func @product(
// CHECK: qnn.fully_connected ins({{.*}}) constants(%{{.*}} : tensor<{{[0-9]+}}xi8>) {{.*}} kernel = "{{[a-z.0-9]+}}"
func.func @none(%i: tensor<0x4x4x8xi8>, %p: tensor<0x2x2x8xi8>) -> tensor<0x2x2x8xi8> {
  %q = qnn.pool2d ins(%i : tensor<0x4x4x8xi8>) outs(%p : tensor<0x2x2x8xi8>) <{window = array<i64: 2, 2>, strides = array<i64: 2, 2>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max, low = -128 : i64, high = 127 : i64}> -> tensor<0x2x2x8xi8>
  return %q : tensor<0x2x2x8xi8>
}
func.func @pool(%i: tensor<1x4x4x8xi8>, %p: tensor<1x2x2x8xi8>) -> tensor<1x2x2x8xi8> {
  %q = qnn.pool2d ins(%i : tensor<1x4x4x8xi8>) outs(%p : tensor<1x2x2x8xi8>) <{window = array<i64: 2, 2>, strides = array<i64: 2, 2>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max, low = -128 : i64, high = 127 : i64}> -> tensor<1x2x2x8xi8>
  return %q : tensor<1x2x2x8xi8>
}
func.func @softmax(%x: tensor<2x10xi8>) -> tensor<2x10xi8> {
  %t = arith.constant dense<7> : tensor<256xi32>
  %s = qnn.softmax ins(%x : tensor<2x10xi8>) weights(%t : tensor<256xi32>) outs(%x : tensor<2x10xi8>)
    <{low = -128 : i64, high = 127 : i64}> -> tensor<2x10xi8>
  return %s : tensor<2x10xi8>
}
func.func @product(%x: tensor<2x4xi8>, %o: tensor<2x3xi8>) -> tensor<2x3xi8> {
  %w = arith.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]> : tensor<3x4xi8>
  %b = arith.constant dense<[1, 2, 3]> : tensor<3xi32>
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<-3> : tensor<1xi32>
  %y = qnn.fully_connected ins(%x : tensor<2x4xi8>) weights(%w, %b, %m, %s : tensor<3x4xi8>, tensor<3xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%o : tensor<2x3xi8>) <{input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    map = #qtensor.final<fixed<double>>}> -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}
