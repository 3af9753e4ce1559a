// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The frame of the attention kernel: chunks of tokens, their masks, the running maximum and the rescaled sums.
#include "lib/Transforms/Kernel/AttentionKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;

//===----------------------------------------------------------------------===//
// Caches
//===----------------------------------------------------------------------===//

AttentionCache::AttentionCache(ValueRange components, BlockAttr encoding, ArrayRef<int64_t> dims, bool packed, int64_t extent)
    : components(components), operand(components, encoding), encoding(encoding), dims(dims), packed(packed), extent(extent) {}

SmallVector<Value> AttentionCache::index(Value batch, Value head, Value token, Value d) const {
  SmallVector<Value> at(4);
  at[dims[0]] = batch, at[dims[1]] = head, at[dims[2]] = token, at[dims[3]] = d;
  return at;
}

int64_t AttentionCache::getBlock() const {
  int64_t block = encoding ? encoding.getBlock().back() : ShapedType::kDynamic;
  return ShapedType::isDynamic(block) ? extent : std::min(block, extent);
}

//===----------------------------------------------------------------------===//
// Shorthands
//===----------------------------------------------------------------------===//

Value AttentionKernel::constant(int64_t value) { return arith::ConstantIndexOp::create(b, value); }

Value AttentionKernel::f32(double value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(static_cast<float>(value)));
}

Value AttentionKernel::i32(int64_t value) { return arith::ConstantOp::create(b, b.getI32IntegerAttr(value)); }

Value AttentionKernel::splat(Value scalar, int64_t count) {
  return vector::BroadcastOp::create(b, vec(count, scalar.getType()), scalar);
}

Value AttentionKernel::load(Value buffer, ValueRange at, int64_t count) {
  return vector::LoadOp::create(b, vec(count, cast<MemRefType>(buffer.getType()).getElementType()), buffer, at);
}

void AttentionKernel::store(Value value, Value buffer, ValueRange at) {
  if (isa<VectorType>(value.getType()))
    vector::StoreOp::create(b, value, buffer, at);
  else
    memref::StoreOp::create(b, value, buffer, at);
}

Value AttentionKernel::add(Value x, Value y) {
  if (isa<FloatType>(getElementTypeOrSelf(x)))
    return arith::AddFOp::create(b, x, y);
  return b.createOrFold<arith::AddIOp>(x, y);
}

Value AttentionKernel::mul(Value x, Value y) {
  if (isa<FloatType>(getElementTypeOrSelf(x)))
    return arith::MulFOp::create(b, x, y);
  return b.createOrFold<arith::MulIOp>(x, y);
}

Value AttentionKernel::shuffle(Value x, Value y, ArrayRef<int64_t> mask) { return vector::ShuffleOp::create(b, x, y, mask); }

/// x where it is the larger one, else y: what is no number in x is left out.
Value AttentionKernel::larger(Value x, Value y) {
  return arith::SelectOp::create(b, arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x, y), x, y);
}

/// Lane l and lane l + half, until one is left; of all vectors side by side, so that they do not wait for each other.
SmallVector<Value> AttentionKernel::foldHalves(ArrayRef<Value> vectors, function_ref<Value(Value, Value)> combine) {
  SmallVector<Value> folded(vectors);
  for (int64_t half = cast<VectorType>(folded.front().getType()).getNumElements() / 2; half; half /= 2) {
    SmallVector<int64_t> low = llvm::to_vector(llvm::seq<int64_t>(0, half));
    SmallVector<int64_t> high = llvm::to_vector(llvm::seq<int64_t>(half, 2 * half));
    for (Value &vector : folded)
      vector = combine(shuffle(vector, vector, low), shuffle(vector, vector, high));
  }
  for (Value &vector : folded)
    vector = vector::ExtractOp::create(b, vector, 0);
  return folded;
}

SmallVector<Value> AttentionKernel::addHalves(ArrayRef<Value> vectors) {
  return foldHalves(vectors, [&](Value x, Value y) { return add(x, y); });
}

/// Of lanes that are numbers. Not a vector.reduction, which compares one lane after the other.
SmallVector<Value> AttentionKernel::largest(ArrayRef<Value> vectors) {
  return foldHalves(vectors, [&](Value x, Value y) { return larger(x, y); });
}

/// A row alone computes faster than memory delivers, so the hardware has to look ahead, which it does on long streams only:
/// the scores of many chunks come before the first of their values. Several rows compute for as long as memory takes:
/// they alternate between keys and values and ask for the next chunk of both, evenly over the time that one takes.
int64_t AttentionKernel::getRun() const { return rows == 1 ? 64 : 1; }

