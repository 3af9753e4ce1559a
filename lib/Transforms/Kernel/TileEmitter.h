// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder: the body of one register tile.
#pragma once
#include "lib/Transforms/Kernel/KernelSpec.h"

namespace mlir::qtensor::kernel {

/// Builds @<name>_tile_<rows>x<columns>(prepared..., weights, output, operands..., tile: index, first row: index,
/// valid rows: index, height: index, first column vector: index): one register tile over the whole of K.
func::FuncOp buildTile(ModuleOp module, const KernelSpec &spec, const TileMachine &machine, TileShape shape);

/// The types of the arguments that every function of a kernel begins with.
SmallVector<Type> commonArguments(MLIRContext *context, const KernelSpec &spec);

/// Emits the packed weights' side of a tile: loads, unpacks and decodes vectors of `lanes` output columns.
class WeightReader {
public:
  WeightReader(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine, Value weights)
      : b(b), weight(spec.weight), layout(spec.weight.layout), lanes(machine.lanes), weights(weights) {}

  /// Fixes the columns: vector `c` of the tile is column vector first + c.
  void setColumns(Value first, int64_t count);
  /// Vectors of bytes of one step of a block, a vector of 4 * lanes bytes for each group of four codes. `stepOffset` is
  /// the byte offset of the step behind the panel's start.
  SmallVector<Value> loadGroups(int64_t column, Value stepOffset, int64_t chunks);
  /// Vectors of f32, one for each k of the step, before scale.
  SmallVector<Value> loadValues(int64_t column, Value stepOffset, int64_t chunks);
  /// A parameter of the block at `blockOffset`, as f32 (scale, offset, f32 zero) or i32 (integer zero).
  Value loadParameter(int64_t column, Value blockOffset, int64_t byteOffset, Type type);
  /// The block's scale: data, or the constant of the whole operand; null when there is none.
  Value loadScale(int64_t column, Value blockOffset);
  /// Asks for the block `ahead` bytes behind `blockOffset`.
  void prefetchBlock(int64_t column, Value blockOffset, int64_t ahead);

private:
  Value loadBytes(Value base, Value offset, int64_t constant, int64_t count);

  ImplicitLocOpBuilder &b;
  const PackedWeight &weight;
  qtile::LayoutAttr layout;
  int64_t lanes;
  Value weights;
  SmallVector<Value> panels; ///< Byte offset of each column vector's panel.
  SmallVector<Value> parts;  ///< Its first row inside the panel.
};

/// index constants and arithmetic, short.
Value constant(ImplicitLocOpBuilder &b, int64_t value);
Value add(ImplicitLocOpBuilder &b, Value x, Value y);
Value mul(ImplicitLocOpBuilder &b, Value x, Value y);
/// A dense splat of `type`.
Value splat(ImplicitLocOpBuilder &b, VectorType type, double value);

} // namespace mlir::qtensor::kernel
