// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The integer strategy of attention: queries and softmax weights become signed bytes, codes of the cache unsigned ones,
// and both products are dot products of bytes. Rows of the cache are transposed in registers, once for all rows of the
// tile: four tokens side by side for the scores, four tokens in each word for the values (AttentionValues.cpp).
#include "dialects/QTile/IR/QTile.h"
#include "lib/Transforms/Kernel/AttentionKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

/// Codes of queries and weights: -127 to 127.
static constexpr double kHighest = 127;

/// What is added to a code to make it unsigned.
int64_t AttentionKernel::getZero(const AttentionCache &cache) const {
  return int64_t(1) << (cache.encoding.getCodec().getBits() - 1);
}

Value qtensor::roundToCodes(ImplicitLocOpBuilder &b, Value x, Value inverse, Value zero) {
  Value scaled = arith::MulFOp::create(b, x, inverse);
  Value number = arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, scaled, scaled);
  Value rounded = math::RoundEvenOp::create(b, arith::SelectOp::create(b, number, scaled, zero));
  return arith::FPToSIOp::create(b, cast<VectorType>(x.getType()).clone(b.getI32Type()), rounded);
}

std::pair<Value, Value> qtensor::makeSteps(ImplicitLocOpBuilder &b, Value largest) {
  auto number = [&](double x) { return arith::ConstantOp::create(b, b.getF32FloatAttr(static_cast<float>(x))).getResult(); };
  // 127 / largest overflows below this, the largest itself above the other end.
  Value low = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, largest, number(0x1p-118));
  Value high = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, largest, number(HUGE_VAL));
  Value fits = arith::AndIOp::create(b, low, high);
  Value inverse = arith::DivFOp::create(b, number(kHighest), arith::SelectOp::create(b, fits, largest, number(1)));
  Value step = arith::MulFOp::create(b, largest, number(static_cast<float>(1 / kHighest)));
  return {arith::SelectOp::create(b, fits, inverse, number(0)), arith::SelectOp::create(b, fits, step, number(0))};
}

/// The codes of one block of a row, each run of 16 repeated over the vector; their scale, and zero * sum of codes.
void AttentionKernel::quantizeQuery(Value row, int64_t block) {
  Value at = memref::LoadOp::create(b, rowHeads, row), position = memref::LoadOp::create(b, rowPositions, row);
  int64_t begin = block * key->getBlock(), end = std::min(depth, begin + key->getBlock());
  SmallVector<Value> values;
  Value most = splat(f32(0), kAttentionLanes);
  for (int64_t d = begin; d < end; d += kAttentionLanes) {
    values.push_back(emitToF32(b, load(query, {batch, at, position, constant(d)}, kAttentionLanes)));
    most = larger(math::AbsFOp::create(b, values.back()), most);
  }
  auto [inverse, step] = makeSteps(b, largest(most).front());
  // The op's scale joins that of the query.
  store(mul(step, f32(op.getScale().convertToDouble())), queryScales, {row, constant(block)});
  Value sum = splat(i32(0), kAttentionLanes);
  for (auto [i, x] : llvm::enumerate(values)) {
    Value codes = roundToCodes(b, x, splat(inverse, kAttentionLanes), splat(f32(0), kAttentionLanes));
    sum = add(sum, codes);
    Value bytes = arith::TruncIOp::create(b, vec(kAttentionLanes, b.getI8Type()), codes);
    SmallVector<int64_t> repeated;
    for (int64_t lane = 0; lane < 4 * lanes; ++lane)
      repeated.push_back(lane % kAttentionLanes);
    Value words = vector::BitCastOp::create(b, vec(lanes, b.getI32Type()), shuffle(bytes, bytes, repeated));
    store(words, queries, {row, constant(begin / kAttentionLanes + static_cast<int64_t>(i)), constant(0)});
  }
  store(mul(addHalves(sum).front(), i32(getZero(*key))), queryZeros, {row, constant(block)});
}

