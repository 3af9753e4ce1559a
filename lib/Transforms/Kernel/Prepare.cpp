// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Activations on their way into a kernel: rows are interleaved by tile, so that a tile reads one stream (rows a power of
// two apart would fall into one cache set), padded with zeros to the weights' blocks, and summed for the zero points.
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

static constexpr int64_t kCopyBytes = 16;

/// Rows of scratch: two tiles of slack, for a tile reads rows that the matrix does not have; whole cache lines.
static Value scratchRows(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine, Value rows) {
  Value padded = add(b, rows, constant(b, 2 * tileHeight(spec, machine) + 15));
  return mul(b, b.createOrFold<arith::DivUIOp>(padded, constant(b, 16)), constant(b, 16));
}

Value qtensor::emitScratchBytes(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine, Value rows) {
  int64_t blocks = spec.weight.layout.getNumBlocks(spec.weight.k);
  int64_t perRow = spec.strategy == Strategy::Integer ? spec.paddedK() + 8 * blocks : 4 * spec.paddedK();
  return mul(b, scratchRows(b, spec, machine, rows), constant(b, perRow));
}

PreparedActivations qtensor::emitScratchViews(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine,
                                              Value scratch, Value rows) {
  auto view = [&](Type element, Value offset, Value count) -> Value {
    auto type = MemRefType::get({ShapedType::kDynamic}, element);
    return memref::ViewOp::create(b, type, scratch, offset, ValueRange{count});
  };
  Value padded = scratchRows(b, spec, machine, rows), zero = constant(b, 0);
  Value codes = mul(b, padded, constant(b, spec.paddedK()));
  if (spec.strategy == Strategy::Float)
    return {{}, view(b.getF32Type(), zero, codes), {}, {}};
  Value blocks = mul(b, padded, constant(b, spec.weight.layout.getNumBlocks(spec.weight.k)));
  Value sums = add(b, codes, mul(b, blocks, constant(b, 4)));
  Value words = mul(b, padded, constant(b, spec.paddedK() / 4));
  return {view(b.getI8Type(), zero, codes), view(b.getI32Type(), zero, words), view(b.getF32Type(), codes, blocks),
          view(b.getI32Type(), sums, blocks)};
}

namespace {
/// Where row `row` of the matrix is in the prepared activations.
struct RowPlace {
  Value tile;   ///< First row of its tile.
  Value inside; ///< Row inside the tile.
  Value height; ///< Rows that the tiles of this matrix have.
};
} // namespace

static RowPlace placeRow(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine, Value row, Value rows) {
  Value height = constant(b, tileHeight(spec, machine));
  Value inside = b.createOrFold<arith::RemUIOp>(row, height);
  return {arith::SubIOp::create(b, row, inside), inside, arith::MinUIOp::create(b, rows, height)};
}

