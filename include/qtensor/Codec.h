// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a codec computes: the value of a code, the code nearest to a value, and the range of both.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace mlir::qtensor {
class CodecAttr;
struct CellNumbersOf;
struct LaneRule;

/// The number that `code` stands for; bits above the codec's are ignored. Infinities and NaN where the codec has them.
/// Every result is an f32 value for codecs of at most 16 bits, and exact in f64 for all.
double decodeCode(CodecAttr codec, uint32_t code);

/// decodeCode of every code. `codec` has at most 16 bits.
std::vector<double> getCodecTable(CodecAttr codec);

/// What the encoder of a codec produces.
struct CodecRange {
  double lowest, highest; ///< Finite values of smallest and largest value that nearest-code rounding yields.
  double amax;            ///< Magnitude to which the absmax rule maps the largest element of a block.
};
CodecRange getCodecRange(CodecAttr codec);

/// The code as it stands in a component tensor: sign-extended for `int<signed>`, else zero-extended.
int32_t toContainer(CodecAttr codec, uint32_t code);

/// Multiples of one number: value(code) = scale * (128 * limb1(code) + limb0(code) - zero), limb1 absent for one limb.
/// Clauses M1 to M4 of the dialect's README.
struct Embedding {
  unsigned limbs;               ///< 1 or 2. 0: the codec has more than 8 bits.
  double scale;                 ///< An f32 number. Exact: the largest for which all multiples are integers.
  double bound;                 ///< Largest |value - approximation| of a finite code; 0 where the embedding is exact.
  int64_t zero;                 ///< The multiple that stands for 0; NaN and infinite codes have it too.
  std::vector<uint8_t> limb[2]; ///< Indexed by code. Two limbs are below 128 each.

  /// The multiple of `scale` that stands for `code`, and the largest magnitude of one.
  int64_t getMultiple(size_t code) const {
    return limb[0][code] + (limbs == 2 ? 128 * int64_t(limb[1][code]) : 0) - zero;
  }
  int64_t getLargestMultiple() const;
};
Embedding getEmbedding(CodecAttr codec);

/// Finds the code nearest to a value under the codec's tie rule. Values beyond the range saturate, infinities too
/// (except in codecs of more than 8 bits with `ieee` specials, which are the builtin float types and follow IEEE 754);
/// NaN takes the codec's NaN code, or the code of zero where there is none. Negative values round to the -0 of codecs
/// that have one, and so does -0.0 where the codec has a sign bit. Building one costs up to 100 us; keep it for the tensor.
class NearestCode {
public:
  explicit NearestCode(CodecAttr codec);

  /// The code nearest to `value`.
  uint32_t operator()(float value) const;

  /// Codes (in container form) of (x - offset) / scale, rounded, plus `zero`. Exact f32 division. A scale of zero gives
  /// the code of `zero` for every element.
  void encode(llvm::ArrayRef<float> x, float scale, float zero, float offset, int8_t *codes) const;
  void encode(llvm::ArrayRef<float> x, float scale, float zero, float offset, int16_t *codes) const;
  void encode(llvm::ArrayRef<float> x, float scale, float zero, float offset, int32_t *codes) const;

  /// The same for neighbouring cells of `block` elements (the last may be shorter), with parameters of their own.
  template <typename T>
  void encodeCells(llvm::ArrayRef<float> x, size_t block, const CellNumbersOf &cells, T *codes) const;

  /// What the loops over lanes need; null where codes are found one by one. It lives as long as this object stays where
  /// it is.
  std::optional<LaneRule> getLaneRule() const;
  const CodecRange &getRange() const { return range; }

private:
  template <typename T>
  void encodeRun(llvm::ArrayRef<float> x, float scale, float zero, float offset, T *codes) const;
  int64_t roundWide(float value, float zero) const;
  void buildThresholds(CodecAttr codec);
  void buildRanks();
  uint32_t searchOne(float value) const;
  uint32_t convertFloat(float value) const;

  enum class Method { Integer, Thresholds, Convert } method;
  CodecRange range;
  unsigned tie, bits;
  int64_t low = 0, high = 0, bias = 0; ///< Integer: bounds of the rounded value, and what is added to make a code.
  bool hasNaNCode = false;             ///< Integer: NaN has a code of its own; elsewhere it takes that of zero.
  uint32_t nanCode = 0, signBit = 0;   ///< signBit: codes of negative values have it, and thresholds are of |value|.
  int mantissaBits = 0, exponentBits = 0, exponentBias = 0;
  bool fullIEEE = false, isHalf = false;
  std::vector<float> thresholds;       ///< A value v has rank #{t : v >= t}.
  std::vector<int32_t> codeOfRank;     ///< Container form.
  std::vector<int32_t> codeSteps;      ///< From the code of a rank to that of the next.
  std::vector<float> valueOfRank;
  std::vector<uint32_t> ranks; ///< See LaneRule; empty where thresholds are few or too close.
  unsigned rankShift = 0;
};

/// The rules of codecs, built when they are first asked for: for many tensors one after the other, from any thread.
class NearestCodes {
public:
  const NearestCode &get(CodecAttr codec);

private:
  std::mutex mutex;
  std::map<const void *, std::unique_ptr<NearestCode>> known; ///< By the codec, which its context keeps.
};

} // namespace mlir::qtensor
