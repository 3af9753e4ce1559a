// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --qtensor-from-quant --qtensor-to-quant --verify-diagnostics

// U1: storage ranges are those of a codec.
func.func @range(%x: tensor<4xf32>) {
  // expected-error @+1 {{clause U1: storage range -5:5 is neither the full nor the narrow range of 8 bits}}
  %q = quant.qcast %x : tensor<4xf32> to tensor<4x!quant.uniform<i8<-5:5>:f32, 0.5>>
  return
}

// -----

// U1: scalars have no encoding.
// expected-error @+1 {{clause U1: only ranked tensors of uniform quantized types have an encoding}}
func.func @scalar(%x: !quant.uniform<i8:f32, 0.5>) { return }

// -----

// U2: only integers are affine.
// expected-error @+1 {{clause U2: upstream's types are affine integers}}
func.func @codec(%x: tensor<4xf32, #qtensor.block<nf4, [?], scale = 0.5>>) { return }

// -----

// U2: scales must be known.
// expected-error @+1 {{clause U2: upstream's types hold their scales}}
func.func @data(%x: tensor<4xf32, #qtensor.block<int8, [?], scale = f32>>) { return }

// -----

// U2: no offset.
// expected-error @+1 {{clause U2: upstream's types have no offset}}
func.func @offset(%x: tensor<4xf32, #qtensor.block<int8, [?], scale = 0.5, offset = 1.0>>) { return }

// -----

// U2: zero points are integers.
// expected-error @+1 {{clause U2: zero point 5.000000e-01 is not an integer}}
func.func @zero(%x: tensor<4xf32, #qtensor.block<int8, [?], scale = 0.5, zero = 0.5>>) { return }

// -----

// U2: no encoded parameters.
// expected-error @+1 {{clause U2: upstream's types have no encoded parameters}}
func.func @nested(%x: tensor<4xf32, #qtensor.block<int8, [2], scale = block<int8, [?], scale = 0.5>>>) { return }

// -----

// U2: a declaration holds no constants.
// expected-error @+1 {{clause U2: a function without a body does not say its scales}}
func.func private @declared(tensor<4xf32, #qtensor.block<int8, [?], scale = 0.5>>)
