// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a loop carries through a polynomial is compiled in seconds: nobody looks for a checksum in it.
// RUN: rm -rf %t && mkdir %t
// RUN: timeout 120 %tools/quant-compile %s --name=m -o %t
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/x.npy f4 1x64 0.5
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/w.npy f4 24x64 1
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/y.npy f4 1x24 0.8812254
// RUN: quant-run %t/libm.so --input %t/x.npy --input %t/w.npy --compare %t/y.npy
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @main(%x: tensor<?x64xf32>, %w: tensor<24x64xf32>) -> tensor<?x24xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%m) : tensor<?x24xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x24xf32>) -> tensor<?x24xf32>
  %y = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x64xf32>, tensor<24x64xf32>) outs(%f : tensor<?x24xf32>) {
  ^bb0(%a: f32, %b: f32, %h: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %h, %p : f32
    %t = math.tanh %s : f32
    linalg.yield %t : f32
  } -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}
