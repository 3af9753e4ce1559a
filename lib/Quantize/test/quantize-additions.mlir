// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// With integer-only arithmetic ahead, sums between layers read rounded values; without, floats.
// RUN: quant-opt %s --calib-insert-observers | FileCheck %s --check-prefix=OBSERVE
// RUN: quant-opt %s --calib-run=output=%t.json -o /dev/null
// RUN: quant-opt %s --qtensor-quantize-weights=weights=int8/channel --qtensor-quantize-activations="activations=int8/asymmetric statistics=%t.json rounding=double" | FileCheck %s
// RUN: quant-opt %s --qtensor-quantize-weights=weights=int8/channel --qtensor-quantize-activations="activations=int8/asymmetric@mse statistics=%t.json rounding=double" | FileCheck %s --check-prefix=ONE
// RUN: quant-opt %s --qtensor-quantize-weights=weights=int8/channel --qtensor-quantize-activations="activations=int8/asymmetric statistics=%t.json" | FileCheck %s --check-prefix=OFF
// RUN: quant-opt %s --qtensor-quantize-weights=weights=int8/channel --qtensor-quantize-activations="activations=int8/token rounding=double" | FileCheck %s --check-prefix=OFF
// RUN: quant-opt %s --qtensor-quantize-weights=weights=int8/channel --qtensor-quantize-activations="activations=int8/asymmetric statistics=%t.json rounding=double plan=%S/Inputs/additions.plan" | FileCheck %s --check-prefix=PLAN

#id = affine_map<(i, j) -> (i, j)>

// What is added is observed once, without what moves it, behind what layers multiply.
// OBSERVE: calib.observe %arg0 "x"
// OBSERVE: calib.observe %{{.*}} "fc1"
// OBSERVE: calib.observe %{{.*}} "fc2"
// OBSERVE: calib.observe %{{.*}} "sum" : tensor<2x3xf32>
// OBSERVE-NOT: calib.observe %{{.*}} "pad"
// OBSERVE: calib.observe %{{.*}} "mean" : tensor<1x3xf32>

// The input is read by layers, the sum by a pool that pads it, the pool's mean by the layer behind.
// CHECK-LABEL: func.func @main
// CHECK: %[[X:.*]] = qtensor.quantize %arg0
// CHECK: %[[A:.*]] = linalg.matmul
// CHECK: %[[QA:.*]] = qtensor.quantize %[[A]]
// CHECK: %[[B:.*]] = linalg.matmul
// CHECK: %[[QB:.*]] = qtensor.quantize %[[B]]
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[QA]], %[[QB]] :
// CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[S]] :
// CHECK: %[[P:.*]] = tensor.pad %[[R]]
// CHECK: %[[QP:.*]] = qtensor.quantize %[[P]]
// CHECK: linalg.generic {{.*}} ins(%[[QP]] :
// CHECK: %[[M:.*]] = linalg.generic
// CHECK: qtensor.quantize %[[M]]
// Nothing rounds the second sum, and no layer makes an exponential.
// CHECK: linalg.generic {{.*}} ins(%[[A]], %arg0 :
// CHECK: math.exp
// CHECK: qtensor.quantize %{{.*}} : tensor<4x3xf32>
// CHECK-NOT: qtensor.quantize
// CHECK: return

// What is padded for one reader has the encoding of what is not, whatever rule chose it.
// ONE-LABEL: func.func @main
// ONE: qtensor.quantize %arg0 : tensor<2x3xf32> -> tensor<2x3xf32, #[[E:.*]]>
// ONE: qtensor.quantize %{{.*}} : tensor<4x3xf32> -> tensor<4x3xf32, #[[E]]>

// OFF-LABEL: func.func @main
// OFF-COUNT-3: qtensor.quantize
// OFF-NOT: qtensor.quantize

// The plan may keep a sum in floats.
// PLAN-LABEL: func.func @main
// PLAN: %[[A:.*]] = linalg.matmul
// PLAN: %[[B:.*]] = linalg.matmul
// PLAN: linalg.generic {{.*}} ins(%[[A]], %[[B]] :
func.func @main(%x: tensor<2x3xf32> {qtensor.name = "x"}, %y: tensor<2x3xf32> {qtensor.name = "y"})
    -> (tensor<1x2xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<4x2xf32>) {
  %w = arith.constant dense<[[2.0, 0.0, 1.0], [0.0, 2.0, -1.0], [0.5, 0.25, 1.0]]> : tensor<3x3xf32> loc("w")
  %v = arith.constant dense<[[2.0, 0.0], [0.0, 2.0], [0.5, 0.25]]> : tensor<3x2xf32> loc("v")
  %zero = arith.constant 0.0 : f32
  %three = arith.constant 3.0 : f32
  %e = tensor.empty() : tensor<2x3xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>
  %a = linalg.matmul ins(%x, %w : tensor<2x3xf32>, tensor<3x3xf32>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32> loc("fc1")
  %b = linalg.matmul ins(%x, %w : tensor<2x3xf32>, tensor<3x3xf32>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32> loc("fc2")
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<2x3xf32>, tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.addf %p, %q : f32
    linalg.yield %0 : f32
  } -> tensor<2x3xf32> loc("skip")
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = arith.maximumf %p, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<2x3xf32> loc("sum")
  %pad = tensor.pad %r low[1, 0] high[0, 0] {
  ^bb0(%j: index, %k: index):
    tensor.yield %zero : f32
  } : tensor<2x3xf32> to tensor<3x3xf32> loc("pad")
  %e1 = tensor.empty() : tensor<1x3xf32>
  %i1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(n, j, k) -> (k, j)>, affine_map<(n, j, k) -> (n, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%pad : tensor<3x3xf32>) outs(%i1 : tensor<1x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = arith.addf %o, %p : f32
    linalg.yield %0 : f32
  } -> tensor<1x3xf32> loc("total")
  %m = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%t : tensor<1x3xf32>) outs(%e1 : tensor<1x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %0 = arith.divf %p, %three : f32
    linalg.yield %0 : f32
  } -> tensor<1x3xf32> loc("mean")
  %e2 = tensor.empty() : tensor<1x2xf32>
  %i2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %fc = linalg.matmul ins(%m, %v : tensor<1x3xf32>, tensor<3x2xf32>) outs(%i2 : tensor<1x2xf32>) -> tensor<1x2xf32> loc("fc3")
  %u = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %x : tensor<2x3xf32>, tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.addf %p, %q : f32
    linalg.yield %0 : f32
  } -> tensor<2x3xf32> loc("second")
  %x2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %b : tensor<2x3xf32>, tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = math.exp %p : f32
    %1 = arith.addf %0, %q : f32
    linalg.yield %1 : f32
  } -> tensor<2x3xf32>
  %px = tensor.pad %x low[1, 0] high[1, 0] {
  ^bb0(%j: index, %k: index):
    tensor.yield %zero : f32
  } : tensor<2x3xf32> to tensor<4x3xf32> loc("padded")
  %e4 = tensor.empty() : tensor<4x2xf32>
  %i4 = linalg.fill ins(%zero : f32) outs(%e4 : tensor<4x2xf32>) -> tensor<4x2xf32>
  %fc4 = linalg.matmul ins(%px, %v : tensor<4x3xf32>, tensor<3x2xf32>) outs(%i4 : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %fc, %u, %x2, %fc4 : tensor<1x2xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<4x2xf32>
}

func.func @samples() -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = arith.constant dense<[[1.0, -2.0, 1.5], [90.0, 0.5, 3.0]]> : tensor<2x3xf32>
  return %0, %0 : tensor<2x3xf32>, tensor<2x3xf32>
}
