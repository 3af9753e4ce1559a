// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --qtensor-decompose --cse | FileCheck %s

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>

// Names follow their components; the argument behind an encoded one keeps its own.
// CHECK-LABEL: func @boundary
// CHECK-SAME: %[[C:[a-z0-9]+]]: tensor<64x128xi8> {qtensor.name = "w.codes"}
// CHECK-SAME: %[[S:[a-z0-9]+]]: tensor<64x4xf16> {qtensor.name = "w.scale"}
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32> {qtensor.name = "x"}
// CHECK-SAME: -> (tensor<64x128xi8> {qtensor.name = "y.codes"}, tensor<64x4xf16> {qtensor.name = "y.scale"}, tensor<4xf32> {qtensor.name = "z"})
// CHECK: %[[R:.*]]:2 = call @id(%[[C]], %[[S]])
// CHECK: return %[[R]]#0, %[[R]]#1, %[[X]]
func.func @boundary(%w: tensor<64x128xf32, #w> {qtensor.name = "w"}, %x: tensor<4xf32> {qtensor.name = "x"})
    -> (tensor<64x128xf32, #w> {qtensor.name = "y"}, tensor<4xf32> {qtensor.name = "z"}) {
  %0 = call @id(%w) : (tensor<64x128xf32, #w>) -> tensor<64x128xf32, #w>
  return %0, %x : tensor<64x128xf32, #w>, tensor<4xf32>
}
func.func private @id(%w: tensor<64x128xf32, #w>) -> tensor<64x128xf32, #w> {
  return %w : tensor<64x128xf32, #w>
}

// -----

#s = #qtensor.block<codec<8, int<unsigned>>, [4, 64], scale = f32, offset = f32[?, ?]>
#w = #qtensor.block<codec<4, int<signed>>, [1, 64], scale = #s>

// Nested components: a slice of rows slices every grid.
// CHECK-LABEL: func @slice
// CHECK: tensor.extract_slice %{{.*}}[8, 0] [16, 8192] [1, 1] : tensor<64x8192xi8> to tensor<16x8192xi8>
// CHECK: tensor.extract_slice %{{.*}}[8, 0] [16, 128] [1, 1] : tensor<64x128xi8> to tensor<16x128xi8>
// CHECK: tensor.extract_slice %{{.*}}[2, 0] [4, 2] [1, 1] : tensor<16x2xf32> to tensor<4x2xf32>
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [1, 1] [1, 1] : tensor<1x1xf32> to tensor<1x1xf32>
func.func @slice(%w: tensor<64x8192xf32, #w>) -> tensor<16x8192xf32, #w> {
  %0 = tensor.extract_slice %w[8, 0] [16, 8192] [1, 1] : tensor<64x8192xf32, #w> to tensor<16x8192xf32, #w>
  return %0 : tensor<16x8192xf32, #w>
}

// -----

#s = #qtensor.block<codec<8, int<unsigned>>, [1, 64], scale = f32>
#w = #qtensor.block<codec<4, int<signed>>, [1, 4611686018427387904], scale = #s>

// What one scale of scales stands for is more than any tensor has.
// CHECK-LABEL: func @huge_blocks
// CHECK-COUNT-2: tensor.extract_slice %{{.*}}[8, 0] [16, 1] [1, 1] : tensor<64x1x{{.*}}> to tensor<16x1x{{.*}}>
func.func @huge_blocks(%w: tensor<64x8192xf32, #w>) -> tensor<16x8192xf32, #w> {
  %0 = tensor.extract_slice %w[8, 0] [16, 8192] [1, 1] : tensor<64x8192xf32, #w> to tensor<16x8192xf32, #w>
  return %0 : tensor<16x8192xf32, #w>
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, ?], scale = f32>

// CHECK-LABEL: func @loop
// CHECK: %[[E:.*]]:2 = qtensor.encode %{{.*}} as
// CHECK: scf.for {{.*}} iter_args(%[[C:.*]] = %[[E]]#0, %[[S:.*]] = %[[E]]#1) -> (tensor<?x8xi8>, tensor<?x1xf32>)
// CHECK: qtensor.decode %[[C]], %[[S]] as
// CHECK-SAME: qtensor.reason = "'linalg.exp' reads it: it does not have two inputs and one result"
func.func @loop(%x: tensor<?x8xf32>, %n: index) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %q = qtensor.quantize %x : tensor<?x8xf32> -> tensor<?x8xf32, #x>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %q) -> tensor<?x8xf32, #x> {
    %e = linalg.exp ins(%a : tensor<?x8xf32, #x>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
    %b = qtensor.quantize %e encoder "mse" : tensor<?x8xf32> -> tensor<?x8xf32, #x>
    scf.yield %b : tensor<?x8xf32, #x>
  }
  %d = qtensor.dequantize %r : tensor<?x8xf32, #x> -> tensor<?x8xf32>
  return %d : tensor<?x8xf32>
}

// -----

#c = #qtensor.block<codec<8, int<signed>>, [1, 32], scale = f16>

// A cache write encodes the new rows and puts their components in place.
// CHECK-LABEL: func @insert
// CHECK-SAME: %{{[a-z0-9]+}}: tensor<1x64xf32>, %[[C:[a-z0-9]+]]: tensor<?x64xi8>, %[[S:[a-z0-9]+]]: tensor<?x2xf16>, %[[T:[a-z0-9]+]]: index
// CHECK: %[[E:.*]]:2 = qtensor.encode
// CHECK: tensor.insert_slice %[[E]]#0 into %[[C]][%[[T]], 0] [1, 64] [1, 1]
// CHECK: tensor.insert_slice %[[E]]#1 into %[[S]][%[[T]], 0] [1, 2] [1, 1]
func.func @insert(%x: tensor<1x64xf32>, %c: tensor<?x64xf32, #c>, %t: index) -> tensor<?x64xf32, #c> {
  %0 = qtensor.insert %x into %c[%t, 0] [1, 64] [1, 1] : tensor<1x64xf32> into tensor<?x64xf32, #c>
  return %0 : tensor<?x64xf32, #c>
}

// -----

#c2 = #qtensor.block<codec<8, int<signed>>, [1, 32], scale = f16>
#c3 = #qtensor.block<codec<8, int<signed>>, [1, 1, 32], scale = f16>

// CHECK-LABEL: func @reshape
// CHECK: tensor.collapse_shape %{{.*}} {{\[}}[0, 1], [2]] : tensor<4x8x64xi8> into tensor<32x64xi8>
// CHECK: tensor.collapse_shape %{{.*}} {{\[}}[0, 1], [2]] : tensor<4x8x2xf16> into tensor<32x2xf16>
// CHECK: tensor.expand_shape %{{.*}} output_shape [4, 8, 64] : tensor<32x64xi8> into tensor<4x8x64xi8>
// CHECK: tensor.expand_shape %{{.*}} output_shape [4, 8, 2] : tensor<32x2xf16> into tensor<4x8x2xf16>
func.func @reshape(%x: tensor<4x8x64xf32, #c3>, %y: tensor<32x64xf32, #c2>) -> (tensor<32x64xf32, #c2>, tensor<4x8x64xf32, #c3>) {
  %0 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<4x8x64xf32, #c3> into tensor<32x64xf32, #c2>
  %1 = tensor.expand_shape %y [[0, 1], [2]] output_shape [4, 8, 64] : tensor<32x64xf32, #c2> into tensor<4x8x64xf32, #c3>
  return %0, %1 : tensor<32x64xf32, #c2>, tensor<4x8x64xf32, #c3>
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>

// No phase knows integer rules yet: the body is what the op means.
// CHECK-LABEL: func @rule
// CHECK-NOT: qtensor.as
// CHECK: math.exp
// CHECK: qtensor.encode
func.func @rule(%x: tensor<4x8xf32, #x>) -> tensor<4x8xf32, #x> {
  %y = qtensor.as "exp_int8"(%x) : (tensor<4x8xf32, #x>) -> tensor<4x8xf32, #x> {
    ^bb0(%a: tensor<4x8xf32, #x>):
      %d = qtensor.dequantize %a : tensor<4x8xf32, #x> -> tensor<4x8xf32>
      %e = math.exp %d : tensor<4x8xf32>
      %q = qtensor.quantize %e : tensor<4x8xf32> -> tensor<4x8xf32, #x>
      qtensor.yield %q : tensor<4x8xf32, #x>
  }
  return %y : tensor<4x8xf32, #x>
}
