// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Kernel/Prepare.h"
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

static constexpr int64_t kCopyBytes = 16;

int64_t ActivationSource::getRuns() const {
  int64_t runs = 1;
  for (int64_t extent : ArrayRef(reductionExtents).drop_back(reductionExtents.empty() ? 0 : 1))
    runs *= extent;
  return runs;
}

SmallVector<Value> qtensor::delinearize(ImplicitLocOpBuilder &b, Value linear, ValueRange extents) {
  SmallVector<Value> index(extents.size());
  for (size_t d = extents.size(); d-- > 0;) {
    index[d] = d == 0 ? linear : rem(b, linear, extents[d]);
    linear = d == 0 ? linear : div(b, linear, extents[d]);
  }
  return index;
}

namespace {
class Preparer {
public:
  Preparer(ImplicitLocOpBuilder &b, const KernelSpec &spec, const KernelExtents &extents, const PreparedActivations &to,
           const ActivationSource &source, int64_t height)
      : b(b), spec(spec), extents(extents), to(to), source(source), tileHeight(constant(b, height)),
        height(min(b, extents.rows, tileHeight)), paddedRow(paddedK(b, spec, extents)),
        padded(spec.weight.layout.getPaddedBlock()), bytes(VectorType::get(kCopyBytes, b.getI8Type())),
        wide(VectorType::get(kCopyBytes, b.getI32Type())) {}

  void emitRow(Value row);

private:
  void loop(int64_t end, function_ref<void(Value)> body);
  SmallVector<Value> indexOf(Value run, Value inner);
  Value codePosition(Value block, Value offset);
  Value copyCodes(ValueRange from, int64_t valid, Value position, Value sum);
  Value copyStretch(Value run, Value inner, int64_t count, Value block, Value offset, Value sum);
  void zeroStretch(Value block, int64_t from, int64_t end);
  void finishBlock(Value block, Value sum, ValueRange index);
  void emitBlocks();
  void emitWindow();
  void emitWindowByElements();
  void emitFloats();

  ImplicitLocOpBuilder &b;
  const KernelSpec &spec;
  const KernelExtents &extents;
  const PreparedActivations &to;
  const ActivationSource &source;
  Value tileHeight, height, paddedRow;
  int64_t padded;
  VectorType bytes, wide;
  Value tile, inside; ///< First row of the row's tile, and the row's place in it.
  SmallVector<Value> rowIndex;
};
} // namespace

