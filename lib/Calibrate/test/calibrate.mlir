// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --calib-insert-observers | FileCheck %s --check-prefix=OBSERVE
// RUN: quant-opt %s --calib-run=output=%t.json -o /dev/null
// RUN: FileCheck %s --input-file=%t.json
// RUN: quant-opt %s --calib-check=statistics=%t.json --qtensor-quantize-weights=weights=int8/channel --qtensor-quantize-activations="activations=int8/static statistics=%t.json" | FileCheck %s --check-prefix=STATIC
// RUN: not quant-opt %s --qtensor-quantize-weights=weights=int8/channel --calib-check=statistics=%t.json 2>&1 | FileCheck %s --check-prefix=OTHER

// OBSERVE: func @main(%[[X:[a-z0-9]+]]
// OBSERVE-NEXT: calib.observe %[[X]] "x" : tensor<?x2xf32>
// OBSERVE: %[[Y:.*]] = linalg.matmul
// OBSERVE: calib.observe %[[Y]] "fc1" : tensor<?x2xf32>
// OBSERVE: %[[Z:.*]] = linalg.exp
// OBSERVE: calib.observe %[[Z]] "fc1#2" : tensor<?x2xf32>

// Two samples of 2x2 and 1x2.
// CHECK: "version": 1,
// CHECK: "model": "{{[0-9a-f]+}}",
// CHECK: "fc1": {
// CHECK: "count": 6,
// CHECK: "min": -4,
// CHECK: "max": 8,
// CHECK: "x": {
// CHECK-NEXT: "count": 6,
// CHECK-NEXT: "finite": 5,
// CHECK-NEXT: "min": -2,
// CHECK-NEXT: "max": 4,

// STATIC: #qtensor.block<int8, [?, ?], scale = 0.0314960{{[0-9]*}}>
// OTHER: error: the statistics in '{{.*}}.json' belong to another model
func.func @main(%x: tensor<?x2xf32> {qtensor.name = "x"}, %i: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = arith.constant dense<[[2.0, 0.0], [0.0, 2.0]]> : tensor<2x2xf32> loc("w")
  %y = linalg.matmul ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%i : tensor<?x2xf32>) -> tensor<?x2xf32> loc("fc1")
  %v = linalg.matmul ins(%y, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%i : tensor<?x2xf32>) -> tensor<?x2xf32> loc("fc2")
  %z = linalg.exp ins(%v : tensor<?x2xf32>) outs(%i : tensor<?x2xf32>) -> tensor<?x2xf32> loc("fc1")
  %u = linalg.matmul ins(%z, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%i : tensor<?x2xf32>) -> tensor<?x2xf32> loc("fc3")
  return %u : tensor<?x2xf32>
}
func.func @samples() -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) {
  %0 = arith.constant dense<[[1.0, -2.0], [4.0, 0.5]]> : tensor<2x2xf32>
  %1 = arith.constant dense<0.0> : tensor<2x2xf32>
  %2 = arith.constant dense<[[3.0, 0x7FC00000]]> : tensor<1x2xf32>
  %3 = arith.constant dense<0.0> : tensor<1x2xf32>
  return %0, %1, %2, %3 : tensor<2x2xf32>, tensor<2x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>
}
