// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of two encoded tensors are the published rule; sums over windows and axes are sums of codes and one final map. The
// expected codes are those of the reals, whether rules are called or lowered.
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}))' -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=single}))' | FileCheck %s --check-prefix=SINGLE
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=real}))' | qtensor-interpret -
// RUN: qtensor-interpret %t.mlir
// RUN: quant-opt %t.mlir --pass-pipeline='builtin.module(func.func(qtensor-lower-rules),qtensor-lower-requantize)' | qtensor-interpret -
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}))' 2>&1 >/dev/null | FileCheck %s --check-prefix=WARN
// WARN-COUNT-2: warning: 'qtensor.quantize' op stays real arithmetic
// WARN-NOT: warning

#a = #qtensor.block<int8, [?, ?], scale = 0.5, zero = -3.0>
#b = #qtensor.block<int8, [?, ?], scale = 0.25, zero = 10.0>
#y = #qtensor.block<int8, [?, ?], scale = 0.5, zero = 1.0>
#id = affine_map<(i, j) -> (i, j)>

// 2.0 + 0.5, -2.0 - 5.0 below 0, 63.0 + 29.25 above the codes.
// CHECK-LABEL: func.func @relu
// CHECK: qtensor.as "tflite.add"(%{{.*}}, %{{.*}}) {activation = 1 : i64, rounding = "double"}
// SINGLE: qtensor.as "tflite.add"(%{{.*}}, %{{.*}}) {activation = 1 : i64, rounding = "single"}
func.func @relu(%ac: tensor<1x3xi8>, %bc: tensor<1x3xi8>) -> tensor<1x3xi8> attributes {
    inputs = [dense<[[1, -7, 123]]> : tensor<1x3xi8>, dense<[[12, -10, 127]]> : tensor<1x3xi8>],
    expect = [dense<[[6, 1, 127]]> : tensor<1x3xi8>]} {
  %a = qtensor.assemble %ac : tensor<1x3xi8> -> tensor<1x3xf32, #a>
  %b = qtensor.assemble %bc : tensor<1x3xi8> -> tensor<1x3xf32, #b>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x3xf32>
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<1x3xf32, #a>, tensor<1x3xf32, #b>) outs(%e : tensor<1x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.addf %p, %q : f32
    linalg.yield %0 : f32
  } -> tensor<1x3xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<1x3xf32>) outs(%e : tensor<1x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = arith.maximumf %p, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<1x3xf32>
  %q = qtensor.quantize %r : tensor<1x3xf32> -> tensor<1x3xf32, #y>
  %c = qtensor.component %q "codes" : tensor<1x3xf32, #y> -> tensor<1x3xi8>
  return %c : tensor<1x3xi8>
}

// b - 2 * a, b repeated: the codes of a have twice the scale. 0.5 - 4.0, -5.0 + 2.0; 0.5 - 0, -5.0 - 1.0
// CHECK-LABEL: func.func @difference
// CHECK: %[[CODES:.*]] = qtensor.component
// CHECK: qtensor.assemble %[[CODES]] : tensor<2x2xi8> -> tensor<2x2xf32, #[[TWICE:.*]]>
// CHECK: qtensor.as "tflite.sub"(%{{.*}}, %{{.*}}) {activation = 0 : i64, rounding = "double"} : (tensor<1x2xf32, #{{.*}}>, tensor<2x2xf32, #[[TWICE]]>)
func.func @difference(%ac: tensor<2x2xi8>, %bc: tensor<1x2xi8>) -> tensor<2x2xi8> attributes {
    inputs = [dense<[[1, -5], [-3, -2]]> : tensor<2x2xi8>, dense<[[12, -10]]> : tensor<1x2xi8>],
    expect = [dense<[[-6, -5], [2, -11]]> : tensor<2x2xi8>]} {
  %a = qtensor.assemble %ac : tensor<2x2xi8> -> tensor<2x2xf32, #a>
  %b = qtensor.assemble %bc : tensor<1x2xi8> -> tensor<1x2xf32, #b>
  %two = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<2x2xf32>
  %s = linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> (0, j)>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<2x2xf32, #a>, tensor<1x2xf32, #b>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %two : f32
    %1 = arith.subf %q, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x2xf32>
  %q = qtensor.quantize %s : tensor<2x2xf32> -> tensor<2x2xf32, #y>
  %c = qtensor.component %q "codes" : tensor<2x2xf32, #y> -> tensor<2x2xi8>
  return %c : tensor<2x2xi8>
}

