// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The float strategy of attention: keys and values are decoded in registers, for all rows of the tile at once.
#include "lib/Transforms/Kernel/AttentionKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

/// Row by row into f32, with zeros up to a whole vector.
void AttentionKernel::prepareFloat() {
  loop(0, rows, 1, [&](Value row) {
    Value at = memref::LoadOp::create(b, rowHeads, row), position = memref::LoadOp::create(b, rowPositions, row);
    for (int64_t d = 0; d < depth; d += kAttentionLanes) {
      SmallVector<Value> from = {batch, at, position, constant(d)};
      Value x;
      if (d + kAttentionLanes <= depth) {
        x = load(query, from, kAttentionLanes);
      } else {
        auto type = vec(kAttentionLanes, cast<MemRefType>(query.getType()).getElementType());
        Value valid = vector::CreateMaskOp::create(b, vec(kAttentionLanes, b.getI1Type()), ValueRange{constant(depth - d)});
        x = vector::MaskedLoadOp::create(b, type, query, from, valid, arith::ConstantOp::create(b, b.getZeroAttr(type)));
      }
      store(emitToF32(b, x), queries, {row, constant(d)});
    }
  });
}

/// The code in the low or high half of packed bytes, extended as it is in a byte of its own.
static Value takeHalf(ImplicitLocOpBuilder &b, CodecAttr codec, Value bytes, bool high) {
  Value four = arith::ConstantOp::create(b, b.getI8IntegerAttr(4));
  if (auto type = dyn_cast<VectorType>(bytes.getType()))
    four = vector::BroadcastOp::create(b, type, four);
  Value top = high ? bytes : arith::ShLIOp::create(b, bytes, four).getResult();
  if (codec.getKind() == CodecKind::Int && codec.getIntStyle() == IntStyle::Signed)
    return arith::ShRSIOp::create(b, top, four);
  return arith::ShRUIOp::create(b, top, four);
}

/// 16 decoded elements of a token from element `d` on; those behind the end are zero.
Value AttentionKernel::loadValues(const AttentionCache &cache, Value token, int64_t d) {
  int64_t count = std::min(kAttentionLanes, cache.extent - d), byte = d / (2 * kPackedRun) * kPackedRun;
  bool high = d / kPackedRun % 2;
  bool oneBlock = cache.getBlock() % kAttentionLanes == 0 || cache.getBlock() >= cache.extent;
  SmallVector<Value> at = cache.index(batch, head, token, constant(d));
  if (oneBlock && cache.operand.hasVectors() && count == kAttentionLanes) {
    if (!cache.packed)
      return cache.operand.loadReals(b, at, kAttentionLanes);
    Value bytes = load(cache.components[0], cache.index(batch, head, token, constant(byte)), kAttentionLanes);
    return cache.operand.decodeReal(b, takeHalf(b, cache.encoding.getCodec(), bytes, high), at);
  }
  SmallVector<Value> elements;
  for (int64_t i = 0; i < count; ++i) {
    SmallVector<Value> one = cache.index(batch, head, token, constant(d + i));
    if (!cache.packed) {
      elements.push_back(cache.operand.loadReal(b, one));
      continue;
    }
    Value code = memref::LoadOp::create(b, cache.components[0], cache.index(batch, head, token, constant(byte + i)));
    elements.push_back(cache.operand.decodeReal(b, takeHalf(b, cache.encoding.getCodec(), code, high), one));
  }
  elements.resize(kAttentionLanes, f32(0));
  return vector::FromElementsOp::create(b, vec(kAttentionLanes, b.getF32Type()), elements);
}

/// A score is 16 sums of every 16th product, ascending, added by halves.
void AttentionKernel::scoreFloat(Value first) {
  loop(0, kAttentionChunk, kAttentionLanes, [&](Value group) {
    loop(0, kAttentionLanes, 1, [&](Value i) {
      Value at = add(add(first, group), i), token = clampToken(at);
      prefetch(*value, add(at, constant(kAttentionChunk)), 1);
      SmallVector<Value> keys;
      for (int64_t d = 0; d < depth; d += kAttentionLanes)
        keys.push_back(loadValues(*key, token, d));
      for (int64_t row = 0; row < rows; ++row) {
        Value sum = splat(f32(0), kAttentionLanes);
        for (auto [run, x] : llvm::enumerate(keys)) {
          Value d = constant(static_cast<int64_t>(run) * kAttentionLanes);
          sum = math::FmaOp::create(b, load(queries, {constant(row), d}, kAttentionLanes), x, sum);
        }
        store(sum, parts, {constant(row), i, constant(0)});
      }
    });
    loop(0, rows, 1, [&](Value row) {
      SmallVector<Value> sums;
      for (int64_t i = 0; i < kAttentionLanes; ++i)
        sums.push_back(load(parts, {row, constant(i), constant(0)}, kAttentionLanes));
      store(emitTransposedSum(b, sums), scores, {row, add(runOffset, group)});
    });
  });
}

/// Tokens ascending, one fused multiply-add each, onto what earlier chunks left.
void AttentionKernel::accumulateFloat(Value first) {
  int64_t panel = (lanes >= 16 ? 4 : 1) * kAttentionLanes; // as many sums as the registers hold for a tile of rows
  for (int64_t begin = 0; begin < width; begin += panel) {
    SmallVector<Value> sums;
    int64_t end = std::min<int64_t>(begin + panel, llvm::alignTo(width, kAttentionLanes));
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t e = begin; e < end; e += kAttentionLanes)
        sums.push_back(load(results, {constant(row), constant(e)}, kAttentionLanes));
    Value last = arith::MinUIOp::create(b, constant(kAttentionChunk), arith::SubIOp::create(b, tokens, first));
    auto over = scf::ForOp::create(b, constant(0), wholeChunks ? constant(kAttentionChunk) : last, constant(1), sums);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(over.getBody());
      SmallVector<Value> next, values;
      Value token = add(first, over.getInductionVar());
      if (begin == 0)
        prefetch(*key, add(token, constant(kAttentionChunk)), 1);
      for (int64_t e = begin; e < end; e += kAttentionLanes)
        values.push_back(loadValues(*value, token, e));
      for (int64_t row = 0; row < rows; ++row) {
        Value at = add(runOffset, over.getInductionVar());
        Value weight = memref::LoadOp::create(b, scores, ValueRange{constant(row), at});
        for (Value x : values)
          next.push_back(math::FmaOp::create(b, splat(weight, kAttentionLanes), x, over.getRegionIterArg(next.size())));
      }
      scf::YieldOp::create(b, next);
    }
    size_t at = 0;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t e = begin; e < end; e += kAttentionLanes)
        store(over.getResult(at++), results, {constant(row), constant(e)});
  }
}
