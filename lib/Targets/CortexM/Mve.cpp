// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/CortexM/Mve.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;

MveScale MveScale::of(int32_t multiplier, int32_t shift, FixedMode mode) {
  // One rounding of a product with 16 bits, here in the upper half.
  if (mode == FixedMode::X16)
    return of(firmware::reduceMultiplier(multiplier), shift, FixedMode::Single);
  // A multiplier of 0 and a shift beyond all bits give 0, whatever the sum.
  if (multiplier == 0 || shift < -31)
    return {};
  if (shift < 0)
    return {multiplier, 0, int8_t(-shift)};
  // One rounding of x * m / 2^31 is the same as one of (2x * m / 2^31) / 2; two are not.
  if (mode == FixedMode::Single)
    return {multiplier, int8_t(shift + 1), 1};
  return {multiplier, int8_t(shift), 0};
}

bool cortexm::needsGeneralMap(const ConvLayer &layer, const ConvConstants &constants) {
  for (int64_t o = 0; o < layer.out.channels; ++o) {
    MveScale scale = MveScale::of(firmware::ofChannel(constants.multiplier, o), firmware::ofChannel(constants.shift, o),
                                  layer.map.mode);
    if (scale.left || !scale.right)
      return true;
  }
  return false;
}

bool cortexm::fitsMve(const ConvLayer &layer) {
  return layer.inputBits == 8 && layer.weightBits <= 8 && layer.map.mode != FixedMode::X16 &&
         layer.sumBound <= std::numeric_limits<int32_t>::max();
}

bool cortexm::fitsMveWords(const ConvLayer &layer, const ConvConstants &constants) {
  if (!layer.hasWords() || layer.sumBound > std::numeric_limits<int32_t>::max())
    return false;
  // A sum that saturates where it is shifted to the left is one that is clamped: not if its multiplier is small.
  for (int64_t o = 0; o < layer.out.channels; ++o) {
    int32_t multiplier = firmware::ofChannel(constants.multiplier, o);
    if (multiplier < 0 || (multiplier > 0 && multiplier < 1 << 30 && firmware::ofChannel(constants.shift, o) >= 0))
      return false;
  }
  return true;
}