// The mean of four, less 1, clamped: (2.0 + 0.5 + 3.5 + 0.0) / 4 - 1 and -2.0 - 1.
// CHECK-LABEL: func.func @mean
// CHECK-NOT: arith.divf
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<4x2xi8>) outs(%{{.*}} : tensor<2xi32>)
// CHECK: arith.shli
// CHECK: arith.constant dense<-{{[0-9]+}}> : tensor<1xi32>
// CHECK: qtensor.requantize {{.*}} <fixed<double>> clamp{{ ?}}[-3, 127] : tensor<2xi32>
func.func @mean(%ac: tensor<4x2xi8>) -> tensor<2xi8> attributes {
    inputs = [dense<[[1, -7], [-2, -7], [4, -7], [-3, -7]]> : tensor<4x2xi8>], expect = [dense<[2, -3]> : tensor<2xi8>]} {
  %a = qtensor.assemble %ac : tensor<4x2xi8> -> tensor<4x2xf32, #a>
  %zero = arith.constant 0.0 : f32
  %four = arith.constant 4.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -2.0 : f32
  %high = arith.constant 0x7F800000 : f32
  %e = tensor.empty() : tensor<2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>], iterator_types = ["reduction", "parallel"]}
      ins(%a : tensor<4x2xf32, #a>) outs(%f : tensor<2xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = arith.addf %o, %p : f32
    linalg.yield %0 : f32
  } -> tensor<2xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%s : tensor<2xf32>) outs(%e : tensor<2xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = arith.divf %p, %four : f32
    %1 = arith.subf %0, %one : f32
    %2 = arith.maximumf %1, %low : f32
    %3 = arith.minimumf %2, %high : f32
    linalg.yield %3 : f32
  } -> tensor<2xf32>
  %q = qtensor.quantize %m : tensor<2xf32> -> tensor<2xf32, #qtensor.block<int8, [?], scale = 0.5, zero = 1.0>>
  %c = qtensor.component %q "codes" : tensor<2xf32, #qtensor.block<int8, [?], scale = 0.5, zero = 1.0>> -> tensor<2xi8>
  return %c : tensor<2xi8>
}

// Windows of two or three elements: their sums are brought to sixths. 6 / 2 * 0.5, 12 / 3 * 0.5, 9 / 2 * 0.5 in steps of 0.25.
#row = affine_map<(i, k) -> (i + k)>
#win = affine_map<(i, k) -> (k)>
#out = affine_map<(i, k) -> (i)>
#x = #qtensor.block<uint8, [?], scale = 0.5, zero = 128.0>
#z = #qtensor.block<uint8, [?], scale = 0.25, zero = 100.0>
// CHECK-LABEL: func.func @windows
// CHECK: tensor.pad
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<5xi8>, tensor<3xi32>) outs(%{{.*}} : tensor<3xi32>)
// CHECK: arith.extui
// CHECK: arith.constant dense<[3, 2, 3]> : tensor<3xi32>
// CHECK: arith.muli
// CHECK: qtensor.requantize
func.func @windows(%codes: tensor<3xi8>) -> tensor<3xi8> attributes {
    inputs = [dense<[-125, -125, -122]> : tensor<3xi8>], expect = [dense<[106, 108, 109]> : tensor<3xi8>]} {
  %a = qtensor.assemble %codes : tensor<3xi8> -> tensor<3xf32, #x>
  %counts = arith.constant dense<[2.0, 3.0, 2.0]> : tensor<3xf32>
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %a low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<3xf32, #x> to tensor<5xf32>
  %w = tensor.empty() : tensor<3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%w : tensor<3xf32>) -> tensor<3xf32>
  %s = linalg.generic {indexing_maps = [#row, #win, #out], iterator_types = ["parallel", "reduction"]}
      ins(%p, %w : tensor<5xf32>, tensor<3xf32>) outs(%f : tensor<3xf32>) {
  ^bb0(%v: f32, %unused: f32, %o: f32):
    %0 = arith.addf %o, %v : f32
    linalg.yield %0 : f32
  } -> tensor<3xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%s, %counts : tensor<3xf32>, tensor<3xf32>) outs(%w : tensor<3xf32>) {
  ^bb0(%v: f32, %n: f32, %o: f32):
    %0 = arith.divf %v, %n : f32
    linalg.yield %0 : f32
  } -> tensor<3xf32>
  %q = qtensor.quantize %m : tensor<3xf32> -> tensor<3xf32, #z>
  %c = qtensor.component %q "codes" : tensor<3xf32, #z> -> tensor<3xi8>
  return %c : tensor<3xi8>
}

