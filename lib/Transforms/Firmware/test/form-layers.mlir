// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file --pass-pipeline='builtin.module(func.func(qtensor-form-layers))' | FileCheck %s

#x = #qtensor.block<int8, [?, ?], scale = 5.000000e-01, zero = 3.000000e+00>
#y = #qtensor.block<int8, [?, ?], scale = 2.500000e-01, zero = -1.280000e+02>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// CHECK-LABEL: func.func @product(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x4xi8>
// CHECK: %[[W:.*]] = arith.constant dense<100> : tensor<3x4xi8>
// CHECK: %[[BIAS:.*]] = arith.constant dense<[10, 20, 30]> : tensor<3xi32>
// CHECK: %[[Y:.*]] = qnn.fully_connected ins(%[[X]] : tensor<2x4xi8>) weights(%[[W]], %[[BIAS]], %{{.*}}, %{{.*}})
// CHECK-SAME: high = 127 : i64, input_zero = 3 : i64, low = -128 : i64, map = #qtensor.final<fixed<double>>, output_zero = -128 : i64
// CHECK: qtensor.assemble %[[Y]] : tensor<2x3xi8>
// CHECK-NOT: qtensor.requantize
func.func @product(%x: tensor<2x4xi8>, %m: tensor<3xi32>, %s: tensor<3xi32>) -> tensor<2x3xf32, #y> {
  %w = arith.constant dense<100> : tensor<3x4xi8>
  %zero = arith.constant 0 : i32
  %bias = arith.constant dense<[10, 20, 30]> : tensor<3xi32>
  %e = tensor.empty() : tensor<2x3xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<2x3xi32>) -> tensor<2x3xi32>
  %p = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x4xi8>, tensor<3x4xi8>) outs(%f : tensor<2x3xi32>) {
  ^bb0(%in: i8, %weight: i8, %out: i32):
    %c3 = arith.constant 3 : i32
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.subi %0, %c3 : i32
    %2 = arith.extsi %weight : i8 to i32
    %3 = arith.muli %1, %2 : i32
    %4 = arith.addi %out, %3 : i32
    linalg.yield %4 : i32
  } -> tensor<2x3xi32>
  %t = linalg.generic {indexing_maps = [#id, #n, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p, %bias : tensor<2x3xi32>, tensor<3xi32>) outs(%e : tensor<2x3xi32>) {
  ^bb0(%in: i32, %b: i32, %out: i32):
    %0 = arith.addi %in, %b : i32
    linalg.yield %0 : i32
  } -> tensor<2x3xi32>
  %q = qtensor.requantize %t multiplier(%m : tensor<3xi32>) shift(%s : tensor<3xi32>) axis 1 <fixed<double>> clamp [-128, 127]
    : tensor<2x3xi32> -> tensor<2x3xf32, #y>
  return %q : tensor<2x3xf32, #y>
}

// -----

// Kernels arrange constants: a filter that is computed stays in a loop.
#y = #qtensor.block<int8, [?, ?], scale = 2.500000e-01, zero = -1.280000e+02>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>
// CHECK-LABEL: func.func @computed(
// CHECK-NOT: qnn.
// CHECK: qtensor.requantize
func.func @computed(%x: tensor<2x4xi8>, %w: tensor<3x4xi8>, %m: tensor<3xi32>, %s: tensor<3xi32>) -> tensor<2x3xf32, #y> {
  %zero = arith.constant 0 : i32
  %bias = arith.constant dense<[10, 20, 30]> : tensor<3xi32>
  %e = tensor.empty() : tensor<2x3xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<2x3xi32>) -> tensor<2x3xi32>
  %p = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x4xi8>, tensor<3x4xi8>) outs(%f : tensor<2x3xi32>) {
  ^bb0(%in: i8, %weight: i8, %out: i32):
    %c3 = arith.constant 3 : i32
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.subi %0, %c3 : i32
    %2 = arith.extsi %weight : i8 to i32
    %3 = arith.muli %1, %2 : i32
    %4 = arith.addi %out, %3 : i32
    linalg.yield %4 : i32
  } -> tensor<2x3xi32>
  %t = linalg.generic {indexing_maps = [#id, #n, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p, %bias : tensor<2x3xi32>, tensor<3xi32>) outs(%e : tensor<2x3xi32>) {
  ^bb0(%in: i32, %b: i32, %out: i32):
    %0 = arith.addi %in, %b : i32
    linalg.yield %0 : i32
  } -> tensor<2x3xi32>
  %q = qtensor.requantize %t multiplier(%m : tensor<3xi32>) shift(%s : tensor<3xi32>) axis 1 <fixed<double>> clamp [-128, 127]
    : tensor<2x3xi32> -> tensor<2x3xf32, #y>
  return %q : tensor<2x3xf32, #y>
}