/// Emits `body(i)` in a loop over [0, end).
static void loop(ImplicitLocOpBuilder &b, Value end, function_ref<void(Value)> body) {
  auto op = scf::ForOp::create(b, constant(b, 0), end, constant(b, 1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

/// Copies one vector of codes, zeros from `valid` on, and adds it to `sum`.
static Value copyCodes(ImplicitLocOpBuilder &b, Value from, ValueRange at, int64_t valid, Value to, Value index, Value sum) {
  auto bytes = VectorType::get(kCopyBytes, b.getI8Type());
  auto wide = VectorType::get(kCopyBytes, b.getI32Type());
  Value codes;
  if (valid >= kCopyBytes) {
    codes = vector::LoadOp::create(b, bytes, from, at);
  } else if (valid > 0) {
    auto maskType = VectorType::get(kCopyBytes, b.getI1Type());
    Value mask = vector::CreateMaskOp::create(b, maskType, constant(b, valid));
    codes = vector::MaskedLoadOp::create(b, bytes, from, at, mask, splat(b, bytes, 0));
  } else {
    codes = splat(b, bytes, 0);
  }
  vector::StoreOp::create(b, codes, to, index);
  return arith::AddIOp::create(b, sum, arith::ExtSIOp::create(b, wide, codes));
}

/// Copies `valid` codes of a row from column `column` on, pads them to a whole block and returns their sum.
static Value copyBlock(ImplicitLocOpBuilder &b, const KernelSpec &spec, int64_t valid, Value from, Value row, Value column,
                       Value to, Value index) {
  Value sum = splat(b, VectorType::get(kCopyBytes, b.getI32Type()), 0);
  int64_t whole = valid / kCopyBytes * kCopyBytes;
  if (whole > 0) {
    auto copy = scf::ForOp::create(b, constant(b, 0), constant(b, whole), constant(b, kCopyBytes), sum);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(copy.getBody());
    Value at = copy.getInductionVar();
    Value next = copyCodes(b, from, {row, add(b, column, at)}, kCopyBytes, to, add(b, index, at), copy.getRegionIterArg(0));
    scf::YieldOp::create(b, next);
    sum = copy.getResult(0);
  }
  for (int64_t at = whole; at < spec.weight.layout.getPaddedBlock(); at += kCopyBytes) {
    Value offset = constant(b, at);
    sum = copyCodes(b, from, {row, add(b, column, offset)}, valid - at, to, add(b, index, offset), sum);
  }
  return vector::ReductionOp::create(b, vector::CombiningKind::ADD, sum);
}

/// An element of a [rows or 1, blocks or 1] component.
static Value loadComponent(ImplicitLocOpBuilder &b, Value component, Value row, Value block) {
  auto type = cast<MemRefType>(component.getType());
  Value zero = constant(b, 0);
  return memref::LoadOp::create(b, component,
                                ValueRange{type.getDimSize(0) == 1 ? zero : row, type.getDimSize(1) == 1 ? zero : block});
}

static void prepareInteger(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine,
                           const PreparedActivations &to, Value x, Value scales, float scale) {
  qtile::LayoutAttr layout = spec.weight.layout;
  int64_t blocks = layout.getNumBlocks(spec.weight.k), tail = spec.weight.k % layout.getBlock();
  Value rows = b.createOrFold<memref::DimOp>(x, 0);
  bool bare = layout.getZero() || layout.getOffset();
  loop(b, rows, [&](Value row) {
    RowPlace place = placeRow(b, spec, machine, row, rows);
    auto prepareBlock = [&](Value block, int64_t valid) {
      Value inTile = add(b, mul(b, block, place.height), place.inside);
      Value index = add(b, mul(b, place.tile, constant(b, spec.paddedK())), mul(b, inTile, constant(b, layout.getPaddedBlock())));
      Value sum = copyBlock(b, spec, valid, x, row, mul(b, block, constant(b, layout.getBlock())), to.bytes, index);
      if (!bare)
        sum = arith::MulIOp::create(b, sum, arith::ConstantOp::create(b, b.getI32IntegerAttr(-spec.weight.zero)));
      Value entry = add(b, mul(b, place.tile, constant(b, blocks)), inTile);
      memref::StoreOp::create(b, sum, to.sums, entry);
      Value factor = scales ? loadComponent(b, scales, row, block)
                            : arith::ConstantOp::create(b, b.getF32FloatAttr(scale)).getResult();
      memref::StoreOp::create(b, factor, to.scales, entry);
    };
    loop(b, constant(b, tail ? blocks - 1 : blocks), [&](Value block) { prepareBlock(block, layout.getBlock()); });
    if (tail)
      prepareBlock(constant(b, blocks - 1), tail);
  });
}

static void prepareFloat(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine,
                         const PreparedActivations &to, Value x) {
  qtile::LayoutAttr layout = spec.weight.layout;
  Value rows = b.createOrFold<memref::DimOp>(x, 0), k = constant(b, spec.weight.k);
  int64_t block = layout.getBlock(), padded = layout.getPaddedBlock();
  if (spec.paddedK() != spec.weight.k) {
    Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
    loop(b, mul(b, rows, constant(b, spec.paddedK())), [&](Value i) { memref::StoreOp::create(b, zero, to.words, i); });
  }
  loop(b, rows, [&](Value row) {
    RowPlace place = placeRow(b, spec, machine, row, rows);
    Value base = add(b, mul(b, place.tile, constant(b, spec.paddedK())), place.inside);
    loop(b, k, [&](Value at) {
      Value position = at;
      if (block != padded) {
        Value before = b.createOrFold<arith::DivUIOp>(at, constant(b, block));
        position = add(b, at, mul(b, before, constant(b, padded - block)));
      }
      Value value = memref::LoadOp::create(b, x, ValueRange{row, at});
      memref::StoreOp::create(b, value, to.words, add(b, base, mul(b, position, place.height)));
    });
  });
}

void qtensor::emitPrepare(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine,
                          const PreparedActivations &to, Value x, Value scales, float scale) {
  if (spec.strategy == Strategy::Integer)
    prepareInteger(b, spec, machine, to, x, scales, scale);
  else
    prepareFloat(b, spec, machine, to, x);
}