void MveWeights::append(std::vector<char> &bytes, bool biased, llvm::function_ref<int64_t(int64_t input)> at) const {
  for (int64_t i = 0; i < lanes; ++i) {
    int64_t byte = 0;
    for (int64_t plane = 0; plane < planes(); ++plane) {
      int64_t weight = at(lanes * plane + i) + (biased && plane + 1 < planes() ? bias() : 0);
      byte |= (weight & ((1 << bits) - 1)) << (plane * bits);
    }
    firmware::appendNumber<int8_t>(bytes, int8_t(byte));
  }
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value Mve::predicate(Value count, unsigned lanes) {
  Type type = VectorType::get({int64_t(lanes)}, k.getBuilder().getI1Type());
  StringRef name = lanes == 16 ? "llvm.arm.mve.vctp8" : lanes == 8 ? "llvm.arm.mve.vctp16" : "llvm.arm.mve.vctp32";
  return k.intrinsic(name, type, count);
}

Value Mve::loadBytes(Value pointer, int64_t count, int64_t behind) {
  if (count == 16)
    return loadBytes(pointer);
  return LLVM::MaskedLoadOp::create(k.getBuilder(), bytes(), pointer, predicate(count, 16), splat(behind, bytes()),
                                    k.getBuilder().getI32IntegerAttr(1));
}
void Mve::storeBytes(Value vector, Value pointer, int64_t count) {
  if (count == 16)
    return storeBytes(vector, pointer);
  LLVM::MaskedStoreOp::create(k.getBuilder(), vector, pointer, predicate(count, 16), 1);
}
// Words have immediate offsets four times as far as bytes, so they are loaded as words; the freeze keeps LLVM from
// making that a load of bytes.
Value Mve::loadConstants(Value pointer) {
  Value loaded = LLVM::FreezeOp::create(k.getBuilder(), loadWords(pointer));
  return LLVM::BitcastOp::create(k.getBuilder(), bytes(), loaded);
}
Value Mve::loadHalves(Value pointer, int64_t count) {
  if (count == 8)
    return k.load(pointer, halves(), 2);
  return LLVM::MaskedLoadOp::create(k.getBuilder(), halves(), pointer, predicate(count, 8), splat(0, halves()),
                                    k.getBuilder().getI32IntegerAttr(2));
}
static Value loadFour(Mve &m, Value pointer, Value predicate, int64_t behind) {
  Type codes = VectorType::get({4}, m.k.i8());
  if (!predicate)
    return m.k.load(pointer, codes, 1);
  return LLVM::MaskedLoadOp::create(m.k.getBuilder(), codes, pointer, predicate, m.splat(behind, codes),
                                    m.k.getBuilder().getI32IntegerAttr(1));
}
Value Mve::loadCodesAsWords(Value pointer, int64_t count, int64_t behind) {
  return k.extend(loadFour(*this, pointer, count < 4 ? predicate(count, 4) : Value(), behind), words());
}
Value Mve::loadBytesAsWords(Value pointer, int64_t count) {
  return k.extendUnsigned(loadFour(*this, pointer, count < 4 ? predicate(count, 4) : Value(), 0), words());
}
Value Mve::loadBytesAsWords(Value pointer, Value count) {
  return k.extendUnsigned(loadFour(*this, pointer, predicate(count, 4), 0), words());
}
Value Mve::loadCodesAsWords(Value pointer) {
  return k.extend(k.load(pointer, VectorType::get({4}, k.i8()), 1), words());
}
Value Mve::loadCodesAsHalves(Value pointer) {
  return k.extend(k.load(pointer, VectorType::get({8}, k.i8()), 1), halves());
}
Value Mve::loadCodesAsHalves(Value pointer, int64_t count) {
  if (count == 8)
    return loadCodesAsHalves(pointer);
  Type codes = VectorType::get({8}, k.i8());
  Value behind = LLVM::PoisonOp::create(k.getBuilder(), codes);
  Value loaded = LLVM::MaskedLoadOp::create(k.getBuilder(), codes, pointer, predicate(count, 8), behind,
                                            k.getBuilder().getI32IntegerAttr(1));
  return k.extend(loaded, halves());
}
void Mve::storeCodes(Value lanes, Value pointer, unsigned bits) {
  auto type = cast<VectorType>(lanes.getType());
  k.store(k.truncate(lanes, VectorType::get(type.getShape(), k.getBuilder().getIntegerType(bits))), pointer, bits / 8);
}
void Mve::storeCodes(Value halves, Value pointer, int64_t count, unsigned bits) {
  if (count == 8)
    return storeCodes(halves, pointer, bits);
  Value codes = k.truncate(halves, VectorType::get({8}, k.getBuilder().getIntegerType(bits)));
  LLVM::MaskedStoreOp::create(k.getBuilder(), codes, pointer, predicate(count, 8), bits / 8);
}
void Mve::storeCodes(Value words, Value pointer, Value count, unsigned bits) {
  Value codes = k.truncate(words, VectorType::get({4}, k.getBuilder().getIntegerType(bits)));
  LLVM::MaskedStoreOp::create(k.getBuilder(), codes, pointer, predicate(count, 4), bits / 8);
}
Value Mve::gatherWords(Value table, Value index) {
  return k.intrinsic("llvm.arm.mve.vldr.gather.offset", words(), {table, index, flag(32), flag(2), flag(0)});
}
//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value Mve::dot(Value sum, Value x, Value y) {
  return k.intrinsic("llvm.arm.mve.vmldava", k.i32(), {flag(0), flag(0), flag(0), sum, x, y});
}
Value Mve::addLanes(Value sum, Value vector) {
  return k.add(sum, k.intrinsic("llvm.arm.mve.addv", k.i32(), {vector, flag(0)}));
}
Value Mve::addLanes(Value sum, Value words, int64_t count) {
  if (count >= 4)
    return addLanes(sum, words);
  return k.add(sum, k.intrinsic("llvm.arm.mve.addv.predicated", k.i32(), {words, flag(0), predicate(count, 4)}));
}
Value Mve::largest(Value code, Value bytes) {
  return k.intrinsic("llvm.arm.mve.maxv", k.i32(), {code, bytes, flag(0)});
}
Value Mve::splat(Value scalar, Type type) {
  auto vector = cast<VectorType>(type);
  Value none = LLVM::PoisonOp::create(k.getBuilder(), type);
  Value first = LLVM::InsertElementOp::create(k.getBuilder(), none, scalar, k.number(0));
  return LLVM::ShuffleVectorOp::create(k.getBuilder(), first, none, SmallVector<int32_t>(vector.getNumElements(), 0));
}
Value Mve::insert(Value into, Value word, int64_t lane) {
  if (!into)
    into = LLVM::PoisonOp::create(k.getBuilder(), words());
  return LLVM::InsertElementOp::create(k.getBuilder(), into, word, k.number(lane));
}
SmallVector<Value> Mve::loadWeights(Value pointer, const MveWeights &weights, bool biased) {
  if (weights.vectorLanes() == 8)
    return {loadCodesAsHalves(pointer)};
  Value bytes = loadConstants(pointer);
  SmallVector<Value> planes;
  int64_t bits = weights.getBits();
  for (int64_t plane = 0; plane < weights.planes(); ++plane) {
    bool last = plane + 1 == weights.planes();
    if (last || !biased)
      planes.push_back(k.right(k.left(bytes, 8 - (plane + 1) * bits), 8 - bits));
    else
      planes.push_back(k.both(k.right(bytes, plane * bits), splat((int64_t(1) << bits) - 1, this->bytes())));
  }
  return planes;
}
Value Mve::widen(Value halves, unsigned odd) {
  SmallVector<int32_t> from;
  for (int32_t i = 0; i < 4; ++i)
    from.push_back(2 * i + int32_t(odd));
  return k.extend(LLVM::ShuffleVectorOp::create(k.getBuilder(), halves, halves, from), words());
}
Value Mve::multiplyWide(Value x, Value y, unsigned odd) {
  return k.intrinsic("llvm.arm.mve.vmull", words(), {x, y, flag(0), flag(odd)});
}
Value Mve::narrowPair(Value evenWords, Value oddWords) {
  Value none = LLVM::PoisonOp::create(k.getBuilder(), halves());
  Value even = k.intrinsic("llvm.arm.mve.vqmovn", halves(), {none, evenWords, flag(0), flag(0), flag(0)});
  return k.intrinsic("llvm.arm.mve.vqmovn", halves(), {even, oddWords, flag(0), flag(0), flag(1)});
}
void Mve::scatterBytes(Value to, Value offsets, Value bytes, int64_t count) {
  if (count == 16)
    return k.intrinsic("llvm.arm.mve.vstr.scatter.offset", {to, offsets, bytes, flag(8), flag(0)});
  k.intrinsic("llvm.arm.mve.vstr.scatter.offset.predicated",
              {to, offsets, bytes, flag(8), flag(0), predicate(count, 16)});
}
Value Mve::saturatingAdd(Value x, Value y) { return k.intrinsic("llvm.sadd.sat", x.getType(), {x, y}); }
Value Mve::lanes(ArrayRef<int64_t> values, Type type) {
  auto vector = cast<VectorType>(type);
  SmallVector<APInt> numbers;
  for (int64_t value : values)
    numbers.push_back(APInt(vector.getElementTypeBitWidth(), value, /*isSigned=*/true));
  return arith::ConstantOp::create(k.getBuilder(), DenseElementsAttr::get(vector, numbers));
}

