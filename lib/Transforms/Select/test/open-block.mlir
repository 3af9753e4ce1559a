// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Blocks along an open extent: sums are exact, or the run ends.
// RUN: quant-opt %s --qtensor-select | FileCheck %s
// CHECK: %[[C:.*]] = arith.constant 0 : index
// CHECK: %[[K:.*]] = tensor.dim %{{.*}}, %c1
// CHECK: %[[FITS:.*]] = arith.cmpi sle, %[[K]], %c131071
// CHECK: cf.assert %[[FITS]], "a block of codes has more products than a sum of 32 bits holds: the extents that it goes along may make up 131071; give the encodings smaller blocks, or take the float strategy"
// CHECK: qtensor.contract <integer<1>>

// RUN: rm -rf %t && quant-compile %s --name=m -o %t
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/x.npy f4 1x131071 1
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/w.npy f4 2x131071 1
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/y.npy f4 1x2 131071
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/long.npy f4 1x140000 1
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/wide.npy f4 2x140000 1
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/float.npy f4 1x2 140000
// RUN: quant-run %t/libm.so --input %t/x.npy --input %t/w.npy --compare %t/y.npy
// RUN: not quant-run %t/libm.so --input %t/long.npy --input %t/wide.npy 2>&1 | FileCheck %s --check-prefix=LONG
// RUN: quant-compile %s --name=m --strategy=float -o %t
// RUN: quant-run %t/libm.so --input %t/long.npy --input %t/wide.npy --compare %t/float.npy
// LONG: error: m: the extents of the inputs do not fit each other
#token = #qtensor.block<int8, [1, ?], scale = f32>
func.func @main(%x: tensor<?x?xf32>, %w: tensor<2x?xf32>) -> tensor<?x2xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %e = tensor.empty(%m) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %qx = qtensor.quantize %x : tensor<?x?xf32> -> tensor<?x?xf32, #token>
  %qw = qtensor.quantize %w : tensor<2x?xf32> -> tensor<2x?xf32, #token>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%qx, %qw : tensor<?x?xf32, #token>, tensor<2x?xf32, #token>) outs(%f : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
