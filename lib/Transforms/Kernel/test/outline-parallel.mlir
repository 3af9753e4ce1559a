// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-outline-parallel | FileCheck %s

// CHECK: llvm.func @qtrt_parallel_for(!llvm.ptr, i64, !llvm.ptr, !llvm.ptr)
func.func private @work(memref<?xf32>, index, index)

// CHECK-LABEL: func.func @with_context
// CHECK-SAME: (%[[CTX:.*]]: !llvm.ptr, %[[A:.*]]: memref<?xf32>, %[[N:.*]]: index)
// CHECK: %[[ARG:.*]] = llvm.alloca
// CHECK: builtin.unrealized_conversion_cast %[[A]] : memref<?xf32> to !llvm.struct
// CHECK: %[[FN:.*]] = constant @with_context_parallel_0
// CHECK: %[[PTR:.*]] = builtin.unrealized_conversion_cast %[[FN]]
// CHECK: %[[TRIPS:.*]] = arith.index_cast %[[N]] : index to i64
// CHECK: llvm.call @qtrt_parallel_for(%[[CTX]], %[[TRIPS]], %[[PTR]], %[[ARG]])
func.func @with_context(%ctx: !llvm.ptr, %a: memref<?xf32>, %n: index) {
  %c7 = arith.constant 7 : index
  scf.forall (%i) in (%n) {
    func.call @work(%a, %i, %c7) : (memref<?xf32>, index, index) -> ()
  }
  return
}

// CHECK-LABEL: func.func private @with_context_parallel_0(
// CHECK-SAME: %[[PACKED:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64
// CHECK: %[[S:.*]] = llvm.load %[[PACKED]]
// CHECK: %[[FIELD:.*]] = llvm.extractvalue %[[S]][0]
// CHECK: %[[BUF:.*]] = builtin.unrealized_conversion_cast %[[FIELD]]
// CHECK: scf.for %[[I:.*]] =
// CHECK: func.call @work(%[[BUF]], %[[I]], %{{.*}})

// CHECK-LABEL: func.func @without_context
// CHECK-NOT: forall
// CHECK: scf.for
// CHECK: call @work
func.func @without_context(%a: memref<?xf32>, %n: index) {
  %c7 = arith.constant 7 : index
  scf.forall (%i) in (%n) {
    func.call @work(%a, %i, %c7) : (memref<?xf32>, index, index) -> ()
  }
  return
}
