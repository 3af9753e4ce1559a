// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --qtensor-quantize-states=caches=int8/token
// RUN: not quant-opt %s --split-input-file --qtensor-quantize-states=caches=int8/tensor 2>&1 | FileCheck %s
// CHECK: state 'keys': format 'int8/tensor' has blocks over several tokens, which cannot be written one by one; use /token or a number

func.func @main(%k: tensor<8x16xf32> {qtensor.state = "keys"}, %x: tensor<8x16xf32>) -> (tensor<8x16xf32> {qtensor.state = "keys"}) {
  // expected-error @+1 {{state 'keys' is not only written by tensor.insert_slice, so it cannot be stored as 'int8/token'}}
  %y = linalg.add ins(%k, %x : tensor<8x16xf32>, tensor<8x16xf32>) outs(%k : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

func.func @main(%k: tensor<8x16xf32> {qtensor.state = "keys"}, %x: tensor<1x8xf32>) -> (tensor<8x16xf32> {qtensor.state = "keys"}) {
  // expected-error @+1 {{state 'keys' is stored as 'int8/token', but this writes part of a row}}
  %y = tensor.insert_slice %x into %k[0, 8] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

// Nothing is kept, or no floats are: the format has nothing to store.
// expected-warning @below {{caches=int8/token has no effect: the model keeps no state of floats with two axes or more}}
module {
  func.func @main(%k: tensor<8x16xi32> {qtensor.state = "keys"}, %x: tensor<1x16xi32>) -> (tensor<8x16xi32> {qtensor.state = "keys"}) {
    %y = tensor.insert_slice %x into %k[0, 0] [1, 16] [1, 1] : tensor<1x16xi32> into tensor<8x16xi32>
    return %y : tensor<8x16xi32>
  }
}
