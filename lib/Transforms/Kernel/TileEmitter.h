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

/// Whether the tiles of a unit share in asking for what the next range of K reads. The float strategy takes much longer
/// than memory, and decodes too little at a time for that: its decoder asks.
inline bool asksInTurn(const KernelSpec &spec, const TileMachine &machine) {
  return machine.streamAhead && spec.strategy == SumStrategy::Integer;
}

/// What a function of a kernel does.
struct TileVariant {
  enum Kind {
    Whole,   ///< A tile over all of K, the epilogue and the store.
    Asking,  ///< The same, which asks for its weights ahead of reading them.
    Range,   ///< A tile over a range of K, on top of sums in memory.
    Decoded, ///< The same, with weights that lie decoded in memory.
    Decoder, ///< Decodes the weights of a column vector for a range of K.
  } kind = Whole;
  TileShape shape{};
  /// Range, Decoded: it takes its turn in asking for what the next range reads. Decoder: it asks for all of that.
  bool asks = false;
  bool isWhole() const { return kind == Whole || kind == Asking; }
  bool isRange() const { return kind == Range || kind == Decoded; }
  bool isDecoded() const { return kind == Decoded; }
  static TileVariant makeDecoder(const KernelSpec &spec, const TileMachine &machine) {
    return {Decoder, {}, !asksInTurn(spec, machine)};
  }
  llvm::StringRef getName() const;
};

/// Parts of what is asked for ahead, which tiles of the same columns share.
inline constexpr int64_t kTurns = 1 << 16;

/// Columns that a thread takes at a time.
inline constexpr int64_t kUnitColumns = 64;

/// Decoded weights of a unit for a range of K: f32 [step][column vector][k][lanes], each step of decoding rounded; or bytes
/// [step][column vector][limb][group of four][4 * lanes], unsigned values.
class DecodedLayout {
public:
  DecodedLayout(const KernelSpec &spec, const TileMachine &machine);
  /// Elements of one step of all columns.
  int64_t getStepElements() const { return kUnitColumns / lanes * columnElements; }
  /// Element of vector `i` of column vector `column`, inside a step.
  int64_t getOffset(int64_t column, int64_t i) const { return column * columnElements + i * vectorElements; }
  /// Steps that fit the buffer.
  int64_t getMaxSteps() const { return maxSteps; }
  VectorType getVectorType(MLIRContext *context) const { return VectorType::get(vectorElements, elementOf(context)); }
  MemRefType getBufferType(MLIRContext *context) const { return MemRefType::get({bufferElements}, elementOf(context)); }

private:
  Type elementOf(MLIRContext *context) const;
  bool isFloat;
  int64_t lanes, vectorElements, columnElements, maxSteps, bufferElements;
};

/// The arguments of a function behind the common ones. `getFields` says which a variant has.
struct TileArguments {
  Value column, lastColumn;        ///< First column vector, and the last one that the weight has.
  Value tileRow, inside;           ///< First row of a tile of prepared activations, and the tile's first row inside it.
  Value height;                    ///< Rows of the tile of prepared activations.
  Value ahead;                     ///< Asking: bytes. Range that asks: bytes for the first tile of a range, or 0.
  Value turn, turnEnd;             ///< Ranges that ask: the tile's part of what all rows ask for, in kTurns.
  Value firstBlock, lastBlock;     ///< Range: blocks.
  Value firstStep, lastStep;       ///< Range: steps of each block.
  Value firstSum, sumStride, sums; ///< Range: f32 [row][sumStride] from element `firstSum`.
  Value firstDecoded, decoded; ///< Decoded: weights in a DecodedLayout from element `firstDecoded`.

  SmallVector<Value *> getFields(const TileVariant &variant);
  static TileArguments take(const TileVariant &variant, ValueRange values);
  SmallVector<Value> flatten(const TileVariant &variant);
};

/// Whether f32 sums stay in memory inside a range, because those of a block take the registers.
bool keepsSumsInMemory(const KernelSpec &spec, const TileMachine &machine, TileShape shape);

/// Builds (or finds) a function of the arguments of a variant.
func::FuncOp buildFunction(ModuleOp module, const KernelSpec &spec, const TileMachine &machine, const TileVariant &variant,
                           const std::string &name,
                           function_ref<void(ImplicitLocOpBuilder &, ValueRange arguments)> body);

/// Sums of two byte products that may be added in i16 before they are widened, where codes are at most `max`.
int64_t getPairSteps(int64_t max);

/// Builds @<name>_<variant>_<rows>x<columns>(common..., tile arguments...): one register tile.
func::FuncOp buildTile(ModuleOp module, const KernelSpec &spec, const TileMachine &machine, const TileVariant &variant);

/// Builds @<name>_decode(common..., arguments of a decoder...).
func::FuncOp buildDecode(ModuleOp module, const KernelSpec &spec, const TileMachine &machine);

/// Applies the epilogue to one vector of sums and stores it at row `row`, column vector `column` of the output.
void storeOutput(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine,
                 const CommonArguments &common, Value row, Value column, Value sums);

