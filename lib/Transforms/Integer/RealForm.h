// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a quantized value is, as real arithmetic: clamp(sum of terms + offset).
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor::integer {

/// A factor: a tensor, read through a map from the result's index space.
struct Factor {
  Value tensor;
  AffineMap map;
};

/// weight * product of the factors / product of the divisors.
struct Term {
  SmallVector<Factor, 2> factors;
  SmallVector<Factor, 2> divisors;
  double weight = 1;

  /// The only tensor, which nothing divides; or null.
  const Factor *getOnly() const { return factors.size() == 1 && divisors.empty() ? &factors[0] : nullptr; }
};

/// clamp(terms[0] + terms[1] + ... + offset, low, high). Without terms it is a number.
struct RealForm {
  SmallVector<Term, 2> terms;
  double offset = 0;
  std::optional<double> low, high;

  bool isClamped() const { return low || high; }
  /// Everything times a number that is not 0, or plus a number.
  void multiply(double number);
  void add(double number);
  /// max(.., number), min(.., number): the outer bound wins where they cross.
  void raise(double number);
  void lower(double number);
};

/// The form of `value`: of the elementwise op that computes it, or of itself. Nothing where it is no such clamped sum;
/// `why` then says what is in the way.
std::optional<RealForm> readRealForm(Value value, std::string &why);

} // namespace mlir::qtensor::integer
