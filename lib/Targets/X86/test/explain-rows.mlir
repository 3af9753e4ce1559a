// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels say, for each level that has models of processors, what their costs predict.
// RUN: quant-compile %s --weights=int4/32 --activations=int8/32 --explain --explain-rows=1,512 -o %t 2>&1 | FileCheck %s
// RUN: quant-compile %s --weights=nf4/64 --activations=int8/64 --explain --explain-rows=8 -o %t 2>&1 | FileCheck %s --check-prefix=LIMBS
// RUN: not quant-compile %s --weights=int4/32 --explain-rows=1 -o %t 2>&1 | FileCheck %s --check-prefix=ALONE
// RUN: not quant-compile %s --weights=int4/32 --explain --explain-rows=0 -o %t 2>&1 | FileCheck %s --check-prefix=ZERO
// CHECK: 1 fused, 0 decoded in memory, 0 plain, 0 unexplained
// CHECK: qkernel_0, avx512:
// CHECK-NEXT: M=1: one row; golden-cove: fused 0.{{[0-9]+}} of peak; zen4: fused {{[01]\.[0-9]+}} of peak;
// CHECK-NEXT: M=512: register-fused; golden-cove: fused 0.63 decoded 0.66 of peak; zen4: fused 0.78 decoded 0.77 of peak;
// CHECK-NEXT: M=1: one row; zen5: fused 0.{{[0-9]+}} of peak;
// CHECK-NEXT: M=512: register-fused; zen5: fused 0.78 decoded 0.69 of peak;
// LIMBS: qkernel_0, avx512, two products a weight:
// LIMBS-NEXT: M=8: {{.*}} of peak;
// ALONE: error: --explain-rows adds to what --explain prints; give both
// ZERO: error: --explain-rows=0: row counts begin at 1
func.func @main(%x: tensor<?x512xf32> {qtensor.name = "x"}) -> (tensor<?x64xf32> {qtensor.name = "y"}) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<64x512xf32>
  %m = tensor.dim %x, %c0 : tensor<?x512xf32>
  %e = tensor.empty(%m) : tensor<?x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x64xf32>) -> tensor<?x64xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
      affine_map<(m, n, k) -> (m, n)>] ins(%x, %w : tensor<?x512xf32>, tensor<64x512xf32>)
      outs(%f : tensor<?x64xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
