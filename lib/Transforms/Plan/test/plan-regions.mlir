// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -allow-unregistered-dialect -split-input-file -qtensor-plan-regions='regions=fast:32,slow:1K:4' | FileCheck %s --check-prefixes=CHECK,TWO
// RUN: quant-opt %s -allow-unregistered-dialect -split-input-file -qtensor-plan-regions | FileCheck %s --check-prefixes=CHECK,ONE
// RUN: quant-opt %s -allow-unregistered-dialect -split-input-file -qtensor-plan-regions=places-interface=false | FileCheck %s --check-prefixes=CHECK,CALLER

// The small buffer has as many accesses as the large one: more for its size, so it lies in the cheap memory.
// ONE: qtensor.plan = {bound = 80 : i64, buffers = 4 : i64, bytes = 80 : i64, places = [{offset = 64 : i64, region = 0 : i64}, {offset = 0 : i64, region = 0 : i64}]
// TWO: regions = [{base = 0 : i64, bytes = 32 : i64, name = "fast"}, {base = 32 : i64, bytes = 64 : i64, name = "slow"}]
// CALLER: qtensor.plan = {bound = 80 : i64, buffers = 2 : i64, bytes = 80 : i64, places = []
// CHECK: func.func @main
// CHECK-NOT: memref.alloc
// TWO: memref.view %{{.*}} to memref<64xi8>
module attributes {qtensor.inputs = [{name = "x", type = tensor<16xi8>}], qtensor.outputs = [{name = "y", type = tensor<16xi8>}]} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<16xi8>, %y: memref<16xi8>) {
    %a = memref.alloc() : memref<64xi8>
    %b = memref.alloc() : memref<16xi8>
    "test.copy"(%x, %a) : (memref<16xi8>, memref<64xi8>) -> ()
    "test.copy"(%a, %b) : (memref<64xi8>, memref<16xi8>) -> ()
    "test.copy"(%b, %y) : (memref<16xi8>, memref<16xi8>) -> ()
    "test.copy"(%b, %y) : (memref<16xi8>, memref<16xi8>) -> ()
    "test.copy"(%b, %y) : (memref<16xi8>, memref<16xi8>) -> ()
    "test.copy"(%b, %y) : (memref<16xi8>, memref<16xi8>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

// A sum of two tensors overwrites one that nobody reads afterwards.
// CHECK: buffers = {{2|4}} : i64
module attributes {qtensor.inputs = [{name = "x", type = tensor<64xi8>}], qtensor.outputs = [{name = "y", type = tensor<64xi8>}]} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<64xi8>, %y: memref<64xi8>) {
    %a = memref.alloc() : memref<64xi8>
    %b = memref.alloc() : memref<64xi8>
    %c = memref.alloc() : memref<64xi8>
    "test.copy"(%x, %a) : (memref<64xi8>, memref<64xi8>) -> ()
    "test.copy"(%x, %b) : (memref<64xi8>, memref<64xi8>) -> ()
    qnn.add ins(%a, %b : memref<64xi8>, memref<64xi8>) outs(%c : memref<64xi8>) <{kernel = "plain.add", zeros = array<i64: 0, 0>, left_shift = 20 : i64,
      multipliers = array<i64: 1073741824, 1073741824, 1073741824>, shifts = array<i64: 0, 0, -18>, output_zero = 0 : i64,
      low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}>
    "test.copy"(%c, %y) : (memref<64xi8>, memref<64xi8>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

// A truth value of the interface lies in a byte.
// TWO: qtensor.plan = {bound = 80 : i64, buffers = 2 : i64, bytes = 80 : i64
// ONE: qtensor.plan = {bound = 80 : i64, buffers = 2 : i64, bytes = 80 : i64
module attributes {qtensor.inputs = [{name = "x", type = tensor<16xi8>}], qtensor.outputs = [{name = "y", type = tensor<64xi1>}]} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<16xi8>, %y: memref<64xi1>) {
    "test.compare"(%x, %y) : (memref<16xi8>, memref<64xi1>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

// A state outlives a call: it lies with the caller, and has no place between the input and the output.
// TWO: places = [{offset = {{[0-9]+}} : i64, region = {{[0-9]+}} : i64}, {offset = {{[0-9]+}} : i64, region = {{[0-9]+}} : i64}]
// ONE: qtensor.plan = {bound = 48 : i64, buffers = 2 : i64, bytes = 48 : i64, places = [{offset = {{[0-9]+}} : i64, region = 0 : i64}, {offset = {{[0-9]+}} : i64, region = 0 : i64}]
module attributes {qtensor.inputs = [{name = "x", type = tensor<16xi8>}], qtensor.outputs = [{name = "y", type = tensor<32xi8>}], qtensor.states = [{name = "s", type = tensor<8xi8>}]} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<16xi8>, %s: memref<8xi8>, %y: memref<32xi8>) {
    "test.step"(%x, %s, %y) : (memref<16xi8>, memref<8xi8>, memref<32xi8>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

// An input that is read as one of several buffers lives as long: the output has a place of its own.
// TWO: qtensor.plan = {bound = 32 : i64, buffers = 2 : i64, bytes = 32 : i64
// ONE: qtensor.plan = {bound = 32 : i64, buffers = 2 : i64, bytes = 32 : i64
module attributes {qtensor.inputs = [{name = "x", type = tensor<16xi8>}], qtensor.outputs = [{name = "y", type = tensor<16xi8>}]} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<16xi8>, %y: memref<16xi8>) {
    %zero = arith.constant 0 : index
    %constant = memref.view %weights[%zero][] : memref<?xi8> to memref<16xi8>
    %which = "test.choose"() : () -> i1
    %either = arith.select %which, %x, %constant : memref<16xi8>
    "test.reverse"(%either, %y) : (memref<16xi8>, memref<16xi8>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

// A layer that reads a row before it writes one: its output begins one row before its input, which nobody else reads.
// ONE: qtensor.plan = {bound = 272 : i64, buffers = 4 : i64, bytes = 272 : i64
// ONE: memref.view %{{.*}}[%c16]{{.*}} to memref<1x16x4x4xi8>
// ONE: memref.view %{{.*}}[%c0]{{.*}} to memref<1x16x4x4xi8>
// CALLER: bytes = 272 : i64
module attributes {qtensor.inputs = [{name = "x", type = tensor<16xi8>}], qtensor.outputs = [{name = "y", type = tensor<16xi8>}]} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<16xi8>, %y: memref<16xi8>) {
    %a = memref.alloc() : memref<1x16x4x4xi8>
    %b = memref.alloc() : memref<1x16x4x4xi8>
    "test.copy"(%x, %a) : (memref<16xi8>, memref<1x16x4x4xi8>) -> ()
    qnn.pool2d ins(%a : memref<1x16x4x4xi8>) outs(%b : memref<1x16x4x4xi8>) <{kernel = "plain.pool", window = array<i64: 3, 3>,
      strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, max, low = -128 : i64, high = 127 : i64}>
      {qtensor.overlaps = [array<i64: 1, 0, 16, 1>]}
    "test.copy"(%b, %y) : (memref<1x16x4x4xi8>, memref<16xi8>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

// The same layer, but its input is read once more: both have places of their own. So have they where the distance is no
// multiple of what channels one after the other ask for.
// ONE: qtensor.plan = {bound = 512 : i64
// ONE: qtensor.plan = {bound = 304 : i64, buffers = 4 : i64, bytes = 320 : i64
module attributes {qtensor.inputs = [{name = "x", type = tensor<16xi8>}], qtensor.outputs = [{name = "y", type = tensor<16xi8>}]} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<16xi8>, %y: memref<16xi8>) {
    %a = memref.alloc() : memref<1x16x4x4xi8>
    %b = memref.alloc() : memref<1x16x4x4xi8>
    "test.copy"(%x, %a) : (memref<16xi8>, memref<1x16x4x4xi8>) -> ()
    qnn.pool2d ins(%a : memref<1x16x4x4xi8>) outs(%b : memref<1x16x4x4xi8>) <{kernel = "plain.pool", window = array<i64: 3, 3>,
      strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, max, low = -128 : i64, high = 127 : i64}>
      {qtensor.overlaps = [array<i64: 1, 0, 16, 1>]}
    "test.copy"(%a, %b) : (memref<1x16x4x4xi8>, memref<1x16x4x4xi8>) -> ()
    "test.copy"(%b, %y) : (memref<1x16x4x4xi8>, memref<16xi8>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

module attributes {qtensor.inputs = [{name = "x", type = tensor<16xi8>}], qtensor.outputs = [{name = "y", type = tensor<16xi8>}]} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<16xi8>, %y: memref<16xi8>) {
    %a = memref.alloc() : memref<1x16x4x4xi8>
    %b = memref.alloc() : memref<1x16x4x4xi8>
    "test.copy"(%x, %a) : (memref<16xi8>, memref<1x16x4x4xi8>) -> ()
    qnn.pool2d ins(%a : memref<1x16x4x4xi8>) outs(%b : memref<1x16x4x4xi8>) <{kernel = "plain.pool", window = array<i64: 3, 3>,
      strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, max, low = -128 : i64, high = 127 : i64}>
      {qtensor.overlaps = [array<i64: 1, 0, 48, 64>]}
    "test.copy"(%b, %y) : (memref<1x16x4x4xi8>, memref<16xi8>) -> ()
    return
  }
  func.func @shapes() { return }
}
