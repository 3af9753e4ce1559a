// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Damaged bytecode. MLIR's reader believes the counts in it and fills memory without end, or crashes. It is tried in a
// process of its own.
// RUN: quant-opt %s --strip-debuginfo --emit-bytecode -o %t.mlirbc
// RUN: qtensor-fuzz mlir --mutations 150 %t.mlirbc | FileCheck %s
// CHECK: mlir: 1 files, 151 runs, 0 complaints

#x = #qtensor.block<codec<8, int<signed>>, [1, ?], scale = f32>
func.func @main(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %q = qtensor.quantize %x : tensor<?x8xf32> -> tensor<?x8xf32, #x>
  %e = linalg.exp ins(%q : tensor<?x8xf32, #x>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %e : tensor<?x8xf32>
}
