// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows of which one element is left behind whole vectors: nothing is written but that element. Every block is a column here, and
// its largest number makes the step 1, so that nothing is lost.
// RUN: rm -rf %t && quant-compile %s --name=m -o %t
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/x.npy f4 4x3 127 -3 5 -2 127 -7 8 -1 127 -11 4 -6
// RUN: quant-run %t/libm.so --input %t/x.npy --compare %t/x.npy --atol 0 --rtol 0 --num-threads 1
#column = #qtensor.block<int8, [4, 1], scale = f32>
func.func @main(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %q = qtensor.quantize %x : tensor<4x?xf32> -> tensor<4x?xf32, #column>
  %y = qtensor.dequantize %q : tensor<4x?xf32, #column> -> tensor<4x?xf32>
  return %y : tensor<4x?xf32>
}
