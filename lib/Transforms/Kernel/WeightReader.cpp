// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From packed bytes to decoded vectors: what a kernel reads of its weights.
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

Value kernel::constant(ImplicitLocOpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, value); }
Value kernel::add(ImplicitLocOpBuilder &b, Value x, Value y) { return b.createOrFold<arith::AddIOp>(x, y); }
Value kernel::sub(ImplicitLocOpBuilder &b, Value x, Value y) { return b.createOrFold<arith::SubIOp>(x, y); }
Value kernel::mul(ImplicitLocOpBuilder &b, Value x, Value y) { return b.createOrFold<arith::MulIOp>(x, y); }
Value kernel::div(ImplicitLocOpBuilder &b, Value x, Value y) { return b.createOrFold<arith::DivUIOp>(x, y); }
Value kernel::rem(ImplicitLocOpBuilder &b, Value x, Value y) { return b.createOrFold<arith::RemUIOp>(x, y); }
Value kernel::min(ImplicitLocOpBuilder &b, Value x, Value y) { return b.createOrFold<arith::MinUIOp>(x, y); }
Value kernel::max(ImplicitLocOpBuilder &b, Value x, Value y) { return b.createOrFold<arith::MaxUIOp>(x, y); }

Value kernel::paddedK(ImplicitLocOpBuilder &b, const KernelSpec &spec, const KernelExtents &extents) {
  return mul(b, mul(b, extents.blocks, extents.steps), constant(b, spec.getStep()));
}

Value kernel::splat(ImplicitLocOpBuilder &b, VectorType type, double value) {
  Type element = type.getElementType();
  TypedAttr attr = isa<FloatType>(element) ? TypedAttr(b.getFloatAttr(element, value))
                                           : TypedAttr(b.getIntegerAttr(element, static_cast<int64_t>(value)));
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, cast<Attribute>(attr)));
}

void WeightReader::begin(Value bytes, const KernelExtents &extents, Value first, int64_t count, Value last) {
  weights = bytes;
  codeBytes = mul(b, extents.steps, constant(b, chunks * layout.getChunkBytes()));
  blockBytes = add(b, codeBytes, constant(b, layout.getParameterBytes()));
  Value panelBytes = mul(b, blockBytes, extents.blocks);
  if (layout.hasGroups()) {
    groupBlocks = layout.getGroup() ? constant(b, layout.getGroup()) : extents.blocks;
    panelBytes = add(b, panelBytes, mul(b, countGroups(extents), constant(b, layout.getGroupBytes())));
  }
  beginColumns(panelBytes, first, count, last);
}

/// Columns that fill a panel, or an even part of one, lie in it together: one stream of addresses for the whole tile.
void WeightReader::beginColumns(Value panelBytes, Value first, int64_t count, Value last) {
  int64_t perPanel = layout.getRows() / lanes;
  bool together = perPanel % count == 0;
  for (int64_t c = 0; c < count; ++c) {
    Value vector = together || c == 0 ? first : min(b, add(b, first, constant(b, c)), last);
    Value part = together && perPanel == count ? constant(b, 0) : rem(b, vector, constant(b, perPanel));
    panels.push_back(mul(b, div(b, vector, constant(b, perPanel)), panelBytes));
    parts.push_back(mul(b, add(b, part, constant(b, together ? c : 0)), constant(b, lanes)));
  }
}

Value WeightReader::countGroups(const KernelExtents &extents) {
  if (!layout.getGroup())
    return constant(b, 1);
  return div(b, add(b, extents.blocks, constant(b, layout.getGroup() - 1)), groupBlocks);
}

void WeightReader::beginGroup(Value group) {
  Value bytes = constant(b, layout.getGroupBytes()), at = mul(b, group, add(b, mul(b, groupBlocks, blockBytes), bytes));
  groupStart = mul(b, add(b, group, constant(b, 1)), bytes);
  for (SmallVector<Value> *values : {&scaleScales, &scaleShifts, &offsetScales})
    values->clear();
  for (size_t c = 0; c < panels.size(); ++c) {
    if (layout.getScaleScale())
      scaleScales.push_back(loadParameter(c, at, 0, layout.getScaleScale()));
    if (layout.getScaleShift())
      scaleShifts.push_back(loadParameter(c, at, layout.getScaleShiftOffset(), layout.getScaleShift()));
    if (layout.getOffsetScale())
      offsetScales.push_back(loadParameter(c, at, layout.getOffsetScaleOffset(), layout.getOffsetScale()));
  }
}