void Preparer::loop(int64_t end, function_ref<void(Value)> body) {
  if (end == 1)
    return body(constant(b, 0));
  auto op = scf::ForOp::create(b, constant(b, 0), constant(b, end), constant(b, 1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

/// Index of x at `inner` of run `run` of the current row.
SmallVector<Value> Preparer::indexOf(Value run, Value inner) {
  SmallVector<Value> dims(source.map.getNumDims(), constant(b, 0)), outerExtents;
  for (auto [dim, value] : llvm::zip_equal(source.rowDims, rowIndex))
    dims[dim] = value;
  if (!source.reductionDims.empty()) {
    for (int64_t extent : ArrayRef(source.reductionExtents).drop_back())
      outerExtents.push_back(constant(b, extent));
    for (auto [dim, value] : llvm::zip(source.reductionDims, delinearize(b, run, outerExtents)))
      dims[dim] = value;
    dims[source.reductionDims.back()] = inner;
  }
  SmallVector<Value> index;
  for (AffineExpr expr : source.map.getResults())
    index.push_back(affine::expandAffineExpr(b, b.getLoc(), expr, dims, {}));
  return index;
}

/// Where code `offset` of block `block` of the current row is.
Value Preparer::codePosition(Value block, Value offset) {
  Value step = constant(b, spec.getStep());
  Value steps = add(b, mul(b, block, extents.steps), div(b, offset, step));
  Value inTile = add(b, mul(b, steps, height), inside);
  return add(b, add(b, mul(b, tile, paddedRow), mul(b, inTile, step)), rem(b, offset, step));
}

/// Copies one vector of codes, zeros from `valid` on, and adds it to `sum`.
Value Preparer::copyCodes(ValueRange from, int64_t valid, Value position, Value sum) {
  Value codes;
  if (valid >= kCopyBytes) {
    codes = vector::LoadOp::create(b, bytes, source.x, from);
  } else if (valid > 0) {
    auto maskType = VectorType::get(kCopyBytes, b.getI1Type());
    Value mask = vector::CreateMaskOp::create(b, maskType, constant(b, valid));
    codes = vector::MaskedLoadOp::create(b, bytes, source.x, from, mask, splat(b, bytes, 0));
  } else {
    codes = splat(b, bytes, 0);
  }
  vector::StoreOp::create(b, codes, to.bytes, position);
  return valid > 0 ? arith::AddIOp::create(b, sum, arith::ExtSIOp::create(b, wide, codes)).getResult() : sum;
}

/// Copies `count` codes from `inner` of a run to `offset` of a block; the last vector is filled up with zeros.
Value Preparer::copyStretch(Value run, Value inner, int64_t count, Value block, Value offset, Value sum) {
  int64_t whole = count / kCopyBytes * kCopyBytes;
  if (whole > 0) {
    auto copy = scf::ForOp::create(b, constant(b, 0), constant(b, whole), constant(b, kCopyBytes), sum);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(copy.getBody());
    Value at = copy.getInductionVar(), position = codePosition(block, add(b, offset, at));
    scf::YieldOp::create(b, copyCodes(indexOf(run, add(b, inner, at)), kCopyBytes, position, copy.getRegionIterArg(0)));
    sum = copy.getResult(0);
  }
  if (whole == count)
    return sum;
  Value at = constant(b, whole);
  return copyCodes(indexOf(run, add(b, inner, at)), count - whole, codePosition(block, add(b, offset, at)), sum);
}

/// Zeros from the first whole vector at or behind `from` up to `end`.
void Preparer::zeroStretch(Value block, int64_t from, int64_t end) {
  for (int64_t at = llvm::alignTo(from, kCopyBytes); at < end; at += kCopyBytes)
    vector::StoreOp::create(b, splat(b, bytes, 0), to.bytes, codePosition(block, constant(b, at)));
}

void Preparer::finishBlock(Value block, Value sum, ValueRange index) {
  Value entry = add(b, mul(b, tile, extents.blocks), add(b, mul(b, block, height), inside));
  Value total = vector::ReductionOp::create(b, vector::CombiningKind::ADD, sum);
  if (!spec.hasBareSums())
    total = arith::MulIOp::create(b, total, arith::ConstantOp::create(b, b.getI32IntegerAttr(-spec.weight.zero)));
  memref::StoreOp::create(b, total, to.sums, entry);
  Value scale = source.scale ? source.scale(b, index) : arith::ConstantOp::create(b, b.getF32FloatAttr(1)).getResult();
  memref::StoreOp::create(b, scale, to.scales, entry);
}

/// Blocks along the fastest iterator, those of every run on their own.
void Preparer::emitBlocks() {
  int64_t length = source.getRunLength(), perRun = llvm::divideCeil(length, source.block);
  auto emitBlock = [&](Value run, Value inRun, int64_t valid) {
    Value block = add(b, mul(b, run, constant(b, perRun)), inRun), inner = mul(b, inRun, constant(b, source.block));
    Value sum = copyStretch(run, inner, valid, block, constant(b, 0), splat(b, wide, 0));
    zeroStretch(block, valid, padded);
    finishBlock(block, sum, indexOf(run, inner));
  };
  loop(source.getRuns(), [&](Value run) {
    int64_t tail = length % source.block;
    if (int64_t whole = length / source.block)
      loop(whole, [&](Value inRun) { emitBlock(run, inRun, source.block); });
    if (tail)
      emitBlock(run, constant(b, perRun - 1), tail);
  });
}

/// One block over several runs, each of whole vectors.
void Preparer::emitWindow() {
  int64_t length = source.getRunLength(), runs = source.getRuns();
  Value block = constant(b, 0);
  auto outer = scf::ForOp::create(b, constant(b, 0), constant(b, runs), constant(b, 1), splat(b, wide, 0));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(outer.getBody());
    Value run = outer.getInductionVar(), offset = mul(b, run, constant(b, length));
    scf::YieldOp::create(b, copyStretch(run, constant(b, 0), length, block, offset, outer.getRegionIterArg(0)));
  }
  zeroStretch(block, runs * length, padded);
  finishBlock(block, outer.getResult(0), indexOf(constant(b, 0), constant(b, 0)));
}

/// The same for runs that do not fill vectors (an image's three channels): element by element.
void Preparer::emitWindowByElements() {
  int64_t length = source.getRunLength(), runs = source.getRuns();
  Value block = constant(b, 0), zero = arith::ConstantOp::create(b, b.getI32IntegerAttr(0));
  zeroStretch(block, 0, padded);
  auto all = scf::ForOp::create(b, constant(b, 0), constant(b, runs * length), constant(b, 1), zero);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(all.getBody());
    Value at = all.getInductionVar();
    Value code = memref::LoadOp::create(b, source.x, indexOf(div(b, at, constant(b, length)), rem(b, at, constant(b, length))));
    memref::StoreOp::create(b, code, to.bytes, codePosition(block, at));
    Value term = arith::ExtSIOp::create(b, b.getI32Type(), code);
    scf::YieldOp::create(b, arith::AddIOp::create(b, all.getRegionIterArg(0), term).getResult());
  }
  Value none = splat(b, wide, 0);
  finishBlock(block, vector::InsertOp::create(b, all.getResult(0), none, 0), indexOf(constant(b, 0), constant(b, 0)));
}

void Preparer::emitFloats() {
  int64_t length = source.getRunLength(), runs = source.getRuns(), perRun = llvm::divideCeil(length, source.block);
  Value base = add(b, mul(b, tile, paddedRow), inside);
  int64_t used = source.wholeBlock ? runs * length : runs * perRun * source.block;
  int64_t all = source.wholeBlock ? padded : runs * perRun * padded;
  if (used != all || (!source.wholeBlock && length % source.block)) {
    Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
    loop(all, [&](Value k) { memref::StoreOp::create(b, zero, to.words, add(b, base, mul(b, k, height))); });
  }
  loop(runs, [&](Value run) {
    loop(length, [&](Value inner) {
      Value k = add(b, mul(b, run, constant(b, length)), inner);
      if (!source.wholeBlock) {
        Value block = add(b, mul(b, run, constant(b, perRun)), div(b, inner, constant(b, source.block)));
        k = add(b, mul(b, block, constant(b, padded)), rem(b, inner, constant(b, source.block)));
      }
      Value value = source.load(b, indexOf(run, inner));
      memref::StoreOp::create(b, value, to.words, add(b, base, mul(b, k, height)));
    });
  });
}

void Preparer::emitRow(Value row) {
  inside = rem(b, row, tileHeight);
  tile = sub(b, row, inside);
  rowIndex = delinearize(b, row, source.rowExtents);
  if (spec.strategy == SumStrategy::Float)
    emitFloats();
  else if (!source.wholeBlock || source.getRuns() == 1)
    emitBlocks();
  else if (source.getRunLength() % kCopyBytes == 0)
    emitWindow();
  else
    emitWindowByElements();
}

void qtensor::emitPrepare(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine,
                          const KernelExtents &extents, const PreparedActivations &to, const ActivationSource &source) {
  Value stretch = constant(b, getStretchRows(machine));
  scf::ParallelOp::create(b, ValueRange{constant(b, 0)}, ValueRange{extents.rows}, ValueRange{stretch},
                          [&](OpBuilder &inner, Location loc, ValueRange index) {
                            ImplicitLocOpBuilder body(loc, inner);
                            Value end = min(body, add(body, index[0], stretch), extents.rows);
                            auto rows = scf::ForOp::create(body, index[0], end, constant(body, 1));
                            OpBuilder::InsertionGuard guard(body);
                            body.setInsertionPointToStart(rows.getBody());
                            Preparer(body, spec, extents, to, source, machine.tiles.back().rows)
                                .emitRow(rows.getInductionVar());
                          });
}
