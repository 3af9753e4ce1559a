// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_QUANTIZE_PASSES
#define QTENSOR_QUANTIZE_PASSES

include "mlir/Pass/PassBase.td"

def FoldDecodes : Pass<"qtensor-fold-decodes", "ModuleOp"> {
  let summary = "Let contractions read encoded tensors that the model decodes in front of them";
  let description = [{
    A model that comes quantized (QuantizeLinear, DequantizeLinear) rounds and decodes explicitly. Reading decodes
    anyway, so its contractions take the encoded tensors. Padding with 0 moves in front of a static rounding, where it
    is exact, or pads assembled codes; reshapes that keep blocks whole move behind it, transpositions in front of a
    rounding or to the codes. Small constants that no
    contraction reads (biases) are decoded now. No rounding is added or dropped.

    ```mlir
    %q = qtensor.quantize %x : tensor<4x8xf32> -> tensor<4x8xf32, #x>
    %d = qtensor.dequantize %q : tensor<4x8xf32, #x> -> tensor<4x8xf32>
    %y = linalg.matmul ins(%d, %w : tensor<4x8xf32>, tensor<8x2xf32, #w>) ...
    // =>
    %y = linalg.matmul ins(%q, %w : tensor<4x8xf32, #x>, tensor<8x2xf32, #w>) ...
    ```
  }];
  let dependentDialects = ["QTensorDialect", "tensor::TensorDialect", "arith::ArithDialect"];
}

def QuantizeWeights : Pass<"qtensor-quantize-weights", "ModuleOp"> {
  let summary = "Encode the constant side of contractions, at compile time";
  let description = [{
    Every contraction with a constant side gets that constant encoded as the plan says, or else the option. The weight
    is laid out as [batch, n, k] (convolutions: [group, filter, window, channel]; depthwise ones stay as they are), so
    that blocks lie along what is summed, and the op's map follows. The result is an assembly of constant components:
    no rounding is left for run time. A constant of `late-from` bytes or more stays: its rounding is written down as a
    `qtensor.quantize` and done by who needs the bytes, a few rows at a time, so that a model's codes never lie in
    memory all at once. Tables that are only looked up by rows are encoded when `tables` or the plan
    says so.

    ```mlir
    %w = arith.constant dense_resource<w> : tensor<128x64xf32>
    %y = linalg.matmul ins(%x, %w : tensor<?x128xf32>, tensor<128x64xf32>) outs(%0 : tensor<?x64xf32>) -> tensor<?x64xf32>
    // => with weights=int4/32
    %c = arith.constant dense_resource<w.codes> : tensor<64x128xi8>
    %s = arith.constant dense_resource<w.scale> : tensor<64x4xf16>
    %w = qtensor.assemble %c, %s : tensor<64x128xi8>, tensor<64x4xf16> -> tensor<64x128xf32, #w>
    %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x128xf32>, tensor<64x128xf32, #w>) ...
    ```
  }];
  let options = [
    Option<"lateFrom", "late-from", "int64_t", "INT64_MAX", "Bytes from which a constant is left to round late">,
    Option<"weights", "weights", "std::string", "\"none\"", "Format of weights that the plan does not name, e.g. int4/32">,
    Option<"tables", "tables", "std::string", "\"none\"", "Format of tables that the plan does not name">,
    Option<"planFile", "plan", "std::string", "\"\"", "File of patterns and formats; see lib/Quantize/README.md">,
    Option<"parallel", "parallel", "bool", "true", "Encode on all cores; the result does not depend on it">];
  let dependentDialects = ["QTensorDialect", "arith::ArithDialect", "linalg::LinalgDialect"];
}

def EncodeConstants : Pass<"qtensor-encode-constants", "ModuleOp"> {
  let summary = "Constants that are rounded become the constants of their components";
  let description = [{
    `qtensor-quantize-weights` leaves the rounding of large constants to packing. Where no packing took it (another
    target, a contraction that cannot be packed, an interpreter that does not know the encoder), it is done here.

    ```mlir
    %c, %s = qtensor.encode %w as #w encoder "signed_max" outs(%c0, %s0 : ...) : tensor<64x128xf16> -> ...
    // =>
    %c = arith.constant dense_resource<w.codes> : tensor<64x128xi8>
    %s = arith.constant dense_resource<w.scale> : tensor<64x4xf16>
    ```

    Before C3 a `qtensor.quantize` of a constant becomes an assembly of such constants.
  }];
  let dependentDialects = ["QTensorDialect", "arith::ArithDialect"];
}

