// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Upstream's quantized types to encodings, and back to the same.
// RUN: quant-opt %s --qtensor-from-quant | FileCheck %s
// RUN: quant-opt %s --qtensor-from-quant --qtensor-to-quant | FileCheck %s --check-prefix=BACK

// CHECK-DAG: #[[TENSOR:.+]] = #qtensor.block<int8, [?, ?], scale = 5.000000e-01, zero = 3.000000e+00>
// CHECK-DAG: #[[AXIS:.+]] = #qtensor.block<int8, [?, 1], scale = f32, zero = int8>
// CHECK-DAG: #[[BLOCKS:.+]] = #qtensor.block<uint4, [1, 2], scale = f32>
// CHECK-DAG: #[[NARROW:.+]] = #qtensor.block<int4n, [?], scale = 2.500000e-01>

!tensor = !quant.uniform<i8:f32, 0.5:3>
!axis = !quant.uniform<i8:f32:1, {0.5, 0.25:3}>
!blocks = !quant.uniform<u4:f32:{0:1, 1:2}, {{0.5, 0.25}, {1.0, 2.0}}>
!narrow = !quant.uniform<i4<-7:7>:f32, 0.25>

// CHECK-LABEL: @per_tensor(
// CHECK-SAME: %[[X:.+]]: tensor<4x2xf32>) -> tensor<4x2xf32, #[[TENSOR]]>
// CHECK: %[[Q:.+]] = qtensor.quantize %[[X]] : tensor<4x2xf32> -> tensor<4x2xf32, #[[TENSOR]]>
// CHECK: return %[[Q]]
// BACK-LABEL: @per_tensor(
// BACK: %[[Q:.+]] = quant.qcast %{{.+}} : tensor<4x2xf32> to tensor<4x2x!quant.uniform<i8:f32, 5.000000e-01:3>>
// BACK: return %[[Q]]
func.func @per_tensor(%x: tensor<4x2xf32>) -> tensor<4x2x!tensor> {
  %q = quant.qcast %x : tensor<4x2xf32> to tensor<4x2x!tensor>
  return %q : tensor<4x2x!tensor>
}

// CHECK-LABEL: @per_axis(
// CHECK-DAG: %[[S:.+]] = arith.constant dense<{{\[\[}}5.000000e-01, 2.500000e-01]]> : tensor<1x2xf32>
// CHECK-DAG: %[[Z:.+]] = arith.constant dense<{{\[\[}}0, 3]]> : tensor<1x2xi8>
// CHECK: %[[Q:.+]] = qtensor.quantize %{{.+}} params(%[[S]], %[[Z]] : tensor<1x2xf32>, tensor<1x2xi8>) : tensor<4x2xf32> -> tensor<4x2xf32, #[[AXIS]]>
// CHECK: qtensor.dequantize %[[Q]] : tensor<4x2xf32, #[[AXIS]]> -> tensor<4x2xf32>
// BACK-LABEL: @per_axis(
// BACK: %[[Q:.+]] = quant.qcast %{{.+}} : tensor<4x2xf32> to tensor<4x2x!quant.uniform<i8:f32:1, {5.000000e-01,2.500000e-01:3}>>
// BACK: quant.dcast %[[Q]]
func.func @per_axis(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %q = quant.qcast %x : tensor<4x2xf32> to tensor<4x2x!axis>
  %y = quant.dcast %q : tensor<4x2x!axis> to tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// Codes narrower than a byte are widened by their sign.
// CHECK-LABEL: @storage(
// CHECK: %[[WIDE:.+]] = arith.extui %{{.+}} : tensor<2x4xi4> to tensor<2x4xi8>
// CHECK: %[[W:.+]] = qtensor.assemble %[[WIDE]], %{{.+}} : tensor<2x4xi8>, tensor<2x2xf32> -> tensor<2x4xf32, #[[BLOCKS]]>
// CHECK: %[[C:.+]] = qtensor.component %{{.+}} "codes" : tensor<4xf32, #[[NARROW]]> -> tensor<4xi8>
// CHECK: arith.trunci %[[C]] : tensor<4xi8> to tensor<4xi4>
// BACK-LABEL: @storage(
// BACK: quant.scast %{{.+}} : tensor<2x4xi4> to tensor<2x4x!quant.uniform<u4:f32:{0:1, 1:2},
// BACK: quant.scast %{{.+}} : tensor<4x!quant.uniform<i4<-7:7>:f32, 2.500000e-01>> to tensor<4xi4>
func.func @storage(%codes: tensor<2x4xi4>, %n: tensor<4x!narrow>) -> (tensor<2x4xf32>, tensor<4xi4>) {
  %w = quant.scast %codes : tensor<2x4xi4> to tensor<2x4x!blocks>
  %y = quant.dcast %w : tensor<2x4x!blocks> to tensor<2x4xf32>
  %c = quant.scast %n : tensor<4x!narrow> to tensor<4xi4>
  return %y, %c : tensor<2x4xf32>, tensor<4xi4>
}
