// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder: the kernel of qtensor.attention for a few rows of queries that share a key head. The order of
// all sums is in the dialect's README ("Canonical order of attention") and does not depend on the machine.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Kernel/EncodedOperand.h"
#include "lib/Transforms/Kernel/KernelSpec.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <functional>

namespace mlir::qtensor {

/// Tokens that share a maximum and codes of weights.
inline constexpr int64_t kAttentionChunk = 64;
/// Elements of a canonical vector: partial sums of a score, tokens of a softmax step, elements of a result.
inline constexpr int64_t kAttentionLanes = 16;

/// Keys or values as memory holds them.
struct AttentionCache {
  AttentionCache(ValueRange components, BlockAttr encoding, ArrayRef<int64_t> dims, bool packed, int64_t extent);

  /// The index of element `d` of token `token`, for every dimension of the operand.
  SmallVector<Value> index(Value batch, Value head, Value token, Value d) const;
  /// Element positions of one block of parameters along the last dimension.
  int64_t getBlock() const;
  int64_t getNumBlocks() const { return (extent + getBlock() - 1) / getBlock(); }

  SmallVector<Value> components;
  EncodedOperand operand;
  BlockAttr encoding; ///< May be null.
  SmallVector<int64_t> dims;
  bool packed;
  int64_t extent; ///< Elements of a head.
};

/// How units of 16 bytes of a row of values fill vectors: blocks smaller than a vector share one, each unit with weights of its
/// own; larger ones take whole vectors.
struct ValueLayout {
  int64_t halves;   ///< Codes in a byte.
  int64_t perBlock; ///< Units in a block,
  int64_t shared;   ///< blocks in a vector, or 1;
  int64_t panels;   ///< vectors in so many blocks;
  int64_t groups;   ///< and how often that makes the row.
};

/// What one pass over the values of a chunk sums up, in registers.
struct ValuePass {
  int64_t unit, units;           ///< Units of 16 bytes of every token,
  int64_t group, panel;          ///< of these blocks, from this vector of the row on,
  int64_t firstRow, lastRow;     ///< for these rows.
  int64_t aheadFrom, aheadCount; ///< Ask meanwhile for the keys of so many tokens, from this one of the chunk on.
};

/// The function that computes `rows` rows for one batch and key head. Scratch lies on its stack.
class AttentionKernel {
public:
  /// `op` gives attributes and types.
  AttentionKernel(AttentionOp op, int64_t rows, const TileMachine &machine, bool asksAhead);
  /// Its types are those of the operands of `op`, then batch, key head and first row as index; where the machine asks ahead also
  /// how many bytes, or 0.
  func::FuncOp build(ModuleOp module, StringRef name);

private:
  // The frame.
  void readArguments(func::FuncOp function);
  void allocate();
  void emitRowPositions();
  int64_t getRun() const; ///< Chunks whose scores are held at once.
  void emitRun(Value first);
  void emitSoftmax(Value first);
  Value loadScores(Value first, int64_t row, int64_t t);
  void rescale(ArrayRef<Value> before, ArrayRef<Value> now);
  Value isVisible(Value first);
  Value loadMask(Value row, Value token);
  void finish();

  // Float strategy.
  void prepareFloat();
  void scoreFloat(Value first);
  void accumulateFloat(Value first);
  Value loadValues(const AttentionCache &cache, Value token, int64_t d);

  // Integer strategy.
  void prepareInteger();
  void quantizeQuery(Value row, int64_t block);
  void scoreInteger(Value first);
  void sumBlock(Value start, int64_t block);
  void addToScores(Value at, Value first, int64_t block);
  void weighValues(Value first, ArrayRef<Value> weights);
  void accumulateInteger(Value first);
  ValueLayout getValueLayout() const;
  SmallVector<ValuePass> planPasses() const;
  void accumulatePass(Value first, const ValuePass &pass);
  void storeCodes(int64_t row, int64_t block, int64_t at, ArrayRef<Value> codes);
  Value spread(Value buffer, ArrayRef<Value> at);
  void addToResults(const ValuePass &pass, int64_t row, ValueRange words);
  Value loadResult(Value row, int64_t e);
  SmallVector<Value> loadWords(Value start, int64_t unit, int64_t units);
  SmallVector<Value> loadUnits(const AttentionCache &cache, ArrayRef<Value> tokens, int64_t unit, int64_t units);
  Value loadBytes(const AttentionCache &cache, Value token, int64_t unit, int64_t units);
  Value toUnsigned(const AttentionCache &cache, Value bytes, int64_t half);
  Value loadScales(const AttentionCache &cache, Value first, int64_t d, int64_t count);
  int64_t getZero(const AttentionCache &cache) const;
  int64_t highestCode(const AttentionCache &cache) const;