SmallVector<Value> WeightReader::overGroups(Value first, Value last, ValueRange inits,
                                            function_ref<SmallVector<Value>(Value, Value, ValueRange)> body) {
  if (layout.hasGroups() && !layout.getGroup())
    beginGroup(constant(b, 0));
  if (!layout.getGroup())
    return body(first, last, inits);
  Value end = div(b, add(b, last, constant(b, layout.getGroup() - 1)), groupBlocks);
  auto loop = scf::ForOp::create(b, div(b, first, groupBlocks), end, constant(b, 1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  beginGroup(loop.getInductionVar());
  Value start = mul(b, loop.getInductionVar(), groupBlocks), stop = min(b, add(b, start, groupBlocks), last);
  SmallVector<Value> next = body(max(b, start, first), stop, loop.getRegionIterArgs());
  if (!next.empty())
    scf::YieldOp::create(b, next);
  return SmallVector<Value>(loop.getResults());
}

Value WeightReader::blockOffset(Value block) {
  Value offset = mul(b, block, blockBytes);
  return groupStart ? add(b, offset, groupStart) : offset;
}

Value WeightReader::stepOffset(Value blockOffset, Value step) {
  return add(b, blockOffset, mul(b, step, constant(b, chunks * layout.getChunkBytes())));
}

/// The elements of a column vector, of so many bytes each, that lie at `offset` behind the panel's first element of theirs.
Value WeightReader::loadBytes(int64_t column, int64_t elementBytes, Value offset, int64_t constantOffset) {
  int64_t count = elementBytes * lanes;
  Value index = add(b, add(b, elementBase(column, elementBytes), offset), constant(b, constantOffset));
  askForVector(index, column, count);
  return vector::LoadOp::create(b, VectorType::get(count, b.getI8Type()), weights, index);
}

Value WeightReader::elementBase(int64_t column, int64_t bytes) {
  return add(b, panels[column], mul(b, parts[column], constant(b, bytes)));
}

/// In the order of memory, which is that of the columns at each place: a panel is one stream of ascending addresses.
SmallVector<SmallVector<Value>> WeightReader::loadPacked(Value stepOffset, int64_t elementBytes, int64_t count) {
  SmallVector<SmallVector<Value>> packed(panels.size());
  for (int64_t v = 0; v < count; ++v)
    for (auto [column, vectors] : llvm::enumerate(packed))
      vectors.push_back(loadBytes(column, elementBytes, stepOffset, v * layout.getRows() * elementBytes));
  return packed;
}

SmallVector<SmallVector<Value>> WeightReader::loadGroups(Value stepOffset, bool alternate) {
  if (layout.getRadix())
    return loadDigits(stepOffset);
  SmallVector<unsigned, 3> pieces = layout.getPieces();
  SmallVector<int64_t> widths(pieces.begin(), pieces.end());
  int64_t perChunk = layout.getChunkBytes() / (4 * layout.getRows());
  SmallVector<SmallVector<Value>> all;
  for (const SmallVector<Value> &packed : loadPacked(stepOffset, 4, chunks * perChunk)) {
    SmallVector<Value> &groups = all.emplace_back();
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      SmallVector<Type> types(layout.getChunk() / 4, packed.front().getType());
      auto unpack = qtile::UnpackOp::create(b, types, b.getDenseI64ArrayAttr(widths), alternate,
                                            ArrayRef(packed).slice(chunk * perChunk, perChunk));
      llvm::append_range(groups, unpack.getGroups());
    }
  }
  return all;
}

/// The vectors of a step whose bytes are fractions of digits.
SmallVector<SmallVector<Value>> WeightReader::loadFractions(Value stepOffset) { return loadPacked(stepOffset, 4, chunks); }

/// radix * fraction modulo 1: what the digits behind the first one make. By additions, which bytes have.
Value WeightReader::nextFraction(Value fraction) {
  Value sum = fraction;
  for (int64_t bit = llvm::Log2_64(layout.getRadix()); bit-- > 0;) {
    sum = arith::AddIOp::create(b, sum, sum);
    if (layout.getRadix() >> bit & 1)
      sum = arith::AddIOp::create(b, sum, fraction);
  }
  return sum;
}

/// The first digit of each fraction: how many of its upper bounds it has reached.
Value WeightReader::firstDigit(Value fraction) {
  auto type = cast<VectorType>(fraction.getType());
  Value digit;
  for (int64_t value = 1; value < layout.getRadix(); ++value) {
    Value bound = splat(b, type, static_cast<int8_t>(llvm::divideCeil(256 * value, layout.getRadix())));
    Value reached = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, fraction, bound);
    Value one = arith::ExtUIOp::create(b, type, reached);
    digit = digit ? arith::AddIOp::create(b, digit, one).getResult() : one;
  }
  return digit;
}

