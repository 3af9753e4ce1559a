// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a contraction kernel is made from: how its packed weights decode, which register tile the target wants, and what
// happens to a finished sum. Format and target are both data here.
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
enum class Strategy { Float, Integer };

/// A packed [n, k] weight operand and the meaning of its codes.
struct PackedWeight {
  qtile::LayoutAttr layout;
  int64_t n = 0, k = 0;
  /// Integer: the unsigned value of each stored code; empty when the code is its own value.
  SmallVector<uint8_t> bytes;
  /// Float: the real value of each stored code before its scale; empty when it is code - zero.
  SmallVector<float> values;
  /// Static zero point, in the unit of the unsigned values. A zero parameter of the layout is data and adds to it.
  int64_t zero = 0;
  /// Largest unsigned value that can occur: the range analysis of the integer dot product.
  int64_t max = 255;
  /// Scale of the whole operand when the layout has none.
  std::optional<float> scale;
};

/// A register tile: `rows` activations times `columns` vectors of outputs.
struct TileShape {
  int64_t rows, columns;
};

/// The machine as an emitter sees it.
struct TileMachine {
  int64_t lanes = 16;             ///< f32 or i32 elements of a vector; 4 * lanes bytes.
  SmallVector<TileShape> tiles;   ///< Ascending rows. The last tile takes all remaining columns of a panel.
  bool pairSums = false;          ///< Byte products are summed in i16 first where the ranges allow it (qtile.dot2).
  int64_t prefetchBytes = 0;      ///< How far ahead the one-row tile asks for weights; 0: not at all.
};

/// Where a finished vector of sums goes: row `row`, columns from `column`; `mask` is null when all lanes are valid.
struct StoreSite {
  Value row, column, mask;
  ValueRange operands;
};
/// Maps a finished vector of f32 sums to the vector that is stored.
using Epilogue = std::function<Value(ImplicitLocOpBuilder &, Value sums, const StoreSite &)>;

/// A kernel y[m, n] = epilogue(sum over k of x[m, k] * w[n, k]).
struct KernelSpec {
  std::string name;                        ///< Prefix of the symbols.
  Strategy strategy = Strategy::Float;
  PackedWeight weight;
  int64_t rows = ShapedType::kDynamic;     ///< M, when known.
  MemRefType output;                       ///< memref of [M, N].
  SmallVector<Type> operands;              ///< Further operands that the epilogue reads.
  Epilogue epilogue;                       ///< Null: the sums are stored as they are.

  int64_t paddedK() const { return weight.layout.getNumBlocks(weight.k) * weight.layout.getPaddedBlock(); }
};

/// Rows of the activation tile, and how it lies: the prepared activations of rows [t*height, ...) are
///   integer: i8  [t][block][height][padded block], f32 scales and i32 sums (times -zero when static) [t][block][height]
///   float:   f32 [t][padded k][height]
/// where a matrix of fewer rows than `height` has height = M.
struct PreparedActivations {
  Value bytes;  ///< memref<?xi8>: integer codes. Null for float.
  Value words;  ///< memref<?xi32>: the same bytes, four a word. Float: memref<?xf32>.
  Value scales; ///< memref<?xf32>; null for float.
  Value sums;   ///< memref<?xi32>; null for float.
};

/// Height of the largest tile of `machine` for this kernel.
int64_t tileHeight(const KernelSpec &spec, const TileMachine &machine);

/// Bytes of scratch that the prepared activations of `rows` rows take.
Value emitScratchBytes(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine, Value rows);

/// Views of `scratch` (memref<?xi8>, 64-byte aligned, emitScratchBytes() long).
PreparedActivations emitScratchViews(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine,
                                     Value scratch, Value rows);

/// Fills the prepared activations from component buffers. Integer: `x` is i8 [M, K], `scales` f32 [M or 1, blocks or 1];
/// a null `scales` means the constant `scale`. Float: `x` is f32 [M, K].
void emitPrepare(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine,
                 const PreparedActivations &to, Value x, Value scales, float scale);

/// Builds (or finds) in `module` the function that computes one unit of 64 output columns for all rows:
///   @<name>_unit(prepared..., weights: memref<?xi8>, output, operands..., rows: index, unit: index)
func::FuncOp buildUnit(ModuleOp module, const KernelSpec &spec, const TileMachine &machine);

/// Number of units of the kernel.
int64_t numUnits(const KernelSpec &spec);

/// Calls the unit function for every unit, in an scf.parallel loop.
void emitUnits(ImplicitLocOpBuilder &b, func::FuncOp unit, const KernelSpec &spec, const PreparedActivations &x,
               Value weights, Value output, ValueRange operands, Value rows);

} // namespace mlir::qtensor
