// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
func.func @main(%x: tensor<4xf32> {qtensor.name = "x"}) -> (tensor<4xf32> {qtensor.name = "y"}) {
  return %x : tensor<4xf32>
}
