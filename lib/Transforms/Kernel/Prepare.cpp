// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Kernel/Prepare.h"
#include "lib/Transforms/Kernel/RowReader.h"
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "lib/Transforms/Kernel/UnitPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

int64_t ActivationSource::getLength() const {
  int64_t length = 1;
  for (int64_t extent : reductionExtents)
    length *= extent;
  return length;
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
           const ActivationSource &source, Value height)
      : b(b), spec(spec), extents(extents), to(to), source(source), reader(b, source), tileHeight(height),
        height(min(b, extents.rows, tileHeight)), paddedRow(paddedK(b, spec, extents)), step(spec.getStep()),
        padded(spec.weight.layout.getPaddedBlock()), integer(spec.strategy == SumStrategy::Integer) {}

  void emitRow(Value row);

private:
  void loop(int64_t end, function_ref<void(Value)> body);
  void emitBlock(Value block, Value k, int64_t valid, int64_t before);
  Value loadStep(Value k, int64_t valid, int64_t before);
  Value copyStep(Value block, Value inBlock, Value values, Value sum);
  void storeStep(Value block, Value inBlock, Value values);
  void finishBlock(Value block, Value sum, int64_t summed, ValueRange index);
  VectorType sumType(int64_t valid) const;

  ImplicitLocOpBuilder &b;
  const KernelSpec &spec;
  const KernelExtents &extents;
  const PreparedActivations &to;
  const ActivationSource &source;
  RowReader reader;
  Value tileHeight, height, paddedRow;
  int64_t step, padded; ///< Codes.
  bool integer;
  Value tile, inside; ///< First row of the row's tile, and the row's place in it.
  Value zero, padding; ///< Of the current block: its zero point (i32, or null), and a step of what padding holds.
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

/// Stores the codes or values of one step of a block.
void Preparer::storeStep(Value block, Value inBlock, Value values) {
  Value steps = add(b, mul(b, block, extents.steps), inBlock);
  Value inTile = mul(b, add(b, mul(b, steps, height), inside), constant(b, step));
  Value to = integer ? this->to.bytes : this->to.words;
  vector::StoreOp::create(b, values, to, add(b, mul(b, tile, paddedRow), inTile));
}

/// Sums of as many codes as the steps of a block fit into 16 bits a lane.
VectorType Preparer::sumType(int64_t valid) const {
  return VectorType::get(step, valid / step < 255 ? b.getI16Type() : b.getI32Type());
}

/// One step of codes as signed bytes, or of values; padding from `valid` on.
Value Preparer::loadStep(Value k, int64_t valid, int64_t before) {
  Value values = reader.load(k, step, valid, before);
  if (source.flip)
    values = arith::XOrIOp::create(b, values,
                                   splat(b, cast<VectorType>(values.getType()), static_cast<int8_t>(source.flip)));
  if (valid == step || (!source.flip && !zero))
    return values;
  Value mask = vector::CreateMaskOp::create(b, VectorType::get(step, b.getI1Type()), constant(b, valid));
  return arith::SelectOp::create(b, mask, values, padding);
}

/// Stores one step and adds its codes to `sum`.
Value Preparer::copyStep(Value block, Value inBlock, Value values, Value sum) {
  auto f32 = VectorType::get(step, b.getF32Type());
  if (!integer && values.getType() != f32)
    values = arith::ExtFOp::create(b, f32, values);
  storeStep(block, inBlock, values);
  return integer ? arith::AddIOp::create(b, sum, arith::ExtSIOp::create(b, sum.getType(), values)).getResult() : sum;
}

