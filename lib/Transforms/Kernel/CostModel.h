// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the parts of a kernel cost: instructions are counted from the format's layout and the tile, and divided by what a core
// does in a cycle. A bound from below; caches and latencies are not in it.
#pragma once
#include "lib/Transforms/Kernel/TileEmitter.h"

namespace mlir::qtensor::kernel {

/// Vector instructions by what executes them.
struct Operations {
  double dot = 0, multiply = 0, convert = 0, logic = 0, shift = 0, shuffle = 0, load = 0, broadcast = 0, store = 0;

  Operations &operator+=(const Operations &other);
  Operations operator*(double factor) const;
};

/// One block of a tile: `shape.rows` activations and `shape.columns` vectors of outputs.
Operations countTile(const KernelSpec &spec, const TileMachine &machine, const TileVariant &variant);
/// Decoding one block of one column vector.
Operations countDecode(const KernelSpec &spec, const TileMachine &machine);
/// What no kernel can avoid for such a block: its dot products, or its fused multiply-adds.
Operations countProducts(const KernelSpec &spec, const TileMachine &machine, TileShape shape);

/// Cycles of a core.
double predictCycles(const CoreModel &core, const Operations &operations);

} // namespace mlir::qtensor::kernel
