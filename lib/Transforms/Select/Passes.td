// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_TRANSFORMS_SELECT_PASSES
#define QTENSOR_TRANSFORMS_SELECT_PASSES

include "mlir/Pass/PassBase.td"

def SelectContractions : Pass<"qtensor-select", "ModuleOp"> {
  let summary = "Turn contractions that read encoded tensors into qtensor.contract";
  let description = [{
    A contraction is any linalg op that multiplies and adds: every matmul and matvec, batched or not, in every
    orientation, convolutions, depthwise and grouped ones too, and their generic forms. Its maps are kept. The weight
    (the constant side) becomes the rhs. The strategy is `integer` where both sides are encoded and their codes fit
    8-bit products inside one block, else `float`; a `qtensor.strategy` attribute on the linalg op, or the option,
    overrules the choice. An init other than zero becomes an extra operand of the epilogue. Where open extents make up a
    block of codes, a check in front ends runs in which it holds more products than an i32 sum.

    ```mlir
    %0 = linalg.fill ins(%zero : f32) outs(%e : tensor<?x64xf32>) -> tensor<?x64xf32>
    %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x128xf32>, tensor<64x128xf32, #w>)
           outs(%0 : tensor<?x64xf32>) -> tensor<?x64xf32>
    // =>
    %c = qtensor.component %w "codes" : tensor<64x128xf32, #w> -> tensor<64x128xi8>
    %s = qtensor.component %w "scale" : tensor<64x128xf32, #w> -> tensor<64x4xf16>
    %y = qtensor.contract <float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
           lhs(%x : tensor<?x128xf32>) rhs(%c, %s : tensor<64x128xi8>, tensor<64x4xf16>) encoded <int4, [1, 32], scale = f16>
           outs(%e : tensor<?x64xf32>) -> tensor<?x64xf32> { ^bb0(%acc: f32): qtensor.yield %acc : f32 }
    ```
  }];
  let options = [
    Option<"strategy", "strategy", "std::string", "\"auto\"",
           "auto, float or integer: what to use where no qtensor.strategy attribute says so">,
    Option<"plainWeights", "plain-weights", "bool", "false",
           "Also select contractions whose weight is a constant without an encoding">];
  let dependentDialects = ["QTensorDialect", "tensor::TensorDialect", "arith::ArithDialect", "cf::ControlFlowDialect"];
}

def SelectAttention : Pass<"qtensor-select-attention", "ModuleOp"> {
  let summary = "Turn attention over encoded keys and values into qtensor.attention";
  let description = [{
    Two contractions with softmax between them, softmax(scale * q.k^T + mask).v, whose keys and values are encoded
    (a quantized cache): no score leaves the kernel, and keys and values are decoded in registers. Between the first product
    and softmax may stand factors, sums with what does not depend on the scores, and selections of -inf; together they are
    the mask, computed once over [rows, tokens] where it is the same for all heads. Keys may lie in any order of batch,
    head and token. The strategy is `integer` where the model rounds queries and weights (`--activations`) and the codes
    are signed integers, else `float`, and `qtensor.reason` says why. Extents are known. What does not fit stays as it is,
    for qtensor-select; it never fails.

    ```mlir
    %s = linalg.generic ... ins(%q, %k : tensor<1x64xf32>, tensor<256x64xf32, #kv>) { mulf, addf }
    %m = linalg.generic ... ins(%s) { index, cmpi, select } ; softmax of %m
    %y = linalg.generic ... ins(%w, %v : tensor<1x256xf32>, tensor<256x64xf32, #kv>) { mulf, addf }
    // =>
    %m = linalg.generic ... outs(%e : tensor<1x256xf32>) { index, cmpi, select }
    %y = qtensor.attention query(%q4 : tensor<1x1x1x64xf32>) key(%kc, %ks : tensor<1x1x256x64xi8>, tensor<1x1x256x1xf32>)
           as <int8, [1, 1, 1, ?], scale = f32> value(...) ... mask(%m : tensor<1x256xf32>) scale 0.125 outs(...)
    ```
  }];
  let dependentDialects = ["QTensorDialect", "tensor::TensorDialect", "linalg::LinalgDialect", "arith::ArithDialect"];
}

def FuseElementwise : Pass<"qtensor-fuse-elementwise", "ModuleOp"> {
  let summary = "Make one op of a chain of elementwise ops";
  let description = [{
    Upstream's fusion, but only into elementwise ops, and of a broadcast operand only when computing it is cheap:
    nothing expensive is computed more than once.

    ```mlir
    %a = linalg.generic ... ins(%x) { math.exp } ; %b = linalg.generic ... ins(%a, %y) { arith.mulf }
    // =>
    %b = linalg.generic ... ins(%x, %y) { math.exp, arith.mulf }
    ```
  }];
  let dependentDialects = ["arith::ArithDialect"];
}

