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
              ValueRange arguments);
  void emit();

private:
  SmallVector<Value> emitBlocks();
  SmallVector<Value> emitBlockRange(Value first, Value last, ValueRange inits);
  SmallVector<Value> integerBlock(Value block, ValueRange sums);
  void subtractZeros(Value perRow, MutableArrayRef<Value> dots);
  SmallVector<Value> scaleSums(Value perRow, Value offset, ArrayRef<Value> rowSums, ArrayRef<Value> dots, ValueRange sums);
  SmallVector<Value> floatBlock(Value block, ValueRange sums);
  SmallVector<Value> floatStep(Value block, Value step, Value bytes, ValueRange sums);
  void loadBlockParameters(Value offset);
  SmallVector<Value> steps(function_ref<SmallVector<Value>(Value step, ValueRange)> body, ValueRange inits);
  SmallVector<Value> blockSums(Value block, ValueRange inits);
  SmallVector<Value> dotStep(Value block, Value step, ArrayRef<ArrayRef<uint8_t>> limbs, ValueRange inits);
  Value broadcastAt(Value buffer, Value index, int64_t offset);
  Value pin(Value sums);
  void store(ValueRange sums);
  void storeVector(Value sums, const StoreSite &site);

  int64_t at(int64_t row, int64_t column) const { return row * shape.columns + column; }
  int64_t count() const { return shape.rows * shape.columns; }
  /// A row of ones sums the codes of the columns where activations have zero points.
  int64_t dotRows() const { return shape.rows + (spec.lhsZero ? 1 : 0); }

  ImplicitLocOpBuilder &b;
  const KernelSpec &spec;
  const TileMachine &machine;
  TileShape shape;
  qtile::LayoutAttr layout;
  WeightReader reader;
  VectorType f32, i32, i16;
  CommonArguments common;
  Value firstRow, validRows, height, firstColumn;
  SmallVector<Value> scale, zero, shift; ///< Of the current block, one a column; null where absent.
};
} // namespace

TileEmitter::TileEmitter(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine, TileShape shape,
                         ValueRange arguments)
    : b(b), spec(spec), machine(machine), shape(shape), layout(spec.weight.layout), reader(b, spec, machine),
      f32(VectorType::get(machine.lanes, b.getF32Type())), i32(VectorType::get(machine.lanes, b.getI32Type())),
      i16(VectorType::get(2 * machine.lanes, b.getI16Type())) {
  ValueRange rest;
  common = CommonArguments::take(spec, arguments, rest);
  firstRow = rest[0];
  validRows = rest[1];
  height = rest[2];
  firstColumn = rest[3];
  if (!spec.hasDynamicSteps())
    common.extents.steps = constant(b, spec.getSteps());
}

void TileEmitter::emit() {
  reader.begin(common.weights, common.extents, firstColumn, shape.columns);
  store(emitBlocks());
}

Value TileEmitter::broadcastAt(Value buffer, Value index, int64_t offset) {
  Value element = memref::LoadOp::create(b, buffer, add(b, index, constant(b, offset)));
  return vector::BroadcastOp::create(b, VectorType::get(machine.lanes, element.getType()), element);
}

