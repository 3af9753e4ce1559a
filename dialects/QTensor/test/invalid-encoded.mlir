// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One chunk for each clause of the ops on encoded tensors.
// RUN: quant-opt %s --split-input-file --verify-diagnostics

func.func @q1(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{clause Q1: the result type carries an encoding}}
  %0 = qtensor.quantize %x : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

#x = #qtensor.block<int8, [1, ?], scale = f32>
func.func @q1_source(%x: tensor<4x8xf32, #x>) {
  // expected-error @+1 {{clause Q1: the source is a plain tensor; read an encoded one with qtensor.dequantize}}
  %0 = qtensor.quantize %x : tensor<4x8xf32, #x> -> tensor<4x8xf32, #x>
  return
}

// -----

#x = #qtensor.block<int8, [1, ?], scale = f32>
func.func @q2(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{clause Q2: source and result have the same logical type}}
  %0 = qtensor.quantize %x : tensor<4x8xf32> -> tensor<4x9xf32, #x>
  return
}

// -----

#x = #qtensor.block<int8, [1, ?], scale = f32>
func.func @q3(%x: tensor<4x8xf32>, %s: tensor<4x1xf16>) {
  // expected-error @+1 {{clause Q3: component 'scale' is 'tensor<4x1xf32>', got 'tensor<4x1xf16>'}}
  %0 = qtensor.quantize %x params(%s : tensor<4x1xf16>) : tensor<4x8xf32> -> tensor<4x8xf32, #x>
  return
}

// -----

#x = #qtensor.block<int8, [1, ?], scale = f32>
func.func @q3_encoder(%x: tensor<4x8xf32>, %s: tensor<4x1xf32>) {
  // expected-error @+1 {{clause Q3: an encoder computes parameters; with explicit parameters there is none}}
  %0 = qtensor.quantize %x params(%s : tensor<4x1xf32>) encoder "mse" : tensor<4x8xf32> -> tensor<4x8xf32, #x>
  return
}

// -----

#x = #qtensor.block<int8, [1, ?], scale = f32>
func.func @d1(%x: tensor<4x8xf32, #x>) {
  // expected-error @+1 {{clause D1: the result is a plain tensor}}
  %0 = qtensor.dequantize %x : tensor<4x8xf32, #x> -> tensor<4x8xf32, #x>
  return
}

// -----

#w = #qtensor.block<int4, [1, 4], scale = f16>
func.func @a1(%c: tensor<4x8xi8>) {
  // expected-error @+3 {{clause A1}}
  // expected-note @+2 {{codes : 'tensor<4x8xi8>'}}
  // expected-note @+1 {{scale : 'tensor<4x2xf16>'}}
  %0 = qtensor.assemble %c : tensor<4x8xi8> -> tensor<4x8xf32, #w>
  return
}

// -----

#w = #qtensor.block<int4, [1, 4], scale = f16>
func.func @p1(%w: tensor<4x8xf32, #w>) {
  // expected-error @+3 {{clause P1: no component 'zero'}}
  // expected-note @+2 {{there is codes : 'tensor<4x8xi8>'}}
  // expected-note @+1 {{there is scale : 'tensor<4x2xf16>'}}
  %0 = qtensor.component %w "zero" : tensor<4x8xf32, #w> -> tensor<4x2xf16>
  return
}

// -----

