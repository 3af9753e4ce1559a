// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-check-extents -verify-diagnostics
func.func @main(%t: tensor<?xf32>, %i: tensor<4xi64>) -> tensor<4xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%i : tensor<4xi64>) outs(%e : tensor<4xf32>) {
  ^bb0(%p: i64, %o: f32):
    %a = arith.index_cast %p : i64 to index
    %below = arith.cmpi slt, %a, %c0 : index
    %s = scf.if %below -> f32 {
      scf.yield %zero : f32
    } else {
      // expected-error @+1 {{op in 'linalg.generic' reads a tensor in a branch or a loop, where the index is not checked; read it in the body of a linalg.generic itself}}
      %r = tensor.extract %t[%a] : tensor<?xf32>
      scf.yield %r : f32
    }
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main(%t: tensor<4xf32>) -> tensor<6xf32> {
  %y = tensor.pad %t low[2] high[0] {
  ^bb0(%j: index):
    // expected-error @+1 {{op in 'tensor.pad' reads a tensor for what is padded with, where the index is not checked}}
    %s = tensor.extract %t[%j] : tensor<4xf32>
    tensor.yield %s : f32
  } : tensor<4xf32> to tensor<6xf32>
  return %y : tensor<6xf32>
}

// -----

func.func @main(%i: tensor<4xi64>) -> tensor<4xi64> {
  %e = tensor.empty() : tensor<4xi64>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%i : tensor<4xi64>) outs(%e : tensor<4xi64>) {
  ^bb0(%p: i64, %o: i64):
    %a = arith.index_cast %p : i64 to index
    %two = tensor.from_elements %p, %o : tensor<2xi64>
    // expected-error @+1 {{op in 'linalg.generic' reads a tensor that it makes itself, where the index is not checked}}
    %s = tensor.extract %two[%a] : tensor<2xi64>
    linalg.yield %s : i64
  } -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// -----

func.func @main(%t: tensor<3xi64>, %i: tensor<4xi64>, %count: tensor<1xi64>) -> tensor<4xi64> {
  %c0 = arith.constant 0 : index
  %d = tensor.extract %count[%c0] : tensor<1xi64>
  %k = arith.index_cast %d : i64 to index
  %u = tensor.extract_slice %t[0] [%k] [1] : tensor<3xi64> to tensor<?xi64>
  %e = tensor.empty() : tensor<4xi64>
  // expected-error @+1 {{op reads an index in a tensor whose extents are data, or looks it up for one that is; make its extents follow from those of the inputs}}
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%i : tensor<4xi64>) outs(%e : tensor<4xi64>) {
  ^bb0(%p: i64, %o: i64):
    %a = arith.index_cast %p : i64 to index
    %q = tensor.extract %u[%a] : tensor<?xi64>
    %b = arith.index_cast %q : i64 to index
    %s = tensor.extract %u[%b] : tensor<?xi64>
    linalg.yield %s : i64
  } -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// -----

// A constant index, and a table of fewer elements than the loops.
func.func @main(%t: tensor<3xf32>, %i: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c3 = arith.constant 3 : index
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @+1 {{op dimension 0 of what its body looks up is read past its last element, whatever the inputs are; correct the model}}
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%i : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = tensor.extract %t[%c3] : tensor<3xf32>
    linalg.yield %s : f32
  } -> tensor<4xf32>
  // expected-error @+1 {{op dimension 0 of what its body looks up is read past its last element, whatever the inputs are; correct the model}}
  %z = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%i : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %a = linalg.index 0 : index
    %s = tensor.extract %t[%a] : tensor<3xf32>
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %y, %z : tensor<4xf32>, tensor<4xf32>
}

// -----

// A table without elements: only the second op runs at all.
func.func @main(%t: tensor<0xf32>, %none: tensor<0xi64>, %i: tensor<4xi64>) -> (tensor<0xf32>, tensor<4xf32>) {
  %o = tensor.empty() : tensor<0xf32>
  %x = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%none : tensor<0xi64>) outs(%o : tensor<0xf32>) {
  ^bb0(%p: i64, %was: f32):
    %a = arith.index_cast %p : i64 to index
    %s = tensor.extract %t[%a] : tensor<0xf32>
    linalg.yield %s : f32
  } -> tensor<0xf32>
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @+1 {{op dimension 0 of what its body looks up has no element, whatever the inputs are; correct the model}}
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%i : tensor<4xi64>) outs(%e : tensor<4xf32>) {
  ^bb0(%p: i64, %was: f32):
    %a = arith.index_cast %p : i64 to index
    %s = tensor.extract %t[%a] : tensor<0xf32>
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %x, %y : tensor<0xf32>, tensor<4xf32>
}
