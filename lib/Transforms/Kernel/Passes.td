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
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect"];
}

def ExpandFma : Pass<"qtensor-expand-fma", "::mlir::ModuleOp"> {
  let summary = "fused multiply-adds of f32 => f64 arithmetic with the same bits, for levels that have none";
  let description = [{
    Without an instruction for it every lane of a fused multiply-add is a call of the C library. The f64 product of two f32
    is exact; its f64 sum with the third operand is rounded to odd, and that once more to f32, which is the one rounding that
    was asked for.

        %r = math.fma %a, %b, %c : vector<8xf32>
    =>
        %p = arith.mulf %a64, %b64 : vector<8xf64>
        %s = arith.addf %p, %c64 : vector<8xf64>
        ...                                        // what %s lost, and one step to an odd last bit
        %r = arith.truncf %odd : vector<8xf64> to vector<8xf32>

    It leaves other element types alone and never fails.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def AttachScratch : Pass<"qtensor-attach-scratch", "::mlir::ModuleOp"> {
  let summary = "room for the prepared activations of packed contractions";
  let description = [{
    A kernel reads activations in the order of its register tiles. The buffer for that is allocated here, before memory
    is planned, so that it lies in the one arena. Its size follows from the rows of the output and is the same for all
    levels.

        qtensor.contract ... outs(%y : memref<?x64xf32>) {...}
    =>
        %s = memref.alloc(%bytes) {alignment = 64 : i64} : memref<?xi8>
        qtensor.contract ... outs(%y : memref<?x64xf32>) scratch(%s : memref<?xi8>) {...}

    A contraction without a packed weight gets room for its decoded weight, if its outputs can be computed in vectors; with
    `decode-weights=false` none, and decodes every code where it multiplies it. Runs on buffers.
  }];
  let options = [Option<"decodeWeights", "decode-weights", "bool", "true", "Room for decoded weights that are not packed">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def LowerComponents : Pass<"qtensor-lower-components", "::mlir::ModuleOp"> {
  let summary = "contract, encode, decode and epilogue on buffers => kernels and loops";
  let description = [{
    A packed contraction becomes the preparation of its activations and calls of a kernel, made once for all
    contractions of the same format and epilogue; the kernel's inner loops speak qtile. A contraction without a packed
    weight whose neighbouring outputs are neighbours in memory (depthwise, grouped, run-time weights) becomes loops over
    vectors of outputs. Everything else becomes loops over elements.

        qtensor.contract <integer<1>> ... rhs(%p : memref<3456xi8>) ... layout #qtile.packed<...> outs(%y) scratch(%s) {...}
    =>
        scf.parallel (%row) ... { // quantized rows into the order of the tiles, with their scales and sums
        scf.parallel (%row, %unit) ... { func.call @qkernel_0_unit(...) }

    The options are the machines of one CPU level; of several, `qtile.core` says at run time which one it is. Errors: an op that is still on tensors; a packed weight that no kernel
    reads; a run-time encoding whose parameters cannot be found at run time.
  }];
  let options = [
    Option<"lanes", "lanes", "int64_t", "8", "f32 elements of a vector register">,
    Option<"registers", "registers", "int64_t", "16", "vector registers">,
    Option<"pairSums", "pair-sums", "bool", "false", "byte products are summed in i16 as long as they fit">,
    Option<"pinned", "pinned", "bool", "false", "dot products keep their order (few registers)">,
    ListOption<"streamAhead", "stream-ahead", "int64_t", "for each machine the bytes that it asks for its weights ahead; 0: it does not">,
    ListOption<"tileCounts", "tile-counts", "int64_t", "how many of the tiles each machine has">,
    ListOption<"tileRows", "tile-rows", "int64_t", "rows of the register tiles, ascending, of one machine after the other">,
    ListOption<"tileColumns", "tile-columns", "int64_t", "vectors of columns of the same tiles">,
    ListOption<"coreCounts", "core-counts", "int64_t", "how many of the processors each machine has">,
    ListOption<"cores", "cores", "double", "ten numbers for each processor: whole vectors of a cycle, which are arithmetic, "
      "multiplications, conversions, shifts, shuffles, loads, broadcasts, stores; bytes of weights that its first cache keeps, and bytes of a cycle from the next">,
    Option<"level", "level", "std::string", "\"\"", "its name, and those of the processors, in what is printed">,
    ListOption<"coreNames", "core-names", "std::string", "names of the processors">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect", "::mlir::qtile::QTileDialect"];
}

#endif // QTENSOR_KERNEL_PASSES
