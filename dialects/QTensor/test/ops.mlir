// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every op and every kind of encoding, through text and bytecode; nested types print in one short line.
// RUN: quant-opt %s --verify-roundtrip | FileCheck %s
// RUN: quant-opt %s --emit-bytecode | quant-opt | FileCheck %s

// CHECK-DAG: #[[$NESTED:.*]] = #qtensor.block<nf4, [1, 64], scale = block<uint8, [4, 64], scale = f32, offset = f32[?, ?]>>
// CHECK-DAG: #[[$SUPER:.*]] = #qtensor.block<uint4, [1, 32], scale = block<uint6, [1, 8], scale = f16>, offset = neg block<uint6, [1, 8], scale = f16>>
// CHECK-DAG: #[[$STATIC:.*]] = #qtensor.block<int8, [?, ?], scale = 5.000000e-02, zero = 3.000000e+00>
// CHECK-DAG: #[[$PLANE:.*]] = #qtensor.block<int8, [2, 8], scale = bf16>
#s = #qtensor.block<uint8, [4, 64], scale = f32, offset = f32[?, ?]>
#nested = #qtensor.block<nf4, [1, 64], scale = #s>
#super = #qtensor.block<uint4, [1, 32], scale = block<uint6, [1, 8], scale = f16>, offset = neg block<uint6, [1, 8], scale = f16>>
#static = #qtensor.block<int8, [?, ?], scale = 0.05, zero = 3.0>
#plane = #qtensor.block<int8, [2, 8], scale = bf16>
#plane1 = #qtensor.block<int8, [1, 8], scale = bf16>

// CHECK: func.func private @types(tensor<64x4096xf32, #[[$NESTED]]>, tensor<4x256xf32, #[[$SUPER]]>, tensor<4x8xf32, #[[$STATIC]]>, tensor<?x8xf32, #[[$PLANE]]>)
func.func private @types(tensor<64x4096xf32, #nested>, tensor<4x256xf32, #super>, tensor<4x8xf32, #static>, tensor<?x8xf32, #plane>)

// Five rows in blocks of two: the last block is short and legal.
// CHECK-LABEL: func @encoded
// CHECK: qtensor.quantize %{{.*}} encoder "mse" : tensor<5x8xf32> -> tensor<5x8xf32, #[[$PLANE]]>
// CHECK: qtensor.component %{{.*}} "scale" : tensor<5x8xf32, #[[$PLANE]]> -> tensor<3x1xbf16>
// CHECK: qtensor.assemble
// CHECK: qtensor.dequantize
// CHECK: qtensor.insert %{{.*}} into %{{.*}}[%{{.*}}, 0] [2, 8] [1, 1]
// CHECK: qtensor.requantize {{.*}} axis 1 <fixed<single>> clamp[-128, 127]
func.func @encoded(%x: tensor<5x8xf32>, %r: tensor<2x8xf32>, %a: tensor<4x8xi32>, %m: tensor<8xi32>, %i: index)
    -> (tensor<5x8xf32>, tensor<4x8xf32, #static>, tensor<?x8xf32, #plane>) {
  %c2 = arith.constant 2 : index
  %q = qtensor.quantize %x encoder "mse" : tensor<5x8xf32> -> tensor<5x8xf32, #plane>
  %c = qtensor.component %q "codes" : tensor<5x8xf32, #plane> -> tensor<5x8xi8>
  %s = qtensor.component %q "scale" : tensor<5x8xf32, #plane> -> tensor<3x1xbf16>
  %w = qtensor.assemble %c, %s : tensor<5x8xi8>, tensor<3x1xbf16> -> tensor<5x8xf32, #plane>
  %d = qtensor.dequantize %w : tensor<5x8xf32, #plane> -> tensor<5x8xf32>
  %cache = tensor.empty(%i) : tensor<?x8xf32, #plane1>
  %n = qtensor.insert %r into %cache[%i, 0] [2, 8] [1, 1] : tensor<2x8xf32> into tensor<?x8xf32, #plane1>
  %e = tensor.empty(%i) : tensor<?x8xf32, #plane>
  %f = qtensor.requantize %a multiplier(%m : tensor<8xi32>) shift(%m : tensor<8xi32>) axis 1 #qtensor.final<fixed<single>>
         clamp [-128, 127] : tensor<4x8xi32> -> tensor<4x8xf32, #static>
  return %d, %f, %e : tensor<5x8xf32>, tensor<4x8xf32, #static>, tensor<?x8xf32, #plane>
}

// CHECK-LABEL: func @components
// CHECK: qtensor.encode %{{.*}} as #{{.*}} sums outs
// CHECK: qtensor.decode
// CHECK: qtensor.attention query
// CHECK-SAME: mask(%{{.*}} : tensor<8x8xf32>) scale 2.500000e-01
func.func @components(%x: tensor<4x8xf32>, %c: tensor<4x8xi8>, %s: tensor<4x1xf32>, %t: tensor<4x1xi32>,
                      %q: tensor<1x4x8x16xf32>, %k: tensor<1x2x8x16xf32>, %mask: tensor<8x8xf32>)
    -> (tensor<4x8xf32>, tensor<4x1xi32>, tensor<1x4x8x16xf32>) {
  %e:3 = qtensor.encode %x as <int8, [1, ?], scale = f32> sums outs(%c, %s, %t : tensor<4x8xi8>, tensor<4x1xf32>, tensor<4x1xi32>)
           : tensor<4x8xf32> -> tensor<4x8xi8>, tensor<4x1xf32>, tensor<4x1xi32>
  %d = qtensor.decode %e#0, %e#1 as <int8, [1, ?], scale = f32> outs(%x : tensor<4x8xf32>) : tensor<4x8xi8>, tensor<4x1xf32> -> tensor<4x8xf32>
  %a = qtensor.attention query(%q : tensor<1x4x8x16xf32>) key(%k : tensor<1x2x8x16xf32>) value(%k : tensor<1x2x8x16xf32>)
         mask(%mask : tensor<8x8xf32>) scale 0.25 outs(%q : tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return %d, %e#2, %a : tensor<4x8xf32>, tensor<4x1xi32>, tensor<1x4x8x16xf32>
}
