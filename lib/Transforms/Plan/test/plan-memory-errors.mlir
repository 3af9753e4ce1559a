// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -allow-unregistered-dialect -split-input-file -qtensor-plan-memory -verify-diagnostics

// expected-error @+1 {{@main has no %scratch argument; qtensor-make-entry must run first}}
module {
  func.func @main() { return }
}

// -----

module {
  // expected-error @+1 {{the module has no @shapes; qtensor-make-entry must run first}}
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>) { return }
}

// -----

module {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<1xindex>) {
    %c0 = arith.constant 0 : index
    // expected-error @+1 {{the size of a temporary buffer depends on the values of an input}}
    %n = memref.load %x[%c0] : memref<1xindex>
    %a = memref.alloc(%n) : memref<?xf32>
    "test.write"(%a) : (memref<?xf32>) -> ()
    return
  }
  func.func @shapes(%x0: index) { return }
}

// -----

module {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<8xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
      // expected-error @+1 {{a buffer inside a parallel loop would be shared by all threads; hoist it or use the stack}}
      %a = memref.alloc() : memref<4xf32>
      "test.write"(%a) : (memref<4xf32>) -> ()
    }
    return
  }
  func.func @shapes(%x0: index) { return }
}
