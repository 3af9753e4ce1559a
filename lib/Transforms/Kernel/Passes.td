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

#endif // QTENSOR_KERNEL_PASSES