func.func @i1(%x: tensor<1x8xf32>, %c: tensor<4x8xf32>) {
  // expected-error @+1 {{clause I1: a plain source goes into an encoded destination}}
  %0 = qtensor.insert %x into %c[0, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<4x8xf32>
  return
}

// -----

#c = #qtensor.block<int8, [1, 4], scale = f16>
func.func @i2(%x: tensor<2x8xf32>, %c: tensor<4x8xf32, #c>) {
  // expected-error @+1 {{clause I2: strides are 1, got 2 in dimension 0}}
  %0 = qtensor.insert %x into %c[0, 0] [2, 8] [2, 1] : tensor<2x8xf32> into tensor<4x8xf32, #c>
  return
}

// -----

#c = #qtensor.block<int8, [1, 4], scale = f16>
func.func @i3_offset(%x: tensor<1x4xf32>, %c: tensor<4x8xf32, #c>, %k: index) {
  // expected-error @+1 {{clause I3: the offset in dimension 1 is not provably a multiple of the block}}
  %0 = qtensor.insert %x into %c[0, %k] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<4x8xf32, #c>
  return
}

// -----

#c = #qtensor.block<int8, [1, 4], scale = f16>
func.func @i3_size(%x: tensor<1x2xf32>, %c: tensor<4x8xf32, #c>) {
  // expected-error @+1 {{clause I3: the size in dimension 1 is not provably a multiple of the block and does not reach the end}}
  %0 = qtensor.insert %x into %c[0, 4] [1, 2] [1, 1] : tensor<1x2xf32> into tensor<4x8xf32, #c>
  return
}

// -----

// Rows 2 and 3 share scales of scales with others.
#s = #qtensor.block<int8, [4, 2], scale = f32>
#c = #qtensor.block<int8, [1, 4], scale = #s>
func.func @i3_nested(%x: tensor<2x8xf32>, %c: tensor<8x8xf32, #c>) {
  // expected-error @+1 {{clause I3: the offset in dimension 0 is not provably a multiple of the block}}
  %0 = qtensor.insert %x into %c[2, 0] [2, 8] [1, 1] : tensor<2x8xf32> into tensor<8x8xf32, #c>
  return
}

// -----

#c = #qtensor.block<int8, [1, 4], scale = f32, offset = f32[?, ?]>
func.func @i3_whole(%x: tensor<2x8xf32>, %c: tensor<8x8xf32, #c>) {
  // expected-error @+1 {{clause I3: the size in dimension 0 is not provably a multiple of the block and does not reach the end}}
  %0 = qtensor.insert %x into %c[0, 0] [2, 8] [1, 1] : tensor<2x8xf32> into tensor<8x8xf32, #c>
  return
}

// -----

func.func @r1(%a: tensor<4x8xi32>, %m: tensor<1xf32>) {
  // expected-error @+1 {{clause R1: the result has an integer encoding}}
  %0 = qtensor.requantize %a multiplier(%m : tensor<1xf32>) #qtensor.final<real<half_even>> clamp [-128, 127] : tensor<4x8xi32> -> tensor<4x8xf32>
  return
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5>
func.func @r2(%a: tensor<4x8xi32>, %m: tensor<1xf32>) {
  // expected-error @+1 {{clause R2: clamp [5, 4] is empty}}
  %0 = qtensor.requantize %a multiplier(%m : tensor<1xf32>) #qtensor.final<real<half_even>> clamp [5, 4] : tensor<4x8xi32> -> tensor<4x8xf32, #x>
  return
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5>
func.func @r3(%a: tensor<4x8xi32>, %m: tensor<1xf32>) {
  // expected-error @+1 {{clause R3: a fixed map has i32 multipliers and shifts, a real map f32 multipliers only}}
  %0 = qtensor.requantize %a multiplier(%m : tensor<1xf32>) #qtensor.final<fixed<double>> clamp [-128, 127] : tensor<4x8xi32> -> tensor<4x8xf32, #x>
  return
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5>
func.func @r4(%a: tensor<4x8xi32>, %m: tensor<3xf32>) {
  // expected-error @+1 {{clause R4: one multiplier (and shift) per index of the axis, 8, got 'tensor<3xf32>'}}
  %0 = qtensor.requantize %a multiplier(%m : tensor<3xf32>) axis 1 #qtensor.final<real<half_even>> clamp [-128, 127] : tensor<4x8xi32> -> tensor<4x8xf32, #x>
  return
}

// -----

func.func @s1(%x: tensor<4xf32>) {
  // expected-error @+1 {{clause S1: the body's arguments are the inputs}}
  %0 = qtensor.as "rule"(%x) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<5xf32>):
      %e = tensor.empty() : tensor<4xf32>
      qtensor.yield %e : tensor<4xf32>
  }
  return
}
