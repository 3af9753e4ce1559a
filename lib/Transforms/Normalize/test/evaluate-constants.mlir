// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-evaluate-constants | FileCheck %s
// RUN: quant-opt %s --qtensor-evaluate-constants --mlir-print-debuginfo | FileCheck %s --check-prefix=LOC
// RUN: quant-opt %s --qtensor-evaluate-constants | qtensor-compare %s -

#id = affine_map<(i, j) -> (i, j)>

// A chain: transposed, then scaled by a scalar from outside of the payload. Only the end is left.
// CHECK-LABEL: @chain
// CHECK: %[[C:.+]] = arith.constant dense<{{\[}}[2.000000e+00, 6.000000e+00], [4.000000e+00, 8.000000e+00]]>
// CHECK-NEXT: return %[[C]]
// LOC-LABEL: @chain
// LOC: arith.constant dense{{.*}} loc(#[[FUSED:.+]])
// LOC-DAG: #[[W:.+]] = loc("weights")
// LOC-DAG: #[[T:.+]] = loc("transposed")
// LOC-DAG: #[[S:.+]] = loc("scaled")
// LOC: #[[FUSED]] = loc(fused[#[[W]], #[[T]], #[[S]]])
func.func @chain() -> tensor<2x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> loc("weights")
  %two = arith.constant 2.0 : f32
  %empty = tensor.empty() : tensor<2x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x2xf32>) outs(%empty : tensor<2x2xf32>) permutation = [1, 0] loc("transposed")
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%t : tensor<2x2xf32>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %two : f32
    linalg.yield %m : f32
  } -> tensor<2x2xf32> loc("scaled")
  return %s : tensor<2x2xf32>
}

// One op reads a value twice: its producer is removed once.
// CHECK-LABEL: @squared
// CHECK-NEXT: %[[C:.+]] = arith.constant dense<[1.000000e+00, 4.000000e+00]>
// CHECK-NEXT: return %[[C]]
func.func @squared() -> tensor<2xf32> {
  %x = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %empty = tensor.empty() : tensor<2xf32>
  %s = linalg.mul ins(%x, %x : tensor<2xf32>, tensor<2xf32>) outs(%empty : tensor<2xf32>) -> tensor<2xf32>
  return %s : tensor<2xf32>
}

// Reductions over a fill, rank changes, and a scalar taken out.
// CHECK-LABEL: @others
// CHECK-DAG: arith.constant 1.000000e+01 : f32
// CHECK-DAG: arith.constant dense<{{\[}}[1, 2, 3, 4]]> : tensor<1x4xi8>
// CHECK-NOT: linalg
// CHECK: return
func.func @others() -> (f32, tensor<1x4xi8>) {
  %x = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %zero = arith.constant 0.0 : f32
  %scalar = tensor.empty() : tensor<f32>
  %init = linalg.fill ins(%zero : f32) outs(%scalar : tensor<f32>) -> tensor<f32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  %value = tensor.extract %sum[] : tensor<f32>
  %y = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %flat = tensor.collapse_shape %y [[0, 1]] : tensor<2x2xi8> into tensor<4xi8>
  %wide = tensor.expand_shape %flat [[0, 1]] output_shape [1, 4] : tensor<4xi8> into tensor<1x4xi8>
  return %value, %wide : f32, tensor<1x4xi8>
}

// A broadcast that would take much more space than it saves stays, as do fills.
// CHECK-LABEL: @large
// CHECK: linalg.fill
// CHECK: linalg.broadcast
func.func @large() -> (tensor<256x256xf32>, tensor<256x256xf32>) {
  %row = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<256x256xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%empty : tensor<256x256xf32>) -> tensor<256x256xf32>
  %narrow = tensor.empty() : tensor<256x64x4xf32>
  %b = linalg.broadcast ins(%row : tensor<4xf32>) outs(%narrow : tensor<256x64x4xf32>) dimensions = [0, 1]
  %c = tensor.collapse_shape %b [[0], [1, 2]] : tensor<256x64x4xf32> into tensor<256x256xf32>
  return %fill, %c : tensor<256x256xf32>, tensor<256x256xf32>
}

// Large weights (here: a splat that stands for 128 KiB) are transposed; the init is not what they are measured by.
// CHECK-LABEL: @large_weights
// CHECK-NOT: linalg.transpose
// CHECK: return
func.func @large_weights() -> tensor<128x256xf32> {
  %w = arith.constant dense<0.5> : tensor<256x128xf32>
  %empty = tensor.empty() : tensor<128x256xf32>
  %t = linalg.transpose ins(%w : tensor<256x128xf32>) outs(%empty : tensor<128x256xf32>) permutation = [1, 0]
  return %t : tensor<128x256xf32>
}

// More than a kilobyte becomes a resource with the name of the source.
// CHECK-LABEL: @resource
// CHECK: arith.constant dense_resource<ramp> : tensor<400xi32>
// CHECK: ramp: "0x40000000
func.func @resource() -> tensor<400xi32> {
  %empty = tensor.empty() : tensor<400xi32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%empty : tensor<400xi32>) {
  ^bb0(%o: i32):
    %i = linalg.index 0 : index
    %c = arith.index_cast %i : index to i32
    linalg.yield %c : i32
  } -> tensor<400xi32> loc("ramp")
  return %r : tensor<400xi32>
}
