// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One register tile: all of K for `rows` activations and `columns` vectors of outputs, then the epilogue and the store.
// The order of every f32 addition is fixed here and depends on neither the tile nor the machine. math.fma, not
// vector.fma: the latter may be split into two roundings where the machine has no fused multiplication.
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

namespace {
class TileEmitter {
public:
  TileEmitter(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine, TileShape shape,
              ArrayRef<BlockArgument> arguments);
  void emit();

private:
  SmallVector<Value> emitBlocks();
  SmallVector<Value> integerBlock(Value block, ValueRange sums);
  SmallVector<Value> floatBlock(Value block, ValueRange sums);
  SmallVector<Value> steps(function_ref<SmallVector<Value>(Value step, ValueRange)> body, ValueRange inits);
  SmallVector<Value> dotStep(Value block, Value step, ValueRange sums);
  Value broadcastAt(Value buffer, Value index, int64_t offset);
  void store(ValueRange sums);

  int64_t at(int64_t row, int64_t column) const { return row * shape.columns + column; }
  int64_t count() const { return shape.rows * shape.columns; }

  ImplicitLocOpBuilder &b;
  const KernelSpec &spec;
  const TileMachine &machine;
  TileShape shape;
  qtile::LayoutAttr layout;
  WeightReader reader;
  VectorType f32, i32;
  int64_t padded, chunks;
  Value words, scales, sums, output, tile, firstRow, validRows, height, firstColumn;
  ValueRange operands;
};
} // namespace

/// The prepared sums carry the factor -zero unless the kernel needs them bare.
static bool hasBareSums(qtile::LayoutAttr layout) { return layout.getZero() || layout.getOffset(); }

TileEmitter::TileEmitter(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine, TileShape shape,
                         ArrayRef<BlockArgument> arguments)
    : b(b), spec(spec), machine(machine), shape(shape), layout(spec.weight.layout),
      reader(b, spec, machine, arguments[spec.strategy == Strategy::Integer ? 3 : 1]),
      f32(VectorType::get(machine.lanes, b.getF32Type())), i32(VectorType::get(machine.lanes, b.getI32Type())),
      padded(layout.getPaddedBlock()) {
  words = arguments[0];
  int64_t next = 2;
  if (spec.strategy == Strategy::Integer) {
    scales = arguments[1];
    sums = arguments[2];
    next = 4;
  }
  output = arguments[next++];
  operands = ValueRange(arguments.slice(next, spec.operands.size()));
  next += spec.operands.size();
  tile = arguments[next];
  firstRow = arguments[next + 1];
  validRows = arguments[next + 2];
  height = arguments[next + 3];
  firstColumn = arguments[next + 4];
  int64_t step = padded % 32 == 0 ? 32 : padded % 16 == 0 ? 16 : layout.getChunk();
  chunks = step / layout.getChunk();
}

void TileEmitter::emit() {
  reader.setColumns(firstColumn, shape.columns);
  store(emitBlocks());
}

Value TileEmitter::broadcastAt(Value buffer, Value index, int64_t offset) {
  Value element = memref::LoadOp::create(b, buffer, add(b, index, constant(b, offset)));
  return vector::BroadcastOp::create(b, VectorType::get(machine.lanes, element.getType()), element);
}

SmallVector<Value> TileEmitter::emitBlocks() {
  SmallVector<Value> zeros(count(), splat(b, f32, 0));
  auto loop = scf::ForOp::create(b, constant(b, 0), constant(b, layout.getNumBlocks(spec.weight.k)), constant(b, 1), zeros);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value block = loop.getInductionVar();
  SmallVector<Value> next = spec.strategy == Strategy::Integer ? integerBlock(block, loop.getRegionIterArgs())
                                                               : floatBlock(block, loop.getRegionIterArgs());
  scf::YieldOp::create(b, next);
  return SmallVector<Value>(loop.getResults());
}

