// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -allow-unregistered-dialect -split-input-file -verify-diagnostics -qtensor-plan-regions='regions=fast:32,slow:48:4'
// RUN: not quant-opt %s -allow-unregistered-dialect -split-input-file -qtensor-plan-regions='regions=fast:many' 2>&1 | FileCheck %s
// CHECK: a memory is name:bytes or name:bytes:cost (as dtcm:64K:1), with :constants or :copies behind it where it is for weights; got 'fast:many'
// RUN: not quant-opt %s -allow-unregistered-dialect -split-input-file -qtensor-plan-regions='regions=itcm:1K:1:copies' 2>&1 | FileCheck %s --check-prefix=COPIES
// COPIES: there is a memory of copies, but none that they are copied from; add one as flash:1M:2:constants
// RUN: not quant-opt %s -allow-unregistered-dialect -split-input-file -qtensor-plan-regions='regions=f:1K:1:constants,F:1K:1:copies' 2>&1 | FileCheck %s --check-prefix=NAMES
// NAMES: two memories of constants are called 'F', in capitals or not; give each a name of its own

module attributes {qtensor.inputs = [], qtensor.outputs = []} {
  // expected-error @below {{the model does not fit: 32 bytes more are needed than 32 in fast and 48 in slow}}
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>) {
    // expected-note @below {{of these 64 bytes: 'memref<64xi8>'}}
    %a = memref.alloc() : memref<64xi8>
    // expected-note @below {{of these 48 bytes: 'memref<48xi8>'}}
    %b = memref.alloc() : memref<48xi8>
    "test.write"(%a) : (memref<64xi8>) -> ()
    // expected-note @below {{most is live here: 112 bytes}}
    "test.copy"(%a, %b) : (memref<64xi8>, memref<48xi8>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

module attributes {qtensor.inputs = [{name = "x", type = tensor<?xi8>}], qtensor.outputs = []} {
  // expected-error @below {{without an operating system all extents are static (fix them with --dim)}}
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<?xi8>) { return }
  func.func @shapes() { return }
}

// -----

// expected-error @below {{@main has no %scratch argument; qtensor-make-entry must run first}}
module {
  func.func @main() { return }
}

// -----

// expected-error @below {{the module names no inputs, or @main has an argument that is no buffer; qtensor-make-entry must run first}}
module {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: f32) { return }
  func.func @shapes() { return }
}