void AttentionKernel::prepareInteger() {
  loop(0, rows, 1, [&](Value row) {
    for (int64_t block = 0; block < key->getNumBlocks(); ++block)
      quantizeQuery(row, block);
  });
}

/// `units` units of 16 bytes of a token, in a vector of 4 * lanes bytes; what is too much is zero.
Value AttentionKernel::loadBytes(const AttentionCache &cache, Value token, int64_t unit, int64_t units) {
  auto at = [&](int64_t u) { return cache.index(batch, head, token, constant(u * kPackedRun)); };
  if (units * kPackedRun == 4 * lanes)
    return load(cache.components[0], at(unit), 4 * lanes);
  Value all = arith::ConstantOp::create(b, b.getZeroAttr(vec(4 * lanes, b.getI8Type())));
  for (int64_t u = 0; u < units; ++u)
    all = vector::InsertStridedSliceOp::create(b, load(cache.components[0], at(unit + u), kPackedRun), all,
                                               ArrayRef<int64_t>{u * kPackedRun}, ArrayRef<int64_t>{1});
  return all;
}

/// For each unit a vector that holds it for all `tokens` in order: a transposition of units of 16 bytes.
SmallVector<Value> AttentionKernel::loadUnits(const AttentionCache &cache, ArrayRef<Value> all, int64_t unit, int64_t units) {
  SmallVector<Value> level;
  for (Value token : all)
    level.push_back(loadBytes(cache, token, unit, units));
  int64_t count = level.size(), size = 4 * lanes;
  // Two rows become two of half as long pieces, until a piece is a unit.
  for (int64_t piece = size / 2; piece >= kPackedRun; piece /= 2) {
    SmallVector<Value> next(count);
    int64_t half = count / 2, groups = size / 2 / piece; // vectors so far hold `groups` tokens each
    for (int64_t j = 0; j < half; ++j) {
      // Partners hold the same pieces of neighbouring tokens.
      int64_t first = j / groups * 2 * groups + j % groups;
      Value x = level[first], y = level[first + groups];
      SmallVector<int64_t> low, high;
      for (int64_t side : {int64_t(0), size})
        for (int64_t group = 0; group < groups; ++group)
          for (int64_t i = 0; i < piece; ++i) {
            low.push_back(side + group * 2 * piece + i);
            high.push_back(side + group * 2 * piece + piece + i);
          }
      next[2 * groups * (j / groups) + 2 * (j % groups)] = shuffle(x, y, low);
      next[2 * groups * (j / groups) + 2 * (j % groups) + 1] = shuffle(x, y, high);
    }
    level = next;
  }
  return level;
}

/// Unsigned codes: of packed bytes those in the low (0) or high (1) halves.
Value AttentionKernel::toUnsigned(const AttentionCache &cache, Value bytes, int64_t half) {
  auto type = cast<VectorType>(bytes.getType());
  auto byte = [&](int64_t x) {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, b.getI8IntegerAttr(static_cast<int8_t>(x)))).getResult();
  };
  int64_t zero = getZero(cache);
  if (!cache.packed)
    return zero == 128 ? arith::XOrIOp::create(b, bytes, byte(128)).getResult() : add(bytes, byte(zero));
  if (half)
    bytes = arith::ShRUIOp::create(b, bytes, byte(4));
  int64_t codes = 2 * zero - 1; // of fewer than 4 bits: the sign is repeated in the half
  return arith::AndIOp::create(b, arith::XOrIOp::create(b, bytes, byte(zero)), byte(codes));
}

int64_t AttentionKernel::highestCode(const AttentionCache &cache) const {
  return (int64_t(1) << cache.encoding.getCodec().getBits()) - 1;
}

/// Whether rows of the last dimension, of few elements, follow each other in memory along the one before it.
static bool hasRows(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset, few = 8;
  return type.getDimSize(3) >= 1 && type.getDimSize(3) <= few && succeeded(type.getStridesAndOffset(strides, offset)) &&
         strides[2] == type.getDimSize(3) && strides[3] == 1;
}

