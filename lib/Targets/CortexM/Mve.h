// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Helium (MVE) in kernels: vectors of 128 bits, their instructions by LLVM's intrinsics, the final map on four sums.
#pragma once
#include "lib/Transforms/Firmware/FastMap.h"
#include "lib/Transforms/Firmware/LayerKernels.h"

namespace mlir::qtensor::cortexm {
using firmware::ConvConstants;
using firmware::ConvLayer;
using firmware::FinalMap;
using firmware::KernelBuilder;

/// How many bytes of constants a loop may read around one pointer: immediate offsets of words reach 508 both ways.
constexpr int64_t kMveReach = 1016;

/// The multiplier and shifts of a channel, such that every right shift is at least 1 where the mode allows it:
/// code = (highMultiply(sum << left, multiplier) + rounding) >> right.
struct MveScale {
  int32_t multiplier = 0;
  int8_t left = 0, right = 1;

  static MveScale of(int32_t multiplier, int32_t shift, FixedMode mode);
};

/// Whether some channel shifts its sums left, or not right at all: the final map then takes three instructions more.
bool needsGeneralMap(const ConvLayer &layer, const ConvConstants &constants);
/// What all kernels for codes of 8 bits ask for: sums of 32 bits, a map of one or two roundings, weights of a byte.
bool fitsMve(const ConvLayer &layer);
/// What those for codes of 16 bits ask for that sum in 32.
bool fitsMveWords(const ConvLayer &layer, const ConvConstants &constants);

/// Weights of 2, 4 or 8 bits in vectors, a byte for each lane of inputs: byte i has those that meet input i of as many
/// vectors of inputs as it has room for, the first in its low bits. Weights that meet codes of 16 bits have a byte
/// each.
class MveWeights {
public:
  explicit MveWeights(unsigned bits, unsigned inputBits = 8)
      : bits(inputBits == 8 && (bits == 2 || bits == 4) ? bits : 8), lanes(128 / inputBits) {}
  static MveWeights of(const ConvLayer &layer) { return MveWeights(layer.weightBits, layer.inputBits); }

  int64_t vectorLanes() const { return lanes; } ///< Inputs in a vector, bytes of weights.
  int64_t planes() const { return 8 / bits; } ///< Vectors of inputs.
  /// What is added to weights of all planes but the last, where they are stored without sign.
  int64_t bias() const { return planes() == 1 ? 0 : int64_t(1) << (bits - 1); }
  /// Appends a vector with the weights at(input), input = lanes * plane + i.
  void append(std::vector<char> &bytes, bool biased, llvm::function_ref<int64_t(int64_t input)> at) const;
  int64_t getBits() const { return bits; }

private:
  int64_t bits, lanes;
};

/// KernelBuilder with vectors.
class Mve {
public:
  explicit Mve(KernelBuilder &k) : k(k) {}

  Type bytes() { return VectorType::get({16}, k.i8()); }
  Type halves() { return VectorType::get({8}, k.i16()); }
  Type words() { return VectorType::get({4}, k.i32()); }

  /// 16 codes; the first `count` of them, with a constant behind.
  Value loadBytes(Value pointer) { return k.load(pointer, bytes(), 1); }
  Value loadBytes(Value pointer, int64_t count, int64_t behind = 0);
  void storeBytes(Value vector, Value pointer) { k.store(vector, pointer, 1); }
  void storeBytes(Value vector, Value pointer, int64_t count);
  /// 16 bytes of constants, at a multiple of 4.
  Value loadConstants(Value pointer);
  /// The first `count` of 8 codes of 16 bits, or of 16 of 8 bits, with 0 behind.
  Value loadHalves(Value pointer, int64_t count = 8);
  Value loadInputs(Value pointer, const MveWeights &weights, int64_t count) {
    return weights.vectorLanes() == 8 ? loadHalves(pointer, count) : loadBytes(pointer, count);
  }
  Value loadWords(Value pointer) { return k.load(pointer, words(), 4); }
  /// The first `count` of 4 codes, in words, with a constant behind.
  Value loadCodesAsWords(Value pointer, int64_t count, int64_t behind = 0);
  /// Unsigned: a code that is an index.
  Value loadBytesAsWords(Value pointer, int64_t count);
  Value loadBytesAsWords(Value pointer, Value count);
  /// 4 or 8 codes, sign-extended; the low `bits` of 4 or 8 lanes (of 8 the first `count`, of 4 too).
  Value loadCodesAsWords(Value pointer);
  Value loadCodesAsHalves(Value pointer);
  Value loadCodesAsHalves(Value pointer, int64_t count); ///< The first `count`, anything behind.
  void storeCodes(Value lanes, Value pointer, unsigned bits = 8);
  void storeCodes(Value halves, Value pointer, int64_t count, unsigned bits = 8);
  void storeCodes(Value words, Value pointer, Value count, unsigned bits = 8);
  /// Four words of a table, by index.
  Value gatherWords(Value table, Value index);
  /// The first `count` of 16 bytes, to unsigned offsets of 8 bits.
  void scatterBytes(Value to, Value offsets, Value bytes, int64_t count);

