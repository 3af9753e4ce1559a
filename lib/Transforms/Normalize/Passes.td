// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_TRANSFORMS_NORMALIZE_PASSES
#define QTENSOR_TRANSFORMS_NORMALIZE_PASSES

include "mlir/Pass/PassBase.td"

def ChannelsLast : Pass<"qtensor-channels-last", "func::FuncOp"> {
  let summary = "Bring convolutions and poolings to channels-last";
  let description = [{
    Any linalg op whose maps are those of a convolution or pooling, named or generic, grouped or depthwise, of any
    number of image dimensions, gets its image as batch, image, channels; its constant filter as groups, filters, window,
    channels (a row of numbers per filter, so that blocks lie along the reduction), or for depthwise as window,
    channels. A filter that is no constant keeps its layout and is read through its map. Transpositions are put
    around; `qtensor-sink-transposes` moves and cancels them.

    ```mlir
    %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>) outs(%init : tensor<1x16x6x6xf32>)
    // =>
    %xt = linalg.transpose ins(%x : tensor<1x3x8x8xf32>) outs(...) permutation = [0, 2, 3, 1]
    %wt = linalg.transpose ins(%w : tensor<16x3x3x3xf32>) outs(...) permutation = [0, 2, 3, 1]
    %yt = linalg.conv_2d_nhwc_fhwc ins(%xt, %wt : tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>) outs(%initt : tensor<1x6x6x16xf32>)
    %y = linalg.transpose ins(%yt : tensor<1x6x6x16xf32>) outs(...) permutation = [0, 3, 1, 2]
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect", "tensor::TensorDialect"];
}

#endif
