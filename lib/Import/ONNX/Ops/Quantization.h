// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ONNX's scales and zero points as encodings of dialect qtensor, so that later phases find them as types.
#pragma once
#include "lib/Import/Graph/Encodings.h"
#include "lib/Import/ONNX/NodeContext.h"

namespace mlir::qtensor::onnx {

/// One scale and zero point per tensor, per index of `axis`, or per block of `block` along `axis`.
struct Scheme {
  Elem codes = Elem::U8;
  Val scale;
  std::optional<Val> zero; // of type `codes`
  std::optional<double> zeroNumber = 0; // where it is known and the same everywhere
  int64_t axis = 1;
  int64_t block = 0; // 0: not blocked
};

/// real -> codes: saturate(round_half_even(x / scale) + zero). The result remembers its encoding.
FailureOr<Val> quantize(NodeContext &n, const Val &x, const Scheme &scheme);

/// codes -> real: (x - zero) * scale, of the scale's type. What `quantize` made by the same scheme is read directly.
FailureOr<Val> dequantize(NodeContext &n, const Val &x, const Scheme &scheme);

/// The scheme from inputs `scale` and `zero` (optional) of a node; `codes` is the type when there is no zero point.
FailureOr<Scheme> readScheme(NodeContext &n, unsigned scale, unsigned zero, Elem codes, int64_t axis = 1);

/// An encoded real tensor [rows, k] made of unsigned codes (one byte each), scales [rows, blocks] and zero points that
/// are absent (then `implicitZero`), codes of the same width or reals, of the shape of the scales.
Val assembleBlocks(Emit &e, const Val &codes, unsigned bits, int64_t block, const Val &scales, std::optional<Val> zeros,
                   double implicitZero);

} // namespace mlir::qtensor::onnx
