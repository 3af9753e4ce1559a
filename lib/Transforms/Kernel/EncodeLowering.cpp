// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Quantization at run time: for each block the largest magnitude, its scale as stored, then the codes nearest to x / scale.
#include "lib/Transforms/Kernel/EncodeLowering.h"
#include "lib/Transforms/Kernel/EncodedOperand.h"
#include "lib/Transforms/Kernel/NearestSearch.h"
#include "qtensor/Codec.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::qtensor;

static constexpr int64_t kLanes = 16;

namespace {
class EncodeLowering {
public:
  EncodeLowering(EncodeOp op)
      : op(op), b(op.getLoc(), op), encoding(op.getEncoding()), codec(encoding.getCodec()), range(getCodecRange(codec)) {}
  LogicalResult lower();

private:
  LogicalResult check();
  void emitCell(ValueRange cell);
  Value emitScale(ValueRange cell);
  Value absmax();
  void encodeRow(ValueRange row, Value begin, Value end, Value scale, Value zero, Value sums);
  void encodePackedRow(ValueRange row, Value begin, Value end, Value scale, Value zero);
  Value encodeVector(Value x, Value scale, Value zero);
  Value roundToInteger(Value x);
  SmallVector<Value> overRows(ValueRange inits, function_ref<SmallVector<Value>(ValueRange row, ValueRange)> body);
  SmallVector<Value> overVectors(Value begin, Value end, ValueRange inits,
                                 function_ref<SmallVector<Value>(Value at, Value mask, ValueRange)> body);
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, value); }
  Value like(Value x, double value);
  Value spread(Value scalar, Value like);

  EncodeOp op;
  ImplicitLocOpBuilder b;
  BlockAttr encoding;
  CodecAttr codec;
  CodecRange range;
  SmallVector<Value> begins, ends; ///< Of the current cell, in elements.
};
} // namespace

LogicalResult EncodeLowering::check() {
  ParamAttr scale = encoding.getScale();
  if (op.getEncoder() && *op.getEncoder() != "absmax")
    return op.emitOpError("encoder \"") << *op.getEncoder() << "\" cannot run in an artifact; use absmax, or encode at compile time";
  for (ParamAttr param : {encoding.getZero(), encoding.getOffset()})
    if (param && param.isData() && op.getParams().empty())
      return op.emitOpError("a zero or offset for each block cannot be found at run time; give params, or make it static");
  if (scale && scale.isData() && op.getParams().empty() &&
      (!isa<TypeAttr>(scale.getValue()) || !scale.getOwnBlock().empty() || scale.getNegated()))
    return op.emitOpError("a scale that is itself encoded cannot be found at run time; use f32, f16 or bf16, or give params");
  if (codec.getBits() > 16)
    return op.emitOpError("codes of more than 16 bits cannot be made at run time");
  return success();
}

Value EncodeLowering::like(Value x, double value) {
  if (auto type = dyn_cast<VectorType>(x.getType()))
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, b.getF32FloatAttr(value)));
  return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
}

Value EncodeLowering::spread(Value scalar, Value to) {
  auto type = dyn_cast<VectorType>(to.getType());
  return type ? vector::BroadcastOp::create(b, VectorType::get(type.getShape(), scalar.getType()), scalar).getResult() : scalar;
}

/// Loops over the rows of the current cell: every dimension but the last.
SmallVector<Value> EncodeLowering::overRows(ValueRange inits, function_ref<SmallVector<Value>(ValueRange, ValueRange)> body) {
  SmallVector<Value> row;
  std::function<SmallVector<Value>(ValueRange)> nest = [&](ValueRange values) -> SmallVector<Value> {
    size_t d = row.size();
    if (d + 1 >= begins.size())
      return body(row, values);
    auto loop = scf::ForOp::create(b, begins[d], ends[d], index(1), values);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    row.push_back(loop.getInductionVar());
    SmallVector<Value> next = nest(loop.getRegionIterArgs());
    row.pop_back();
    if (!next.empty() || loop.getBody()->empty() || !loop.getBody()->back().hasTrait<OpTrait::IsTerminator>())
      scf::YieldOp::create(b, next);
    return SmallVector<Value>(loop.getResults());
  };
  return nest(inits);
}

