// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-lower-core | FileCheck %s

// The third field of the context.
// CHECK: func.func @main(%[[CTX:.*]]: !llvm.ptr,
// CHECK: %[[FIELD:.*]] = llvm.getelementptr %[[CTX]][2] : (!llvm.ptr) -> !llvm.ptr, i64
// CHECK: %[[NUMBER:.*]] = llvm.load %[[FIELD]] : !llvm.ptr -> i64
// CHECK: %[[CORE:.*]] = arith.index_cast %[[NUMBER]] : i64 to index
// CHECK: func.call @unit(%[[CORE]])
// CHECK-NOT: qtile.core
module {
  func.func private @unit(index)
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %n: index) {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %core = qtile.core : index
    scf.parallel (%i) = (%zero) to (%n) step (%one) {
      func.call @unit(%core) : (index) -> ()
    }
    return
  }
}