def QuantizeActivations : Pass<"qtensor-quantize-activations", "ModuleOp"> {
  let summary = "Round the inputs of contractions whose weight is encoded";
  let description = [{
    The other side of every contraction with an encoded weight is quantized as the plan says, or else the option:
    `int8/token` has one scale for what is summed to one output row, `int8/32` one per block of 32, `int8/tensor` one
    for all, each computed at run time; `int8/static` (or `int8/asymmetric` and `uint8/static`, with a zero point) takes the
    range from a file of calibration statistics, so that the scale stands in the type. Behind `@` stands what part of the range:
    `int8/static@minmax` (the default), `@mse`, `@percentile99.9`. A value that several contractions read is quantized
    once, and has one static encoding, whatever padding, reshapes or transpositions stand in between.

    With `rounding` (integer-only arithmetic is asked for) sums of activations between such layers (skip connections,
    average pools), products (gates), functions of one and softmaxes (lib/Transforms/Select/Addition.h) read rounded values
    too, by the same formats: where all that they read comes from layers with an encoded weight, and their result is rounded
    further on.

    ```mlir
    %y = linalg.matmul ... ins(%x, %w : tensor<?x128xf32>, tensor<64x128xf32, #w>) ...
    // => with activations=int8/token
    %q = qtensor.quantize %x : tensor<?x128xf32> -> tensor<?x128xf32, #qtensor.block<int8, [1, ?], scale = f32>>
    %y = linalg.matmul ... ins(%q, %w : ...) ...
    ```
  }];
  let options = [
    Option<"activations", "activations", "std::string", "\"none\"",
           "Format of activations that the plan does not name, e.g. int8/token">,
    Option<"planFile", "plan", "std::string", "\"\"", "File of patterns and formats; see lib/Quantize/README.md">,
    Option<"statistics", "statistics", "std::string", "\"\"", "File that calibration wrote; needed by /static formats">,
    Option<"rounding", "rounding", "std::string", "\"\"", "double, single or real: sums between layers are rounded too">];
  let dependentDialects = ["QTensorDialect", "linalg::LinalgDialect"];
}

def QuantizeStates : Pass<"qtensor-quantize-states", "ModuleOp"> {
  let summary = "Encode the caches that a model keeps between calls";
  let description = [{
    A float state of rank 2 or more (`qtensor.state`) gets the encoding that the plan names for it, or else the option;
    the last dimension is what a token has, so `int8/token` has one scale a token and head, and `int4/32` one for 32
    elements. What the model writes must be slices of whole rows: they become `qtensor.insert`, which rounds on the way
    into the cache. Contractions read the cache as it is; any other reader decodes it.

    ```mlir
    func.func @main(%c: tensor<256x64xf32> {qtensor.state = "keys"}, ...)
    %1 = tensor.insert_slice %k into %c[%p, 0] [1, 64] [1, 1] : tensor<1x64xf32> into tensor<256x64xf32>
    // => with caches=int8/token
    func.func @main(%c: tensor<256x64xf32, #kv> {qtensor.state = "keys"}, ...)
    %1 = qtensor.insert %k into %c[%p, 0] [1, 64] [1, 1] : tensor<1x64xf32> into tensor<256x64xf32, #kv>
    ```
  }];
  let options = [
    Option<"caches", "caches", "std::string", "\"none\"", "Format of states that the plan does not name, e.g. int8/token">,
    Option<"planFile", "plan", "std::string", "\"\"", "File of patterns and formats; see lib/Quantize/README.md">];
  let dependentDialects = ["QTensorDialect"];
}

def QuantizeInterface : Pass<"qtensor-quantize-interface", "ModuleOp"> {
  let summary = "Inputs and results of a float model as codes";
  let description = [{
    For models that run without floats. Twice in a pipeline: with `results` float results are rounded to what calibration
    saw of them (of a softmax: to the range of its integer rule) and returned as codes, so that the last layer has a final
    map; without, after rounding has moved up to the inputs, an input that is only read as codes of one encoding becomes these codes. Attributes of arguments and
    results say what the codes mean. A model that brings its own roundings (QuantizeLinear, DequantizeLinear) takes and
    returns the codes that it makes of its inputs and decodes its results from, whatever `activations` says; a .tflite file
    keeps its interface.

    ```mlir
    func.func @main(%x: tensor<1x64xf32>) -> tensor<1x8xf32> {
      %q = qtensor.quantize %x : tensor<1x64xf32> -> tensor<1x64xf32, #x>
      return %y : tensor<1x8xf32>
    // =>
    func.func @main(%x: tensor<1x64xi8> {qtensor.scale = 0.1 : f32, qtensor.zero = 3}) -> (tensor<1x8xi8> {qtensor.scale = ...}) {
      %q = qtensor.assemble %x : tensor<1x64xi8> -> tensor<1x64xf32, #x>
      %r = qtensor.quantize %y : tensor<1x8xf32> -> tensor<1x8xf32, #y>
      %c = qtensor.component %r "codes"
      return %c : tensor<1x8xi8>
    ```
  }];
  let options = [
    Option<"activations", "activations", "std::string", "\"none\"", "Format of activations, e.g. int8/asymmetric">,
    Option<"statistics", "statistics", "std::string", "\"\"", "File that calibration wrote">,
    Option<"results", "results", "bool", "false", "Round results; else take codes as inputs">];
  let dependentDialects = ["QTensorDialect"];
}

#endif
