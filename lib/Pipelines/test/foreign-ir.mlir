// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What encoded tensors may do is checked in every model, asked for or not: passes rely on it.
// RUN: not %tools/quant-compile %s -o %t 2>&1 | FileCheck %s
// RUN: not %tools/quant-compile %s --phase-from=C2 -o %t 2>&1 | FileCheck %s
// CHECK: foreign-ir.mlir":9:8): error: contract clause C2.6: the offset in dimension 0 is not provably a multiple of the block
#x = #qtensor.block<int4, [4, 16], scale = f32>
func.func @main(%x: tensor<8x64xf32, #x>) -> tensor<4x64xf32> {
  // Rows 2 to 5 are parts of two blocks.
  %0 = tensor.extract_slice %x[2, 0] [4, 64] [1, 1] : tensor<8x64xf32, #x> to tensor<4x64xf32, #x>
  %1 = qtensor.dequantize %0 : tensor<4x64xf32, #x> -> tensor<4x64xf32>
  return %1 : tensor<4x64xf32>
}
