// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The integer strategy of attention: queries and softmax weights become signed bytes, codes of the cache unsigned ones,
// and both products are dot products of bytes. Rows of the cache are transposed in registers, once for all rows of the
// tile: four tokens side by side for the scores, four tokens in each word for the values.
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

static int64_t getCount(Value vector) { return cast<VectorType>(vector.getType()).getNumElements(); }

/// Codes of queries and weights: -127 to 127.
static constexpr double kHighest = 127;

/// What is added to a code to make it unsigned.
int64_t AttentionKernel::getZero(const AttentionCache &cache) const {
  return int64_t(1) << (cache.encoding.getCodec().getBits() - 1);
}

/// Rounds x * inverse to codes; what is no number becomes 0.
static Value roundToCodes(ImplicitLocOpBuilder &b, Value x, Value inverse, Value zero) {
  Value scaled = arith::MulFOp::create(b, x, inverse);
  Value number = arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, scaled, scaled);
  Value rounded = math::RoundEvenOp::create(b, arith::SelectOp::create(b, number, scaled, zero));
  return arith::FPToSIOp::create(b, cast<VectorType>(x.getType()).clone(b.getI32Type()), rounded);
}

/// 127 / largest, or 0 where that is no finite number; and the real value of one step, which then is 0.
static std::pair<Value, Value> makeSteps(ImplicitLocOpBuilder &b, Value largest) {
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

static int64_t highestCode(const AttentionCache &cache) {
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
    Value ahead = add(add(start, constant(kAttentionChunk)), mul(j, constant(lanes / 4)));
    prefetch(*value, add(ahead, constant(asked)), std::min(share, turn - asked));
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

ValueLayout AttentionKernel::getValueLayout() const {
  int64_t halves = value->packed ? 2 : 1, perUnit = kPackedRun * halves, perVector = lanes / 4, blocks = value->getNumBlocks();
  int64_t perBlock = llvm::divideCeil(value->getBlock(), perUnit);
  bool share = blocks > 1 && perBlock < perVector && perVector % perBlock == 0;
  int64_t shared = share ? perVector / perBlock : 1;
  int64_t panels = llvm::divideCeil(shared * perBlock, perVector), groups = llvm::divideCeil(blocks, shared);
  return {halves, perBlock, shared, panels, groups};
}

/// The codes ([block from `block` on]) of 16 tokens from the `at`-th four of them on: four tokens to a word, words of blocks that
/// share a vector side by side.
void AttentionKernel::storeCodes(int64_t row, int64_t block, int64_t at, ArrayRef<Value> codes) {
  int64_t shared = getValueLayout().shared;
  SmallVector<Value> words;
  for (Value code : codes) {
    Value bytes = arith::TruncIOp::create(b, vec(kAttentionLanes, b.getI8Type()), code);
    words.push_back(vector::BitCastOp::create(b, vec(4, b.getI32Type()), bytes));
  }
  words.resize(shared, words.back());
  while (words.size() > 1) { // pairs [x0 .. xn, y0 .. yn], until one vector holds all
    SmallVector<Value> pairs;
    for (size_t i = 0; i < words.size(); i += 2)
      pairs.push_back(shuffle(words[i], words[i + 1], llvm::to_vector(llvm::seq<int64_t>(0, 2 * getCount(words[i])))));
    words = pairs;
  }
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < 4; ++i)
    for (int64_t own = 0; own < shared; ++own)
      order.push_back(4 * own + i);
  store(shuffle(words[0], words[0], order), weightCodes, {constant(row), constant(block / shared), constant(at * shared)});
}

/// Weights ([vector][row]) times the scales of the values, as codes.
void AttentionKernel::weighValues(Value first, ArrayRef<Value> weights) {
  constexpr int64_t vectors = kAttentionChunk / kAttentionLanes;
  int64_t shared = getValueLayout().shared;
  Value nothing = splat(f32(0), kAttentionLanes);
  SmallVector<SmallVector<Value>> codes(vectors * rows); // [vector][row]: of blocks that share a vector
  for (int64_t block = 0; block < value->getNumBlocks(); ++block) {
    SmallVector<Value> scaled, most(rows, nothing), inverses, sums(rows, splat(i32(0), kAttentionLanes));
    for (int64_t i = 0; i < vectors; ++i) {
      Value scales = loadScales(*value, add(first, constant(i * kAttentionLanes)), block * value->getBlock(), kAttentionLanes);
      for (int64_t row = 0; row < rows; ++row) {
        scaled.push_back(mul(weights[i * rows + row], scales));
        most[row] = larger(math::AbsFOp::create(b, scaled.back()), most[row]);
      }
    }
    most = largest(most);
    Value group = constant(block / shared), own = constant(block % shared);
    for (int64_t row = 0; row < rows; ++row) {
      auto [inverse, step] = makeSteps(b, most[row]);
      store(step, weightScales, {constant(row), group, own});
      inverses.push_back(splat(inverse, kAttentionLanes));
    }
    bool last = block % shared == shared - 1 || block + 1 == value->getNumBlocks();
    for (int64_t i = 0; i < vectors; ++i)
      for (int64_t row = 0; row < rows; ++row) {
        SmallVector<Value> &all = codes[i * rows + row];
        all.push_back(roundToCodes(b, scaled[i * rows + row], inverses[row], nothing));
        sums[row] = add(sums[row], all.back());
        if (last) {
          storeCodes(row, block, i * 4, all);
          all.clear();
        }
      }
    sums = addHalves(sums);
    for (int64_t row = 0; row < rows; ++row)
      store(mul(sums[row], i32(getZero(*value))), weightZeros, {constant(row), group, own});
  }
}

/// Bytes of x and y in turns, in pieces of `size` bytes: the lower (or upper) halves of every 16 bytes.
static SmallVector<int64_t> interleave(int64_t bytes, int64_t size, bool upper) {
  SmallVector<int64_t> mask;
  for (int64_t lane = 0; lane < bytes; lane += 16)
    for (int64_t i = upper ? 8 : 0; i < (upper ? 16 : 8); i += size)
      for (int64_t side : {int64_t(0), bytes})
        for (int64_t k = 0; k < size; ++k)
          mask.push_back(side + lane + i + k);
  return mask;
}

/// Four rows of `units` units of 16 bytes, transposed: a word of a vector holds one element of four tokens, and vector j
/// elements 4j to 4j + 3 of each unit.
SmallVector<Value> AttentionKernel::loadWords(Value start, int64_t unit, int64_t units) {
  int64_t bytes = 4 * lanes;
  SmallVector<Value> x(4), pairs(4), words(4);
  for (int64_t i = 0; i < 4; ++i)
    x[i] = loadBytes(*value, clampToken(add(start, constant(i))), unit, units);
  for (int64_t i = 0; i < 4; ++i)
    pairs[i] = shuffle(x[i / 2 * 2], x[i / 2 * 2 + 1], interleave(bytes, 1, i % 2));
  for (int64_t i = 0; i < 4; ++i)
    words[i] = shuffle(pairs[i / 2], pairs[i / 2 + 2], interleave(bytes, 2, i % 2));
  return words;
}

/// Adds what a chunk brings to the results of one pass.
void AttentionKernel::accumulatePass(Value first, const ValuePass &pass) {
  ValueLayout layout = getValueLayout();
  int64_t bytes = 4 * lanes, perUnits = 4 * layout.halves, panels = llvm::divideCeil(pass.units, lanes / 4);
  int64_t perRow = perUnits * panels, count = pass.lastRow - pass.firstRow;
  SmallVector<Value> inits(count * perRow, arith::ConstantOp::create(b, b.getZeroAttr(vec(lanes, b.getI32Type()))));
  auto over = scf::ForOp::create(b, constant(0), constant(kAttentionChunk / 4), constant(1), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(over.getBody());
    Value start = add(first, mul(over.getInductionVar(), constant(4)));
    int64_t ahead = pass.aheadCount / (kAttentionChunk / 4);
    prefetch(*key, add(add(first, constant(pass.aheadFrom)), mul(over.getInductionVar(), constant(ahead))), ahead);
    SmallVector<Value> next(over.getRegionIterArgs()), weights;
    for (int64_t row = 0; row < count; ++row) {
      SmallVector<Value> at = {constant(pass.firstRow + row), constant(pass.group), mul(over.getInductionVar(), constant(layout.shared))};
      weights.push_back(vector::BitCastOp::create(b, vec(bytes, b.getI8Type()), spread(weightCodes, at)));
    }
    for (int64_t panel = 0; panel < panels; ++panel) {
      int64_t done = panel * (lanes / 4);
      SmallVector<Value> words = loadWords(start, pass.unit + done, std::min(lanes / 4, pass.units - done));
      for (int64_t half = 0; half < layout.halves; ++half)
        for (int64_t j = 0; j < 4; ++j) {
          Value codes = toUnsigned(*value, words[j], half);
          for (int64_t row = 0; row < count; ++row) {
            Value &sum = next[row * perRow + panel * perUnits + half * 4 + j];
            sum = qtile::Dot4Op::create(b, sum, codes, weights[row], highestCode(*value));
          }
        }
    }
    scf::YieldOp::create(b, next);
  }
  for (int64_t row = 0; row < count; ++row)
    addToResults(pass, row, over.getResults().slice(row * perRow, perRow));
}

/// One element for each block of a group, from `at` on, in the lanes of its units.
Value AttentionKernel::spread(Value buffer, ArrayRef<Value> at) {
  ValueLayout layout = getValueLayout();
  if (layout.shared == 1)
    return splat(memref::LoadOp::create(b, buffer, at), lanes);
  Value own = load(buffer, at, layout.shared);
  SmallVector<int64_t> blocks;
  for (int64_t lane = 0; lane < lanes; ++lane)
    blocks.push_back(lane / 4 / layout.perBlock);
  return shuffle(own, own, blocks);
}

/// What a pass brings to a row, less what zero adds: fma(f32(sum), step, result). Results lie in the order of the sums, which
/// `finish` undoes.
void AttentionKernel::addToResults(const ValuePass &pass, int64_t row, ValueRange words) {
  SmallVector<Value> where = {constant(pass.firstRow + row), constant(pass.group), constant(0)};
  Value zero = spread(weightZeros, where), step = spread(weightScales, where);
  int64_t begin = pass.panel * getValueLayout().halves * 4 * lanes;
  for (auto [i, sum] : llvm::enumerate(words)) {
    Value exact = arith::SIToFPOp::create(b, vec(lanes, b.getF32Type()), arith::SubIOp::create(b, sum, zero));
    SmallVector<Value> at = {where[0], constant(begin + static_cast<int64_t>(i) * lanes)};
    store(math::FmaOp::create(b, exact, step, load(results, at, lanes)), results, at);
  }
}

/// 16 elements of a row of results.
Value AttentionKernel::loadResult(Value row, int64_t e) {
  if (!integer)
    return load(results, {row, constant(e)}, kAttentionLanes);
  ValueLayout layout = getValueLayout();
  int64_t run = e / kPackedRun, unit = run / layout.halves, perGroup = layout.shared * layout.perBlock, local = unit % perGroup;
  int64_t panel = unit / perGroup * layout.panels + local / (lanes / 4);
  int64_t begin = (panel * layout.halves + run % layout.halves) * 4 * lanes + local % (lanes / 4) * 4;
  SmallVector<Value> words;
  for (int64_t j = 0; j < 4; ++j)
    words.push_back(load(results, {row, constant(begin + j * lanes)}, 4));
  auto join = [&](Value x, Value y) { return shuffle(x, y, llvm::to_vector(llvm::seq<int64_t>(0, 2 * getCount(x)))); };
  return join(join(words[0], words[1]), join(words[2], words[3]));
}

/// As many rows and vectors of units in one pass as there are registers for their sums.
SmallVector<ValuePass> AttentionKernel::planPasses() const {
  ValueLayout layout = getValueLayout();
  int64_t perVector = lanes / 4, most = lanes >= 16 ? 16 : 8, perRow = 4 * layout.halves;
  int64_t panels = std::max<int64_t>(1, most / (perRow * rows)), step = std::max<int64_t>(1, std::min(rows, most / perRow));
  int64_t perGroup = layout.shared * layout.perBlock, all = llvm::divideCeil(width, kPackedRun * layout.halves);
  SmallVector<ValuePass> passes;
  for (int64_t group = 0; group < layout.groups; ++group) {
    int64_t begin = group * perGroup, end = std::min(all, begin + perGroup);
    for (int64_t unit = begin; unit < end; unit += panels * perVector)
      for (int64_t row = 0; row < rows; row += step)
        passes.push_back({unit, std::min(panels * perVector, end - unit), group, group * layout.panels + (unit - begin) / perVector,
                          row, std::min(rows, row + step), 0, 0});
  }
  return passes;
}

/// The passes ask for the keys of the next chunk in equal parts, up to four of them.
void AttentionKernel::accumulateInteger(Value first) {
  SmallVector<ValuePass> passes = planPasses();
  int64_t parts = std::min<int64_t>(4, llvm::bit_floor(passes.size())), share = kAttentionChunk / parts;
  for (auto [i, pass] : llvm::enumerate(passes)) {
    if (static_cast<int64_t>(i) < parts)
      pass.aheadFrom = kAttentionChunk + static_cast<int64_t>(i) * share, pass.aheadCount = share;
    accumulatePass(first, pass);
  }
}