  // Shorthands.
  Value constant(int64_t value);
  Value f32(double value);
  Value i32(int64_t value);
  Value splat(Value scalar, int64_t count);
  Value load(Value buffer, ValueRange at, int64_t count);
  void store(Value value, Value buffer, ValueRange at);
  Value add(Value x, Value y);
  Value mul(Value x, Value y);
  Value shuffle(Value x, Value y, ArrayRef<int64_t> mask);
  Value larger(Value x, Value y);
  SmallVector<Value> foldHalves(ArrayRef<Value> vectors, function_ref<Value(Value, Value)> combine);
  SmallVector<Value> addHalves(ArrayRef<Value> vectors);
  SmallVector<Value> largest(ArrayRef<Value> vectors);
  void prefetch(const AttentionCache &cache, Value token, int64_t count);
  void askAhead(const AttentionCache &cache, Value token, int64_t count);
  void touchRows(const AttentionCache &cache, Value token, int64_t count, unsigned locality);
  Value clampToken(Value token);
  void loop(int64_t from, int64_t to, int64_t step, function_ref<void(Value)> body);
  Value makeBuffer(ArrayRef<int64_t> shape, Type type);
  VectorType vec(int64_t count, Type type) { return VectorType::get(count, type); }

  AttentionOp op;
  ImplicitLocOpBuilder b;
  int64_t rows, lanes, depth, width;
  bool integer, asksAhead;
  Value ahead; ///< Bytes; null where the machine does not ask.
  Value query, mask, output, batch, head, firstRow, tokens;
  bool wholeChunks = false; ///< The number of tokens is known to be a multiple of the chunk.
  std::optional<AttentionCache> key, value;
  Value rowHeads, rowPositions;        ///< memref<rows x index>
  Value runOffset;                     ///< Of the chunk in its run.
  Value visible;                       ///< i1 [chunks of a run]: whether any row sees the chunk.
  int64_t resultCount; ///< Elements of a row of results.
  Value scores, tops, totals, results; ///< [rows, run], [rows], [rows, 16], [rows, resultCount]
  Value queries;                       ///< Float: [rows, depth to whole vectors]; integer: i32 [rows, runs, lanes].
  Value parts;                         ///< Float: [rows, 16 tokens, 16]; integer: i32 [rows, 4, lanes].
  Value queryScales, queryZeros;       ///< Integer: [rows, blocks of keys].
  Value weightCodes, weightScales, weightZeros; ///< Integer: i32 [rows, groups, chunk / 4 * shared]; [rows, groups, shared].
};

/// Rounds x * inverse to codes; what is no number becomes 0.
Value roundToCodes(ImplicitLocOpBuilder &b, Value x, Value inverse, Value zero);
/// 127 / largest, or 0 where that is no finite number; and the real value of one step, which then is 0.
std::pair<Value, Value> makeSteps(ImplicitLocOpBuilder &b, Value largest);

/// Sums over the runs of `width` lanes at each level, for vectors whose lanes are tokens in the end: level by level two
/// vectors become one. `vectors` is a power of two of them; the result's lane order is that of `vectors`.
Value emitTransposedSum(ImplicitLocOpBuilder &b, ArrayRef<Value> vectors);

/// Replaces attention on buffers by calls of its kernel in a parallel loop.
LogicalResult lowerAttention(AttentionOp op, ArrayRef<TileMachine> machines, function_ref<std::string(StringRef)> nameOf);

} // namespace mlir::qtensor