// -----

// Padding with the zero point is the layer's; with another number it stays in front of it.
#y = #qtensor.block<int8, [?, ?, ?, ?], scale = 2.500000e-01, zero = -1.280000e+02>
#in = affine_map<(n, y, x, o, ky, kx, c) -> (n, y * 2 + ky, x * 2 + kx, c)>
#w = affine_map<(n, y, x, o, ky, kx, c) -> (o, ky, kx, c)>
#out = affine_map<(n, y, x, o, ky, kx, c) -> (n, y, x, o)>

// CHECK-LABEL: func.func @window(
// CHECK-SAME: %[[X:.*]]: tensor<1x7x7x4xi8>
// CHECK: qnn.conv2d ins(%[[X]] : tensor<1x7x7x4xi8>)
// CHECK-SAME: pads = array<i64: 1, 1, 0, 0>, strides = array<i64: 2, 2>, window = array<i64: 2, 2>
// CHECK-LABEL: func.func @other_padding(
// CHECK: %[[P:.*]] = tensor.pad
// CHECK: qnn.conv2d ins(%[[P]] : tensor<1x8x8x4xi8>)
// CHECK-SAME: pads = array<i64: 0, 0, 0, 0>
func.func @window(%x: tensor<1x7x7x4xi8>, %m: tensor<1xi32>, %s: tensor<1xi32>) -> tensor<1x4x4x8xf32, #y> {
  %w = arith.constant dense<100> : tensor<8x2x2x4xi8>
  %z = arith.constant 5 : i8
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 0, 0, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %z : i8
  } : tensor<1x7x7x4xi8> to tensor<1x8x8x4xi8>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x4x4x8xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x4x4x8xi32>) -> tensor<1x4x4x8xi32>
  %sum = linalg.generic {indexing_maps = [#in, #w, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x8x8x4xi8>, tensor<8x2x2x4xi8>) outs(%f : tensor<1x4x4x8xi32>) {
  ^bb0(%in: i8, %weight: i8, %acc: i32):
    %c5 = arith.constant 5 : i32
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.subi %0, %c5 : i32
    %2 = arith.extsi %weight : i8 to i32
    %3 = arith.muli %1, %2 : i32
    %4 = arith.addi %acc, %3 : i32
    linalg.yield %4 : i32
  } -> tensor<1x4x4x8xi32>
  %q = qtensor.requantize %sum multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi32>) <fixed<single>> clamp [-128, 127]
    : tensor<1x4x4x8xi32> -> tensor<1x4x4x8xf32, #y>
  return %q : tensor<1x4x4x8xf32, #y>
}
func.func @other_padding(%x: tensor<1x7x7x4xi8>, %m: tensor<1xi32>, %s: tensor<1xi32>) -> tensor<1x4x4x8xf32, #y> {
  %w = arith.constant dense<100> : tensor<8x2x2x4xi8>
  %z = arith.constant 6 : i8
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 0, 0, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %z : i8
  } : tensor<1x7x7x4xi8> to tensor<1x8x8x4xi8>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x4x4x8xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x4x4x8xi32>) -> tensor<1x4x4x8xi32>
  %sum = linalg.generic {indexing_maps = [#in, #w, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x8x8x4xi8>, tensor<8x2x2x4xi8>) outs(%f : tensor<1x4x4x8xi32>) {
  ^bb0(%in: i8, %weight: i8, %acc: i32):
    %c5 = arith.constant 5 : i32
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.subi %0, %c5 : i32
    %2 = arith.extsi %weight : i8 to i32
    %3 = arith.muli %1, %2 : i32
    %4 = arith.addi %acc, %3 : i32
    linalg.yield %4 : i32
  } -> tensor<1x4x4x8xi32>
  %q = qtensor.requantize %sum multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi32>) <fixed<single>> clamp [-128, 127]
    : tensor<1x4x4x8xi32> -> tensor<1x4x4x8xf32, #y>
  return %q : tensor<1x4x4x8xf32, #y>
}

// -----

// Rules that are layers, and one that is not; maxima of windows.
#x = #qtensor.block<int8, [?, ?], scale = 1.000000e-01, zero = 3.000000e+00>
#s = #qtensor.block<int8, [?, ?], scale = 3.906250e-03, zero = -1.280000e+02>
#t = #qtensor.block<int8, [?, ?], scale = 7.812500e-03>
#in = affine_map<(n, y, x, c, ky, kx) -> (n, y * 2 + ky, x * 2 + kx, c)>
#win = affine_map<(n, y, x, c, ky, kx) -> (ky, kx)>
#out = affine_map<(n, y, x, c, ky, kx) -> (n, y, x, c)>

