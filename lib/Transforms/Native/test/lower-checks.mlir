// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-lower-checks | FileCheck %s
// RUN: quant-opt %s -qtensor-lower-checks=numbers | FileCheck %s --check-prefix=NUMBERS

// A check that fails leaves its text in the second field of the context, and the run goes on.
// CHECK: llvm.mlir.global internal constant @[[TEXT:.*]]("an index is outside\00")
// CHECK: func.func @main(%[[CTX:.*]]: !llvm.ptr,
// CHECK: %[[OK:.*]] = arith.cmpi
// CHECK: %[[BAD:.*]] = arith.xori %[[OK]], %{{.*}} : i1
// CHECK: scf.if %[[BAD]]
// CHECK: %[[FIELD:.*]] = llvm.getelementptr %[[CTX]][1]
// CHECK: %[[ADDRESS:.*]] = llvm.mlir.addressof @[[TEXT]]
// CHECK: llvm.store %[[ADDRESS]], %[[FIELD]]
// CHECK-NOT: cf.assert

// Or its number; the module knows the text.
// NUMBERS: qtensor.checks = ["an index is outside"]
// NUMBERS: func.func @main(%[[CTX:.*]]: !llvm.ptr,
// NUMBERS: scf.if
// NUMBERS: %[[ONE:.*]] = arith.constant 1 : i32
// NUMBERS: llvm.store %[[ONE]], %[[CTX]] : i32, !llvm.ptr
// NUMBERS-NOT: cf.assert
module {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<1xi32>) {
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : i32
    %i = memref.load %x[%c0] : memref<1xi32>
    %ok = arith.cmpi ult, %i, %c4 : i32
    cf.assert %ok, "an index is outside"
    return
  }
}