/// The block whose first product is `k`: `valid` products, then padding. `before` products of the row lie below k.
void Preparer::emitBlock(Value block, Value k, int64_t valid, int64_t before) {
  int64_t whole = valid / step, tail = valid % step;
  SmallVector<Value> index = integer ? reader.indexOf(k) : SmallVector<Value>(), sums;
  auto type = VectorType::get(step, integer ? Type(b.getI8Type()) : Type(b.getF32Type()));
  padding = splat(b, type, 0);
  if (integer)
    sums.push_back(splat(b, sumType(valid), 0));
  if (source.zero) {
    zero = source.zero(b, index);
    padding = vector::BroadcastOp::create(b, type, arith::TruncIOp::create(b, b.getI8Type(), zero));
  }
  if (whole > 0) {
    auto copy = scf::ForOp::create(b, constant(b, 0), constant(b, whole), constant(b, 1), sums);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(copy.getBody());
    Value at = copy.getInductionVar(), values = loadStep(add(b, k, mul(b, at, constant(b, step))), step, 0);
    Value sum = copyStep(block, at, values, integer ? copy.getRegionIterArg(0) : Value());
    if (integer)
      scf::YieldOp::create(b, sum);
    sums = SmallVector<Value>(copy.getResults());
  }
  if (tail > 0) {
    Value values = loadStep(add(b, k, constant(b, whole * step)), tail, before + whole * step);
    Value sum = copyStep(block, constant(b, whole), values, integer ? sums[0] : Value());
    sums.assign(integer ? 1 : 0, sum);
  }
  int64_t used = llvm::divideCeil(valid, step);
  for (int64_t s = used; s < padded / step; ++s)
    storeStep(block, constant(b, s), padding);
  if (integer)
    finishBlock(block, sums[0], used * step, index);
}

/// Stores what a block has beside its codes; `sum` is of `summed` codes, padding included.
void Preparer::finishBlock(Value block, Value sum, int64_t summed, ValueRange index) {
  Value entry = add(b, mul(b, tile, extents.blocks), add(b, mul(b, block, height), inside));
  auto wide = VectorType::get(step, b.getI32Type());
  auto i32 = [&](int64_t value) -> Value { return arith::ConstantOp::create(b, b.getI32IntegerAttr(value)); };
  if (sum.getType() != wide)
    sum = arith::ExtSIOp::create(b, wide, sum);
  Value total = vector::ReductionOp::create(b, vector::CombiningKind::ADD, sum);
  if (zero) {
    total = arith::SubIOp::create(b, total, arith::MulIOp::create(b, zero, i32(summed)));
    memref::StoreOp::create(b, arith::SubIOp::create(b, i32(0), zero), to.zeros, entry);
  }
  if (!spec.hasBareSums())
    total = arith::MulIOp::create(b, total, i32(-spec.weight.zero));
  memref::StoreOp::create(b, total, to.sums, entry);
  Value scale = source.scale ? source.scale(b, index) : arith::ConstantOp::create(b, b.getF32FloatAttr(1)).getResult();
  memref::StoreOp::create(b, scale, to.scales, entry);
}

void Preparer::emitRow(Value row) {
  inside = rem(b, row, tileHeight);
  tile = sub(b, row, inside);
  reader.begin(delinearize(b, row, source.rowExtents));
  int64_t all = source.getLength(), length = source.wholeBlock ? all : source.runLength;
  int64_t block = source.wholeBlock ? all : source.block, perRun = llvm::divideCeil(length, block);
  loop(all / length, [&](Value run) {
    Value first = mul(b, run, constant(b, perRun)), k = mul(b, run, constant(b, length));
    int64_t whole = length / block, tail = length % block;
    if (whole > 0)
      loop(whole, [&](Value inRun) {
        emitBlock(add(b, first, inRun), add(b, k, mul(b, inRun, constant(b, block))), block, 0);
      });
    if (tail > 0)
      emitBlock(add(b, first, constant(b, whole)), add(b, k, constant(b, whole * block)), tail, whole * block);
  });
}

void qtensor::emitPrepare(ImplicitLocOpBuilder &b, const KernelSpec &spec, ArrayRef<TileMachine> machines, Value core,
                          const KernelExtents &extents, const PreparedActivations &to, const ActivationSource &source) {
  // A tile's rows, so that threads share the work of a few tiles and seldom a cache line.
  Value some = constant(b, kMaxTileRows), height = emitHeight(b, spec, machines, core);
  // Not by a body builder: what decodes by a table looks for the module that the loop is in.
  auto tiles = scf::ParallelOp::create(b, ValueRange{constant(b, 0)}, ValueRange{extents.rows}, ValueRange{some});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(tiles.getBody());
  Value first = tiles.getInductionVars()[0], end = min(b, add(b, first, some), extents.rows);
  Preparer preparer(b, spec, extents, to, source, height);
  auto rows = scf::ForOp::create(b, first, end, constant(b, 1));
  b.setInsertionPointToStart(rows.getBody());
  preparer.emitRow(rows.getInductionVar());
}