/// `count` elements of the last two dimensions, from the row `at` on.
static Value loadFlat(ImplicitLocOpBuilder &b, Value buffer, ArrayRef<Value> at, int64_t count) {
  auto type = cast<MemRefType>(buffer.getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(b, buffer);
  SmallVector<OpFoldResult> sizes(metadata.getConstifiedMixedSizes()), strides(metadata.getConstifiedMixedStrides());
  SmallVector<int64_t> shape(type.getShape().drop_back()), own;
  int64_t offset, perRow = type.getDimSize(3);
  (void)type.getStridesAndOffset(own, offset);
  SmallVector<int64_t> layout(own.begin(), own.end() - 1);
  sizes.pop_back(), strides.pop_back();
  shape[2] = type.isDynamicDim(2) ? ShapedType::kDynamic : type.getDimSize(2) * perRow;
  Value rows = getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes[2]);
  sizes[2] = type.isDynamicDim(2)
                 ? OpFoldResult(b.createOrFold<arith::MulIOp>(rows, arith::ConstantIndexOp::create(b, perRow)))
                 : OpFoldResult(b.getIndexAttr(shape[2]));
  strides[2] = b.getIndexAttr(1), layout[2] = 1;
  auto flat = MemRefType::get(shape, type.getElementType(), StridedLayoutAttr::get(b.getContext(), offset, layout));
  Value line = memref::ReinterpretCastOp::create(b, flat, metadata.getBaseBuffer(), metadata.getConstifiedMixedOffset(), sizes,
                                                 strides);
  SmallVector<Value> from(at.drop_back());
  from[2] = b.createOrFold<arith::MulIOp>(from[2], arith::ConstantIndexOp::create(b, perRow));
  return vector::LoadOp::create(b, VectorType::get(count, type.getElementType()), line, from);
}

/// The scales of `count` tokens from `first` on, for the block of element `d`.
Value AttentionKernel::loadScales(const AttentionCache &cache, Value first, int64_t d, int64_t count) {
  ParamAttr param = cache.encoding.getScale();
  if (!param)
    return splat(f32(1), count);
  if (std::optional<double> scalar = param.getScalar())
    return splat(f32(*scalar), count);
  auto type = isa<TypeAttr>(param.getValue()) ? cast<MemRefType>(cache.components[1].getType()) : MemRefType();
  bool plain = type && param.getOwnBlock().empty() && !param.getNegated() &&
               llvm::all_of(ArrayRef(cache.encoding.getBlock()).drop_back(), [](int64_t size) { return size == 1; });
  if (plain && wholeChunks && hasRows(type) && cache.dims[2] == 2) {
    int64_t blocks = type.getDimSize(3);
    Value all = loadFlat(b, cache.components[1], cache.index(batch, head, first, constant(0)), count * blocks);
    SmallVector<int64_t> own;
    for (int64_t i = 0; i < count; ++i)
      own.push_back(i * blocks + d / cache.getBlock());
    return emitToF32(b, shuffle(all, all, own));
  }
  SmallVector<Value> elements;
  for (int64_t i = 0; i < count; ++i) {
    Value token = clampToken(add(first, constant(i)));
    if (!plain) {
      elements.push_back(cache.operand.loadScale(b, cache.index(batch, head, token, constant(d))));
      continue;
    }
    SmallVector<Value> at = cache.index(batch, head, token, constant(d / cache.getBlock()));
    elements.push_back(memref::LoadOp::create(b, cache.components[1], at));
  }
  return emitToF32(b, vector::FromElementsOp::create(b, vec(count, elements.front().getType()), elements));
}

