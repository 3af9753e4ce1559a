// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The published integer algorithms that qtensor.as names: exact functions on codes. They are the oracle of every lowering.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Reference/FixedPoint.h"
#include <vector>

namespace mlir::qtensor::reference {

/// A statically encoded tensor: row-major codes as integers, real = scale * (code - zero).
struct CodeTensor {
  SmallVector<int64_t> shape;
  float scale = 1;
  int64_t zero = 0, low = -128, high = 127; ///< The codec's range.
  unsigned bits = 8;
  std::vector<int32_t> codes;

  int64_t count() const;
  /// Describes a tensor of `type`, whose encoding is static and integer; nothing otherwise. Without codes.
  static std::optional<CodeTensor> describe(RankedTensorType type, ArrayRef<int64_t> shape);
};

/// A row of [rows, n] weights times n values less their zero point.
int64_t dot(const CodeTensor &weights, int64_t row, const int32_t *values, int64_t zero);

/// A call of a rule: its parameters, its inputs, and its outputs without codes.
struct RuleCall {
  DictionaryAttr parameters;
  std::vector<CodeTensor> inputs;
  CodeTensor output;
  std::vector<CodeTensor> further; ///< Outputs behind the first.

  /// Parameters; `otherwise` where one is absent.
  int64_t integer(StringRef name, int64_t otherwise = 0) const;
  double real(StringRef name) const;
  ArrayRef<int64_t> list(StringRef name) const;
  /// "rounding" = "single": one rounding in place of gemmlowp's two.
  bool singleRounding() const;
};

/// True when `name` is a rule of the registry.
bool isIntegerRule(StringRef name);
/// Fills the outputs' codes. On failure `problem` says which parameter or shape the rule cannot have.
LogicalResult applyIntegerRule(StringRef name, RuleCall &call, std::string &problem);

/// Describes a call on tensors of these types, without codes, and has the rule check it. As above.
LogicalResult readRuleCall(StringRef name, DictionaryAttr parameters, TypeRange inputs, TypeRange outputs,
                           RuleCall &call, std::string &problem);

/// exp(beta * scale * -i) as Q0.31 for i = 0, 1, ... 2^bits - 1: what softmax adds for a code that is i below the largest one
/// of its row. 0 from the difference on that the rule leaves out.
std::vector<int32_t> softmaxTerms(const RuleCall &call);
/// The scale of the input over that of the output; `narrow`: in f32, as LiteRT computes it and TFLite Micro does not.
double scaleRatio(const RuleCall &call, bool narrow);
/// The same times the slope below zero.
double slopeRatio(const RuleCall &call, bool narrow);
/// The codes between which litert.relu clamps: those of the parameters "low" and, if there is one, "high".
std::pair<int64_t, int64_t> clampBounds(const RuleCall &call);
/// The multiplier of tflite.mean's sums over `count` elements, which has taken in 1 / count.
QuantizedMultiplier meanMultiplier(const RuleCall &call, int64_t count);
/// The code of a real under a tensor's parameters, ties away from zero, not clamped.
int64_t codeOf(float real, const CodeTensor &tensor);
/// Neighbours of an output position along one axis, and its distance to the lower one in units of 2^-10.
struct LinearTap {
  int64_t lower, upper, distance;
};
LinearTap linearTap(int64_t position, int64_t in, int64_t out, bool alignCorners, bool halfPixelCenters);
/// How an input of 16 bits becomes 3 * 2^12 * x, which logisticByTable and tanhByTable take:
/// (code * multiplier + half) >> shift.
struct TableScale {
  int64_t multiplier, shift;
};
/// `most` is how far a scale that is a power of two may be from 2^-12 to be taken by a shift alone: 2^most times as large.
TableScale tableScale(float scale, int most);
constexpr int kLogisticPowers = 0, kTanhPowers = 1;
/// The codes between which an activation (TFLite's number: 0 none, 1 relu, 2 relu_n1_to_1, 3 relu6) clamps.
std::pair<int64_t, int64_t> activationBounds(const CodeTensor &output, int64_t activation);

} // namespace mlir::qtensor::reference
