// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A weight of 4096x4096 in groups of 32 is 16 million codes and half a million scales; the IR around it is small. At C3,
// weights aside, less than 4 KB.
// RUN: quant-opt %s --qtensor-quantize-weights=weights=int4/32 --qtensor-select --qtensor-fuse-epilogues --qtensor-decompose --canonicalize --cse --mlir-elide-resource-strings-if-larger=64 > %t
// RUN: FileCheck %s --input-file=%t
// RUN: wc -c %t | FileCheck %s --check-prefix=SIZE
// SIZE: {{^[ ]*[0-3]?[0-9]?[0-9]?[0-9] }}

// CHECK: qtensor.contract <float>
func.func @main(%x: tensor<?x4096xf32>, %m: index) -> tensor<?x4096xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<4096x4096xf32> loc("w")
  %e = tensor.empty(%m) : tensor<?x4096xf32>
  %0 = linalg.fill ins(%zero : f32) outs(%e : tensor<?x4096xf32>) -> tensor<?x4096xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
         ins(%x, %w : tensor<?x4096xf32>, tensor<4096x4096xf32>) outs(%0 : tensor<?x4096xf32>) -> tensor<?x4096xf32>
  return %y : tensor<?x4096xf32>
}
