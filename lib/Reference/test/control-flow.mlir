// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s

func.func private @twice(%x: tensor<2xi32>) -> tensor<2xi32> {
  %0 = arith.addi %x, %x : tensor<2xi32>
  return %0 : tensor<2xi32>
}
func.func @call(%x: tensor<2xi32>) -> tensor<2xi32> attributes {
    inputs = [dense<[3, 4]> : tensor<2xi32>], expect = [dense<[12, 16]> : tensor<2xi32>]} {
  %0 = call @twice(%x) : (tensor<2xi32>) -> tensor<2xi32>
  %1 = call @twice(%0) : (tensor<2xi32>) -> tensor<2xi32>
  return %1 : tensor<2xi32>
}
func.func @loop(%n: index) -> (tensor<5xi32>, i32) attributes { inputs = [5 : index],
    expect = [dense<[0, 1, 3, 6, 10]> : tensor<5xi32>, 10 : i32]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  %init = tensor.empty() : tensor<5xi32>
  %0:2 = scf.for %i = %c0 to %n step %c1 iter_args(%t = %init, %sum = %zero) -> (tensor<5xi32>, i32) {
    %value = arith.index_cast %i : index to i32
    %next = arith.addi %sum, %value : i32
    %filled = tensor.insert %next into %t[%i] : tensor<5xi32>
    scf.yield %filled, %next : tensor<5xi32>, i32
  }
  return %0#0, %0#1 : tensor<5xi32>, i32
}
func.func @while(%n: i32) -> (i32, i32) attributes { inputs = [100 : i32], expect = [128 : i32, 7 : i32]} {
  %one = arith.constant 1 : i32
  %zero = arith.constant 0 : i32
  %0:2 = scf.while (%power = %one, %count = %zero) : (i32, i32) -> (i32, i32) {
    %small = arith.cmpi slt, %power, %n : i32
    scf.condition(%small) %power, %count : i32, i32
  } do {
    ^bb0(%power: i32, %count: i32):
      %next = arith.addi %power, %power : i32
      %more = arith.addi %count, %one : i32
      scf.yield %next, %more : i32, i32
  }
  return %0#0, %0#1 : i32, i32
}
func.func @branches(%c: i1, %s: index) -> (i32, i32) attributes { inputs = [false, 7 : index], expect = [2 : i32, 30 : i32]} {
  %a = arith.constant 1 : i32
  %b = arith.constant 2 : i32
  %0 = scf.if %c -> i32 {
    scf.yield %a : i32
  } else {
    scf.yield %b : i32
  }
  %1 = scf.index_switch %s -> i32
  case 2 {
    scf.yield %a : i32
  }
  case 7 {
    %thirty = arith.constant 30 : i32
    scf.yield %thirty : i32
  }
  default {
    scf.yield %b : i32
  }
  return %0, %1 : i32, i32
}
func.func @forall(%x: tensor<4xf32>) -> tensor<4xf32> attributes {
    inputs = [dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>], expect = [dense<[2.0, 4.0, 6.0, 8.0]> : tensor<4xf32>]} {
  %empty = tensor.empty() : tensor<4xf32>
  %0 = scf.forall (%i) = (0) to (4) step (2) shared_outs(%out = %empty) -> (tensor<4xf32>) {
    %slice = tensor.extract_slice %x[%i] [2] [1] : tensor<4xf32> to tensor<2xf32>
    %sum = arith.addf %slice, %slice : tensor<2xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %sum into %out[%i] [2] [1] : tensor<2xf32> into tensor<4xf32>
    }
  }
  return %0 : tensor<4xf32>
}
#map = affine_map<(d0)[s0] -> (d0 * 2 + s0, 9)>
func.func @affine(%a: index, %b: index) -> (index, index, index) attributes {
    inputs = [3 : index, 5 : index], expect = [11 : index, 9 : index, 11 : index]} {
  %0 = affine.apply affine_map<(d0)[s0] -> (d0 * 2 + s0)>(%a)[%b]
  %1 = affine.min #map(%a)[%b]
  %2 = affine.max #map(%a)[%b]
  return %0, %1, %2 : index, index, index
}