/// A block is one step, or a loop of equal steps.
SmallVector<Value> TileEmitter::steps(function_ref<SmallVector<Value>(Value, ValueRange)> body, ValueRange inits) {
  int64_t count = padded / (chunks * layout.getChunk());
  if (count == 1)
    return body(constant(b, 0), inits);
  auto loop = scf::ForOp::create(b, constant(b, 0), constant(b, count), constant(b, 1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b, body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return SmallVector<Value>(loop.getResults());
}

/// i32 sums of one step: every group of four codes meets every row of the tile.
SmallVector<Value> TileEmitter::dotStep(Value block, Value step, ValueRange inits) {
  SmallVector<Value> next = llvm::to_vector(inits);
  Value offset = add(b, mul(b, block, constant(b, layout.getBlockBytes())),
                     mul(b, step, constant(b, chunks * layout.getChunkBytes())));
  SmallVector<SmallVector<Value>> groups;
  for (int64_t c = 0; c < shape.columns; ++c)
    groups.push_back(reader.loadGroups(c, offset, chunks));
  int64_t wordsPerBlock = padded / 4, perStep = groups[0].size();
  Value first = add(b, mul(b, tile, constant(b, spec.paddedK() / 4)),
                    add(b, mul(b, mul(b, block, height), constant(b, wordsPerBlock)), mul(b, step, constant(b, perStep))));
  for (int64_t g = 0; g < perStep; ++g)
    for (int64_t r = 0; r < shape.rows; ++r) {
      Value x = vector::BitCastOp::create(b, groups[0][g].getType(), broadcastAt(words, first, r * wordsPerBlock + g));
      for (int64_t c = 0; c < shape.columns; ++c)
        next[at(r, c)] = qtile::Dot4Op::create(b, next[at(r, c)], groups[c][g], x, spec.weight.max);
    }
  return next;
}

SmallVector<Value> TileEmitter::integerBlock(Value block, ValueRange accumulators) {
  Value perRow = add(b, mul(b, tile, constant(b, layout.getNumBlocks(spec.weight.k))), mul(b, block, height));
  Value offset = mul(b, block, constant(b, layout.getBlockBytes()));
  bool bare = hasBareSums(layout);
  SmallVector<Value> rowSums(shape.rows), inits(count(), splat(b, i32, 0));
  for (int64_t r = 0; r < shape.rows; ++r) {
    if (!bare && spec.weight.zero == 0)
      continue;
    rowSums[r] = broadcastAt(sums, perRow, r);
    for (int64_t c = 0; c < shape.columns; ++c)
      if (!bare)
        inits[at(r, c)] = rowSums[r];
      else if (spec.weight.zero)
        inits[at(r, c)] = arith::MulIOp::create(b, rowSums[r], splat(b, i32, -spec.weight.zero));
  }
  if (shape.rows == 1 && machine.prefetchBytes)
    for (int64_t c = 0; c < shape.columns; c += layout.getRows() / machine.lanes)
      reader.prefetchBlock(c, offset, machine.prefetchBytes);
  SmallVector<Value> dots = steps([&](Value step, ValueRange values) { return dotStep(block, step, values); }, inits);
  SmallVector<Value> next = llvm::to_vector(accumulators);
  for (int64_t c = 0; c < shape.columns; ++c) {
    Value scale = reader.loadScale(c, offset), zero, shift;
    if (layout.getZero())
      zero = reader.loadParameter(c, offset, layout.getZeroOffset(), layout.getZero());
    if (layout.getOffset())
      shift = reader.loadParameter(c, offset, layout.getOffsetOffset(), layout.getOffset());
    for (int64_t r = 0; r < shape.rows; ++r) {
      Value dot = dots[at(r, c)], x = broadcastAt(scales, perRow, r), &sum = next[at(r, c)];
      if (zero)
        dot = arith::SubIOp::create(b, dot, arith::MulIOp::create(b, zero, rowSums[r]));
      Value factor = scale ? arith::MulFOp::create(b, x, scale).getResult() : x;
      sum = math::FmaOp::create(b, arith::SIToFPOp::create(b, f32, dot), factor, sum);
      if (shift)
        sum = math::FmaOp::create(b, arith::SIToFPOp::create(b, f32, rowSums[r]), arith::MulFOp::create(b, x, shift), sum);
    }
  }
  return next;
}

SmallVector<Value> TileEmitter::floatBlock(Value block, ValueRange accumulators) {
  Value offset = mul(b, block, constant(b, layout.getBlockBytes()));
  SmallVector<Value> scale(shape.columns), zero(shape.columns), shift(shape.columns);
  for (int64_t c = 0; c < shape.columns; ++c) {
    scale[c] = reader.loadScale(c, offset);
    if (layout.getZero()) {
      zero[c] = reader.loadParameter(c, offset, layout.getZeroOffset(), layout.getZero());
      if (zero[c].getType() == i32)
        zero[c] = arith::SIToFPOp::create(b, f32, zero[c]);
    }
    if (layout.getOffset())
      shift[c] = reader.loadParameter(c, offset, layout.getOffsetOffset(), layout.getOffset());
  }
  return steps(
      [&](Value step, ValueRange values) {
        SmallVector<Value> next = llvm::to_vector(values);
        int64_t perStep = chunks * layout.getChunk();
        Value bytes = add(b, offset, mul(b, step, constant(b, chunks * layout.getChunkBytes())));
        Value first = add(b, mul(b, tile, constant(b, spec.paddedK())),
                          mul(b, add(b, mul(b, block, constant(b, padded)), mul(b, step, constant(b, perStep))), height));
        SmallVector<SmallVector<Value>> decoded;
        for (int64_t c = 0; c < shape.columns; ++c)
          decoded.push_back(reader.loadValues(c, bytes, chunks));
        for (int64_t k = 0; k < perStep; ++k) {
          Value row = add(b, first, mul(b, height, constant(b, k)));
          for (int64_t c = 0; c < shape.columns; ++c) {
            Value &w = decoded[c][k];
            if (zero[c])
              w = arith::SubFOp::create(b, w, zero[c]);
            if (scale[c])
              w = arith::MulFOp::create(b, scale[c], w);
            if (shift[c])
              w = arith::AddFOp::create(b, w, shift[c]);
          }
          for (int64_t r = 0; r < shape.rows; ++r) {
            Value x = broadcastAt(words, row, r);
            for (int64_t c = 0; c < shape.columns; ++c)
              next[at(r, c)] = math::FmaOp::create(b, x, decoded[c][k], next[at(r, c)]);
          }
        }
        return next;
      },
      accumulators);
}

void TileEmitter::store(ValueRange results) {
  bool tail = spec.weight.n % machine.lanes != 0;
  for (int64_t c = 0; c < shape.columns; ++c) {
    Value column = mul(b, add(b, firstColumn, constant(b, c)), constant(b, machine.lanes)), mask;
    if (tail) {
      Value left = arith::SubIOp::create(b, constant(b, spec.weight.n), column);
      mask = vector::CreateMaskOp::create(b, VectorType::get(machine.lanes, b.getI1Type()), left);
    }
    for (int64_t r = 0; r < shape.rows; ++r) {
      Value valid = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, constant(b, r), validRows);
      auto guarded = scf::IfOp::create(b, valid, /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(guarded.thenBlock());
      StoreSite site{add(b, firstRow, constant(b, r)), column, mask, operands};
      Value value = spec.epilogue ? spec.epilogue(b, results[at(r, c)], site) : results[at(r, c)];
      if (mask)
        vector::MaskedStoreOp::create(b, output, ValueRange{site.row, column}, mask, value);
      else
        vector::StoreOp::create(b, value, output, ValueRange{site.row, column});
    }
  }
}

SmallVector<Type> kernel::commonArguments(MLIRContext *context, const KernelSpec &spec) {
  auto dynamic = [&](Type element) { return MemRefType::get({ShapedType::kDynamic}, element); };
  Type f32 = Float32Type::get(context), i32 = IntegerType::get(context, 32), i8 = IntegerType::get(context, 8);
  SmallVector<Type> types;
  if (spec.strategy == Strategy::Integer)
    types = {dynamic(i32), dynamic(f32), dynamic(i32), dynamic(i8)};
  else
    types = {dynamic(f32), dynamic(i8)};
  types.push_back(spec.output);
  llvm::append_range(types, spec.operands);
  return types;
}

func::FuncOp kernel::buildTile(ModuleOp module, const KernelSpec &spec, const TileMachine &machine, TileShape shape) {
  std::string name = llvm::formatv("{0}_tile_{1}x{2}", spec.name, shape.rows, shape.columns);
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types = commonArguments(b.getContext(), spec);
  types.append(5, b.getIndexType());
  auto function = func::FuncOp::create(b, name, b.getFunctionType(types, {}));
  function.setPrivate();
  b.setInsertionPointToStart(function.addEntryBlock());
  TileEmitter(b, spec, machine, shape, function.getArguments()).emit();
  func::ReturnOp::create(b);
  return function;
}
