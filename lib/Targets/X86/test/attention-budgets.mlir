// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The assembly contract of decode attention on int8: the loop with the most products is that of the keys. Eight tokens of 128
// codes and four query heads are 64 products; 16 loads, 32 shuffles (or inserts) that transpose, 16 zero points, 32 loads of queries, of
// which half are in registers, 16 lines asked for, two for each token.
// RUN: rm -rf %t && quant-compile %s --phase-from=C3 --keep-assembly --name=a -o %t
// RUN: python3 %S/Inputs/hot_loop.py a_run_avx512 < %t/a.avx512.s | FileCheck %s
// CHECK: a_run_avx512: 64 products, 179 vector instructions (2.80), {{.*}} stack 28, {{.*}} prefetches 16,
// One query head: runs of 64 chunks. The loop that LLVM makes for processors that ask for nothing has no prefetch.
// RUN: sed s/1x4x1x128/1x1x1x128/g %s > %t.one.mlir && quant-compile %t.one.mlir --phase-from=C3 --keep-assembly --name=a -o %t
// RUN: python3 %S/Inputs/hot_loop.py a_run_avx512 < %t/a.avx512.s | FileCheck %s --check-prefix=ONE
// ONE: a_run_avx512: 16 products, 76 vector instructions (4.75), {{.*}} stack 2, shuffles 8, scalar
// For the others: two lines for each of eight tokens of keys, and of four of values.
// RUN: sed -n '/^a_run_avx512:/,/cfi_endproc/p; /^qkernel_0.*:/,/cfi_endproc/p' %t/a.avx512.s | grep -c prefetcht0 | FileCheck %s --check-prefix=ASKED
// ASKED: 24
func.func @main(%q: tensor<1x4x1x128xf32> {qtensor.name = "q"}, %k: tensor<1x1x4096x128xi8> {qtensor.name = "k"},
    %ks: tensor<1x1x4096x1xf16> {qtensor.name = "ks"}, %v: tensor<1x1x4096x128xi8> {qtensor.name = "v"},
    %vs: tensor<1x1x4096x1xf16> {qtensor.name = "vs"}) -> (tensor<1x4x1x128xf32> {qtensor.name = "y"}) {
  %e = tensor.empty() : tensor<1x4x1x128xf32>
  %y = qtensor.attention strategy #qtensor.strategy<integer<1>> query(%q : tensor<1x4x1x128xf32>)
      key(%k, %ks : tensor<1x1x4096x128xi8>, tensor<1x1x4096x1xf16>) as <int8, [1, 1, 1, ?], scale = f16>
      value(%v, %vs : tensor<1x1x4096x128xi8>, tensor<1x1x4096x1xf16>) encoded <int8, [1, 1, 1, ?], scale = f16>
      scale 8.838835e-02 outs(%e : tensor<1x4x1x128xf32>) -> tensor<1x4x1x128xf32>
      {key_order = array<i64: 0, 1, 2, 3>, value_order = array<i64: 0, 1, 2, 3>}
  return %y : tensor<1x4x1x128xf32>
}
