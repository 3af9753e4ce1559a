// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A sum over as many rows as an input says.
func.func @main(%x: tensor<8x4xf32>, %len: tensor<1xi64>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %l = tensor.extract %len[%c0] : tensor<1xi64>
  %n = arith.index_cast %l : i64 to index
  %s = tensor.extract_slice %x[0, 0] [%n, 4] [1, 1] : tensor<8x4xf32> to tensor<?x4xf32>
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %r = linalg.reduce ins(%s : tensor<?x4xf32>) outs(%f : tensor<4xf32>) dimensions = [0] (%a: f32, %b: f32) {
    %t = arith.addf %a, %b : f32
    linalg.yield %t : f32
  }
  return %r : tensor<4xf32>
}
