// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two results that start from one fill: neither is computed in the buffer of the other.
// RUN: quant-compile %s --phase-to=C5 -o - | FileCheck %s --check-prefix=PLANNED

// PLANNED: func.func @main
// PLANNED-NOT: memref.copy
// PLANNED: return
#ik = affine_map<(i, j, k) -> (i, k)>
#ij = affine_map<(i, j, k) -> (i, j)>
func.func @main(%x: tensor<3x4xf32>) -> (tensor<3x3xf32>, tensor<3x3xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x3xf32>) -> tensor<3x3xf32>
  %y = linalg.generic {indexing_maps = [#ik, #ij], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : tensor<3x4xf32>) outs(%f : tensor<3x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<3x3xf32>
  %z = linalg.generic {indexing_maps = [#ik, #ij], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : tensor<3x4xf32>) outs(%f : tensor<3x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.maximumf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<3x3xf32>
  return %y, %z : tensor<3x3xf32>, tensor<3x3xf32>
}
