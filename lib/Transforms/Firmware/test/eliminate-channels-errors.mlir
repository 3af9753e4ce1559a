// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --verify-diagnostics --pass-pipeline='builtin.module(func.func(qtensor-eliminate-channels))'

func.func @weights(%x: tensor<1x2xi8>, %w: tensor<2x2xi8>) -> tensor<1x2xi8> {
  %b = arith.constant dense<[1, 2]> : tensor<2xi32>
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<0> : tensor<1xi32>
  %e = tensor.empty() : tensor<1x2xi8>
  // expected-error @+1 {{has a weight, bias, multiplier or shift that is not constant; kernels arrange constants while compiling}}
  %a = qnn.fully_connected ins(%x : tensor<1x2xi8>) weights(%w, %b, %m, %s : tensor<2x2xi8>, tensor<2xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e : tensor<1x2xi8>) <{input_zero = -2, output_zero = 0, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x2xi8>
  return %a : tensor<1x2xi8>
}