SmallVector<SmallVector<Value>> WeightReader::loadDigits(Value stepOffset) {
  SmallVector<SmallVector<Value>> all = loadFractions(stepOffset);
  for (SmallVector<Value> &column : all) {
    SmallVector<Value> groups;
    for (Value fraction : column)
      for (int64_t digit = 0; digit < layout.getDigits(); ++digit, fraction = nextFraction(fraction))
        groups.push_back(firstDigit(fraction));
    column = groups;
  }
  return all;
}

Value WeightReader::lookupBytes(Value group, ArrayRef<uint8_t> table) {
  if (table.empty())
    return group;
  auto entries = DenseElementsAttr::get(RankedTensorType::get(table.size(), b.getI8Type()), table);
  return qtile::LookupOp::create(b, group.getType(), group, entries);
}

/// e4m3 as f32: exponent and fraction move to their fields, 120 too low; 2^120 corrects it for subnormals as well.
static Value fromE4M3(ImplicitLocOpBuilder &b, Value bytes, VectorType f32) {
  auto i32 = f32.clone(b.getI32Type());
  Value bits = arith::ExtUIOp::create(b, i32, bytes), magnitude = arith::AndIOp::create(b, bits, splat(b, i32, 0x7F));
  Value field = arith::ShLIOp::create(b, magnitude, splat(b, i32, 20));
  Value sign = arith::ShLIOp::create(b, arith::AndIOp::create(b, bits, splat(b, i32, 0x80)), splat(b, i32, 24));
  Value scaled = arith::MulFOp::create(b, arith::BitcastOp::create(b, f32, field), splat(b, f32, 0x1p120));
  Value isNaN = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, magnitude, splat(b, i32, 0x7F));
  Value value = arith::SelectOp::create(b, isNaN, splat(b, i32, 0x7FC00000), arith::BitcastOp::create(b, i32, scaled));
  return arith::BitcastOp::create(b, f32, arith::OrIOp::create(b, value, sign));
}

/// A parameter's vector as f32: of a float type, the exponent of an e8m0, or a signed byte.
static Value toF32(ImplicitLocOpBuilder &b, Value bytes, Type type, int64_t lanes) {
  auto f32 = VectorType::get(lanes, b.getF32Type());
  if (type.isInteger(8))
    return arith::SIToFPOp::create(b, f32, arith::ExtSIOp::create(b, f32.clone(b.getI32Type()), bytes));
  if (isa<Float8E4M3FNType>(type))
    return fromE4M3(b, bytes, f32);
  if (isa<Float8E8M0FNUType>(type)) {
    // The byte is the exponent field of an f32, except that 0 means 2^-127 and 255 is NaN.
    auto i32 = VectorType::get(lanes, b.getI32Type());
    Value exponent = arith::ExtUIOp::create(b, i32, bytes);
    Value bits = arith::ShLIOp::create(b, exponent, splat(b, i32, 23));
    Value tiny = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, exponent, splat(b, i32, 0));
    Value nan = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, exponent, splat(b, i32, 255));
    bits = arith::SelectOp::create(b, tiny, splat(b, i32, 0x00400000), bits);
    bits = arith::SelectOp::create(b, nan, splat(b, i32, 0x7FC00000), bits);
    return arith::BitcastOp::create(b, f32, bits);
  }
  Value values = vector::BitCastOp::create(b, VectorType::get(lanes, type), bytes);
  return type.isF32() ? values : arith::ExtFOp::create(b, f32, values).getResult();
}

/// Codes of one column and step, each in an i32 lane, k ascending: a shift and a mask of a word of codes of `width` bits.
SmallVector<Value> WeightReader::widenCodes(ArrayRef<Value> packed, int64_t width) {
  auto i32 = VectorType::get(lanes, b.getI32Type());
  Value mask = splat(b, i32, (1 << width) - 1);
  SmallVector<Value> codes;
  for (Value bytes : packed) {
    Value word = vector::BitCastOp::create(b, i32, bytes);
    for (int64_t from = 0; from < 8; from += width)
      for (int64_t j = 0; j < 4; ++j) {
        int64_t shift = 8 * j + from;
        Value code = shift ? arith::ShRUIOp::create(b, word, splat(b, i32, shift)).getResult() : word;
        codes.push_back(shift + width == 32 ? code : arith::AndIOp::create(b, code, mask).getResult());
      }
  }
  return codes;
}

/// The real value of a code before zero and scale.
Value WeightReader::decodeCode(Value code) {
  auto f32 = VectorType::get(lanes, b.getF32Type());
  if (!weight.values.empty()) {
    auto type = RankedTensorType::get(weight.values.size(), b.getF32Type());
    return qtile::LookupOp::create(b, f32, code, DenseElementsAttr::get(type, ArrayRef(weight.values)));
  }
  if (weight.zero)
    code = arith::SubIOp::create(b, code, splat(b, cast<VectorType>(code.getType()), weight.zero));
  return arith::SIToFPOp::create(b, f32, code);
}

