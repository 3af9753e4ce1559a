// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-outline-ops | FileCheck %s --check-prefix=OPS
// RUN: quant-opt %s -qtensor-outline-ops -qtensor-vectorize -qtensor-outline-parallel | FileCheck %s --check-prefix=PARALLEL

// RUN: quant-opt %s -qtensor-outline-parallel | FileCheck %s --check-prefix=SHARED

// Two copies of one shape share a function, the third has its own; constants go inside.
// OPS: func.func private @op({{.*}}passthrough = ["noinline"]
// OPS: func.func private @op_0
// OPS: func.func private @op_1
// OPS-NOT: func.func private @op_2
// OPS: func.func @main(%[[CTX:.*]]: !llvm.ptr
// OPS: call @op(%[[CTX]], %{{.*}}, %{{.*}})
// OPS: call @op(%[[CTX]], %{{.*}}, %{{.*}})
// OPS: call @op_0(
// OPS: call @op_1(%[[CTX]], %{{.*}}) : (!llvm.ptr, memref<64x1024xf32>)

// The task reads its captures from the struct and runs a range; the caller goes through the first field of the context.
// PARALLEL: func.func private @op(%[[CTX:.*]]: !llvm.ptr
// PARALLEL: %[[STRUCT:.*]] = llvm.alloca
// PARALLEL: llvm.store
// PARALLEL: %[[FN:.*]] = llvm.load %[[CTX]]
// PARALLEL: %[[TASK:.*]] = llvm.mlir.addressof @op_parallel_0
// PARALLEL: llvm.call %[[FN]](%[[CTX]], %{{.*}}, %[[TASK]], %[[STRUCT]])
// PARALLEL: llvm.func internal @op_parallel_0(%{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64)
// PARALLEL: scf.for
// PARALLEL-NOT: scf.parallel
func.func @main(%ctx: !llvm.ptr, %a: memref<64x1024xf32>, %b: memref<64x1024xf32>, %c: memref<64x1024xf32>, %d: memref<1024x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.copy ins(%a : memref<64x1024xf32>) outs(%b : memref<64x1024xf32>)
  linalg.copy ins(%b : memref<64x1024xf32>) outs(%c : memref<64x1024xf32>)
  linalg.transpose ins(%a : memref<64x1024xf32>) outs(%d : memref<1024x64xf32>) permutation = [1, 0]
  linalg.fill ins(%zero : f32) outs(%a : memref<64x1024xf32>)
  return
}

// Two loops that do the same share a task and a struct for what it captures; another bound makes another task.
// SHARED-LABEL: func.func @twice
// SHARED: llvm.alloca
// SHARED-NOT: llvm.alloca
// SHARED: llvm.mlir.addressof @twice_parallel_0
// SHARED: llvm.mlir.addressof @twice_parallel_0
// SHARED: llvm.mlir.addressof @twice_parallel_1
// SHARED-NOT: llvm.func internal @twice_parallel_2
func.func @twice(%ctx: !llvm.ptr, %a: memref<64xf32>, %b: memref<64xf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  scf.parallel (%i) = (%c0) to (%c64) step (%c1) {
    memref.store %zero, %a[%i] : memref<64xf32>
    scf.reduce
  }
  scf.parallel (%i) = (%c0) to (%c64) step (%c1) {
    memref.store %zero, %b[%i] : memref<64xf32>
    scf.reduce
  }
  scf.parallel (%i) = (%c32) to (%c64) step (%c1) {
    memref.store %zero, %a[%i] : memref<64xf32>
    scf.reduce
  }
  return
}
