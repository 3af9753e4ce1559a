// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Activations on their way into a kernel: rows are interleaved by tile, so that a tile reads one stream (rows a power of
// two apart would fall into one cache set), padded with zeros to the weights' blocks, and summed for the zero points.
// A convolution's window is gathered here (im2col), so that the kernel itself knows only rows and a reduction.
#pragma once
#include "lib/Transforms/Kernel/KernelSpec.h"
#include "mlir/IR/AffineMap.h"

namespace mlir::qtensor {

/// Where the activations of a contraction come from.
struct ActivationSource {
  Value x;       ///< Codes (i8) or values, any rank.
  AffineMap map; ///< From the contraction's iterators to an index of x.
  SmallVector<unsigned> rowDims, reductionDims; ///< Iterators, slowest first.
  SmallVector<Value> rowExtents;                ///< Index values.
  SmallVector<int64_t> reductionExtents;
  /// One block spans the whole reduction. Otherwise blocks lie along runs of `runLength` products, and the last one of
  /// each run may be short.
  bool wholeBlock = true;
  int64_t runLength = 1; ///< The product of the fastest reduction extents.
  int64_t block = 0;     ///< Codes of a block that are not padding.
  /// Integer: the f32 scale at an index of x; null for none.
  std::function<Value(ImplicitLocOpBuilder &, ValueRange index)> scale;
  /// Integer: the zero point at an index of x, an i32 that fits a signed byte; null for none.
  std::function<Value(ImplicitLocOpBuilder &, ValueRange index)> zero;
  uint8_t flip = 0; ///< Integer: signed byte = code ^ flip.
  /// Float: the value at an index of x as f32; null when x holds floats.
  std::function<Value(ImplicitLocOpBuilder &, ValueRange index)> load;

  int64_t getLength() const; ///< Products of a row.
};

/// Fills the prepared activations, stretches of rows in parallel.
void emitPrepare(ImplicitLocOpBuilder &b, const KernelSpec &spec, ArrayRef<TileMachine> machines, Value core,
                 const KernelExtents &extents, const PreparedActivations &to, const ActivationSource &source);

/// The multi-index of `linear` in a space of `extents`, slowest first.
SmallVector<Value> delinearize(ImplicitLocOpBuilder &b, Value linear, ValueRange extents);

/// Rows of a tile of prepared activations, on the machine that runs.
Value emitHeight(ImplicitLocOpBuilder &b, const KernelSpec &spec, ArrayRef<TileMachine> machines, Value core);

/// Rows that one task multiplies at most.
int64_t getStretchRows(const KernelSpec &spec);

} // namespace mlir::qtensor