static constexpr int64_t kCacheLine = 64;

/// Asks for the rows of `count` tokens, into the second-level cache.
void AttentionKernel::prefetch(const AttentionCache &cache, Value token, int64_t count) {
  if (getRun() == 1)
    touchRows(cache, token, count, /*locality=*/2);
}

/// What a row alone asks for while it reads `count` tokens, on processors that want to be asked (qtile.stream_ahead).
void AttentionKernel::askAhead(const AttentionCache &cache, Value token, int64_t count) {
  if (getRun() == 1 || !ahead)
    return;
  Value asked = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, ahead, constant(0));
  auto branch = scf::IfOp::create(b, asked, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  auto type = cast<MemRefType>(cache.components[0].getType());
  int64_t row = std::max<int64_t>(1, type.getDimSize(3) * type.getElementTypeBitWidth() / 8);
  touchRows(cache, add(token, arith::DivUIOp::create(b, ahead, constant(row))), count, /*locality=*/3);
}

/// Prefetches the rows of `count` tokens.
void AttentionKernel::touchRows(const AttentionCache &cache, Value token, int64_t count, unsigned locality) {
  auto type = cast<MemRefType>(cache.components[0].getType());
  int64_t size = type.getElementTypeBitWidth() / 8, row = type.getDimSize(3) * size;
  SmallVector<int64_t> strides;
  int64_t offset;
  bool dense = succeeded(type.getStridesAndOffset(strides, offset)) && strides[cache.dims[2]] == type.getDimSize(3);
  int64_t step = dense && row > 0 ? std::max<int64_t>(1, kCacheLine / row) : 1;
  for (int64_t i = 0; i < count; i += step)
    for (int64_t d = 0; d < type.getDimSize(3); d += kCacheLine / size)
      memref::PrefetchOp::create(b, cache.components[0], cache.index(batch, head, clampToken(add(token, constant(i))), constant(d)),
                                 /*isWrite=*/false, locality, /*isDataCache=*/true);
}

Value AttentionKernel::clampToken(Value token) {
  if (wholeChunks)
    return token;
  return arith::MinUIOp::create(b, token, arith::SubIOp::create(b, tokens, constant(1)));
}