/// Adds a block's products to the scores of `lanes` tokens: fma(f32(sum), query scale * key scale, score).
void AttentionKernel::addToScores(Value at, Value first, int64_t block) {
  Value scales = loadScales(*key, first, block * key->getBlock(), lanes);
  // Lane 4i + j of the transposed sums is token i of vector j.
  SmallVector<int64_t> order;
  for (int64_t token = 0; token < lanes; ++token)
    order.push_back(token % (lanes / 4) * 4 + token / (lanes / 4));
  for (int64_t row = 0; row < rows; ++row) {
    SmallVector<Value> where = {constant(row), constant(block)}, sums;
    for (int64_t j = 0; j < 4; ++j)
      sums.push_back(load(parts, {constant(row), constant(j), constant(0)}, lanes));
    Value zero = memref::LoadOp::create(b, queryZeros, where), scale = memref::LoadOp::create(b, queryScales, where);
    Value mixed = emitTransposedSum(b, sums);
    Value exact = arith::SubIOp::create(b, shuffle(mixed, mixed, order), splat(zero, lanes));
    Value number = arith::SIToFPOp::create(b, vec(lanes, b.getF32Type()), exact);
    Value before = block ? load(scores, {constant(row), add(runOffset, at)}, lanes) : splat(f32(0), lanes);
    store(math::FmaOp::create(b, number, mul(splat(scale, lanes), scales), before), scores, {constant(row), add(runOffset, at)});
  }
}

/// The sums of one block for `lanes` tokens from `start` on. Vector j of a unit holds lanes / 4 tokens, memory in order.
/// Two of them share each load of a query: with one, loads would take longer than products.
void AttentionKernel::sumBlock(Value start, int64_t block) {
  constexpr int64_t pair = 2;
  // The values of as many tokens of the next chunk are asked for, in equal parts for each block and pair of vectors.
  int64_t turn = lanes * pair / 4, share = llvm::divideCeil(turn, key->getNumBlocks()), asked = block * share;
  int64_t halves = key->packed ? 2 : 1, perVector = lanes / 4, perUnit = kPackedRun * halves;
  int64_t begin = block * key->getBlock() / perUnit;
  int64_t end = llvm::divideCeil(std::min(depth, (block + 1) * key->getBlock()), perUnit);
  loop(0, 4, pair, [&](Value j) {
    SmallVector<Value> sums(rows * pair, arith::ConstantOp::create(b, b.getZeroAttr(vec(lanes, b.getI32Type()))));
    SmallVector<SmallVector<Value>> own(pair);
    for (int64_t i = 0; i < pair * perVector; ++i)
      own[i / perVector].push_back(clampToken(add(add(start, mul(j, constant(perVector))), constant(i))));
    Value next = add(add(start, constant(kAttentionChunk)), mul(j, constant(lanes / 4)));
    prefetch(*value, add(next, constant(asked)), std::min(share, turn - asked));
    if (block == 0)
      askAhead(*key, own.front().front(), pair * perVector);
    for (int64_t unit = begin; unit < end; unit += perVector) {
      int64_t count = std::min(perVector, end - unit);
      SmallVector<SmallVector<Value>> bytes;
      for (ArrayRef<Value> all : own)
        bytes.push_back(loadUnits(*key, all, unit, count));
      for (int64_t run = unit * halves; run < (unit + count) * halves && run * kPackedRun < depth; ++run) {
        SmallVector<Value> codes;
        for (ArrayRef<Value> units : bytes)
          codes.push_back(toUnsigned(*key, units[run / halves - unit], run % halves));
        for (int64_t row = 0; row < rows; ++row) {
          Value words = load(queries, {constant(row), constant(run), constant(0)}, lanes);
          Value q = vector::BitCastOp::create(b, vec(4 * lanes, b.getI8Type()), words);
          for (int64_t k = 0; k < pair; ++k)
            sums[row * pair + k] = qtile::Dot4Op::create(b, sums[row * pair + k], codes[k], q, highestCode(*key));
        }
      }
    }
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t k = 0; k < pair; ++k)
        store(sums[row * pair + k], parts, {constant(row), add(j, constant(k)), constant(0)});
  });
}

void AttentionKernel::scoreInteger(Value first) {
  loop(0, kAttentionChunk, lanes, [&](Value group) {
    Value start = add(first, group);
    for (int64_t block = 0; block < key->getNumBlocks(); ++block) {
      sumBlock(start, block);
      addToScores(group, start, block);
    }
  });
}
