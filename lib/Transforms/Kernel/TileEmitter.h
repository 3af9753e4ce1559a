// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder: the body of one register tile.
#pragma once
#include "lib/Transforms/Kernel/KernelSpec.h"

namespace mlir::qtensor::kernel {

/// The arguments that every function of a kernel begins with, in order.
struct CommonArguments {
  PreparedActivations x; ///< Without `bytes`.
  Value weights, output;
  SmallVector<Value> operands;
  KernelExtents extents;

  /// Their types.
  static SmallVector<Type> getTypes(MLIRContext *context, const KernelSpec &spec);
  /// From a function's arguments; `rest` gets what follows.
  static CommonArguments take(const KernelSpec &spec, ValueRange arguments, ValueRange &rest);
  SmallVector<Value> flatten() const;
};

/// Builds @<name>_tile_<rows>x<columns>(common..., first row, valid rows, height, first column vector): one register
/// tile over the whole of K. The first row is the first of a tile of prepared activations.
func::FuncOp buildTile(ModuleOp module, const KernelSpec &spec, const TileMachine &machine, TileShape shape);

/// Emits the packed weights' side of a tile: loads, unpacks and decodes vectors of `lanes` output columns.
class WeightReader {
public:
  WeightReader(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine)
      : b(b), weight(spec.weight), layout(spec.weight.layout), lanes(machine.lanes),
        chunks(spec.getStep() / layout.getChunk()) {}

  /// Fixes the columns: vector `c` of the tile is column vector first + c, and first is a multiple of `count` where that
  /// divides a panel's vectors. Computes what does not change in the loops.
  void begin(Value weights, const KernelExtents &extents, Value first, int64_t count);
  /// Groups of blocks in K; the layout has them.
  Value countGroups(const KernelExtents &extents);
  Value getGroupBlocks() const { return groupBlocks; }
  /// Says which group of blocks the next ones are in, and reads what multiplies their nested parameters.
  void beginGroup(Value group);
  /// Byte offset of a block, and of a step in it, behind a panel's start.
  Value blockOffset(Value block);
  Value stepOffset(Value blockOffset, Value step);
  /// Vectors of codes of one step, [column][group]: a vector of 4 * lanes bytes for each group of four codes.
  SmallVector<SmallVector<Value>> loadGroups(Value stepOffset);
  /// Unsigned values of codes under a table of the weight's; an empty one leaves them as they are.
  Value lookupBytes(Value group, ArrayRef<uint8_t> table);
  /// Vectors of f32, [column][k of the step], before scale.
  SmallVector<SmallVector<Value>> loadValues(Value stepOffset);
  /// The zero of the block at `blockOffset`, as f32 or i32; null when there is none.
  Value loadZero(int64_t column, Value blockOffset);
  /// The block's scale: data, or the constant of the whole operand; null when there is none.
  Value loadScale(int64_t column, Value blockOffset);
  /// The block's offset; null when there is none.
  Value loadOffset(int64_t column, Value blockOffset);

private:
  void beginColumns(Value panelBytes, Value first, int64_t count);
  Value loadBytes(Value base, Value offset, int64_t constant, int64_t count);
  Value elementBase(int64_t column, int64_t bytes);
  SmallVector<SmallVector<Value>> loadPacked(Value stepOffset, int64_t elementBytes, int64_t count);
  SmallVector<Value> widenCodes(ArrayRef<Value> packed, ArrayRef<Value> groups);
  Value decodeCode(Value code);
  Value loadParameter(int64_t column, Value at, int64_t byteOffset, Type type);
  Value loadByteParameter(int64_t column, Value blockOffset, int64_t byteOffset);

  ImplicitLocOpBuilder &b;
  const PackedWeight &weight;
  qtile::LayoutAttr layout;
  int64_t lanes, chunks;
  Value weights, blockBytes;
  Value groupBlocks, groupStart;               ///< Blocks of a group; bytes in front of the groups up to this one.
  SmallVector<Value> scaleScales, scaleShifts, offsetScales; ///< Of the current group, one a column; empty without.
  SmallVector<Value> panels; ///< Byte offset of each column vector's panel.
  SmallVector<Value> parts;  ///< Its first row inside the panel.
};

/// index constants and arithmetic, short.
Value constant(ImplicitLocOpBuilder &b, int64_t value);
Value add(ImplicitLocOpBuilder &b, Value x, Value y);
Value sub(ImplicitLocOpBuilder &b, Value x, Value y);
Value mul(ImplicitLocOpBuilder &b, Value x, Value y);
Value div(ImplicitLocOpBuilder &b, Value x, Value y);
Value rem(ImplicitLocOpBuilder &b, Value x, Value y);
Value min(ImplicitLocOpBuilder &b, Value x, Value y);
/// A dense splat of `type`.
Value splat(ImplicitLocOpBuilder &b, VectorType type, double value);
/// Codes of K with every block padded.
Value paddedK(ImplicitLocOpBuilder &b, const KernelSpec &spec, const KernelExtents &extents);

} // namespace mlir::qtensor::kernel