void AttentionKernel::loop(int64_t from, int64_t to, int64_t step, function_ref<void(Value)> body) {
  auto op = scf::ForOp::create(b, constant(from), constant(to), constant(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

Value AttentionKernel::makeBuffer(ArrayRef<int64_t> shape, Type type) {
  return memref::AllocaOp::create(b, MemRefType::get(shape, type), b.getI64IntegerAttr(64));
}

Value qtensor::emitTransposedSum(ImplicitLocOpBuilder &b, ArrayRef<Value> vectors) {
  SmallVector<Value> level(vectors);
  int64_t lanes = cast<VectorType>(level.front().getType()).getNumElements();
  for (int64_t run = level.size() / 2; run; run /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t group = 0; group < lanes; group += 2 * run)
      for (int64_t side : {int64_t(0), lanes})
        for (int64_t i = 0; i < run; ++i) {
          low.push_back(side + group + i);
          high.push_back(side + group + run + i);
        }
    SmallVector<Value> next;
    for (int64_t j = 0; j < run; ++j) {
      Value x = vector::ShuffleOp::create(b, level[j], level[j + run], low);
      Value y = vector::ShuffleOp::create(b, level[j], level[j + run], high);
      next.push_back(isa<FloatType>(getElementTypeOrSelf(x)) ? arith::AddFOp::create(b, x, y).getResult()
                                                             : arith::AddIOp::create(b, x, y).getResult());
    }
    level = next;
  }
  return level.front();
}

//===----------------------------------------------------------------------===//
// Frame
//===----------------------------------------------------------------------===//

AttentionKernel::AttentionKernel(AttentionOp op, int64_t rows, const TileMachine &machine, bool asksAhead)
    : op(op), b(op.getLoc(), op.getContext()), rows(rows), lanes(machine.lanes),
      depth(cast<ShapedType>(op.getQuery().getType()).getDimSize(3)),
      width(cast<ShapedType>(op.getOutput().getType()).getDimSize(3)), integer(op.isInteger()),
      asksAhead(asksAhead) {}

void AttentionKernel::readArguments(func::FuncOp function) {
  auto argument = [&](Value operand) -> Value {
    auto all = op->getOperands();
    return operand ? function.getArgument(std::distance(all.begin(), llvm::find(all, operand))) : Value();
  };
  // By position: one buffer may be several operands.
  auto groupOf = [&](OperandRange group) {
    SmallVector<Value> values;
    for (unsigned i = 0; i < group.size(); ++i)
      values.push_back(function.getArgument(group.getBeginOperandIndex() + i));
    return values;
  };
  query = function.getArgument(0);
  mask = argument(op.getMask());
  output = function.getArgument(op.getOutputMutable().getOperandNumber());
  key.emplace(groupOf(op.getKey()), op.getKeyEncoding().value_or(nullptr), op.getKeyDims(), op.getKeyPacked(), depth);
  value.emplace(groupOf(op.getValue()), op.getValueEncoding().value_or(nullptr), op.getValueDims(), op.getValuePacked(), width);
  unsigned count = op->getNumOperands();
  batch = function.getArgument(count), head = function.getArgument(count + 1), firstRow = function.getArgument(count + 2);
  if (asksAhead)
    ahead = function.getArgument(count + 3);
  tokens = b.createOrFold<memref::DimOp>(key->components[0], key->dims[2]);
  std::optional<int64_t> known = getConstantIntValue(tokens);
  wholeChunks = known && *known % kAttentionChunk == 0;
}

void AttentionKernel::allocate() {
  Type f32 = b.getF32Type(), i32 = b.getI32Type();
  int64_t runs = llvm::divideCeil(depth, kAttentionLanes);
  rowHeads = makeBuffer({rows}, b.getIndexType());
  rowPositions = makeBuffer({rows}, b.getIndexType());
  scores = makeBuffer({rows, getRun() * kAttentionChunk}, f32);
  visible = makeBuffer({getRun()}, b.getI1Type());
  tops = makeBuffer({rows}, f32);
  totals = makeBuffer({rows, kAttentionLanes}, f32);
  ValueLayout layout = getValueLayout();
  resultCount = integer ? layout.groups * layout.panels * layout.halves * 4 * lanes : llvm::alignTo(width, kAttentionLanes);
  results = makeBuffer({rows, resultCount}, f32);
  if (!integer) {
    queries = makeBuffer({rows, runs * kAttentionLanes}, f32);
    parts = makeBuffer({rows, kAttentionLanes, kAttentionLanes}, f32);
    return;
  }
  queries = makeBuffer({rows, runs, lanes}, i32);
  parts = makeBuffer({rows, 4, lanes}, i32);
  queryScales = makeBuffer({rows, key->getNumBlocks()}, f32);
  queryZeros = makeBuffer({rows, key->getNumBlocks()}, i32);
  weightCodes = makeBuffer({rows, layout.groups, kAttentionChunk / 4 * layout.shared}, i32);
  weightScales = makeBuffer({rows, layout.groups, layout.shared}, f32);
  weightZeros = makeBuffer({rows, layout.groups, layout.shared}, i32);
}

/// Row n of a key head is position n % S of query head g * (H / G) + n / S.
void AttentionKernel::emitRowPositions() {
  Value positions = b.createOrFold<memref::DimOp>(query, 2);
  Value group = b.createOrFold<arith::DivUIOp>(b.createOrFold<memref::DimOp>(query, 1),
                                               b.createOrFold<memref::DimOp>(key->components[0], key->dims[1]));
  loop(0, rows, 1, [&](Value row) {
    Value n = add(firstRow, row);
    store(add(mul(head, group), arith::DivUIOp::create(b, n, positions)), rowHeads, row);
    store(arith::RemUIOp::create(b, n, positions), rowPositions, row);
    store(f32(-HUGE_VAL), tops, row);
    store(splat(f32(0), kAttentionLanes), totals, {row, constant(0)});
    for (int64_t e = 0; e < resultCount; e += kAttentionLanes)
      store(splat(f32(0), kAttentionLanes), results, {row, constant(e)});
  });
}

/// 16 elements of the mask as f32; -inf behind the last token.
Value AttentionKernel::loadMask(Value row, Value token) {
  SmallVector<Value> at;
  if (cast<MemRefType>(mask.getType()).getRank() == 4)
    at = {batch, memref::LoadOp::create(b, rowHeads, row)};
  at.push_back(memref::LoadOp::create(b, rowPositions, row));
  at.push_back(token);
  if (wholeChunks)
    return emitToF32(b, load(mask, at, kAttentionLanes));
  auto type = vec(kAttentionLanes, cast<MemRefType>(mask.getType()).getElementType());
  // A vector behind the last token: none of its lanes is read.
  Value left = arith::MaxSIOp::create(b, arith::SubIOp::create(b, tokens, token), constant(0));
  Value valid = vector::CreateMaskOp::create(b, vec(kAttentionLanes, b.getI1Type()), ValueRange{left});
  auto hidden = DenseElementsAttr::get(type, b.getFloatAttr(type.getElementType(), -HUGE_VAL));
  return emitToF32(b, vector::MaskedLoadOp::create(b, type, mask, at, valid, arith::ConstantOp::create(b, hidden)));
}

/// Whether any row sees any token of the chunk.
Value AttentionKernel::isVisible(Value first) {
  Value low = splat(f32(-HUGE_VAL), kAttentionLanes);
  auto over = scf::ForOp::create(b, constant(0), constant(rows), constant(1), low);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(over.getBody());
    Value top = over.getRegionIterArg(0);
    // What is no number is not hidden.
    for (int64_t t = 0; t < kAttentionChunk; t += kAttentionLanes) {
      Value x = loadMask(over.getInductionVar(), add(first, constant(t)));
      Value seen = arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, x, low);
      top = arith::SelectOp::create(b, seen, splat(f32(0), kAttentionLanes), top);
    }
    scf::YieldOp::create(b, top);
  }
  Value top = largest(over.getResult(0)).front();
  return arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, top, f32(-HUGE_VAL));
}

