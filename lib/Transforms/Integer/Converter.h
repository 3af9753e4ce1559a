// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a rounded clamped sum of real terms to integers: what stands in front of the rounding is exact.
#pragma once
#include "lib/Reference/IntegerRules.h"
#include "lib/Transforms/Integer/Codes.h"
#include "lib/Transforms/Integer/GroupScales.h"
#include "lib/Transforms/Select/Contraction.h"

namespace mlir::qtensor::integer {

/// Makes one `qtensor.quantize` integer arithmetic.
class Converter {
public:
  Converter(QuantizeOp op, StringRef rounding) : op(op), b(op.getLoc(), op), rounding(rounding) {}

  /// Failure comes with an error. False: the op stays as it is.
  FailureOr<bool> run();
  /// The contraction whose sums are integers now, or null.
  Operation *getLayer() const { return layer; }

private:
  std::optional<Sums> readSums(Value value);
  std::optional<Sums> readThrough(Sums sums, AffineMap map);
  std::optional<Sums> contract(Contraction contraction);
  AffineMap layOut(const Contraction &contraction, Codes &w);
  /// The factors of a weight in blocks, along its channels; `w` gets the scales of these. Nothing, and a warning, where
  /// sums with them would not be exact.
  std::optional<GroupScales> splitBlocks(Contraction &contraction, const Codes &x, Codes &w);
  std::optional<Sums> multiply(ArrayRef<Factor> factors);
  /// The sums that a term is, times its weight. Nothing where it is none; `alone`: it may be a product of tensors.
  std::optional<Sums> readTerm(const Term &term, bool alone);
  FailureOr<bool> addBias(Sums &sums, const Term &bias);
  /// Adds numbers along a dimension of the result, or one everywhere.
  void addNumbers(Sums &sums, ArrayRef<int64_t> values, std::optional<unsigned> dim);
  bool addOffset(Sums &sums, double offset);
  /// Nothing where the value is no constant of `count` elements.
  FailureOr<std::optional<std::vector<int64_t>>> readBias(Sums &sums, Value bias, double weight, int64_t count);
  std::optional<std::vector<int64_t>> scaleReals(Sums &sums, ArrayRef<float> reals);
  void requantize(Sums sums, const RealForm &form);
  /// Scales along more than one dimension become scales along one, of which these are made; where, in the result.
  std::optional<SmallVector<ReassociationIndices>> collapseAxes(Sums &sums);

  QuantizeOp op;
  ImplicitLocOpBuilder b;
  StringRef rounding;
  reference::CodeTensor output;
  Operation *layer = nullptr;
};

/// What half of a sum may reach, products or bias: `fixed<x16>` takes 48 bits, a real map 32.
inline double halfRange(bool real) { return real ? 0x1p30 : 0x1p46; }

} // namespace mlir::qtensor::integer