// CHECK-LABEL: func.func @rules(
// CHECK: qnn.add ins(%{{.*}}, %{{.*}} : tensor<2x8xi8>, tensor<2x8xi8>)
// CHECK-SAME: left_shift = 20 : i64
// CHECK-SAME: zeros = array<i64: 3, 3>
// CHECK: qnn.softmax ins(%{{.*}} : tensor<2x8xi8>) weights(%{{.*}} : tensor<256xi32>)
// CHECK: qtensor.as "tflite.tanh"
func.func @rules(%x: tensor<2x8xf32, #x>) -> (tensor<2x8xf32, #s>, tensor<2x8xf32, #t>) {
  %a = qtensor.as "tflite.add"(%x, %x) {activation = 0 : i64, rounding = "double"} : (tensor<2x8xf32, #x>, tensor<2x8xf32, #x>) -> tensor<2x8xf32, #x> {
  ^bb0(%p: tensor<2x8xf32, #x>, %q: tensor<2x8xf32, #x>):
    qtensor.yield %p : tensor<2x8xf32, #x>
  }
  %s = qtensor.as "tflite.softmax"(%a) {beta = 1.000000e+00 : f64, rounding = "double"} : (tensor<2x8xf32, #x>) -> tensor<2x8xf32, #s> {
  ^bb0(%p: tensor<2x8xf32, #x>):
    %r = qtensor.dequantize %p : tensor<2x8xf32, #x> -> tensor<2x8xf32>
    %q = qtensor.quantize %r : tensor<2x8xf32> -> tensor<2x8xf32, #s>
    qtensor.yield %q : tensor<2x8xf32, #s>
  }
  %t = qtensor.as "tflite.tanh"(%a) {rounding = "double"} : (tensor<2x8xf32, #x>) -> tensor<2x8xf32, #t> {
  ^bb0(%p: tensor<2x8xf32, #x>):
    %r = qtensor.dequantize %p : tensor<2x8xf32, #x> -> tensor<2x8xf32>
    %q = qtensor.quantize %r : tensor<2x8xf32> -> tensor<2x8xf32, #t>
    qtensor.yield %q : tensor<2x8xf32, #t>
  }
  return %s, %t : tensor<2x8xf32, #s>, tensor<2x8xf32, #t>
}

// CHECK-LABEL: func.func @largest(
// CHECK: qnn.pool2d ins(%{{.*}} : tensor<1x4x4x8xi8>) outs(%{{.*}} : tensor<1x2x2x8xi8>)
// CHECK-SAME: max, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 2, 2>, window = array<i64: 2, 2>
func.func @largest(%x: tensor<1x4x4x8xi8>) -> tensor<1x2x2x8xi8> {
  %low = arith.constant -128 : i8
  %w = tensor.empty() : tensor<2x2xi8>
  %e = tensor.empty() : tensor<1x2x2x8xi8>
  %f = linalg.fill ins(%low : i8) outs(%e : tensor<1x2x2x8xi8>) -> tensor<1x2x2x8xi8>
  %y = linalg.generic {indexing_maps = [#in, #win, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x4x4x8xi8>, tensor<2x2xi8>) outs(%f : tensor<1x2x2x8xi8>) {
  ^bb0(%in: i8, %unused: i8, %acc: i8):
    %0 = arith.maxsi %acc, %in : i8
    linalg.yield %0 : i8
  } -> tensor<1x2x2x8xi8>
  return %y : tensor<1x2x2x8xi8>
}

// As importers write it. Around the image stands the lowest code.
// CHECK-LABEL: func.func @largest_named(
// CHECK-SAME: %[[X:.*]]: tensor<1x3x3x8xi8>
// CHECK: %[[Y:.*]] = qnn.pool2d ins(%[[X]] : tensor<1x3x3x8xi8>) outs(%{{.*}} : tensor<1x2x2x8xi8>)
// CHECK-SAME: max, pads = array<i64: 0, 0, 1, 1>, strides = array<i64: 2, 2>, window = array<i64: 2, 2>
// CHECK-NEXT: return %[[Y]]
func.func @largest_named(%x: tensor<1x3x3x8xi8>) -> tensor<1x2x2x8xi8> {
  %low = arith.constant -128 : i8
  %p = tensor.pad %x low[0, 0, 0, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %low : i8
  } : tensor<1x3x3x8xi8> to tensor<1x4x4x8xi8>
  %w = tensor.empty() : tensor<2x2xi8>
  %e = tensor.empty() : tensor<1x2x2x8xi8>
  %f = linalg.fill ins(%low : i8) outs(%e : tensor<1x2x2x8xi8>) -> tensor<1x2x2x8xi8>
  %y = linalg.pooling_nhwc_max {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>}
      ins(%p, %w : tensor<1x4x4x8xi8>, tensor<2x2xi8>) outs(%f : tensor<1x2x2x8xi8>) -> tensor<1x2x2x8xi8>
  return %y : tensor<1x2x2x8xi8>
}

// -----

// Means: over the middle axes; over windows beside padding, whose sums are brought to 4 codes; TFLite's. One whose axes are no
// neighbours, and one of which a factor is wrong, keep their loops.
#x = #qtensor.block<int8, [?, ?, ?, ?], scale = 1.000000e-01, zero = 3.000000e+00>
#y = #qtensor.block<int8, [?, ?, ?, ?], scale = 1.000000e-01, zero = -2.000000e+00>
#z = #qtensor.block<int8, [?, ?], scale = 1.000000e-01, zero = -2.000000e+00>
#all = affine_map<(n, y, x, c) -> (n, y, x, c)>
#kept = affine_map<(n, y, x, c) -> (n, c)>
#apart = affine_map<(n, y, x, c) -> (n, x)>
#in = affine_map<(n, y, x, c, ky, kx) -> (n, y + ky, x + kx, c)>
#win = affine_map<(n, y, x, c, ky, kx) -> (ky, kx)>
#out = affine_map<(n, y, x, c, ky, kx) -> (n, y, x, c)>
#place = affine_map<(n, y, x, c) -> (y, x)>

// CHECK-LABEL: func.func @axes(
// CHECK-SAME: %[[X:.*]]: tensor<1x4x4x8xi8>
// CHECK: %[[P:.*]] = qnn.pool2d ins(%[[X]] : tensor<1x4x4x8xi8>) outs(%{{.*}} : tensor<1x1x1x8xi8>)
// CHECK-SAME: high = 127 : i64, low = -2 : i64, mean = #qnn.mean<input_zero = 3, multiple = 0, multiplier = 1073741824, shift = -3, output_zero = -2, map = <fixed<double>>>
// CHECK-SAME: window = array<i64: 4, 4>
// CHECK: tensor.collapse_shape %[[P]] {{.*}} into tensor<1x8xi8>
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4xi32>)
// CHECK: qtensor.requantize
func.func @axes(%x: tensor<1x4x4x8xi8>) -> (tensor<1x8xf32, #z>, tensor<1x4xf32, #z>) {
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<-3> : tensor<1xi32>
  %zero = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %e = tensor.empty() : tensor<1x8xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x8xi32>) -> tensor<1x8xi32>
  %sum = linalg.generic {indexing_maps = [#all, #kept], iterator_types = ["parallel", "reduction", "reduction", "parallel"]}
      ins(%x : tensor<1x4x4x8xi8>) outs(%f : tensor<1x8xi32>) {
  ^bb0(%in: i8, %out: i32):
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.subi %0, %c3 : i32
    %2 = arith.addi %out, %1 : i32
    linalg.yield %2 : i32
  } -> tensor<1x8xi32>
  %q = qtensor.requantize %sum multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi32>) <fixed<double>> clamp [-2, 127]
    : tensor<1x8xi32> -> tensor<1x8xf32, #z>
  %e2 = tensor.empty() : tensor<1x4xi32>
  %f2 = linalg.fill ins(%zero : i32) outs(%e2 : tensor<1x4xi32>) -> tensor<1x4xi32>
  %sum2 = linalg.generic {indexing_maps = [#all, #apart], iterator_types = ["parallel", "reduction", "parallel", "reduction"]}
      ins(%x : tensor<1x4x4x8xi8>) outs(%f2 : tensor<1x4xi32>) {
  ^bb0(%in: i8, %out: i32):
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.addi %out, %0 : i32
    linalg.yield %1 : i32
  } -> tensor<1x4xi32>
  %q2 = qtensor.requantize %sum2 multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi32>) <fixed<double>> clamp [-128, 127]
    : tensor<1x4xi32> -> tensor<1x4xf32, #z>
  return %q, %q2 : tensor<1x8xf32, #z>, tensor<1x4xf32, #z>
}

// CHECK-LABEL: func.func @windows(
// CHECK-SAME: %[[X:.*]]: tensor<1x2x2x8xi8>
// CHECK: qnn.pool2d ins(%[[X]] : tensor<1x2x2x8xi8>) outs(%{{.*}} : tensor<1x3x3x8xi8>)
// CHECK-SAME: mean = #qnn.mean<input_zero = 3, multiple = 4, multiplier = 1073741824, shift = -1, output_zero = -2, map = <fixed<single>>>
// CHECK-SAME: pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>, window = array<i64: 2, 2>
// CHECK-NOT: qnn.pool2d
// CHECK: qtensor.requantize
func.func @windows(%x: tensor<1x2x2x8xi8>) -> (tensor<1x3x3x8xf32, #y>, tensor<1x3x3x8xf32, #y>) {
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<-1> : tensor<1xi32>
  %zero = arith.constant 0 : i32
  %around = arith.constant 3 : i8
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %around : i8
  } : tensor<1x2x2x8xi8> to tensor<1x4x4x8xi8>
  %w = tensor.empty() : tensor<2x2xi32>
  %e = tensor.empty() : tensor<1x3x3x8xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x3x3x8xi32>) -> tensor<1x3x3x8xi32>
  %c3 = arith.constant 3 : i32
  %sum = linalg.generic {indexing_maps = [#in, #win, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x4x4x8xi8>, tensor<2x2xi32>) outs(%f : tensor<1x3x3x8xi32>) {
  ^bb0(%in: i8, %unused: i32, %out: i32):
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.subi %0, %c3 : i32
    %2 = arith.addi %out, %1 : i32
    linalg.yield %2 : i32
  } -> tensor<1x3x3x8xi32>
  %right = arith.constant dense<[[4, 2, 4], [2, 1, 2], [4, 2, 4]]> : tensor<3x3xi32>
  %t = linalg.generic {indexing_maps = [#all, #place, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%sum, %right : tensor<1x3x3x8xi32>, tensor<3x3xi32>) outs(%e : tensor<1x3x3x8xi32>) {
  ^bb0(%in: i32, %factor: i32, %out: i32):
    %0 = arith.muli %in, %factor : i32
    linalg.yield %0 : i32
  } -> tensor<1x3x3x8xi32>
  %q = qtensor.requantize %t multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi32>) <fixed<single>> clamp [-128, 127]
    : tensor<1x3x3x8xi32> -> tensor<1x3x3x8xf32, #y>
  %wrong = arith.constant dense<[[4, 2, 4], [2, 1, 2], [4, 2, 3]]> : tensor<3x3xi32>
  %u = linalg.generic {indexing_maps = [#all, #place, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%sum, %wrong : tensor<1x3x3x8xi32>, tensor<3x3xi32>) outs(%e : tensor<1x3x3x8xi32>) {
  ^bb0(%in: i32, %factor: i32, %out: i32):
    %0 = arith.muli %in, %factor : i32
    linalg.yield %0 : i32
  } -> tensor<1x3x3x8xi32>
  %r = qtensor.requantize %u multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi32>) <fixed<single>> clamp [-128, 127]
    : tensor<1x3x3x8xi32> -> tensor<1x3x3x8xf32, #y>
  return %q, %r : tensor<1x3x3x8xf32, #y>, tensor<1x3x3x8xf32, #y>
}

// CHECK-LABEL: func.func @rule(
// CHECK: qnn.pool2d {{.*}} mean = #qnn.mean<input_zero = 3, multiple = 0, multiplier = 1073741824, shift = -3, output_zero = -2, map = <fixed<double>>>
func.func @rule(%x: tensor<1x4x4x8xf32, #x>) -> tensor<1x8xf32, #z> {
  %y = qtensor.as "tflite.mean"(%x) {axes = array<i64: 1, 2>, keep_dims = 0, rounding = "double"} : (tensor<1x4x4x8xf32, #x>) -> tensor<1x8xf32, #z> {
  ^bb0(%p: tensor<1x4x4x8xf32, #x>):
    %e = tensor.empty() : tensor<1x8xf32>
    %q = qtensor.quantize %e : tensor<1x8xf32> -> tensor<1x8xf32, #z>
    qtensor.yield %q : tensor<1x8xf32, #z>
  }
  return %y : tensor<1x8xf32, #z>
}

// -----

// Factors of groups: of 4 channels of a matrix; of a row of taps and all channels of a convolution. Weights of which only the
// constant is left have the bits that it needs.
#y = #qtensor.block<int8, [?, ?], scale = 2.500000e-01>
#z = #qtensor.block<int8, [?, ?, ?, ?], scale = 2.500000e-01>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#f = affine_map<(m, n, k) -> (n, k floordiv 4)>
#c = affine_map<(m, n, k) -> (m, n)>
#in = affine_map<(n, y, x, o, ky, kx, c) -> (n, y + ky, x + kx, c)>
#w = affine_map<(n, y, x, o, ky, kx, c) -> (o, ky, kx, c)>
#g = affine_map<(n, y, x, o, ky, kx, c) -> (o, ky, kx floordiv 2, 0)>
#out = affine_map<(n, y, x, o, ky, kx, c) -> (n, y, x, o)>

// CHECK-LABEL: func.func @groups(
// CHECK-SAME: %[[X:.*]]: tensor<2x6xi8>, %[[I:.*]]: tensor<1x4x4x2xi8>
// CHECK: qnn.fully_connected ins(%[[X]] : tensor<2x6xi8>) weights(%{{.*}} : tensor<3x6xi8>, tensor<1xi64>, tensor<1xi32>, tensor<1xi32>, tensor<3x2xi32>)
// CHECK-SAME: groups = array<i64: 4>, high = 127 : i64, input_zero = 3 : i64
// CHECK-SAME: weight_bits = 4
// CHECK: qnn.conv2d ins(%[[I]] : tensor<1x4x4x2xi8>) weights(%{{.*}} : tensor<1x3x3x2xi8>, tensor<1xi64>, tensor<1xi32>, tensor<1xi32>, tensor<1x3x2x1xi32>)
// CHECK-SAME: groups = array<i64: 1, 2, 2>
// CHECK-SAME: weight_bits = 2
func.func @groups(%x: tensor<2x6xi8>, %i: tensor<1x4x4x2xi8>, %m: tensor<1xi32>) -> (tensor<2x3xf32, #y>, tensor<1x2x2x1xf32, #z>) {
  %zero = arith.constant 0 : i64
  %weights = arith.constant dense<[[1, 2, 3, 4, 5, 6], [-8, 7, 6, 5, 4, 3], [0, 0, 1, 1, 2, 2]]> : tensor<3x6xi8>
  %factors = arith.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi32>
  %e = tensor.empty() : tensor<2x3xi64>
  %z = linalg.fill ins(%zero : i64) outs(%e : tensor<2x3xi64>) -> tensor<2x3xi64>
  %p = linalg.generic {indexing_maps = [#a, #b, #f, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %weights, %factors : tensor<2x6xi8>, tensor<3x6xi8>, tensor<3x2xi32>) outs(%z : tensor<2x3xi64>) {
  ^bb0(%in: i8, %weight: i8, %factor: i32, %out: i64):
    %c3 = arith.constant 3 : i64
    %0 = arith.extsi %in : i8 to i64
    %1 = arith.subi %0, %c3 : i64
    %2 = arith.extsi %weight : i8 to i64
    %3 = arith.muli %1, %2 : i64
    %4 = arith.extsi %factor : i32 to i64
    %5 = arith.muli %3, %4 : i64
    %6 = arith.addi %out, %5 : i64
    linalg.yield %6 : i64
  } -> tensor<2x3xi64>
  %q = qtensor.requantize %p multiplier(%m : tensor<1xi32>) shift(%m : tensor<1xi32>) <fixed<x16>> clamp [-128, 127]
    : tensor<2x3xi64> -> tensor<2x3xf32, #y>
  %w2 = arith.constant dense<1> : tensor<1x3x3x2xi8>
  %f2 = arith.constant dense<100> : tensor<1x3x2x1xi32>
  %e2 = tensor.empty() : tensor<1x2x2x1xi64>
  %z2 = linalg.fill ins(%zero : i64) outs(%e2 : tensor<1x2x2x1xi64>) -> tensor<1x2x2x1xi64>
  %p2 = linalg.generic {indexing_maps = [#in, #w, #g, #out],
                        iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%i, %w2, %f2 : tensor<1x4x4x2xi8>, tensor<1x3x3x2xi8>, tensor<1x3x2x1xi32>) outs(%z2 : tensor<1x2x2x1xi64>) {
  ^bb0(%in: i8, %weight: i8, %factor: i32, %out: i64):
    %0 = arith.extsi %in : i8 to i64
    %2 = arith.extsi %weight : i8 to i64
    %3 = arith.muli %0, %2 : i64
    %4 = arith.extsi %factor : i32 to i64
    %5 = arith.muli %3, %4 : i64
    %6 = arith.addi %out, %5 : i64
    linalg.yield %6 : i64
  } -> tensor<1x2x2x1xi64>
  %q2 = qtensor.requantize %p2 multiplier(%m : tensor<1xi32>) shift(%m : tensor<1xi32>) <fixed<x16>> clamp [-128, 127]
    : tensor<1x2x2x1xi64> -> tensor<1x2x2x1xf32, #z>
  return %q, %q2 : tensor<2x3xf32, #y>, tensor<1x2x2x1xf32, #z>
}

// -----

// Groups of channels that have a dimension of their own become the layer's.
#y = #qtensor.block<int8, [?, ?, ?, ?], scale = 2.500000e-01>
#in = affine_map<(n, y, x, g, o, ky, kx, c) -> (n, y * 2 + ky, x * 2 + kx, g, c)>
#w = affine_map<(n, y, x, g, o, ky, kx, c) -> (g, o, ky, kx, c)>
#out = affine_map<(n, y, x, g, o, ky, kx, c) -> (n, y, x, g, o)>
// CHECK-LABEL: func.func @channel_groups(
// CHECK-SAME: %[[X:.*]]: tensor<1x4x4x6xi8>
// CHECK: qnn.conv2d ins(%[[X]] : tensor<1x4x4x6xi8>) weights(%{{.*}} : tensor<8x3x3x3xi8>, tensor<1xi32>, tensor<8xi32>, tensor<8xi32>)
// CHECK-SAME: outs(%{{.*}} : tensor<1x2x2x8xi8>)
// CHECK-SAME: channel_groups = 2 : i64
// CHECK-SAME: input_zero = 3 : i64
// CHECK-SAME: pads = array<i64: 1, 1, 0, 0>, strides = array<i64: 2, 2>
func.func @channel_groups(%x: tensor<1x4x4x6xi8>, %m: tensor<8xi32>) -> tensor<1x2x2x8xf32, #y> {
  %zero = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %pad = arith.constant 3 : i8
  %weights = arith.constant dense<9> : tensor<2x4x3x3x3xi8>
  %padded = tensor.pad %x low[0, 1, 1, 0] high[0, 0, 0, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %pad : i8
  } : tensor<1x4x4x6xi8> to tensor<1x5x5x6xi8>
  %split = tensor.expand_shape %padded [[0], [1], [2], [3, 4]] output_shape [1, 5, 5, 2, 3] : tensor<1x5x5x6xi8> into tensor<1x5x5x2x3xi8>
  %e = tensor.empty() : tensor<1x2x2x2x4xi32>
  %z = linalg.fill ins(%zero : i32) outs(%e : tensor<1x2x2x2x4xi32>) -> tensor<1x2x2x2x4xi32>
  %p = linalg.generic {indexing_maps = [#in, #w, #out],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%split, %weights : tensor<1x5x5x2x3xi8>, tensor<2x4x3x3x3xi8>) outs(%z : tensor<1x2x2x2x4xi32>) {
  ^bb0(%code: i8, %weight: i8, %sum: i32):
    %0 = arith.extsi %code : i8 to i32
    %1 = arith.subi %0, %c3 : i32
    %2 = arith.extsi %weight : i8 to i32
    %3 = arith.muli %1, %2 : i32
    %4 = arith.addi %sum, %3 : i32
    linalg.yield %4 : i32
  } -> tensor<1x2x2x2x4xi32>
  %c = tensor.collapse_shape %p [[0], [1], [2], [3, 4]] : tensor<1x2x2x2x4xi32> into tensor<1x2x2x8xi32>
  %q = qtensor.requantize %c multiplier(%m : tensor<8xi32>) shift(%m : tensor<8xi32>) axis 3 <fixed<double>> clamp [-128, 127]
    : tensor<1x2x2x8xi32> -> tensor<1x2x2x8xf32, #y>
  return %q : tensor<1x2x2x8xf32, #y>
}

// -----

// Products of two tensors: the one that repeats comes second. What repeats along dimensions that are not neighbours stays.
#x = #qtensor.block<int8, [?, ?, ?, ?], scale = 1.000000e-01, zero = 3.000000e+00>
#channels = affine_map<(n, y, x, c) -> (0, 0, 0, c)>
#last = affine_map<(n, y, x, c) -> (c)>
#columns = affine_map<(n, y, x, c) -> (0, 0, x, 0)>
#all = affine_map<(n, y, x, c) -> (n, y, x, c)>

// CHECK-LABEL: func.func @products(
// CHECK-SAME: %[[X:.*]]: tensor<2x4x4x8xi8>, %[[F:.*]]: tensor<1x1x1x8xi8>,
// CHECK: %[[SQUARE:.*]] = qnn.mul ins(%[[X]], %[[X]] : tensor<2x4x4x8xi8>, tensor<2x4x4x8xi8>)
// CHECK-SAME: <{high = 100 : i64, low = -128 : i64, map = #qtensor.final<fixed<double>>, multiplier = 1500000000 : i64, output_zero = 3 : i64, shift = -7 : i64, zeros = array<i64: 5, 5>}>
// CHECK: qtensor.assemble %[[SQUARE]]
// CHECK: qnn.mul ins(%[[X]], %[[F]] : tensor<2x4x4x8xi8>, tensor<1x1x1x8xi8>)
// CHECK-SAME: zeros = array<i64: 5, -128>
// CHECK: qnn.mul ins(%[[X]], %{{.*}} : tensor<2x4x4x8xi8>, tensor<8xi8>)
// CHECK-SAME: zeros = array<i64: 5, 0>
// CHECK-NOT: qnn.mul
// CHECK: linalg.generic
// CHECK: qtensor.requantize
func.func @products(%x: tensor<2x4x4x8xi8>, %f: tensor<1x1x1x8xi8>, %g: tensor<8xi8>, %h: tensor<1x1x4x1xi8>)
    -> (tensor<2x4x4x8xf32, #x>, tensor<2x4x4x8xf32, #x>, tensor<2x4x4x8xf32, #x>, tensor<2x4x4x8xf32, #x>) {
  %m = arith.constant dense<1500000000> : tensor<1xi32>
  %s = arith.constant dense<-7> : tensor<1xi32>
  %five = arith.constant 5 : i32
  %low = arith.constant -128 : i32
  %e = tensor.empty() : tensor<2x4x4x8xi32>
  %0 = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %x : tensor<2x4x4x8xi8>, tensor<2x4x4x8xi8>) outs(%e : tensor<2x4x4x8xi32>) {
  ^bb0(%p: i8, %q: i8, %o: i32):
    %a = arith.extsi %p : i8 to i32
    %c = arith.subi %a, %five : i32
    %b = arith.extsi %q : i8 to i32
    %d = arith.subi %b, %five : i32
    %v = arith.muli %c, %d : i32
    linalg.yield %v : i32
  } -> tensor<2x4x4x8xi32>
  %q0 = qtensor.requantize %0 multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi32>) <fixed<double>> clamp [-128, 100]
    : tensor<2x4x4x8xi32> -> tensor<2x4x4x8xf32, #x>
  %1 = linalg.generic {indexing_maps = [#channels, #all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%f, %x : tensor<1x1x1x8xi8>, tensor<2x4x4x8xi8>) outs(%e : tensor<2x4x4x8xi32>) {
  ^bb0(%p: i8, %q: i8, %o: i32):
    %a = arith.extsi %p : i8 to i32
    %c = arith.subi %a, %low : i32
    %b = arith.extsi %q : i8 to i32
    %d = arith.subi %b, %five : i32
    %v = arith.muli %c, %d : i32
    linalg.yield %v : i32
  } -> tensor<2x4x4x8xi32>
  %q1 = qtensor.requantize %1 multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi32>) <fixed<double>> clamp [-128, 127]
    : tensor<2x4x4x8xi32> -> tensor<2x4x4x8xf32, #x>
  %2 = linalg.generic {indexing_maps = [#all, #last, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %g : tensor<2x4x4x8xi8>, tensor<8xi8>) outs(%e : tensor<2x4x4x8xi32>) {
  ^bb0(%p: i8, %q: i8, %o: i32):
    %a = arith.extsi %p : i8 to i32
    %c = arith.subi %a, %five : i32
    %b = arith.extsi %q : i8 to i32
    %v = arith.muli %c, %b : i32
    linalg.yield %v : i32
  } -> tensor<2x4x4x8xi32>
  %q2 = qtensor.requantize %2 multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi32>) <fixed<single>> clamp [-128, 127]
    : tensor<2x4x4x8xi32> -> tensor<2x4x4x8xf32, #x>
  %3 = linalg.generic {indexing_maps = [#all, #columns, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %h : tensor<2x4x4x8xi8>, tensor<1x1x4x1xi8>) outs(%e : tensor<2x4x4x8xi32>) {
  ^bb0(%p: i8, %q: i8, %o: i32):
    %a = arith.extsi %p : i8 to i32
    %b = arith.extsi %q : i8 to i32
    %v = arith.muli %a, %b : i32
    linalg.yield %v : i32
  } -> tensor<2x4x4x8xi32>
  %q3 = qtensor.requantize %3 multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi32>) <fixed<double>> clamp [-128, 127]
    : tensor<2x4x4x8xi32> -> tensor<2x4x4x8xf32, #x>
  return %q0, %q1, %q2, %q3 : tensor<2x4x4x8xf32, #x>, tensor<2x4x4x8xf32, #x>, tensor<2x4x4x8xf32, #x>, tensor<2x4x4x8xf32, #x>
}

// -----

// CHECK-LABEL: func.func @rule(
// CHECK: qnn.mul ins(%{{.*}}, %{{.*}} : tensor<2x8xi8>, tensor<8xi8>)
// CHECK-SAME: zeros = array<i64: 3, -4>
#x = #qtensor.block<int8, [?, ?], scale = 1.000000e-01, zero = 3.000000e+00>
#f = #qtensor.block<int8, [?], scale = 1.000000e-02, zero = -4.000000e+00>
func.func @rule(%f: tensor<8xf32, #f>, %x: tensor<2x8xf32, #x>) -> tensor<2x8xf32, #x> {
  %y = qtensor.as "litert.mul"(%f, %x) {activation = 0 : i64, rounding = "double"} : (tensor<8xf32, #f>, tensor<2x8xf32, #x>) -> tensor<2x8xf32, #x> {
  ^bb0(%p: tensor<8xf32, #f>, %q: tensor<2x8xf32, #x>):
    qtensor.yield %q : tensor<2x8xf32, #x>
  }
  return %y : tensor<2x8xf32, #x>
}