/// What was added so far belongs to a smaller maximum: it shrinks by exp(before - now).
void AttentionKernel::rescale(ArrayRef<Value> before, ArrayRef<Value> now) {
  for (int64_t row = 0; row < rows; ++row) {
    Value factor = math::ExpOp::create(b, arith::SubFOp::create(b, before[row], now[row]));
    // Where it did not grow, both may be -inf.
    Value grows = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, now[row], before[row]);
    Value factors = splat(arith::SelectOp::create(b, grows, factor, f32(1)), kAttentionLanes);
    SmallVector<Value> at = {constant(row), constant(0)};
    store(now[row], tops, constant(row));
    store(mul(load(totals, at, kAttentionLanes), factors), totals, at);
    for (int64_t e = 0; e < resultCount; e += kAttentionLanes) {
      at[1] = constant(e);
      store(mul(load(results, at, kAttentionLanes), factors), results, at);
    }
  }
}

/// 16 scores of a row, scaled and masked.
Value AttentionKernel::loadScores(Value first, int64_t row, int64_t t) {
  Value at = add(first, constant(t)), score = load(scores, {constant(row), add(runOffset, constant(t))}, kAttentionLanes);
  Value low = splat(f32(-HUGE_VAL), kAttentionLanes);
  if (!integer)
    score = mul(score, splat(f32(op.getScale().convertToDouble()), kAttentionLanes));
  if (mask) {
    Value bias = loadMask(constant(row), at);
    // Hidden whatever the score is.
    Value hidden = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, bias, low);
    return arith::SelectOp::create(b, hidden, low, add(score, bias));
  }
  if (wholeChunks)
    return score;
  Value left = arith::MaxSIOp::create(b, arith::SubIOp::create(b, tokens, at), constant(0));
  Value valid = vector::CreateMaskOp::create(b, vec(kAttentionLanes, b.getI1Type()), ValueRange{left});
  return arith::SelectOp::create(b, valid, score, low);
}

