// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -verify-diagnostics -qtensor-find-entry

// expected-error @below {{a model starts at its function @main, or at its only public one; this module has 2: rename one of them, or make the others private}}
module {
  // expected-note @below {{@encode}}
  func.func @encode(%x: f32) -> f32 { return %x : f32 }
  // expected-note @below {{@decode}}
  func.func @decode(%x: f32) -> f32 { return %x : f32 }
}

// -----

// expected-error @below {{this module has no public function with a body}}
module {
  func.func private @encode(%x: f32) -> f32
}

// -----

module {
  // expected-error @below {{a model computes on tensors, but @main takes or gives 'memref<4x8xf32>'; give it as it was before bufferization}}
  func.func @main(%x: memref<4x8xf32>) { return }
}
