// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compile-time packing of a constant weight into the bytes that `#qtile.layout` describes.
#pragma once
#include "dialects/QTile/IR/QTile.h"
#include "llvm/ADT/ArrayRef.h"

namespace mlir::qtensor {

/// The components of a weight [n, k], row by row, ready to be packed. Parameters are raw little-endian elements of the
/// layout's types, [n][blocks of k]; one that the layout does not have is empty.
struct PackSource {
  int64_t n, k;
  /// Integer codes: one byte each; (code & mask) ^ flip is packed, and below 2^stored bits, or the radix. Floating-point
  /// codes: raw little-endian elements.
  llvm::ArrayRef<uint8_t> codes;
  llvm::ArrayRef<uint8_t> scale, zero, offset;
  /// What multiplies nested parameters, and is added to scales, [n][groups of blocks].
  llvm::ArrayRef<uint8_t> scaleScale = {}, scaleShift = {}, offsetScale = {};
  uint8_t mask = 255, flip = 0;
};

/// Writes layout.getBytes(n, k) bytes to `out`, on all cores. The result does not depend on how many there are.
/// Padding rows and codes are 0. Fails, with what is wrong in `error`, when a component has the wrong size.
llvm::LogicalResult packWeight(qtile::LayoutAttr layout, const PackSource &source, llvm::MutableArrayRef<uint8_t> out,
                               std::string &error);

} // namespace mlir::qtensor
