// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Activations that do not lie side by side (a slice with a step) are encoded, too, whole vectors and a tail of them.
// RUN: quant-compile %s --weights=int8/channel --activations=int8/token --name=m -o %t
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t.x.npy f4 1x42 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100 1 100
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t.y.npy f4 1x4 10.5
// RUN: quant-run %t/libm.so --input %t.x.npy --compare %t.y.npy
func.func @main(%x: tensor<1x42xf32>) -> tensor<1x4xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<4x21xf32>
  %e = tensor.empty() : tensor<1x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4xf32>) -> tensor<1x4xf32>
  %s = tensor.extract_slice %x[0, 0] [1, 21] [1, 2] : tensor<1x42xf32> to tensor<1x21xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%s, %w : tensor<1x21xf32>, tensor<4x21xf32>) outs(%f : tensor<1x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
