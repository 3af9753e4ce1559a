// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(qtensor-lower-rules))'

#x = #qtensor.block<int16, [?], scale = 0.5>
func.func @wide(%x: tensor<4xf32, #x>) -> tensor<4xf32, #x> {
  // expected-error @+1 {{has rule "tflite.tanh": codes of 16 bits have the zero point 0 and an output of scale 2^-15}}
  %y = qtensor.as "tflite.tanh" (%x) : (tensor<4xf32, #x>) -> tensor<4xf32, #x> {
  ^bb0(%a: tensor<4xf32, #x>):
    qtensor.yield %a : tensor<4xf32, #x>
  }
  return %y : tensor<4xf32, #x>
}

// -----

#x = #qtensor.block<int8, [1], scale = f32>
func.func @data(%x: tensor<4xf32, #x>) -> tensor<4xf32, #x> {
  // expected-error @+1 {{has rule "tflite.tanh": it takes integer codes of a static encoding and shape, got}}
  %y = qtensor.as "tflite.tanh" (%x) : (tensor<4xf32, #x>) -> tensor<4xf32, #x> {
  ^bb0(%a: tensor<4xf32, #x>):
    qtensor.yield %a : tensor<4xf32, #x>
  }
  return %y : tensor<4xf32, #x>
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5>
func.func @pool(%x: tensor<4x4xf32, #x>) -> tensor<4x4xf32, #x> {
  // expected-error @+1 {{has rule "tflite.average_pool_2d": it takes [N, H, W, C], and two numbers for each of kernel, strides and padding}}
  %y = qtensor.as "tflite.average_pool_2d" (%x) : (tensor<4x4xf32, #x>) -> tensor<4x4xf32, #x> {
  ^bb0(%a: tensor<4x4xf32, #x>):
    qtensor.yield %a : tensor<4x4xf32, #x>
  }
  return %y : tensor<4x4xf32, #x>
}

// -----

#x = #qtensor.block<int8, [?], scale = 0.5>
func.func @outputs(%x: tensor<4xf32, #x>) -> (tensor<4xf32, #x>, tensor<4xf32, #x>) {
  // expected-error @+1 {{has rule "tflite.tanh": it has 1 outputs}}
  %y:2 = qtensor.as "tflite.tanh" (%x) : (tensor<4xf32, #x>) -> (tensor<4xf32, #x>, tensor<4xf32, #x>) {
  ^bb0(%a: tensor<4xf32, #x>):
    qtensor.yield %a, %a : tensor<4xf32, #x>, tensor<4xf32, #x>
  }
  return %y#0, %y#1 : tensor<4xf32, #x>, tensor<4xf32, #x>
}

// -----

#x = #qtensor.block<int8, [?], scale = 0.5>
func.func @nothing(%x: tensor<4xf32, #x>) {
  // expected-error @+1 {{has rule "tflite.tanh": it has results}}
  qtensor.as "tflite.tanh" (%x) : (tensor<4xf32, #x>) -> () {
  ^bb0(%a: tensor<4xf32, #x>):
    qtensor.yield
  }
  return
}

// -----

#w = #qtensor.block<int8, [?, ?], scale = 0.25>
#b = #qtensor.block<codec<32, int<signed>>, [?], scale = 0.125>
#h = #qtensor.block<int8, [?, ?], scale = 0.0078125>
#y = #qtensor.block<int8, [?, ?, ?], scale = 0.0078125>
#c = #qtensor.block<int16, [?, ?], scale = 0.00048828125>
func.func @extents(
    %x: tensor<1x5x2xf32, #y>, %w0: tensor<2x2xf32, #w>, %w1: tensor<2x2xf32, #w>, %w2: tensor<2x2xf32, #w>,
    %w3: tensor<2x2xf32, #w>, %r0: tensor<3x2xf32, #w>, %r1: tensor<3x2xf32, #w>, %r2: tensor<3x2xf32, #w>,
    %r3: tensor<3x2xf32, #w>, %b0: tensor<2xf32, #b>, %b1: tensor<2xf32, #b>, %b2: tensor<2xf32, #b>,
    %b3: tensor<2xf32, #b>, %h: tensor<1x2xf32, #h>, %c: tensor<1x2xf32, #c>)
    -> (tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>) {
  // expected-error @+1 {{has rule "tflite.lstm": its weights, biases, states or outputs do not have the extents of its input and its cells}}
  %o:3 = qtensor.as "tflite.lstm" (%x, %w0, %w1, %w2, %w3, %r0, %r1, %r2, %r3, %b0, %b1, %b2, %b3, %h, %c)
    : (tensor<1x5x2xf32, #y>, tensor<2x2xf32, #w>, tensor<2x2xf32, #w>, tensor<2x2xf32, #w>,
       tensor<2x2xf32, #w>, tensor<3x2xf32, #w>, tensor<3x2xf32, #w>, tensor<3x2xf32, #w>,
       tensor<3x2xf32, #w>, tensor<2xf32, #b>, tensor<2xf32, #b>, tensor<2xf32, #b>,
       tensor<2xf32, #b>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>)
    -> (tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>) {
  ^bb0(%ax: tensor<1x5x2xf32, #y>, %aw0: tensor<2x2xf32, #w>, %aw1: tensor<2x2xf32, #w>, %aw2: tensor<2x2xf32, #w>,
       %aw3: tensor<2x2xf32, #w>, %ar0: tensor<3x2xf32, #w>, %ar1: tensor<3x2xf32, #w>, %ar2: tensor<3x2xf32, #w>,
       %ar3: tensor<3x2xf32, #w>, %ab0: tensor<2xf32, #b>, %ab1: tensor<2xf32, #b>, %ab2: tensor<2xf32, #b>,
       %ab3: tensor<2xf32, #b>, %ah: tensor<1x2xf32, #h>, %ac: tensor<1x2xf32, #c>):
    qtensor.yield %ax, %ah, %ac : tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>
  }
  return %o#0, %o#1, %o#2 : tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>
}

// -----

#w = #qtensor.block<int8, [?, ?], scale = 0.25>
#b = #qtensor.block<codec<32, int<signed>>, [?], scale = 0.125>
#h = #qtensor.block<int8, [?, ?], scale = 0.0078125>
#y = #qtensor.block<int8, [?, ?, ?], scale = 0.0078125>
#c = #qtensor.block<int8, [?, ?], scale = 0.5>
func.func @cells(
    %x: tensor<1x5x2xf32, #y>, %w0: tensor<2x2xf32, #w>, %w1: tensor<2x2xf32, #w>, %w2: tensor<2x2xf32, #w>,
    %w3: tensor<2x2xf32, #w>, %r0: tensor<2x2xf32, #w>, %r1: tensor<2x2xf32, #w>, %r2: tensor<2x2xf32, #w>,
    %r3: tensor<2x2xf32, #w>, %b0: tensor<2xf32, #b>, %b1: tensor<2xf32, #b>, %b2: tensor<2xf32, #b>,
    %b3: tensor<2xf32, #b>, %h: tensor<1x2xf32, #h>, %c: tensor<1x2xf32, #c>)
    -> (tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>) {
  // expected-error @+1 {{has rule "tflite.lstm": it takes signed codes of 8 or 16 bits, weights of 8 and cells of 16; weights and cells have the zero point 0}}
  %o:3 = qtensor.as "tflite.lstm" (%x, %w0, %w1, %w2, %w3, %r0, %r1, %r2, %r3, %b0, %b1, %b2, %b3, %h, %c)
    : (tensor<1x5x2xf32, #y>, tensor<2x2xf32, #w>, tensor<2x2xf32, #w>, tensor<2x2xf32, #w>,
       tensor<2x2xf32, #w>, tensor<2x2xf32, #w>, tensor<2x2xf32, #w>, tensor<2x2xf32, #w>,
       tensor<2x2xf32, #w>, tensor<2xf32, #b>, tensor<2xf32, #b>, tensor<2xf32, #b>,
       tensor<2xf32, #b>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>)
    -> (tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>) {
  ^bb0(%ax: tensor<1x5x2xf32, #y>, %aw0: tensor<2x2xf32, #w>, %aw1: tensor<2x2xf32, #w>, %aw2: tensor<2x2xf32, #w>,
       %aw3: tensor<2x2xf32, #w>, %ar0: tensor<2x2xf32, #w>, %ar1: tensor<2x2xf32, #w>, %ar2: tensor<2x2xf32, #w>,
       %ar3: tensor<2x2xf32, #w>, %ab0: tensor<2xf32, #b>, %ab1: tensor<2xf32, #b>, %ab2: tensor<2xf32, #b>,
       %ab3: tensor<2xf32, #b>, %ah: tensor<1x2xf32, #h>, %ac: tensor<1x2xf32, #c>):
    qtensor.yield %ax, %ah, %ac : tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>
  }
  return %o#0, %o#1, %o#2 : tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>
}

// -----

#w = #qtensor.block<int8, [?, ?], scale = 0.25>
#b = #qtensor.block<codec<32, int<signed>>, [?], scale = 0.125>
#h = #qtensor.block<int8, [?, ?], scale = 0.0078125>
#y = #qtensor.block<int8, [?, ?, ?], scale = 0.0078125>
#c = #qtensor.block<int16, [?, ?], scale = 0.3>
func.func @scale(
    %x: tensor<1x5x2xf32, #y>, %w0: tensor<2x2xf32, #w>, %w1: tensor<2x2xf32, #w>, %w2: tensor<2x2xf32, #w>,
    %w3: tensor<2x2xf32, #w>, %r0: tensor<2x2xf32, #w>, %r1: tensor<2x2xf32, #w>, %r2: tensor<2x2xf32, #w>,
    %r3: tensor<2x2xf32, #w>, %b0: tensor<2xf32, #b>, %b1: tensor<2xf32, #b>, %b2: tensor<2xf32, #b>,
    %b3: tensor<2xf32, #b>, %h: tensor<1x2xf32, #h>, %c: tensor<1x2xf32, #c>)
    -> (tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>) {
  // expected-error @+1 {{has rule "tflite.lstm": the scale of its cells is no power of two from 2^-31 to 1}}
  %o:3 = qtensor.as "tflite.lstm" (%x, %w0, %w1, %w2, %w3, %r0, %r1, %r2, %r3, %b0, %b1, %b2, %b3, %h, %c)
    : (tensor<1x5x2xf32, #y>, tensor<2x2xf32, #w>, tensor<2x2xf32, #w>, tensor<2x2xf32, #w>,
       tensor<2x2xf32, #w>, tensor<2x2xf32, #w>, tensor<2x2xf32, #w>, tensor<2x2xf32, #w>,
       tensor<2x2xf32, #w>, tensor<2xf32, #b>, tensor<2xf32, #b>, tensor<2xf32, #b>,
       tensor<2xf32, #b>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>)
    -> (tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>) {
  ^bb0(%ax: tensor<1x5x2xf32, #y>, %aw0: tensor<2x2xf32, #w>, %aw1: tensor<2x2xf32, #w>, %aw2: tensor<2x2xf32, #w>,
       %aw3: tensor<2x2xf32, #w>, %ar0: tensor<2x2xf32, #w>, %ar1: tensor<2x2xf32, #w>, %ar2: tensor<2x2xf32, #w>,
       %ar3: tensor<2x2xf32, #w>, %ab0: tensor<2xf32, #b>, %ab1: tensor<2xf32, #b>, %ab2: tensor<2xf32, #b>,
       %ab3: tensor<2xf32, #b>, %ah: tensor<1x2xf32, #h>, %ac: tensor<1x2xf32, #c>):
    qtensor.yield %ax, %ah, %ac : tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>
  }
  return %o#0, %o#1, %o#2 : tensor<1x5x2xf32, #y>, tensor<1x2xf32, #h>, tensor<1x2xf32, #c>
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5>
#t = #qtensor.block<int16, [?, ?], scale = 0.5>
func.func @filters(%x: tensor<1x4xf32, #x>, %w: tensor<6x4xf32, #x>, %t: tensor<6x2xf32, #t>, %s: tensor<1x12xf32, #t>) -> tensor<1x3xf32, #x> {
  // expected-error @+1 {{has rule "tflite.svdf": its filters are no multiple of the rank, or it has no steps}}
  %y:2 = qtensor.as "tflite.svdf" (%x, %w, %t, %s) {rank = 4 : i64} : (tensor<1x4xf32, #x>, tensor<6x4xf32, #x>, tensor<6x2xf32, #t>, tensor<1x12xf32, #t>) -> (tensor<1x3xf32, #x>, tensor<1x12xf32, #t>) {
  ^bb0(%a: tensor<1x4xf32, #x>, %b: tensor<6x4xf32, #x>, %c: tensor<6x2xf32, #t>, %d: tensor<1x12xf32, #t>):
    %e = tensor.empty() : tensor<1x3xf32>
    %q = qtensor.quantize %e : tensor<1x3xf32> -> tensor<1x3xf32, #x>
    qtensor.yield %q, %d : tensor<1x3xf32, #x>, tensor<1x12xf32, #t>
  }
  return %y#0 : tensor<1x3xf32, #x>
}

// -----

#x = #qtensor.block<int8, [?], scale = 0.5>
func.func @places(%x: tensor<4xf32, #x>) -> tensor<4xf32, #x> {
  // expected-error @+1 {{has rule "litert.lstm": its parameter 'inputs' does not name the inputs in ascending order}}
  %y:3 = qtensor.as "litert.lstm" (%x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x) {inputs = array<i64: 0, 0>} : (tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>) -> (tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>) {
  ^bb0(%a: tensor<4xf32, #x>, %b: tensor<4xf32, #x>, %c: tensor<4xf32, #x>, %d: tensor<4xf32, #x>, %e: tensor<4xf32, #x>, %f: tensor<4xf32, #x>, %g: tensor<4xf32, #x>, %h: tensor<4xf32, #x>, %i: tensor<4xf32, #x>, %j: tensor<4xf32, #x>, %k: tensor<4xf32, #x>, %l: tensor<4xf32, #x>):
    qtensor.yield %a, %a, %a : tensor<4xf32, #x>, tensor<4xf32, #x>, tensor<4xf32, #x>
  }
  return %y#0 : tensor<4xf32, #x>
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5>
#y = #qtensor.block<int8, [?, ?], scale = 0.5>
func.func @unit(%x: tensor<4x4xf32, #x>) -> tensor<4x4xf32, #y> {
  // expected-error @+1 {{has rule "tflite.l2_normalization": it takes int8 rows of at most 33000 codes; its output is int8 of scale 2^-7 and zero point 0}}
  %y = qtensor.as "tflite.l2_normalization" (%x) : (tensor<4x4xf32, #x>) -> tensor<4x4xf32, #y> {
  ^bb0(%a: tensor<4x4xf32, #x>):
    %z = tensor.empty() : tensor<4x4xf32, #y>
    qtensor.yield %z : tensor<4x4xf32, #y>
  }
  return %y : tensor<4x4xf32, #y>
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5>
#y = #qtensor.block<int8, [?, ?], scale = 0.5>
func.func @logarithm(%x: tensor<4x4xf32, #x>) -> tensor<4x4xf32, #y> {
  // expected-error @+1 {{has rule "tflite.log_softmax": it takes int8 rows of at most 4000 codes; its output is int8 of scale 2^-4 and zero point 127}}
  %y = qtensor.as "tflite.log_softmax" (%x) {beta = 1.0 : f64} : (tensor<4x4xf32, #x>) -> tensor<4x4xf32, #y> {
  ^bb0(%a: tensor<4x4xf32, #x>):
    %z = tensor.empty() : tensor<4x4xf32, #y>
    qtensor.yield %z : tensor<4x4xf32, #y>
  }
  return %y : tensor<4x4xf32, #y>
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5>
#y = #qtensor.block<int8, [?, ?], scale = 0.5>
func.func @axis(%x: tensor<4x4xf32, #x>) -> tensor<4x4xf32, #y> {
  // expected-error @+1 {{has rule "tflite.cumsum": its axis is none of its input's}}
  %y = qtensor.as "tflite.cumsum" (%x) {axis = 2 : i64} : (tensor<4x4xf32, #x>) -> tensor<4x4xf32, #y> {
  ^bb0(%a: tensor<4x4xf32, #x>):
    %z = tensor.empty() : tensor<4x4xf32, #y>
    qtensor.yield %z : tensor<4x4xf32, #y>
  }
  return %y : tensor<4x4xf32, #y>
}

// -----

#x = #qtensor.block<int16, [?], scale = 0.5>
#y = #qtensor.block<int16, [?], scale = 0.5>
func.func @sums(%x: tensor<4xf32, #x>) -> tensor<4xf32, #y> {
  // expected-error @+1 {{has rule "tflite.add_n": it is defined for codes of 8 bits, inputs of one scale, and one shape}}
  %y = qtensor.as "tflite.add_n" (%x) : (tensor<4xf32, #x>) -> tensor<4xf32, #y> {
  ^bb0(%a: tensor<4xf32, #x>):
    %z = tensor.empty() : tensor<4xf32, #y>
    qtensor.yield %z : tensor<4xf32, #y>
  }
  return %y : tensor<4xf32, #y>
}