// Codes and numbers for each channel, some of which are no whole steps: 2.0 + 0.1, 0.5 + 0.3, -2.0 - 0.76 in steps of 0.5, and
// 0.2 less everywhere.
// CHECK-LABEL: func.func @bias
// CHECK: arith.constant 21 : i32
// CHECK: arith.shli
// CHECK: arith.addi
// CHECK: qtensor.requantize
func.func @bias(%ac: tensor<1x3xi8>) -> tensor<1x3xi8> attributes {
    inputs = [dense<[[1, -2, -7]]> : tensor<1x3xi8>], expect = [dense<[[5, 2, -5]]> : tensor<1x3xi8>]} {
  %a = qtensor.assemble %ac : tensor<1x3xi8> -> tensor<1x3xf32, #a>
  %numbers = arith.constant dense<[0.1, 0.3, -0.76]> : tensor<3xf32>
  %less = arith.constant -0.2 : f32
  %e = tensor.empty() : tensor<1x3xf32>
  %s = linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> (j)>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %numbers : tensor<1x3xf32, #a>, tensor<3xf32>) outs(%e : tensor<1x3xf32>) {
  ^bb0(%p: f32, %n: f32, %o: f32):
    %0 = arith.addf %n, %p : f32
    %1 = arith.addf %0, %less : f32
    linalg.yield %1 : f32
  } -> tensor<1x3xf32>
  %q = qtensor.quantize %s : tensor<1x3xf32> -> tensor<1x3xf32, #y>
  %c = qtensor.component %q "codes" : tensor<1x3xf32, #y> -> tensor<1x3xi8>
  return %c : tensor<1x3xi8>
}

// 2.5 is no count, and a sum of three tensors is none of two.
// CHECK-LABEL: func.func private @stays
// CHECK-COUNT-2: qtensor.quantize
func.func private @stays(%a: tensor<1x3xf32, #a>, %b: tensor<1x3xf32, #b>) -> (tensor<1x3xf32, #y>, tensor<1x3xf32, #y>) {
  %counts = arith.constant dense<[[1.0, 2.5, 2.0]]> : tensor<1x3xf32>
  %e = tensor.empty() : tensor<1x3xf32>
  %s = linalg.generic {indexing_maps = [#id, #id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b, %a : tensor<1x3xf32, #a>, tensor<1x3xf32, #b>, tensor<1x3xf32, #a>) outs(%e : tensor<1x3xf32>) {
  ^bb0(%p: f32, %p2: f32, %p3: f32, %o: f32):
    %0 = arith.addf %p, %p2 : f32
    %1 = arith.addf %0, %p3 : f32
    linalg.yield %1 : f32
  } -> tensor<1x3xf32>
  %t = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %counts : tensor<1x3xf32, #a>, tensor<1x3xf32>) outs(%e : tensor<1x3xf32>) {
  ^bb0(%p: f32, %n: f32, %o: f32):
    %0 = arith.divf %p, %n : f32
    linalg.yield %0 : f32
  } -> tensor<1x3xf32>
  %0 = qtensor.quantize %s : tensor<1x3xf32> -> tensor<1x3xf32, #y>
  %1 = qtensor.quantize %t : tensor<1x3xf32> -> tensor<1x3xf32, #y>
  return %0, %1 : tensor<1x3xf32, #y>, tensor<1x3xf32, #y>
}
