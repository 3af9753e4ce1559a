// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a contraction kernel is made from: how its packed weights decode, which register tile the target wants, and what
// happens to a finished sum. Format and target are both data here; sizes are run-time values, so that all layers of a
// format share one kernel.
#pragma once
#include "dialects/QTile/IR/QTile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/SmallVector.h"
#include <functional>
#include <optional>
#include <string>

namespace mlir::qtensor {

/// How sums are formed; see "Canonical accumulation" in the design. Both give the same bits on every level and M.
enum class SumStrategy { Float, Integer };

/// How weights of several rows are decoded: once for each tile of rows, in registers; or once for all rows of a unit, into memory.
enum class KernelVariant { Chosen, Fused, Decoded };

/// A packed weight operand and the meaning of its codes.
struct PackedWeight {
  qtile::LayoutAttr layout;
  /// Integer: the unsigned value of each stored code, or its lower limb; empty when the code is its own value.
  SmallVector<uint8_t> bytes;
  /// Integer: the upper limb of each stored code, worth 128 of the lower one; empty when there is one limb.
  SmallVector<uint8_t> upper;
  /// Float: the real value of each stored code before its scale; empty when it is code - zero.
  SmallVector<float> values;
  /// The value of each byte of a nested scale; empty when it is its own value.
  SmallVector<float> scaleValues;
  /// Static zero point, in the unit of the unsigned values. A zero parameter of the layout is data and adds to it.
  int64_t zero = 0;
  /// Largest unsigned value of a limb that can occur: the range analysis of the integer dot product.
  int64_t max = 255;
  /// Scale of the whole operand when the layout has none.
  std::optional<float> scale;
  /// Integer: real value of one step of the unsigned values; multiplies the scale.
  float unit = 1;
};

/// A register tile: `rows` activations times `columns` vectors of outputs.
struct TileShape {
  int64_t rows, columns;
};

/// What a core does in a cycle, in whole vectors of the level. Cores of one level differ; kernels are chosen for all of them.
struct CoreModel {
  std::string name;
  double vectors;               ///< Arithmetic of any kind.
  double multiply;              ///< Dot products, multiplications, fused ones.
  double convert, shift;        ///< Conversions and additions; shifts.
  double shuffle;               ///< Table lookups and widening.
  double load, broadcast, store;
  double cache;                 ///< Bytes of weights that stay in the first-level cache, beside all else.
  double stream;                ///< Bytes from the next cache, for a tile that reads whole panels; half as many for others.
};

/// The machine as an emitter sees it: the processors of a level that kernels are chosen for together. A level has a list of these;
/// the first one is for all processors that have none of their own, and qtile.core says which one runs.
struct TileMachine {
  std::string level, core;       ///< For people; `core` is empty for the first one.
  int64_t lanes = 16;           ///< f32 or i32 elements of a vector; 4 * lanes bytes.
  int64_t registers = 16;       ///< Vector registers.
  bool pairSums = false;        ///< Byte products are summed in i16 first, as long as range analysis shows that they fit.
  bool pinned = false;          ///< Tiles nearly fill the registers: dot products keep the order of the text.
  int64_t streamAhead = 0;      ///< Bytes that weights are asked for before they are read from memory; 0: they are not.
  /// Tiles to choose from, ascending rows; the first one has one row. Columns divide those of a unit.
  SmallVector<TileShape> tiles;
  SmallVector<CoreModel> cores; ///< For the choice; empty: the first tile of as many rows, and nothing is decoded.
};

/// The highest register tile that any level of any target may have: bounds the scratch, which levels share.
inline constexpr int64_t kMaxTileRows = 16;

/// Where a finished vector of sums goes: row `row`, columns from `column`; `mask` is null when all lanes are valid.
struct StoreSite {
  Value row, column, mask;
  ValueRange operands;
};
/// Maps a finished vector of sums (f32, or i32) to the vector that is stored.
using VectorEpilogue = std::function<Value(ImplicitLocOpBuilder &, Value sums, const StoreSite &)>;

/// A kernel y[m, n] = epilogue(sum over k of x[m, k] * w[n, k]), for any M, N and K.
struct KernelSpec {
  std::string name;           ///< Prefix of the symbols.
  SumStrategy strategy = SumStrategy::Float;
  PackedWeight weight;
  KernelVariant variant = KernelVariant::Chosen; ///< Which one wherever both exist.
  bool columnTail = false;    ///< N need not be a multiple of a panel's rows.
  bool lhsZero = false;       ///< Integer: activations have a zero point, one for each row and block.
  bool integerResult = false; ///< Integer: the epilogue takes the i32 sums of one block; there are no scales.
  MemRefType output;          ///< [M, N], innermost stride 1.
  SmallVector<Type> operands; ///< Further operands that the epilogue reads.
  VectorEpilogue epilogue;    ///< Null: the sums are stored as they are.

