// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the readers of packed weights ask memory for before they read it.
#include "dialects/QTile/IR/QTile.h"
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

using qtile::kLineBytes;

/// Caches that a prefetch goes to.
static constexpr int64_t kFirstLevel = 1, kSecondLevel = 2;

void WeightReader::ask(Value at, int64_t level) {
  uint32_t locality = 4 - level; // It counts from the memory on.
  memref::PrefetchOp::create(b, weights, at, /*isWrite=*/false, locality, /*isDataCache=*/true);
}

/// For the vector of `bytes` at `index`, of column vector `column`.
void WeightReader::askForVector(Value index, int64_t column, int64_t bytes) {
  for (int64_t at = 0; ahead && at < bytes; at += kLineBytes)
    if ((column * bytes + at) % kLineBytes == 0) // A shorter vector shares its line with the next columns.
      ask(add(b, add(b, index, ahead), constant(b, at)), kFirstLevel);
}

/// Of `steps` steps and the parameters of a block, and of a block's part of what its group begins with; of a step alone
/// for 0.
int64_t WeightReader::getPanelBytes(int64_t steps) const {
  if (steps == 0)
    return chunks * layout.getChunkBytes();
  int64_t group = layout.getGroup() ? llvm::divideCeil(layout.getGroupBytes(), layout.getGroup()) : 0;
  return steps * chunks * layout.getChunkBytes() + layout.getParameterBytes() + group;
}

/// Where what follows blocks [.., last) begins, behind a panel's start.
Value WeightReader::getNextRange(Value last) {
  Value end = mul(b, last, blockBytes);
  if (!layout.getGroup())
    return groupStart ? add(b, end, groupStart) : end;
  Value groups = div(b, add(b, last, constant(b, layout.getGroup() - 1)), groupBlocks);
  return add(b, end, mul(b, groups, constant(b, layout.getGroupBytes())));
}

void WeightReader::askWholeAhead(Value start, Value bytes, int64_t steps) {
  Value zero = constant(b, 0), asks = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, bytes, zero);
  Value lines = constant(b, llvm::divideCeil(getPanelBytes(steps), kLineBytes));
  qtile::PrefetchOp::create(b, weights, add(b, add(b, panels.front(), start), bytes),
                            arith::SelectOp::create(b, asks, lines, zero), kFirstLevel);
}

void WeightReader::askAhead(Value block, Value first, Value last, int64_t steps) {
  int64_t perPanel = layout.getRows() / lanes, count = panels.size();
  int64_t share = (steps * chunks * layout.getChunkBytes() + layout.getParameterBytes()) * count / perPanel;
  Value part = div(b, parts.front(), constant(b, count * lanes));
  Value done = add(b, mul(b, part, sub(b, last, first)), sub(b, block, first));
  Value at = add(b, add(b, panels.front(), blockOffset(last)), mul(b, done, constant(b, share)));
  for (int64_t behind = 0; behind < share; behind += kLineBytes)
    ask(add(b, at, constant(b, behind)), kSecondLevel);
}

/// In units of 1 / kTurns of a byte: a place asks for the lines that begin in its part.
void WeightReader::askInTurn(Value first, Value last, Value done, Value all, std::pair<Value, Value> turn) {
  int64_t perPanel = std::max<int64_t>(1, layout.getRows() / lanes / panels.size());
  Value part = div(b, parts.front(), constant(b, panels.size() * lanes)), next = getNextRange(last);
  Value size = sub(b, next, getNextRange(first)), begin = add(b, panels.front(), add(b, next, constant(b, further)));
  Value share = div(b, mul(b, sub(b, turn.second, turn.first), size), mul(b, all, constant(b, perPanel)));
  Value place = mul(b, add(b, mul(b, part, all), done), share);
  Value from = add(b, add(b, mul(b, begin, constant(b, kTurns)), mul(b, turn.first, size)), place),
        line = constant(b, kTurns * kLineBytes);
  Value firstLine = div(b, from, line), lastLine = div(b, add(b, from, share), line);
  qtile::PrefetchOp::create(b, weights, mul(b, firstLine, constant(b, kLineBytes)), sub(b, lastLine, firstLine),
                            kSecondLevel);
}