  /// sum + the products of two vectors of 8 or 16 lanes.
  Value dot(Value sum, Value x, Value y);
  /// sum + the lanes of a vector; the first `count` of four.
  Value addLanes(Value sum, Value vector);
  Value addLanes(Value sum, Value words, int64_t count);
  /// The largest of a code in an i32 and 16 codes.
  Value largest(Value code, Value bytes);
  /// The planes of a vector of weights: signed; or all but the last without sign, in fewer instructions.
  SmallVector<Value> loadWeights(Value pointer, const MveWeights &weights, bool biased);
  Value splat(Value scalar, Type type);
  Value splat(int64_t value, Type type) { return k.number(value, type); }
  /// A vector with a word in a lane; `into` null: of no matter which others.
  Value insert(Value into, Value word, int64_t lane);
  /// The even or odd of eight lanes of 16 bits, in 32.
  Value widen(Value halves, unsigned odd);
  /// The products of the even or odd of eight lanes of 16 bits, in 32.
  Value multiplyWide(Value x, Value y, unsigned odd);
  /// Eight lanes of two vectors, alternating, saturated to 16 bits.
  Value narrowPair(Value evenWords, Value oddWords);
  Value saturatingAdd(Value x, Value y);
  Value saturatingLeft(Value x, int64_t bits) {
    return k.intrinsic("llvm.arm.mve.vqshl.imm", x.getType(), {x, flag(bits), flag(0)});
  }
  /// floor((x * y + 2^30) / 2^31), saturated.
  Value highMultiply(Value x, Value y) { return k.intrinsic("llvm.arm.mve.vqrdmulh", x.getType(), {x, y}); }
  /// x * 2^-bits, ties up; x * 2^bits for an i32, ties up.
  Value roundedRight(Value x, int64_t bits) {
    return k.intrinsic("llvm.arm.mve.vrshr.imm", x.getType(), {x, flag(bits), flag(0)});
  }
  Value roundedShift(Value x, Value bits) {
    return k.intrinsic("llvm.arm.mve.vshl.scalar", x.getType(), {x, bits, flag(0), flag(1), flag(0)});
  }
  Value lanes(ArrayRef<int64_t> values, Type type);

  /// The final map of four sums, by vectors of multipliers and of negated right shifts; `left` null: none shifts left
  /// and all shift right. Without zero point.
  Value mapSums(Value sums, Value multipliers, Value negatedRight, Value left, const FinalMap &map);
  /// The same for one multiplier and shift.
  Value mapSums(Value sums, MveScale scale, const FinalMap &map);
  /// + zero point, clamped.
  Value finish(Value mapped, const FinalMap &map);
  /// The same for eight lanes, in halves.
  Value finishPair(Value even, Value odd, const FinalMap &map);

  KernelBuilder &k;

private:
  Value predicate(Value count, unsigned lanes);
  Value predicate(int64_t count, unsigned lanes) { return predicate(k.number(count), lanes); }
  Value flag(int64_t value) { return k.number(value); }
};

} // namespace mlir::qtensor::cortexm
