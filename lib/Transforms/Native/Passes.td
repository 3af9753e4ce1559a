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

def ExpandCopies : Pass<"qtensor-expand-copies", "ModuleOp"> {
  let summary = "Copies of buffers => elementwise ops";
  let description = [{
    LLVM's lowering of `memref.copy` calls a function of a runtime when a side is strided. Copies are elementwise ops like
    others.

    ```mlir
    memref.copy %a, %b : memref<4x8xf32, strided<[16, 1]>> to memref<4x8xf32>
    // =>
    linalg.generic {...} ins(%a) outs(%b) { linalg.yield %in }
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect"];
}

def ExpandRounding : Pass<"qtensor-expand-rounding", "ModuleOp"> {
  let summary = "Rounding to whole numbers without a C library";
  let description = [{
    floor, ceil and trunc of f32 and f64, round and roundeven of f32 become conversions to integers and comparisons: processors without such
    instructions would call functions that firmware may not have.

    ```mlir
    %y = math.floor %x : f32
    // =>
    %t = arith.fptosi %x, arith.sitofp, arith.cmpf ogt, arith.subf, math.copysign, arith.select
    ```
  }];
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect"];
}

def ScalarizeAccess : Pass<"qtensor-scalarize-access", "ModuleOp"> {
  let summary = "Vector loads and stores => accesses of elements";
  let description = [{
    For processors whose vectors, if they have any, belong to kernels of their own. What is computed between the accesses
    stays in vectors, which LLVM takes apart.

    ```mlir
    %v = vector.load %m[%i] : memref<8xi8>, vector<2xi8>
    // =>
    %a = memref.load %m[%i] : memref<8xi8>
    %b = memref.load %m[%i + 1] : memref<8xi8>
    %v = vector.from_elements %a, %b : vector<2xi8>
    ```
  }];
  let dependentDialects = ["arith::ArithDialect", "memref::MemRefDialect", "scf::SCFDialect", "vector::VectorDialect"];
}

def OutlineOps : Pass<"qtensor-outline-ops", "ModuleOp"> {
  let summary = "Give every linalg op of @main a function, shared by all ops that are the same";
  let description = [{
    The layers of a model repeat, so their ops do: with the same types, maps and body they share one function and are
    compiled once. Functions stay small, which LLVM rewards. Operands become
    arguments, constants go into the function. The context is the first argument, for parallel loops.

    ```mlir
    linalg.generic {...} ins(%a : memref<?x64xf32>) outs(%b : memref<?x64xf32>) {...}
    linalg.generic {...} ins(%b : memref<?x64xf32>) outs(%c : memref<?x64xf32>) {...}
    // =>
    func.call @op_0(%ctx, %a, %b) : (!llvm.ptr, memref<?x64xf32>, memref<?x64xf32>) -> ()
    func.call @op_0(%ctx, %b, %c) : (!llvm.ptr, memref<?x64xf32>, memref<?x64xf32>) -> ()
    ```
  }];
  let dependentDialects = ["func::FuncDialect", "LLVM::LLVMDialect", "linalg::LinalgDialect"];
}

def OutlineParallel : Pass<"qtensor-outline-parallel", "ModuleOp"> {
  let summary = "Hand scf.parallel loops to the runtime's parallel-for";
  let description = [{
    The body of an outermost `scf.parallel` without reductions becomes a function that does a range of iterations. What
    it uses from outside goes through a struct on the caller's stack; constants are copied into it. Loops with several
    dimensions are run as one range. The runtime's function is the first field of the context, which is the first
    argument of @main and of every function with parallel loops. Elsewhere, they are left to become sequential. Buffers
    of known size on the stack move to the entry of their function, out of all loops. Loops that differ only in what they
    capture share one task: a network of many equal layers has as much code as one layer.

    ```mlir
    scf.parallel (%i) = (%c0) to (%n) step (%c1) { use(%i, %m) }
    // =>
    llvm.store %m, %captures
    %f = llvm.load %ctx
    llvm.call %f(%ctx, %n, @main_parallel_0, %captures)

    llvm.func internal @main_parallel_0(%captures: !llvm.ptr, %begin: i64, %end: i64) {
      scf.for %i = %begin to %end step %c1 { use(%i, %m) }
    ```
  }];
  let dependentDialects = ["LLVM::LLVMDialect", "arith::ArithDialect", "scf::SCFDialect"];
}

def LowerChecks : Pass<"qtensor-lower-checks", "ModuleOp"> {
  let summary = "Checks of values report through the context";
  let description = [{
    A `cf.assert` of @main that fails stores its message in the second field of the context, and the run goes on: what
    follows is memory safe all the same, and the runtime returns an error with that text. One that fails whatever the
    inputs are is an error now.

    ```mlir
    cf.assert %inside, "node 'ids' (Gather): an index is outside of the data that it reads or writes"
    // =>
    scf.if %outside { llvm.store %message, %ctx[1] }
    ```

    With `numbers` the context is an i32 that takes the number of the check, from 1 on; the texts are the module's
    `qtensor.checks`. So firmware needs no texts in flash.
  }];
  let options = [Option<"numbers", "numbers", "bool", "false", "Numbers of checks instead of texts">];
  let dependentDialects = ["LLVM::LLVMDialect", "arith::ArithDialect", "scf::SCFDialect"];
}

def LowerCore : Pass<"qtensor-lower-core", "ModuleOp"> {
  let summary = "Which processor this is is read from the context";
  let description = [{
    When a model is opened the runtime asks the processor and puts its position in the level's list, from 1 on, or 0 into the third field of
    the context.

    ```mlir
    %core = qtile.core : index
    // =>
    %field = llvm.getelementptr %ctx[2] : (!llvm.ptr) -> !llvm.ptr, i64
    %number = llvm.load %field : !llvm.ptr -> i64
    %core = arith.index_cast %number : i64 to index
    ```

    An error: the op in another function than @main, where there is no context.
  }];
  let dependentDialects = ["LLVM::LLVMDialect", "arith::ArithDialect"];
}

def ExpandSmallFloats : Pass<"qtensor-expand-small-floats"> {
  let summary = "Conversions of one-byte floats and bf16 in integer arithmetic";
  let description = [{
    LLVM has no one-byte floats. `arith.extf` and `arith.truncf` between them and wider floats become arithmetic on the bits,
    on scalars and vectors: exact one way, rounded to nearest with ties to even the other way. What is larger than the
    largest number becomes infinity, or NaN where the type has none.

    bf16 is computed with as f32, converted in integer arithmetic, and i16 wherever it is only held or moved: LLVM would carry
    it as f32 on processors without it, and call a function of the compiler's library that older systems lack.

    ```mlir
    %1 = arith.extf %0 : f8E4M3FN to f32
    // =>
    %c = arith.bitcast %0 : f8E4M3FN to i8, ..., %1 = arith.select ... : f32
    ```
  }];
  let options = [Option<"halves", "halves", "bool", "false", "f16 too, for processors without it">];
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect"];
}

def ExpandRoots : Pass<"qtensor-expand-roots"> {
  let summary = "Expand square roots of f32 to integer arithmetic, for processors that have none";
  let description = [{
    sqrt and rsqrt of a scalar f32, which would be calls of a C library that firmware does not have. The root is correctly
    rounded: 25 steps of one bit each. rsqrt is its reciprocal. Other types stay as they are.

    ```mlir
    %1 = math.sqrt %0 : f32
    // =>
    %bits = arith.bitcast %0 : f32 to i32, %fits = arith.cmpi uge ..., %1 = arith.select ...
    ```
  }];
  let dependentDialects = ["arith::ArithDialect"];
}

def ExpandPowers : Pass<"qtensor-expand-powers"> {
  let summary = "Expand powers and atan2 of f32 to f64 arithmetic, for processors without a C library";
  let description = [{
    powf and atan2 of scalar f32, which would be calls of a C library that firmware does not have. Both are series of f64, of which the
    compiler's helper library has the operations, and off by 0.501 of the last place at most where the result is a normal number;
    infinities, zeros and what is no number are IEEE 754's. Other types stay as they are.

    ```mlir
    %1 = math.powf %x, %y : f32
    // =>
    %a = arith.extf %x : f32 to f64, %m = arith.bitcast ..., arith.mulf, arith.addf ..., %1 = arith.truncf ... : f64 to f32
    ```
  }];
  let dependentDialects = ["arith::ArithDialect"];
}

def ApproximateMath : Pass<"qtensor-approximate-math"> {
  let summary = "Expand functions of f32 to polynomials that vectorize, the same on every level";
  let description = [{
    exp, expm1, tanh, erf, log, log1p and log2 of f32 become polynomials of upstream's making. Errors in units of the
    last place, which test/accuracy.test asserts: exp 1, expm1 2, tanh 4, erf 4, log 1, log1p 2, log2 1, or 1e-7 absolute.
    Other functions, and f64, stay calls of the C library.

    ```mlir
    %1 = math.exp %0 : vector<16xf32>
    // =>
    %n = math.floor ..., %p = math.fma ...
    ```
  }];
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect", "vector::VectorDialect"];
}

def ResolveExpandShapes : Pass<"qtensor-resolve-expand-shapes"> {
  let summary = "Write views that split an extent into several unknown ones as offsets, sizes and strides";
  let description = [{
    A batch of sequences is one matrix for a contraction and two dimensions for what follows: an `expand_shape` whose
    extents are both unknown. Upstream's expansion of views derives one unknown extent of a group from the others; here
    the op itself names all of them.

    ```mlir
    %y = memref.expand_shape %x [[0, 1], [2]] output_shape [%b, %s, 64] : memref<?x64xf32> into memref<?x?x64xf32>
    // =>
    %base, %offset, %sizes:2, %strides:2 = memref.extract_strided_metadata %x
    %row = affine.apply affine_map<()[s0] -> (s0 * 64)>()[%s]
    %y = memref.reinterpret_cast %base to offset: [0], sizes: [%b, %s, 64], strides: [%row, 64, 1]
    ```
  }];
  let dependentDialects = ["affine::AffineDialect", "memref::MemRefDialect"];
}

#endif