/// Whole vectors without a mask, then one with a mask for what is left.
SmallVector<Value> EncodeLowering::overVectors(Value begin, Value end, ValueRange inits,
                                               function_ref<SmallVector<Value>(Value, Value, ValueRange)> body) {
  Value length = b.createOrFold<arith::SubIOp>(end, begin), lanes = index(kLanes);
  Value rest = b.createOrFold<arith::RemUIOp>(length, lanes), whole = b.createOrFold<arith::SubIOp>(end, rest);
  auto loop = scf::ForOp::create(b, begin, whole, lanes, inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next = body(loop.getInductionVar(), {}, loop.getRegionIterArgs());
    if (!inits.empty())
      scf::YieldOp::create(b, next);
  }
  if (getConstantIntValue(rest) == 0)
    return SmallVector<Value>(loop.getResults());
  auto tail = scf::ForOp::create(b, whole, end, lanes, loop.getResults());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(tail.getBody());
  Value mask = vector::CreateMaskOp::create(b, VectorType::get(kLanes, b.getI1Type()), rest);
  SmallVector<Value> next = body(tail.getInductionVar(), mask, tail.getRegionIterArgs());
  if (!inits.empty())
    scf::YieldOp::create(b, next);
  return SmallVector<Value>(tail.getResults());
}

/// A vector of elements that do not lie side by side: one load after the other, of the first again where the mask has none.
static Value loadApart(ImplicitLocOpBuilder &b, VectorType type, Value source, ValueRange row, Value at, Value mask) {
  SmallVector<Value> index(row), elements;
  index.push_back(at);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type.getElementType()));
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    Value wanted = mask ? vector::ExtractOp::create(b, mask, lane).getResult() : Value();
    index.back() = arith::AddIOp::create(b, at, arith::ConstantIndexOp::create(b, lane));
    if (wanted)
      index.back() = arith::SelectOp::create(b, wanted, index.back(), at);
    Value element = memref::LoadOp::create(b, source, index);
    elements.push_back(wanted ? arith::SelectOp::create(b, wanted, element, zero).getResult() : element);
  }
  return vector::FromElementsOp::create(b, type, elements);
}

static Value loadFloats(ImplicitLocOpBuilder &b, Value source, ValueRange row, Value at, Value mask) {
  auto memory = cast<MemRefType>(source.getType());
  auto type = VectorType::get(kLanes, memory.getElementType());
  SmallVector<Value> index(row);
  index.push_back(at);
  Value x = !memory.isLastDimUnitStride() ? loadApart(b, type, source, row, at, mask)
            : mask ? vector::MaskedLoadOp::create(b, type, source, index, mask,
                                                arith::ConstantOp::create(b, b.getZeroAttr(type))).getResult()
                 : vector::LoadOp::create(b, type, source, index).getResult();
  auto f32 = VectorType::get(kLanes, b.getF32Type());
  return type == f32 ? x : arith::ExtFOp::create(b, f32, x).getResult();
}

Value EncodeLowering::absmax() {
  auto f32 = VectorType::get(kLanes, b.getF32Type());
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(f32));
  SmallVector<Value> largest = overRows(zeros, [&](ValueRange row, ValueRange values) {
    return overVectors(begins.back(), ends.back(), values, [&](Value at, Value mask, ValueRange all) -> SmallVector<Value> {
      Value x = math::AbsFOp::create(b, loadFloats(b, op.getSource(), row, at, mask));
      // Not maxnumf, whose signalling NaN differ between levels: a NaN compares false and leaves the maximum.
      Value larger = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x, all[0]);
      return {arith::SelectOp::create(b, larger, x, all[0]).getResult()};
    });
  });
  // Magnitudes without NaN are in the order of their bits, and integers may be compared in any order: a tree of vectors.
  Value bits = arith::BitcastOp::create(b, f32.clone(b.getI32Type()), largest.front());
  Value most = vector::ReductionOp::create(b, vector::CombiningKind::MAXUI, bits);
  return arith::BitcastOp::create(b, b.getF32Type(), most);
}