/// Scores become weights exp(score - maximum); the maximum grows first, and what was added before shrinks.
void AttentionKernel::emitSoftmax(Value first) {
  constexpr int64_t vectors = kAttentionChunk / kAttentionLanes;
  Value low = splat(f32(-HUGE_VAL), kAttentionLanes);
  SmallVector<Value> values, top(rows, low), before, now; // values: [vector][row]
  for (int64_t i = 0; i < vectors; ++i)
    for (int64_t row = 0; row < rows; ++row) {
      values.push_back(loadScores(first, row, i * kAttentionLanes));
      top[row] = larger(values.back(), top[row]);
    }
  top = largest(top);
  Value grows = arith::ConstantOp::create(b, b.getBoolAttr(false));
  for (int64_t row = 0; row < rows; ++row) {
    before.push_back(memref::LoadOp::create(b, tops, constant(row)));
    now.push_back(larger(top[row], before[row]));
    Value more = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, now[row], before[row]);
    grows = b.createOrFold<arith::OrIOp>(grows, more);
  }
  auto branch = scf::IfOp::create(b, grows, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    rescale(before, now);
  }
  SmallVector<Value> shifts, total;
  for (int64_t row = 0; row < rows; ++row) {
    // Nothing to see yet: every weight is exp(-inf) = 0.
    Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, now[row], f32(-HUGE_VAL));
    shifts.push_back(splat(arith::SelectOp::create(b, none, f32(0), now[row]), kAttentionLanes));
    total.push_back(load(totals, {constant(row), constant(0)}, kAttentionLanes));
  }
  for (int64_t i = 0; i < vectors; ++i)
    for (int64_t row = 0; row < rows; ++row) {
      Value &score = values[i * rows + row];
      Value weight = math::ExpOp::create(b, arith::SubFOp::create(b, score, shifts[row]));
      // Exactly 0, whatever a polynomial makes of -inf.
      Value hidden = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, score, low);
      score = arith::SelectOp::create(b, hidden, splat(f32(0), kAttentionLanes), weight);
      total[row] = add(total[row], score);
      if (!integer)
        store(score, scores, {constant(row), add(runOffset, constant(i * kAttentionLanes))});
    }
  for (int64_t row = 0; row < rows; ++row)
    store(total[row], totals, {constant(row), constant(0)});
  if (integer)
    weighValues(first, values);
}

/// All scores of a run, then what its values add.
void AttentionKernel::emitRun(Value first) {
  Value end = arith::MinUIOp::create(b, add(first, constant(getRun() * kAttentionChunk)), tokens);
  for (bool scored : {false, true}) {
    auto chunks = scf::ForOp::create(b, first, end, constant(kAttentionChunk));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(chunks.getBody());
    Value chunk = chunks.getInductionVar();
    runOffset = arith::SubIOp::create(b, chunk, first);
    if (mask) {
      Value flag = arith::DivUIOp::create(b, runOffset, constant(kAttentionChunk));
      if (!scored)
        store(isVisible(chunk), visible, flag);
      auto branch = scf::IfOp::create(b, memref::LoadOp::create(b, visible, flag), /*withElseRegion=*/false);
      b.setInsertionPointToStart(branch.thenBlock());
    }
    if (!scored) {
      integer ? scoreInteger(chunk) : scoreFloat(chunk);
      continue;
    }
    emitSoftmax(chunk);
    integer ? accumulateInteger(chunk) : accumulateFloat(chunk);
  }
}

/// result / total; rows that saw nothing are zero, and no zero has a sign.
void AttentionKernel::finish() {
  Type element = cast<MemRefType>(output.getType()).getElementType();
  loop(0, rows, 1, [&](Value row) {
    Value at = memref::LoadOp::create(b, rowHeads, row), position = memref::LoadOp::create(b, rowPositions, row);
    Value total = addHalves(load(totals, {row, constant(0)}, kAttentionLanes)).front();
    Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, total, f32(0));
    Value divisor = splat(arith::SelectOp::create(b, none, f32(1), total), kAttentionLanes);
    for (int64_t e = 0; e < width; e += kAttentionLanes) {
      Value y = arith::DivFOp::create(b, loadResult(row, e), divisor);
      y = add(y, splat(f32(0), kAttentionLanes));
      if (!element.isF32())
        y = arith::TruncFOp::create(b, vec(kAttentionLanes, element), y);
      SmallVector<Value> to = {batch, at, position, constant(e)};
      if (e + kAttentionLanes <= width) {
        store(y, output, to);
        continue;
      }
      Value valid = vector::CreateMaskOp::create(b, vec(kAttentionLanes, b.getI1Type()), ValueRange{constant(width - e)});
      vector::MaskedStoreOp::create(b, output, to, valid, y);
    }
  });
}

func::FuncOp AttentionKernel::build(ModuleOp module, StringRef name) {
  b.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types(op->getOperandTypes());
  types.append(asksAhead ? 4 : 3, b.getIndexType());
  auto function = func::FuncOp::create(b, name, b.getFunctionType(types, {}));
  function.setPrivate();
  b.setInsertionPointToStart(function.addEntryBlock());
  readArguments(function);
  allocate();
  emitRowPositions();
  integer ? prepareInteger() : prepareFloat();
  auto runs = scf::ForOp::create(b, constant(0), tokens, constant(getRun() * kAttentionChunk));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(runs.getBody());
    emitRun(runs.getInductionVar());
  }
  finish();
  func::ReturnOp::create(b);
  return function;
}
