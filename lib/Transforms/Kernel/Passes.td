// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_KERNEL_PASSES
#define QTENSOR_KERNEL_PASSES

include "mlir/Pass/PassBase.td"

def ExpandTileOps : Pass<"qtile-expand", "::mlir::ModuleOp"> {
  let summary = "qtile => vector and arith: the generic row of every target";
  let description = [{
    Expands every qtile operation that a target has not lowered itself. A dot product of bytes becomes four multiplications of
    i32 lanes, whose bits are the same as those of any faster row:

        %d = qtile.dot4 %acc, %u, %s max 15 : vector<64xi8> -> vector<16xi32>
    =>
        %u32 = vector.bitcast %u : vector<64xi8> to vector<16xi32>
        %u0 = arith.andi %u32, %c255 : vector<16xi32>
        ...
        %p0 = arith.muli %u0, %s0 : vector<16xi32>
        %d0 = arith.addi %acc, %p0 : vector<16xi32>

    A table becomes a constant global and a gather. It never fails: nothing of qtile is left.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect", "::mlir::memref::MemRefDialect"];
}

def OutlineParallel : Pass<"qtensor-outline-parallel", "::mlir::ModuleOp"> {
  let summary = "scf.forall => a call of the runtime's parallel-for";
  let description = [{
    A one-dimensional scf.forall without shared outputs becomes a function over [begin, end) and a call of
    `qtrt_parallel_for(ctx, n, fn, arg)`; the values that the body uses travel in a structure on the stack. `ctx` is the
    first argument of the enclosing function when that is a pointer. Without one, the loop becomes an scf.for.

        scf.forall (%u) in (%n) { func.call @unit(%a, %u) : (memref<?xf32>, index) -> () }
    =>
        llvm.call @qtrt_parallel_for(%ctx, %n, %fn, %arg) : (!llvm.ptr, i64, !llvm.ptr, !llvm.ptr) -> ()

    Runs on buffers, before anything is converted to LLVM: a captured memref is stored as its descriptor. A forall with
    results or of more than one dimension is an error.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::scf::SCFDialect"];
}

#endif // QTENSOR_KERNEL_PASSES