SmallVector<Value> TileEmitter::emitBlocks() {
  SmallVector<Value> zeros(count(), splat(b, f32, 0));
  Value zero = constant(b, 0), blocks = common.extents.blocks;
  if (spec.integerResult)
    return integerBlock(zero, {});
  if (!layout.hasGroups())
    return emitBlockRange(zero, blocks, zeros);
  if (!layout.getGroup()) {
    reader.beginGroup(zero);
    return emitBlockRange(zero, blocks, zeros);
  }
  auto loop = scf::ForOp::create(b, zero, reader.countGroups(common.extents), constant(b, 1), zeros);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  reader.beginGroup(loop.getInductionVar());
  Value first = mul(b, loop.getInductionVar(), reader.getGroupBlocks());
  Value last = min(b, add(b, first, reader.getGroupBlocks()), blocks);
  scf::YieldOp::create(b, emitBlockRange(first, last, loop.getRegionIterArgs()));
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> TileEmitter::emitBlockRange(Value first, Value last, ValueRange inits) {
  auto loop = scf::ForOp::create(b, first, last, constant(b, 1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value block = loop.getInductionVar();
  SmallVector<Value> next = spec.strategy == SumStrategy::Integer ? integerBlock(block, loop.getRegionIterArgs())
                                                                  : floatBlock(block, loop.getRegionIterArgs());
  scf::YieldOp::create(b, next);
  return SmallVector<Value>(loop.getResults());
}

/// A block is one step, or a loop of equal steps.
SmallVector<Value> TileEmitter::steps(function_ref<SmallVector<Value>(Value, ValueRange)> body, ValueRange inits) {
  if (spec.getSteps() == 1)
    return body(constant(b, 0), inits);
  auto loop = scf::ForOp::create(b, constant(b, 0), common.extents.steps, constant(b, 1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b, body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return SmallVector<Value>(loop.getResults());
}

/// Left to itself, LLVM does one column after the other, keeps all broadcasts of a step for the next, and spills them.
Value TileEmitter::pin(Value sums) {
  return machine.pinned && shape.rows > 1 ? qtile::PinOp::create(b, sums).getResult() : sums;
}

/// Sums of two products that may be added in i16 before they are widened: one is within [-256 * max, 254 * max].
static int64_t getPairSteps(int64_t max) { return std::max<int64_t>(1, 128 / max); }

/// i32 sums of one step: every group of four codes meets every row of the tile. `limbs` are the tables of the codes'
/// values; each has its own sums.
SmallVector<Value> TileEmitter::dotStep(Value block, Value step, ArrayRef<ArrayRef<uint8_t>> limbs, ValueRange inits) {
  SmallVector<Value> next = llvm::to_vector(inits);
  Value offset = reader.stepOffset(reader.blockOffset(block), step);
  SmallVector<SmallVector<Value>> groups = reader.loadGroups(offset);
  int64_t words = spec.getStep() / 4;
  Value allSteps = add(b, mul(b, block, common.extents.steps), step);
  Value first = add(b, div(b, mul(b, firstRow, paddedK(b, spec, common.extents)), constant(b, 4)),
                    mul(b, mul(b, allSteps, height), constant(b, words)));
  SmallVector<Value> values(limbs.size() * shape.columns), pairs(next.size());
  int64_t pairSteps = machine.pairSums ? getPairSteps(spec.weight.max) : 1;
  for (int64_t g = 0; g < words; ++g) {
    for (auto [limb, table] : llvm::enumerate(limbs))
      for (int64_t c = 0; c < shape.columns; ++c)
        values[limb * shape.columns + c] = reader.lookupBytes(groups[c][g], table);
    for (int64_t r = 0; r < dotRows(); ++r) {
      auto bytes = cast<VectorType>(groups[0][g].getType());
      Value x = r == shape.rows
                    ? splat(b, bytes, 1)
                    : vector::BitCastOp::create(b, bytes, broadcastAt(common.x.words, first, r * words + g));
      for (size_t limb = 0; limb < limbs.size(); ++limb)
        for (int64_t c = 0; c < shape.columns; ++c) {
          size_t i = limb * dotRows() * shape.columns + at(r, c);
          Value w = values[limb * shape.columns + c];
          if (pairSteps == 1) {
            next[i] = pin(qtile::Dot4Op::create(b, next[i], w, x, spec.weight.max));
            continue;
          }
          pairs[i] = pin(qtile::Dot2Op::create(b, g % pairSteps ? pairs[i] : splat(b, i16, 0), w, x));
          if ((g + 1) % pairSteps == 0 || g + 1 == words)
            next[i] = pin(qtile::Dot2Op::create(b, next[i], pairs[i], splat(b, i16, 1)));
        }
    }
  }
  return next;
}

/// The exact sums of a block, on top of `inits`. A row alone reads its weights once and has sums for both limbs; more rows
/// would run out of registers, and read them twice.
SmallVector<Value> TileEmitter::blockSums(Value block, ValueRange inits) {
  ArrayRef<uint8_t> lower = spec.weight.bytes, upper = spec.weight.upper;
  auto sumsOf = [&](ArrayRef<ArrayRef<uint8_t>> limbs, ValueRange start) {
    return steps([&](Value step, ValueRange values) { return dotStep(block, step, limbs, values); }, start);
  };
  if (upper.empty())
    return sumsOf({lower}, inits);
  SmallVector<Value> zeros(inits.size(), splat(b, i32, 0));
  auto addShifted = [&](ValueRange high, ValueRange low) {
    SmallVector<Value> sums;
    for (auto [h, l] : llvm::zip_equal(high, low))
      sums.push_back(arith::AddIOp::create(b, arith::ShLIOp::create(b, h, splat(b, i32, 7)), l));
    return sums;
  };
  if (shape.rows > 1)
    return sumsOf({lower}, addShifted(sumsOf({upper}, zeros), inits));
  SmallVector<Value> both = llvm::to_vector(inits);
  llvm::append_range(both, zeros);
  both = sumsOf({lower, upper}, both);
  return addShifted(ArrayRef(both).drop_front(inits.size()), ArrayRef(both).take_front(inits.size()));
}

void TileEmitter::loadBlockParameters(Value offset) {
  scale.assign(shape.columns, {});
  zero.assign(shape.columns, {});
  shift.assign(shape.columns, {});
  for (int64_t c = 0; c < shape.columns; ++c) {
    scale[c] = reader.loadScale(c, offset);
    zero[c] = reader.loadZero(c, offset);
    shift[c] = reader.loadOffset(c, offset);
  }
}

SmallVector<Value> TileEmitter::integerBlock(Value block, ValueRange accumulators) {
  Value perRow = add(b, mul(b, firstRow, common.extents.blocks), mul(b, block, height));
  Value offset = reader.blockOffset(block);
  SmallVector<Value> rowSums(shape.rows), inits(dotRows() * shape.columns, splat(b, i32, 0));
  for (int64_t r = 0; r < shape.rows; ++r) {
    if (!spec.hasBareSums() && spec.weight.zero == 0)
      continue;
    rowSums[r] = broadcastAt(common.x.sums, perRow, r);
    for (int64_t c = 0; c < shape.columns; ++c)
      if (!spec.hasBareSums())
        inits[at(r, c)] = rowSums[r];
      else if (spec.weight.zero)
        inits[at(r, c)] = arith::MulIOp::create(b, rowSums[r], splat(b, i32, -spec.weight.zero));
  }
  SmallVector<Value> dots = blockSums(block, inits);
  if (spec.lhsZero)
    subtractZeros(perRow, dots);
  loadBlockParameters(offset);
  return scaleSums(perRow, offset, rowSums, dots, accumulators);
}

/// dot - zero of the row * sum of the column's codes, which is the dot product of a row of ones behind the others.
void TileEmitter::subtractZeros(Value perRow, MutableArrayRef<Value> dots) {
  for (int64_t r = 0; r < shape.rows; ++r) {
    Value negative = broadcastAt(common.x.zeros, perRow, r);
    for (int64_t c = 0; c < shape.columns; ++c)
      dots[at(r, c)] =
          arith::AddIOp::create(b, dots[at(r, c)], arith::MulIOp::create(b, negative, dots[at(shape.rows, c)]));
  }
}

/// From the exact sums of a block to the f32 sums of the row.
SmallVector<Value> TileEmitter::scaleSums(Value perRow, Value offset, ArrayRef<Value> rowSums, ArrayRef<Value> dots,
                                          ValueRange accumulators) {
  SmallVector<Value> next(spec.integerResult ? SmallVector<Value>(count()) : SmallVector<Value>(accumulators));
  for (int64_t c = 0; c < shape.columns; ++c)
    for (int64_t r = 0; r < shape.rows; ++r) {
      Value dot = dots[at(r, c)], &sum = next[at(r, c)];
      if (zero[c])
        dot = arith::SubIOp::create(b, dot, arith::MulIOp::create(b, zero[c], rowSums[r]));
      if (spec.integerResult) {
        sum = dot;
        continue;
      }
      Value x = broadcastAt(common.x.scales, perRow, r);
      Value factor = scale[c] ? arith::MulFOp::create(b, x, scale[c]).getResult() : x;
      sum = math::FmaOp::create(b, arith::SIToFPOp::create(b, f32, dot), factor, sum);
      if (shift[c])
        sum = math::FmaOp::create(b, arith::SIToFPOp::create(b, f32, rowSums[r]), arith::MulFOp::create(b, x, shift[c]), sum);
    }
  return next;
}

SmallVector<Value> TileEmitter::floatBlock(Value block, ValueRange accumulators) {
  Value offset = reader.blockOffset(block);
  loadBlockParameters(offset);
  for (Value &value : zero)
    if (value && value.getType() == i32)
      value = arith::SIToFPOp::create(b, f32, value);
  return steps(
      [&](Value step, ValueRange sums) { return floatStep(block, step, reader.stepOffset(offset, step), sums); },
      accumulators);
}

SmallVector<Value> TileEmitter::floatStep(Value block, Value step, Value bytes, ValueRange sums) {
  SmallVector<Value> next = llvm::to_vector(sums);
  Value allSteps = add(b, mul(b, block, common.extents.steps), step);
  Value first = add(b, mul(b, firstRow, paddedK(b, spec, common.extents)),
                    mul(b, mul(b, allSteps, height), constant(b, spec.getStep())));
  SmallVector<SmallVector<Value>> decoded = reader.loadValues(bytes);
  for (int64_t k = 0; k < spec.getStep(); ++k) {
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
      Value x = broadcastAt(common.x.words, first, r * spec.getStep() + k);
      for (int64_t c = 0; c < shape.columns; ++c)
        next[at(r, c)] = math::FmaOp::create(b, x, decoded[c][k], next[at(r, c)]);
    }
  }
  return next;
}

void TileEmitter::storeVector(Value sums, const StoreSite &site) {
  Value value = spec.epilogue ? spec.epilogue(b, sums, site) : sums;
  if (site.mask)
    vector::MaskedStoreOp::create(b, common.output, ValueRange{site.row, site.column}, site.mask, value);
  else
    vector::StoreOp::create(b, value, common.output, ValueRange{site.row, site.column});
}

void TileEmitter::store(ValueRange results) {
  for (int64_t c = 0; c < shape.columns; ++c) {
    Value column = mul(b, add(b, firstColumn, constant(b, c)), constant(b, machine.lanes)), mask;
    if (spec.columnTail)
      mask = vector::CreateMaskOp::create(b, VectorType::get(machine.lanes, b.getI1Type()),
                                          sub(b, common.extents.columns, column));
    for (int64_t r = 0; r < shape.rows; ++r) {
      Value valid = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, constant(b, r), validRows);
      auto guarded = scf::IfOp::create(b, valid, /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(guarded.thenBlock());
      storeVector(results[at(r, c)], {add(b, firstRow, constant(b, r)), column, mask, common.operands});
    }
  }
}

SmallVector<Type> CommonArguments::getTypes(MLIRContext *context, const KernelSpec &spec) {
  auto dynamic = [&](Type element) { return MemRefType::get({ShapedType::kDynamic}, element); };
  Type f32 = Float32Type::get(context), i32 = IntegerType::get(context, 32), i8 = IntegerType::get(context, 8);
  SmallVector<Type> types;
  if (spec.strategy == SumStrategy::Integer)
    types = {dynamic(i32), dynamic(f32), dynamic(i32)};
  else
    types = {dynamic(f32)};
  if (spec.lhsZero)
    types.push_back(dynamic(i32));
  types.push_back(dynamic(i8));
  types.push_back(spec.output);
  llvm::append_range(types, spec.operands);
  types.append(4, IndexType::get(context));
  return types;
}

CommonArguments CommonArguments::take(const KernelSpec &spec, ValueRange arguments, ValueRange &rest) {
  CommonArguments common;
  auto next = [&] {
    Value value = arguments.front();
    arguments = arguments.drop_front();
    return value;
  };
  common.x.words = next();
  if (spec.strategy == SumStrategy::Integer) {
    common.x.scales = next();
    common.x.sums = next();
  }
  if (spec.lhsZero)
    common.x.zeros = next();
  common.weights = next();
  common.output = next();
  for (size_t i = 0; i < spec.operands.size(); ++i)
    common.operands.push_back(next());
  for (Value *extent : {&common.extents.rows, &common.extents.columns, &common.extents.blocks, &common.extents.steps})
    *extent = next();
  rest = arguments;
  return common;
}

SmallVector<Value> CommonArguments::flatten() const {
  SmallVector<Value> all{x.words};
  if (x.scales)
    all.append({x.scales, x.sums});
  if (x.zeros)
    all.push_back(x.zeros);
  all.append({weights, output});
  llvm::append_range(all, operands);
  all.append({extents.rows, extents.columns, extents.blocks, extents.steps});
  return all;
}

func::FuncOp kernel::buildTile(ModuleOp module, const KernelSpec &spec, const TileMachine &machine, TileShape shape) {
  std::string name = llvm::formatv("{0}_tile_{1}x{2}", spec.name, shape.rows, shape.columns);
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types = CommonArguments::getTypes(b.getContext(), spec);
  types.append(4, b.getIndexType());
  auto function = func::FuncOp::create(b, name, b.getFunctionType(types, {}));
  function.setPrivate();
  b.setInsertionPointToStart(function.addEntryBlock());
  TileEmitter(b, spec, machine, shape, function.getArguments()).emit();
  func::ReturnOp::create(b);
  return function;
}