def FuseEpilogues : Pass<"qtensor-fuse-epilogues", "ModuleOp"> {
  let summary = "Move elementwise work behind a contraction into its epilogue";
  let description = [{
    An elementwise linalg op that is the only user of a contraction's result and reads it element by element becomes
    part of the contraction's region: bias and residual additions, activation functions, scalings. Its other inputs
    become extra operands. Chains of elementwise ops are fused on the way; one behind a reshape that splits the rows of
    the result works on the collapsed rows.

    ```mlir
    %y = qtensor.contract ... { ^bb0(%acc: f32): qtensor.yield %acc : f32 }
    %z = linalg.generic ... ins(%y, %bias) { ^bb0(%a: f32, %b: f32, %o: f32): %0 = arith.addf %a, %b : f32; linalg.yield %0 }
    // =>
    %z = qtensor.contract ... extra(%bias : tensor<64xf32>) extra_maps [#n] ...
           { ^bb0(%acc: f32, %b: f32): %0 = arith.addf %acc, %b : f32; qtensor.yield %0 : f32 }
    ```
  }];
  let dependentDialects = ["QTensorDialect", "tensor::TensorDialect"];
}

def DecomposeEncodings : Pass<"qtensor-decompose", "ModuleOp"> {
  let summary = "Replace every encoded tensor by its components; afterwards no encoded type is left";
  let description = [{
    One value becomes several, also across functions, calls and scf. Casts, aligned slices and reshapes act on each
    component. A reader that is no qtensor op (a lookup of rows among them) gets a `qtensor.decode` of the whole value
    that says why, in `qtensor.reason`. Arguments and results keep their attributes; a `qtensor.name` gets the
    component's name behind a dot.

    ```mlir
    func.func @main(%w: tensor<64x64xf32, #w> {qtensor.name = "w"}, ...)
    %q = qtensor.quantize %x : tensor<?x64xf32> -> tensor<?x64xf32, #x>
    // =>
    func.func @main(%w: tensor<64x64xi8> {qtensor.name = "w.codes"}, %s: tensor<64x2xf16> {qtensor.name = "w.scale"}, ...)
    %q:2 = qtensor.encode %x as <int8, [1, ?], scale = f32> outs(%0, %1 : ...) : tensor<?x64xf32> -> ...
    ```
  }];
  let dependentDialects = ["QTensorDialect", "tensor::TensorDialect", "arith::ArithDialect", "affine::AffineDialect"];
}

def LookupRows : Pass<"qtensor-lookup-rows", "ModuleOp"> {
  let summary = "Decode only the rows of an encoded table that are looked up";
  let description = [{
    A lookup reads an encoded table element by element, so that the table would have to be decoded whole. Where all
    parameters belong to one row or to all rows, the components of the rows are gathered instead, and decoded. Other
    tables stay as they are: `qtensor-decompose` decodes them, and says so.

    ```mlir
    %y = linalg.generic ... ins(%ids : tensor<?xi64>) { %e = tensor.extract %table[%row, %column] : tensor<512x64xf32, #t> }
    // =>
    %c = qtensor.component %table "codes" : tensor<512x64xf32, #t> -> tensor<512x64xi8>
    %codes = linalg.generic ... ins(%ids : tensor<?xi64>) { %e = tensor.extract %c[%row, %column] : tensor<512x64xi8> }
    ... the same for the scales ...
    %rows = qtensor.assemble %codes, %scales : tensor<?x64xi8>, tensor<?x2xf16> -> tensor<?x64xf32, #t>
    %y = qtensor.dequantize %rows : tensor<?x64xf32, #t> -> tensor<?x64xf32>
    ```
  }];
  let dependentDialects = ["QTensorDialect", "tensor::TensorDialect", "linalg::LinalgDialect"];
}

def SplitEpilogues : Pass<"qtensor-split-epilogues", "func::FuncOp"> {
  let summary = "Take the epilogue out of contractions whose reduction will be tiled";
  let description = [{
    The reduction of a contraction may be cut in pieces only when its epilogue is empty, since an epilogue belongs to
    finished sums. This moves it to a `qtensor.epilogue`.

    ```mlir
    %y = qtensor.contract ... extra(%b : tensor<64xf32>) ... outs(%0 : tensor<?x64xf32>) { ^bb0(%acc: f32, %b: f32): <body> }
    // =>
    %a = qtensor.contract ... outs(%1 : tensor<?x64xf32>) { ^bb0(%acc: f32): qtensor.yield %acc : f32 }
    %y = qtensor.epilogue %a extra(%b : tensor<64xf32>) ... outs(%0 : tensor<?x64xf32>) ... { ^bb0(%acc: f32, %b: f32): <body> }
    ```
  }];
  let dependentDialects = ["QTensorDialect", "tensor::TensorDialect"];
}

def Explain : Pass<"explain", "ModuleOp"> {
  let summary = "Print what selection decided about each contraction, and why";
  let description = [{
    One line for each contraction and each decoded tensor of a selected module (C3), on stderr, then a sum. With `rows` the
    module says so (`qtensor.explain_rows`), and what makes kernels prints what its costs predict for these; else the module
    stays as it is.

    ```mlir
    %y = qtensor.contract <float> ... {qtensor.reason = "the activation is not encoded"} loc("fc1")
    // =>
    // fc1: float, f32 x #qtensor.block<int4, [1, 32], scale = f16>; then addf (not integer: the activation is not encoded)
    // 1 fused, 0 decoded in memory, 0 plain, 0 unexplained
    ```
  }];
  let options = [ListOption<"rows", "rows", "int64_t", "row counts for which kernels print what their costs predict">];
}

#endif
