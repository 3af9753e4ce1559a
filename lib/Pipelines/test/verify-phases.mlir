// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A pass that folds a rounding away, or drops an encoding, is found and named: the IR that it leaves is valid.
// RUN: not quant-opt %s --verify-phases --load-pass-plugin=%build/lib/qtensor-eraser.so --pass-pipeline='builtin.module(func.func(canonicalize,test-erase-roundings,cse))' -o /dev/null 2>&1 | FileCheck %s --check-prefix=ERASED
// ERASED: error: pass 'test-erase-roundings' broke contract clause C2.8: 2 values were rounded before it, 0 are after it
// ERASED-NOT: error:

// RUN: not quant-opt %s --verify-phases --one-shot-bufferize="allow-unknown-ops" -o /dev/null 2>&1 | FileCheck %s --check-prefix=DROPPED
// DROPPED: error: pass 'one-shot-bufferize' broke contract clause C2.9: an encoded tensor becomes a buffer, which has no encoding

// Merging what is computed twice and erasing what nobody reads are no faults.
// RUN: quant-opt %s --verify-phases --canonicalize --cse | FileCheck %s --check-prefix=MERGED
// MERGED-COUNT-1: qtensor.quantize
// MERGED-NOT: qtensor.quantize

#x = #qtensor.block<codec<8, int<signed>>, [1, ?], scale = f32>
func.func @main(%x: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>, index) {
  %a = qtensor.quantize %x : tensor<?x8xf32> -> tensor<?x8xf32, #x>
  %b = qtensor.quantize %x : tensor<?x8xf32> -> tensor<?x8xf32, #x>
  // Only its extent is asked for.
  %c = qtensor.quantize %x : tensor<?x8xf32> -> tensor<?x8xf32, #x>
  %unread = qtensor.quantize %x : tensor<?x8xf32> -> tensor<?x8xf32, #x>
  %e = linalg.exp ins(%a : tensor<?x8xf32, #x>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
  %t = linalg.tanh ins(%b : tensor<?x8xf32, #x>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
  %c0 = arith.constant 0 : index
  %d = tensor.dim %c, %c0 : tensor<?x8xf32, #x>
  return %e, %t, %d : tensor<?x8xf32>, tensor<?x8xf32>, index
}
