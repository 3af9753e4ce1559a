// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contractions that several families build on.
#pragma once
#include "lib/Import/Graph/Contract.h"
#include "lib/Import/ONNX/NodeContext.h"

namespace mlir::qtensor::onnx {

/// x[.., indices, ..] along `axis`; indices count from the end if negative and are clamped.
Val gather(Emit &e, const Val &x, const Val &indices, int64_t axis);

/// Makes an index outside of [-limit, limit) an error: now where it is a number, else when the model runs. `limits` holds
/// the extent that is indexed, or one for each index of the last dimension. `input` is the node's input with the indices.
LogicalResult requireInside(NodeContext &n, unsigned input, ArrayRef<OpFoldResult> limits);

/// Requires that extents are at most those of the data, but for `axis`.
void requireWithin(NodeContext &n, ArrayRef<OpFoldResult> dims, ArrayRef<OpFoldResult> data, int64_t axis);

/// ONNX's MatMul: as `contract`, with checks and with vectors allowed.
FailureOr<Val> matmul(NodeContext &n, Val a, Val b, Elem elem);

/// Gemm's product of two matrices, read transposed where the node's 'transA' and 'transB' say so.
FailureOr<Val> gemm(NodeContext &n, const Val &a, const Val &b, Elem elem);

/// Fails unless input `i` broadcasts to the shape of the product.
LogicalResult requireAddend(NodeContext &n, const Val &product, unsigned i);

/// Strides, dilations, padding and kernel of a convolution or pooling, one entry a spatial dimension.
struct Window {
  SmallVector<int64_t> kernel, strides, dilations;
  Dims low, high; // padding; extents, because of SAME on dynamic shapes
  Dims out;       // spatial extents of the result

  bool padded() const;
};

/// Reads the window attributes of a node whose input has the given spatial extents. `kernel` is empty to read
/// 'kernel_shape'.
FailureOr<Window> readWindow(NodeContext &n, ArrayRef<OpFoldResult> spatial, ArrayRef<int64_t> kernel);

/// Convolution of x [N, C, spatial..] with w [F, C/group, kernel..]; checks shapes. The accumulator starts at zero.
FailureOr<Val> convolve(NodeContext &n, const Val &x, const Val &w, const Window &window, int64_t group, Elem elem);

/// AveragePool of x [N, C, spatial..] with the node's window attributes, accumulated in `elem`.
FailureOr<Val> averagePool(NodeContext &n, const Val &x, Elem elem);

/// x + bias, bias along axis 1.
Val addChannelBias(Emit &e, const Val &x, const Val &bias);

} // namespace mlir::qtensor::onnx
