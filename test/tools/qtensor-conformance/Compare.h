// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// When two results count as equal.
#pragma once
#include "CellText.h"
#include "lib/Reference/Tensor.h"
#include <optional>

namespace mlir::qtensor::conformance {

/// The first element whose bits differ, as a message; nothing when there is none.
std::optional<std::string> findDifference(const reference::Tensor &expected, ArrayRef<char> bytes);

/// What the reference saw in one cell of the C2 module.
struct Observed {
  reference::Tensor input, weight; ///< As decoded.
};

/// For every result of the cell, how far two right orders of its sum may be apart; see the README. Failure after a
/// diagnostic.
FailureOr<std::vector<double>> computeBounds(MLIRContext *context, const CellData &data, const Observed &observed);

/// The first element outside of its bound, as a message.
std::optional<std::string> findOutside(const reference::Tensor &a, const reference::Tensor &b, ArrayRef<double> bounds);

} // namespace mlir::qtensor::conformance