/// Computes and stores the cell's scale, or loads what is given; null when there is none.
Value EncodeLowering::emitScale(ValueRange cell) {
  ParamAttr param = encoding.getScale();
  if (!param || !param.isData() || !op.getParams().empty()) {
    SmallVector<Value> components{op.getOutputs().front()};
    llvm::append_range(components, op.getParams());
    return EncodedOperand(components, encoding).loadScale(b, begins);
  }
  Value amax = arith::ConstantOp::create(b, b.getF32FloatAttr(static_cast<float>(range.amax)));
  Value scale = arith::DivFOp::create(b, absmax(), amax);
  Value output = op.getOutputs()[1];
  Type stored = cast<MemRefType>(output.getType()).getElementType();
  Value narrow = stored.isF32() ? scale : arith::TruncFOp::create(b, stored, scale).getResult();
  memref::StoreOp::create(b, narrow, output, cell);
  return emitToF32(b, narrow);
}

/// The nearest integer under the codec's tie rule. The distance to the floor is exact.
Value EncodeLowering::roundToInteger(Value x) {
  if (codec.getTie() == TieRule::Even)
    return math::RoundEvenOp::create(b, x);
  Value below = math::FloorOp::create(b, x), half = like(x, 0.5), above = arith::AddFOp::create(b, below, like(x, 1));
  Value rest = arith::SubFOp::create(b, x, below);
  Value up = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, rest, half);
  Value tie = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, rest, half);
  Value upper = above;
  if (codec.getTie() == TieRule::Low)
    upper = below;
  else if (codec.getTie() == TieRule::Away)
    upper = arith::SelectOp::create(b, arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, like(x, 0)), below, above);
  return arith::SelectOp::create(b, up, above, arith::SelectOp::create(b, tie, upper, below));
}

/// i32 codes (container form) of 16 values. NaN takes the code of zero.
Value EncodeLowering::encodeVector(Value x, Value scale, Value zero) {
  if (scale) {
    Value divisor = spread(scale, x), none = like(x, 0);
    Value empty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, divisor, none);
    x = arith::SelectOp::create(b, empty, none, arith::DivFOp::create(b, x, divisor));
  }
  if (codec.getKind() != CodecKind::Int) {
    if (zero)
      x = arith::AddFOp::create(b, x, spread(zero, x));
    return emitNearestCode(b, codec, x);
  }
  Value number = arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, x, x);
  Value rounded = arith::SelectOp::create(b, number, roundToInteger(x), like(x, 0));
  if (zero)
    rounded = arith::AddFOp::create(b, rounded, spread(zero, x));
  rounded = arith::MaximumFOp::create(b, rounded, like(x, range.lowest));
  rounded = arith::MinimumFOp::create(b, rounded, like(x, range.highest));
  auto i32 = cast<VectorType>(x.getType()).clone(b.getI32Type());
  Value code = arith::FPToSIOp::create(b, i32, rounded);
  // Offset codes count from their lowest value.
  bool isSigned = decodeCode(codec, (uint32_t(1) << codec.getBits()) - 1) < decodeCode(codec, 0);
  int64_t lowest = isSigned ? 0 : static_cast<int64_t>(decodeCode(codec, 0));
  if (lowest)
    code = arith::SubIOp::create(b, code, arith::ConstantOp::create(b, DenseElementsAttr::get(i32, b.getI32IntegerAttr(lowest))));
  return code;
}

/// Codes of one row of the cell; returns the running sums of code - static zero.
void EncodeLowering::encodeRow(ValueRange row, Value begin, Value end, Value scale, Value zero, Value sums) {
  overVectors(begin, end, {}, [&](Value at, Value mask, ValueRange) -> SmallVector<Value> {
    Value x = loadFloats(b, op.getSource(), row, at, mask);
    Value code = encodeVector(x, scale, zero), codes = op.getOutputs().front();
    SmallVector<Value> to(row);
    to.push_back(at);
    auto stored = VectorType::get(kLanes, cast<MemRefType>(codes.getType()).getElementType());
    Value narrow = arith::TruncIOp::create(b, stored, code);
    if (mask)
      vector::MaskedStoreOp::create(b, codes, to, mask, narrow);
    else
      vector::StoreOp::create(b, narrow, codes, to);
    return {};
  });
}

