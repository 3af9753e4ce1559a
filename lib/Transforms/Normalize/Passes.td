// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_TRANSFORMS_NORMALIZE_PASSES
#define QTENSOR_TRANSFORMS_NORMALIZE_PASSES

include "mlir/Pass/PassBase.td"

def ChannelsLast : Pass<"qtensor-channels-last", "func::FuncOp"> {
  let summary = "Bring convolutions and poolings to channels-last";
  let description = [{
    Any linalg op whose maps are those of a convolution or pooling, named or generic, grouped or depthwise, of any
    number of image dimensions, gets its image as batch, image, channels; its constant filter as groups, filters,
    window, channels (a row of numbers per filter, so that blocks lie along the reduction), or for depthwise as window,
    channels. A filter that is no constant keeps its layout and is read through its map. Transpositions are put
    around; `qtensor-sink-transposes` moves and cancels them.

    ```mlir
    %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>)
           outs(%init : tensor<1x16x6x6xf32>)
    // =>
    %xt = linalg.transpose ins(%x : tensor<1x3x8x8xf32>) outs(...) permutation = [0, 2, 3, 1]
    %wt = linalg.transpose ins(%w : tensor<16x3x3x3xf32>) outs(...) permutation = [0, 2, 3, 1]
    %yt = linalg.conv_2d_nhwc_fhwc ins(%xt, %wt : tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>)
           outs(%initt : tensor<1x6x6x16xf32>)
    %y = linalg.transpose ins(%yt : tensor<1x6x6x16xf32>) outs(...) permutation = [0, 3, 1, 2]
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect", "tensor::TensorDialect"];
}

def FindEntry : Pass<"qtensor-find-entry", "ModuleOp"> {
  let summary = "Name the function where the model starts @main";
  let description = [{
    Front ends call it `forward`, `predict` or after the model. If no function is called main, the only public one
    with a body is the model. Beside @main all others with arguments become private: what the model does
    not call is no part of it.

    ```mlir
    func.func @forward(%x: tensor<1x4xf32>) -> tensor<1x2xf32>
    // =>
    func.func @main(%x: tensor<1x4xf32>) -> tensor<1x2xf32>
    ```
  }];
}

def GuardStridedInserts : Pass<"qtensor-guard-strided-inserts", "func::FuncOp"> {
  let summary = "Hide fills that something is inserted into with strides";
  let description = [{
    Canonicalization of linalg.fill (LLVM 22, `FoldInsertPadIntoFill`) turns a padded tensor that is inserted into a fill of
    the same value into the tensor itself, at an offset that is larger by the padding; by the padding times the stride
    would be right. What spreads pixels (transposed convolutions) behind a padding would be shifted. The pass runs before
    any canonicalization.

    ```mlir
    %f = linalg.fill ins(%c0 : f32) outs(%e : tensor<7xf32>) -> tensor<7xf32>
    %y = tensor.insert_slice %padded into %f[0] [4] [2] : tensor<4xf32> into tensor<7xf32>
    // =>
    %f = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%e : tensor<7xf32>) {
    ^bb0(%out: f32):
      linalg.yield %c0 : f32
    } -> tensor<7xf32>
    %y = tensor.insert_slice %padded into %f[0] [4] [2] : tensor<4xf32> into tensor<7xf32>
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect"];
}

def RefineResults : Pass<"qtensor-refine-results", "ModuleOp"> {
  let summary = "Give the results of @main the extents that are known of them";
  let description = [{
    Where an input's extents are fixed (`--dim`), canonicalization makes what is computed from it static, up to a cast to the type
    of the result. That cast goes, and the result has the type of what is computed. A function @main that is called keeps its type.

    ```mlir
    func.func @main(%x: tensor<1x4xf32>) -> tensor<?x4xf32> {
      %y = math.exp %x : tensor<1x4xf32>
      %r = tensor.cast %y : tensor<1x4xf32> to tensor<?x4xf32>
      return %r : tensor<?x4xf32>
    // =>
    func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
      %y = math.exp %x : tensor<1x4xf32>
      return %y : tensor<1x4xf32>
    ```
  }];
}

def NormalizeMatmul : Pass<"qtensor-normalize-matmul", "func::FuncOp"> {
  let summary = "Bring contractions with constant weights to one form";
  let description = [{
    The weights become batch, columns, sums - a row of numbers per output, so that blocks lie along the reduction -
    by a transposition of the constant. All row dimensions of the other factor become one, so that the weights of a
    linear layer meet a matrix whatever stands before it; a vector becomes a matrix of one row. What is then the product
    of two matrices is a linalg.matmul with indexing maps. Contractions are recognised by their maps and payload.

    ```mlir
    %y = linalg.generic {maps = (b, m, n, k) -> (b, m, k), (k, n), (b, m, n)}
           ins(%x, %w : tensor<?x8x64xf32>, tensor<64x32xf32>)
    // =>
    %xc = tensor.collapse_shape %x [[0, 1], [2]] : tensor<?x8x64xf32> into tensor<?x64xf32>
    %wt = linalg.transpose ins(%w : tensor<64x32xf32>) outs(...) permutation = [1, 0]
    %yc = linalg.matmul indexing_maps = [(m, n, k) -> (m, k), (n, k), (m, n)]
           ins(%xc, %wt : tensor<?x64xf32>, tensor<32x64xf32>)
    %y = tensor.expand_shape %yc [[0, 1], [2]] output_shape [%b, 8, 32] : tensor<?x32xf32> into tensor<?x8x32xf32>
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect", "tensor::TensorDialect"];
}

def SinkTransposes : Pass<"qtensor-sink-transposes", "func::FuncOp"> {
  let summary = "Move transpositions towards the results, cancel pairs, and let neighbours do what is left";
  let description = [{
    A transposition moves down through elementwise ops and reductions (when at least half of the large inputs come
    transposed in that way), padding, slices, concatenation, elements that are picked by their places, and reshapes that keep its dimensions apart; in front of
    constant weights that sum over flattened dimensions it is done to the weights. Two that meet become one or none. One
    that is stuck behind an elementwise op of its own is done by that op while it writes. Arguments and results keep
    their order. Does not undo a transposition between two contractions; `qtensor-fold-reads` lets those read it.

    ```mlir
    %y = linalg.transpose ins(%yt : tensor<1x6x6x16xf32>) outs(...) permutation = [0, 3, 1, 2]
    %r = linalg.generic {relu} ins(%y : tensor<1x16x6x6xf32>) outs(...)
    %rt = linalg.transpose ins(%r : tensor<1x16x6x6xf32>) outs(...) permutation = [0, 2, 3, 1]
    // =>
    %rt = linalg.generic {relu} ins(%yt : tensor<1x6x6x16xf32>) outs(...)
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect", "tensor::TensorDialect"];
}

def EvaluateConstants : Pass<"qtensor-evaluate-constants", "func::FuncOp"> {
  let summary = "Compute what follows from constants alone, once, by the reference";
  let description = [{
    Any op of linalg, tensor, arith or math whose operands are constants is evaluated exactly as the reference
    evaluates it; chains leave only their last value. Results of more than 1 KiB become resources. An op is left
    alone if its result would be larger than 64 KiB and `growth` times what it reads (a broadcast, a ramp), or if its
    loops have more than 2^28 points; fills and empty tensors stay as they are. Encoded tensors and qtensor ops are
    not touched. The constant gets the names of the op and of the largest constant that it read.

    ```mlir
    %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %t = linalg.transpose ins(%w : tensor<2x2xf32>) outs(%empty : tensor<2x2xf32>) permutation = [1, 0]
    // =>
    %t = arith.constant dense<[[1.0, 3.0], [2.0, 4.0]]> : tensor<2x2xf32>
    ```
  }];
  let options = [
    Option<"smallBytes", "small-bytes", "int64_t", "65536", "Results of at most this size are always computed">,
    Option<"growth", "growth", "int64_t", "4",
           "Larger results may have this many times the size of what they are computed from">];
  let dependentDialects = ["arith::ArithDialect"];
}

def FoldReads : Pass<"qtensor-fold-reads", "func::FuncOp"> {
  let summary = "Fold ops that only say how a tensor is read into their readers";
  let description = [{
    Into the indexing maps of their readers go: broadcasts; dimensions of extent 1 that are read at 0; transpositions of
    the factors and of the result of a contraction, unless a batch dimension would become innermost. A splat read by
    an elementwise op becomes a scalar of its payload. A broadcast that is reshaped in front of a contraction (the
    shared heads of grouped attention) becomes loops of the contraction.

    ```mlir
    %b = linalg.broadcast ins(%bias : tensor<64xf32>) outs(... : tensor<?x64xf32>) dimensions = [0]
    %z = linalg.generic {maps = (m, n), (m, n), (m, n)} ins(%y, %b : tensor<?x64xf32>, tensor<?x64xf32>)
    // =>
    %z = linalg.generic {maps = (m, n), (n), (m, n)} ins(%y, %bias : tensor<?x64xf32>, tensor<64xf32>)
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect", "tensor::TensorDialect", "arith::ArithDialect",
                           "affine::AffineDialect"];
}

def FoldScale : Pass<"qtensor-fold-scale", "func::FuncOp"> {
  let summary = "Fold a constant scale per channel behind a contraction into its weights";
  let description = [{
    Elementwise ops that together are an affine function of the result of a contraction or convolution with constant
    weights, with scale and shift constant along everything but the channels of the weights (a bias followed by a
    batch normalisation, a layer scale), leave scaled weights and one addition; also where channels were collapsed in between,
    as those of a grouped convolution are. The weights and the shift are written
    as ops on constants, which `qtensor-evaluate-constants` computes. Changes rounding, as every such folding does.

    ```mlir
    %y = linalg.conv_2d_nhwc_fhwc ins(%x, %w : ...) outs(%zeros)
    %z = linalg.generic ins(%y, %s, %t : ..., tensor<16xf32>, tensor<16xf32>) { y * s + t }
    // =>
    %ws = linalg.generic ins(%s, %w : tensor<16xf32>, ...) { w * s }
    %ys = linalg.conv_2d_nhwc_fhwc ins(%x, %ws : ...) outs(%zeros)
    %z = linalg.generic ins(%ys, %t : ..., tensor<16xf32>) { y + t }
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect", "tensor::TensorDialect", "arith::ArithDialect"];
}

def SimplifyShapes : Pass<"qtensor-simplify-shapes", "func::FuncOp"> {
  let summary = "Sink and cancel reshapes, resolve extents, remove what is dead";
  let description = [{
    Elementwise ops and reductions behind a contraction with collapsed rows work on the rows; reshapes of reshapes merge;
    a transposition that moves only dimensions of extent 1 is a reshape; extents are computed from those of the
    arguments.

    ```mlir
    %e = tensor.expand_shape %y [[0, 1], [2]] output_shape [%b, 8, 32] : tensor<?x32xf32> into tensor<?x8x32xf32>
    %r = linalg.generic {relu} ins(%e : tensor<?x8x32xf32>) outs(...)
    // =>
    %r = linalg.generic {relu} ins(%y : tensor<?x32xf32>) outs(...)
    %e = tensor.expand_shape %r [[0, 1], [2]] output_shape [%b, 8, 32] : tensor<?x32xf32> into tensor<?x8x32xf32>
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect", "tensor::TensorDialect", "arith::ArithDialect",
                           "affine::AffineDialect"];
}

#endif