/// Parameters of a block for one column vector; null where absent.
struct BlockParameters {
  Value scale, zero, shift;
  /// Float: the value of a code, each step rounded.
  Value apply(ImplicitLocOpBuilder &b, Value code) const;
};

/// Emits the packed weights' side of a tile: loads, unpacks and decodes vectors of `lanes` output columns.
class WeightReader {
public:
  WeightReader(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine)
      : b(b), weight(spec.weight), layout(spec.weight.layout), isFloat(spec.strategy == SumStrategy::Float),
        lanes(machine.lanes), chunks(spec.getStep() / layout.getChunk()), further(machine.streamAhead) {}

  /// Fixes the columns: vector `c` of the tile is column vector first + c, or `last` beyond it; first is a multiple of `count`
  /// where that divides a panel's vectors. Computes what does not change in the loops.
  void begin(Value weights, const KernelExtents &extents, Value first, int64_t count, Value last);
  /// Groups of blocks in K; the layout has them.
  Value countGroups(const KernelExtents &extents);
  /// Emits `body` for every part of blocks [first, last) that lies in one group, carrying values.
  SmallVector<Value> overGroups(Value first, Value last, ValueRange inits,
                                function_ref<SmallVector<Value>(Value first, Value last, ValueRange)> body);
  /// Says which group of blocks the next ones are in, and reads what multiplies their nested parameters.
  void beginGroup(Value group);
  /// Asks for bytes behind blocks [first, last), for a tile that is at `block`, where the tile takes a part of a panel and so
  /// skips lines: the tiles of all parts together ask for what the next range reads, in the order of addresses.
  void askAhead(Value block, Value first, Value last, int64_t steps);
  /// The same of a tile that shares this work with those of other rows: of what lies behind blocks [first, last), as much
  /// again, it asks for the part from `turn.first` to `turn.second`, in kTurns, evenly at the `all` places that it comes by.
  void askInTurn(Value first, Value last, Value done, Value all, std::pair<Value, Value> turn);
  /// Asks for the lines of the block that begins at `start` behind its panel, or of a step for 0 `steps`, `bytes`
  /// ahead, for a tile that reads all of a panel.
  void askWholeAhead(Value start, Value bytes, int64_t steps);
  /// From here on each line that is read is asked for `bytes` ahead; the tile reads all of a panel. The next panels
  /// follow it, which the next tiles read.
  void askEachAhead(Value bytes) { ahead = bytes; }
  /// Byte offset of a block, and of a step in it, behind a panel's start.
  Value blockOffset(Value block);
  Value stepOffset(Value blockOffset, Value step);
  /// Vectors of codes of one step, [column][group]: a vector of 4 * lanes bytes for each group of four codes. `alternate`:
  /// odd groups stay shifted, as qtile.unpack says.
  SmallVector<SmallVector<Value>> loadGroups(Value stepOffset, bool alternate = false);
  /// Digits: the vectors of one step, [column][vector], and the fractions behind the first digits of one.
  SmallVector<SmallVector<Value>> loadFractions(Value stepOffset);
  Value nextFraction(Value fraction);
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
  /// All three; the zero as f32 where sums are.
  BlockParameters loadParameters(int64_t column, Value blockOffset);

private:
  void beginColumns(Value panelBytes, Value first, int64_t count, Value last);
  Value loadBytes(int64_t column, int64_t elementBytes, Value offset, int64_t constant);
  Value elementBase(int64_t column, int64_t bytes);
  void ask(Value at, int64_t level);
  void askForVector(Value index, int64_t column, int64_t bytes);
  int64_t getPanelBytes(int64_t steps) const;
  Value getNextRange(Value last);
  SmallVector<SmallVector<Value>> loadPacked(Value stepOffset, int64_t elementBytes, int64_t count);
  SmallVector<SmallVector<Value>> loadDigits(Value stepOffset);
  Value firstDigit(Value fraction);
  SmallVector<Value> widenCodes(ArrayRef<Value> packed, int64_t width);
  Value decodeCode(Value code);
  Value loadParameter(int64_t column, Value at, int64_t byteOffset, Type type);
  Value loadByteParameter(int64_t column, Value blockOffset, int64_t byteOffset);

  ImplicitLocOpBuilder &b;
  const PackedWeight &weight;
  qtile::LayoutAttr layout;
  bool isFloat;
  int64_t lanes, chunks;
  int64_t further; ///< Bytes that tiles in turns ask behind the next range's begin: what is asked for last has time to come.
  Value ahead; ///< Null: nothing is asked for.
  Value weights, codeBytes, blockBytes; ///< Bytes of a block: of its codes, of all of it.
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
Value max(ImplicitLocOpBuilder &b, Value x, Value y);
/// A dense splat of `type`.
Value splat(ImplicitLocOpBuilder &b, VectorType type, double value);
/// Codes of K with every block padded.
Value paddedK(ImplicitLocOpBuilder &b, const KernelSpec &spec, const KernelExtents &extents);

} // namespace mlir::qtensor::kernel
