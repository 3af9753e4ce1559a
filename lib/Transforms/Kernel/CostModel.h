// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the parts of a kernel cost: instructions are counted from the format's layout and the tile, and divided by what a core
// does in a cycle. A bound from below; memory and latencies are not in it.
#pragma once
#include "lib/Transforms/Kernel/TileEmitter.h"

namespace mlir::qtensor::kernel {

/// Codes of K, or values, whose activations stay in the first-level cache beside the weights of a column.
inline constexpr int64_t kRangeCodes = 1024, kRangeValues = 256;

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
/// Of one block of a tile, with what the caches deliver to one that unpacks weights in registers.
double predictTile(const CoreModel &core, const KernelSpec &spec, const TileMachine &machine, const TileVariant &variant);

} // namespace mlir::qtensor::kernel