/// Two codes a byte: each unit of 32 has the codes of its first half in the low bits.
void EncodeLowering::encodePackedRow(ValueRange row, Value begin, Value end, Value scale, Value zero) {
  static_assert(kPackedRun == kLanes, "a run of packed codes is one vector");
  auto loop = scf::ForOp::create(b, begin, end, index(2 * kPackedRun));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  auto bytes = VectorType::get(kLanes, b.getI8Type());
  auto halfAt = [&](Value at) -> Value {
    // Behind the end codes are 0, whatever a zero point would make of nothing.
    Value left = arith::MaxSIOp::create(b, arith::SubIOp::create(b, end, at), index(0));
    Value mask = vector::CreateMaskOp::create(b, VectorType::get(kLanes, b.getI1Type()), left);
    Value code = arith::TruncIOp::create(b, bytes, encodeVector(loadFloats(b, op.getSource(), row, at, mask), scale, zero));
    Value none = arith::ConstantOp::create(b, b.getZeroAttr(bytes));
    return arith::SelectOp::create(b, mask, code, none);
  };
  auto splat = [&](int64_t value) {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(bytes, b.getI8IntegerAttr(value))).getResult();
  };
  Value at = loop.getInductionVar();
  Value low = arith::AndIOp::create(b, halfAt(at), splat(15));
  Value high = arith::ShLIOp::create(b, halfAt(arith::AddIOp::create(b, at, index(kPackedRun))), splat(4));
  SmallVector<Value> to(row);
  to.push_back(arith::DivUIOp::create(b, at, index(2)));
  vector::StoreOp::create(b, arith::OrIOp::create(b, low, high), op.getOutputs().front(), to);
}

void EncodeLowering::emitCell(ValueRange cell) {
  begins.clear();
  ends.clear();
  for (auto [d, block] : llvm::enumerate(encoding.getBlock())) {
    Value extent = b.createOrFold<memref::DimOp>(op.getSource(), d);
    bool whole = ShapedType::isDynamic(block);
    begins.push_back(whole ? index(0) : b.createOrFold<arith::MulIOp>(cell[d], index(block)));
    std::optional<int64_t> known = getConstantIntValue(extent);
    Value end = whole ? extent : b.createOrFold<arith::AddIOp>(begins.back(), index(block));
    bool divides = !whole && known && *known % block == 0;
    ends.push_back(whole || divides ? end : arith::MinUIOp::create(b, end, extent).getResult());
  }
  Value scale = emitScale(cell), zero;
  SmallVector<Value> components{op.getOutputs().front()};
  llvm::append_range(components, op.getParams());
  if (encoding.getZero() || encoding.getOffset()) {
    EncodedOperand given(components, encoding);
    zero = given.loadZero(b, begins);
  }
  overRows({}, [&](ValueRange row, ValueRange) -> SmallVector<Value> {
    if (op.getPacked())
      encodePackedRow(row, begins.back(), ends.back(), scale, zero);
    else
      encodeRow(row, begins.back(), ends.back(), scale, zero, {});
    return {};
  });
}

LogicalResult EncodeLowering::lower() {
  if (failed(check()))
    return failure();
  SmallVector<Value> zeros, counts, ones;
  for (auto [d, block] : llvm::enumerate(encoding.getBlock())) {
    Value extent = b.createOrFold<memref::DimOp>(op.getSource(), d);
    zeros.push_back(index(0));
    ones.push_back(index(1));
    counts.push_back(ShapedType::isDynamic(block) ? index(1)
                                                  : b.createOrFold<arith::CeilDivUIOp>(extent, index(block)));
  }
  if (zeros.empty())
    return op.emitOpError("has rank 0; encode a tensor of rank 1");
  // A row is a microsecond's work, less than to hand it to threads: those share rows.
  size_t shared = std::max<size_t>(1, zeros.size() - 1);
  auto loop = scf::ParallelOp::create(b, ArrayRef(zeros).take_front(shared), ArrayRef(counts).take_front(shared),
                                      ArrayRef(ones).take_front(shared));
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> cell(loop.getInductionVars());
  if (shared < zeros.size()) {
    auto along = scf::ForOp::create(b, zeros.back(), counts.back(), ones.back());
    b.setInsertionPointToStart(along.getBody());
    cell.push_back(along.getInductionVar());
  }
  emitCell(cell);
  op.erase();
  return success();
}

LogicalResult qtensor::lowerEncode(EncodeOp op) { return EncodeLowering(op).lower(); }
