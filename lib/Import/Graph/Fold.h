// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "lib/Import/Graph/Emit.h"

namespace mlir::qtensor::graph {

/// True for a value whose elements are known and few enough to compute with while importing.
bool isSmallConstant(const Val &x);

/// The value as a constant, if it has few elements and the ops that make it can be evaluated.
std::optional<Val> foldToConstant(Emit &e, const Val &x);

} // namespace mlir::qtensor::graph