  /// Codes of a row that one step of the inner loop takes.
  int64_t getStep() const;
  /// Steps of a block.
  int64_t getSteps() const { return weight.layout.getPaddedBlock() / getStep(); }
  /// Blocks of more steps share one kernel, which is told their number.
  bool hasDynamicSteps() const { return getSteps() > 4; }
  /// A range of K may begin and end inside a block: the sums of blocks of any length are one chain.
  bool splitsBlocks() const { return strategy == SumStrategy::Float && hasDynamicSteps(); }
  /// The prepared sums carry the factor -zero unless the kernel needs them bare.
  bool hasBareSums() const { return weight.layout.getZero() || weight.layout.getOffset(); }
};

/// Run-time sizes of a kernel, as index values.
struct KernelExtents {
  Value rows;    ///< M
  Value columns; ///< N
  Value blocks;  ///< Blocks along K.
  Value steps;   ///< Steps of a block.
};

/// Activations in the order in which tiles read them. A tile has height = min(M, rows of the largest tile) rows:
///   integer: i8  [tile][block][step][height][codes of a step], and f32 scales, i32 sums [tile][block][height]; where
///            they have a zero point, the codes of padding are zero points, sums are of code - zero, and its negative
///            lies there as well
///   float:   f32 [tile][block][step][height][values of a step]
struct PreparedActivations {
  Value bytes;  ///< memref<?xi8>: integer codes. Null for float.
  Value words;  ///< memref<?xi32>: the same bytes, four a word. Float: memref<?xf32>.
  Value scales; ///< memref<?xf32>; null for float.
  Value sums;   ///< memref<?xi32>; null for float.
  Value zeros;  ///< memref<?xi32>; null without a zero point.
};

/// Bytes of scratch that the prepared activations take, on every level.
Value emitScratchBytes(ImplicitLocOpBuilder &b, const KernelSpec &spec, const KernelExtents &extents);

/// Views of `scratch` (memref<?xi8>, 64-byte aligned, emitScratchBytes() long).
PreparedActivations emitScratchViews(ImplicitLocOpBuilder &b, const KernelSpec &spec, const KernelExtents &extents,
                                     Value scratch);

/// Which of the machines runs, as an index; null where there is one.
Value emitCore(ImplicitLocOpBuilder &b, ArrayRef<TileMachine> machines);

/// What `numberOf` says of the machine that runs.
Value selectByCore(ImplicitLocOpBuilder &b, ArrayRef<TileMachine> machines, Value core,
                   llvm::function_ref<int64_t(const TileMachine &)> numberOf);

/// Builds (or finds) in `module` the function that computes one unit of 64 output columns for rows [begin, end):
///   @<name>_unit(prepared..., weights: memref<?xi8>, output, operands..., rows, columns, blocks, steps, begin, end, unit)
/// Of several machines it gets emitCore() behind these, and calls @<name>_unit_<core>.
func::FuncOp buildUnit(ModuleOp module, const KernelSpec &spec, ArrayRef<TileMachine> machines);

/// Calls the unit function for every unit and every stretch of rows, in a parallel loop.
void emitUnits(ImplicitLocOpBuilder &b, func::FuncOp unit, const KernelSpec &spec, ArrayRef<TileMachine> machines, Value core,
               const KernelExtents &extents, const PreparedActivations &x, Value weights, Value output, ValueRange operands);

} // namespace mlir::qtensor
