// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --verify-diagnostics --qtensor-quantize-interface="activations=int8/static statistics=%S/Inputs/ranges.json results=true"

// expected-error @below {{format 'int8/static' needs calibration statistics of 'result/unseen'; calibrate the model}}
func.func @main(%x: tensor<2x8xf32>) -> (tensor<2x8xf32> {qtensor.name = "unseen"}) {
  return %x : tensor<2x8xf32>
}
