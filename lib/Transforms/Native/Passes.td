// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_TRANSFORMS_NATIVE_PASSES
#define QTENSOR_TRANSFORMS_NATIVE_PASSES

include "mlir/Pass/PassBase.td"

def EmitEntry : Pass<"qtensor-emit-entry", "ModuleOp"> {
  let summary = "Add the two functions through which the runtime calls compiled code";
  let description = [{
    The runtime knows no buffer descriptors. It passes arrays: pointers of inputs and outputs, and the extents of all
    of them, inputs first. `@run` builds the buffers and calls `@main`; `@shapes_c` stores what `@shapes` returns.
    Both names get the given prefix and suffix, so that several levels and models can be linked together.

    ```mlir
    func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<?x4xf32>, ...)
    // =>
    llvm.func @m_run_base(%ctx: !llvm.ptr, %weights: !llvm.ptr, %weights_bytes: i64, %scratch: !llvm.ptr,
                          %scratch_bytes: i64, %inputs: !llvm.ptr, %extents: !llvm.ptr, %outputs: !llvm.ptr)
    llvm.func @m_shapes_base(%input_extents: !llvm.ptr, %results: !llvm.ptr)
    ```
  }];
  let options = [
    Option<"prefix", "prefix", "std::string", "\"model\"", "Start of the names of both functions">,
    Option<"suffix", "suffix", "std::string", "\"base\"", "End of the names of both functions: the level">,
  ];
  let dependentDialects = ["LLVM::LLVMDialect", "memref::MemRefDialect", "arith::ArithDialect"];
}

#endif
