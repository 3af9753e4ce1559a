// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The second half of the integer strategy of attention: weights of a chunk become codes, and values are summed in as many
// passes as the registers need.
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
    int64_t asked = pass.aheadCount / (kAttentionChunk / 4);
    prefetch(*key, add(add(first, constant(pass.aheadFrom)), mul(over.getInductionVar(), constant(asked))), asked);
    if (pass.unit == 0)
      askAhead(*value, start, 4);
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
