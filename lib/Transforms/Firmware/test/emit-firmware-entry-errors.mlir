// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -verify-diagnostics -qtensor-emit-firmware-entry

// expected-error @below {{the module is not planned for firmware (phase C5): @main and regions in qtensor.plan are needed; run qtensor-plan-regions}}
module {
  func.func @main() { return }
}

// -----

module attributes {qtensor.plan = {bytes = 0 : i64, regions = []}} {
  // expected-error @below {{firmware has static shapes (fix the extents with --dim)}}
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<?xi8>) { return }
}

// -----

module attributes {qtensor.plan = {bytes = 16 : i64, regions = [{base = 0 : i64, bytes = 16 : i64, name = "arena"}]}} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<4xi8>) {
    %c64 = arith.constant 64 : index
    // expected-error @below {{uses the arena at a place that qtensor.plan does not have; run qtensor-plan-regions}}
    %b = memref.view %scratch[%c64][] : memref<?xi8> to memref<4xi8>
    memref.copy %x, %b : memref<4xi8> to memref<4xi8>
    return
  }
}
