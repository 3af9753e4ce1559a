// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
func.func @samples() -> (tensor<2x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) {
  %0 = arith.constant dense<[[1.0, -2.0], [4.0, 0.5]]> : tensor<2x2xf32>
  %1 = arith.constant dense<[[0.5, -0.25]]> : tensor<1x2xf32>
  %2 = arith.constant dense<[[3.0, -9.0]]> : tensor<1x2xf32>
  %3 = arith.constant dense<[[8.0, 0.0]]> : tensor<1x2xf32>
  return %0, %1, %2, %3 : tensor<2x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>
}
