// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics

func.func @o1(%x: tensor<4xf32>) {
  // expected-error @+1 {{clause O1: the key is not empty}}
  calib.observe %x "" : tensor<4xf32>
  return
}

// -----

func.func @o2(%x: tensor<4xi8>) {
  // expected-error @+1 {{clause O2: the value is a plain tensor of floats, got 'tensor<4xi8>'}}
  calib.observe %x "x" : tensor<4xi8>
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [?], scale = f32>
func.func @o2_encoded(%x: tensor<4xf32, #x>) {
  // expected-error @+1 {{clause O2: the value is a plain tensor of floats}}
  calib.observe %x "x" : tensor<4xf32, #x>
  return
}
