// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a quantized value is, as real arithmetic: clamp(sum of terms).
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor::integer {

/// A factor: a tensor, read through a map from the result's index space.
struct Factor {
  Value tensor;
  AffineMap map;
};

/// clamp(terms[0] + terms[1] + ..., low, high); a term is a factor or the product of two.
struct RealForm {
  SmallVector<SmallVector<Factor, 2>, 2> terms;
  std::optional<double> low, high;
};

/// The form of `value`: of the elementwise op that computes it, or of itself. Nothing where it is no such clamped sum;
/// `why` then says what is in the way.
std::optional<RealForm> readRealForm(Value value, std::string &why);

} // namespace mlir::qtensor::integer
