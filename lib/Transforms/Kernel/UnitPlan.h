// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which variants of a kernel a unit has, and for how many rows: decided from costs when the kernel is made.
#pragma once
#include "lib/Transforms/Kernel/KernelSpec.h"
#include "llvm/Support/raw_ostream.h"
#include <limits>

namespace mlir::qtensor {

/// Tiles of one variant, for any number of rows.
struct TileSet {
  SmallVector<TileShape> shapes; ///< Ascending rows.
  /// Up to `first` rows that are left take tile `second`; ascending, the last one takes all.
  SmallVector<std::pair<int64_t, size_t>> choices;
  /// The same for the first tile of a unit, whose weights come from memory.
  SmallVector<std::pair<int64_t, size_t>> streamChoices;
};

/// The variants of a unit. `fused` unpacks weights in registers, `decoded` reads weights that were decoded once for all rows
/// of the unit. Decoding the whole operand ahead would be the third; see lib/Targets/X86/README.md for why it never is.
struct UnitPlan {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  TileSet fused, decoded;
  int64_t height = 1;              ///< Rows of a tile of prepared activations.
  int64_t rangeSteps = 1;          ///< Steps of K that are computed for all rows before the next.
  int64_t minDecodedRows = kNever; ///< Rows of a unit from which weights are decoded.
};

UnitPlan planUnit(const KernelSpec &spec, const TileMachine &machine);

/// What the costs say: for each count of rows the variant and, for each core, the share of its peak of dot products (or fused
/// multiply-adds) that each variant would reach.
void explainPlan(const KernelSpec &spec, const TileMachine &machine, ArrayRef<int64_t> rows, llvm::raw_ostream &os);

} // namespace mlir::qtensor