Value Mve::mapSums(Value sums, Value multipliers, Value negatedRight, Value left, const FinalMap &map) {
  if (left)
    sums = k.intrinsic("llvm.arm.mve.vshl.vector", words(), {sums, left, flag(1), flag(0), flag(0)});
  bool twice = map.mode == FixedMode::Double;
  Value high = k.intrinsic(twice ? "llvm.arm.mve.vqrdmulh" : "llvm.arm.mve.vqdmulh", words(), {sums, multipliers});
  if (twice && map.low < map.zero) {
    // Ties go away from zero: a negative number is made less by one before ties go up; not where nothing is shifted
    // out. Where all negative numbers are clamped (ReLU), they may stay.
    Value negative = left ? k.both(high, negatedRight) : high;
    high = saturatingAdd(high, k.right(negative, 31));
  }
  return k.intrinsic("llvm.arm.mve.vshl.vector", words(), {high, negatedRight, flag(0), flag(1), flag(0)});
}

Value Mve::mapSums(Value sums, MveScale scale, const FinalMap &map) {
  bool general = scale.left || !scale.right;
  return mapSums(sums, splat(scale.multiplier, words()), splat(-scale.right, words()),
                 general ? splat(scale.left, words()) : Value(), map);
}

Value Mve::finish(Value mapped, const FinalMap &map) {
  Value codes = k.add(mapped, map.zero);
  bool is16 = map.low == -32768 && map.high == 32767;
  if (!is16 && (map.low != -128 || map.high != 127))
    return k.clamp(codes, map.low, map.high);
  // Saturating moves to the low half of each lane, and to its low quarter, need no registers for bounds.
  Value none = LLVM::PoisonOp::create(k.getBuilder(), halves()),
        nothing = LLVM::PoisonOp::create(k.getBuilder(), bytes());
  Value half = k.intrinsic("llvm.arm.mve.vqmovn", halves(), {none, codes, flag(0), flag(0), flag(0)});
  if (is16)
    return LLVM::BitcastOp::create(k.getBuilder(), words(), half);
  Value quarter = k.intrinsic("llvm.arm.mve.vqmovn", bytes(), {nothing, half, flag(0), flag(0), flag(0)});
  return LLVM::BitcastOp::create(k.getBuilder(), words(), quarter);
}

Value Mve::finishPair(Value even, Value odd, const FinalMap &map) {
  return k.clamp(saturatingAdd(narrowPair(even, odd), splat(map.zero, halves())), map.low, map.high);
}