SmallVector<SmallVector<Value>> WeightReader::loadValues(Value stepOffset) {
  SmallVector<SmallVector<Value>> values(panels.size());
  if (!layout.hasIntegerCodes()) {
    int64_t bytes = layout.getCodes().getIntOrFloatBitWidth() / 8;
    auto packed = loadPacked(stepOffset, bytes, chunks * layout.getChunk());
    for (size_t c = 0; c < values.size(); ++c)
      for (Value element : packed[c])
        values[c].push_back(toF32(b, element, layout.getCodes(), lanes));
    return values;
  }
  // Pieces of a code are put together first.
  bool onePiece = !layout.getRadix() && layout.getPieces().size() == 1;
  int64_t count = chunks * layout.getChunkBytes() / (4 * layout.getRows());
  auto vectors = onePiece ? loadPacked(stepOffset, 4, count) : loadGroups(stepOffset);
  for (size_t c = 0; c < values.size(); ++c)
    for (Value code : widenCodes(vectors[c], onePiece ? layout.getStoredBits() : 8))
      values[c].push_back(decodeCode(code));
  return values;
}

static int64_t bytesOf(Type type) { return type.getIntOrFloatBitWidth() / 8; }

/// A parameter of the block or group at `at`, as f32.
Value WeightReader::loadParameter(int64_t column, Value at, int64_t byteOffset, Type type) {
  return toF32(b, loadBytes(column, bytesOf(type), at, byteOffset), type, lanes);
}

/// A parameter's bytes, unsigned, as i32.
Value WeightReader::loadByteParameter(int64_t column, Value blockOffset, int64_t byteOffset) {
  Value bytes = loadBytes(column, 1, blockOffset, byteOffset);
  return arith::ExtUIOp::create(b, VectorType::get(lanes, b.getI32Type()), bytes);
}

Value WeightReader::loadZero(int64_t column, Value blockOffset) {
  if (!layout.getZero())
    return {};
  blockOffset = add(b, blockOffset, codeBytes);
  if (layout.getZero().isF32())
    return loadParameter(column, blockOffset, layout.getZeroOffset(), layout.getZero());
  return loadByteParameter(column, blockOffset, layout.getZeroOffset());
}

/// Nested scales are worked out first, in f32.
Value WeightReader::loadScale(int64_t column, Value blockOffset) {
  auto f32 = VectorType::get(lanes, b.getF32Type());
  if (!layout.getScale())
    return weight.scale || weight.unit != 1 ? splat(b, f32, weight.scale.value_or(1.0f) * weight.unit) : Value();
  Value scale;
  blockOffset = add(b, blockOffset, codeBytes);
  if (weight.scaleValues.empty()) {
    scale = loadParameter(column, blockOffset, layout.getScaleOffset(), layout.getScale());
  } else {
    int64_t entries = weight.scaleValues.size();
    auto table = DenseElementsAttr::get(RankedTensorType::get(entries, b.getF32Type()), ArrayRef(weight.scaleValues));
    Value codes = loadByteParameter(column, blockOffset, layout.getScaleOffset());
    scale = qtile::LookupOp::create(b, f32, codes, table);
  }
  if (!scaleScales.empty())
    scale = arith::MulFOp::create(b, scaleScales[column], scale);
  if (!scaleShifts.empty())
    scale = arith::AddFOp::create(b, scale, scaleShifts[column]);
  return weight.unit == 1 ? scale : arith::MulFOp::create(b, scale, splat(b, f32, weight.unit)).getResult();
}

Value WeightReader::loadOffset(int64_t column, Value blockOffset) {
  if (!layout.getOffset())
    return {};
  Value offset = loadParameter(column, add(b, blockOffset, codeBytes), layout.getOffsetOffset(), layout.getOffset());
  return offsetScales.empty() ? offset : arith::MulFOp::create(b, offsetScales[column], offset).getResult();
}

BlockParameters WeightReader::loadParameters(int64_t column, Value blockOffset) {
  BlockParameters block{loadScale(column, blockOffset), loadZero(column, blockOffset), loadOffset(column, blockOffset)};
  if (isFloat && block.zero && !cast<VectorType>(block.zero.getType()).getElementType().isF32())
    block.zero = arith::SIToFPOp::create(b, VectorType::get(lanes, b.getF32Type()), block.zero);
  return block;
}

Value BlockParameters::apply(ImplicitLocOpBuilder &b, Value value) const {
  if (zero)
    value = arith::SubFOp::create(b, value, zero);
  if (scale)
    value = arith::MulFOp::create(b, scale, value);
  return shift ? arith::AddFOp::create(b, value, shift).getResult() : value;
}
