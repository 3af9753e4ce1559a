// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// 128 bytes in, 64 out; widened, the inputs are 256.
func.func @main(%x: tensor<1x128xi8>) -> tensor<1x64xi8> {
  %w = arith.constant dense<3> : tensor<64x128xi8>
  %b = arith.constant dense<1> : tensor<1xi32>
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<-9> : tensor<1xi32>
  %o = tensor.empty() : tensor<1x64xi8>
  %y = qnn.fully_connected ins(%x : tensor<1x128xi8>) weights(%w, %b, %m, %s : tensor<64x128xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%o : tensor<1x64xi8>) <{input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    map = #qtensor.final<fixed<double>>}> -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}
