// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "mlir/IR/Operation.h"
#include <string>

namespace mlir::qtensor::firmware {

/// What an operation on buffers of static shapes does, as a report counts it. Loops multiply what is in them; of those whose
/// bounds are not constant one round counts.
struct Work {
  int64_t multiplications = 0; ///< Products that are added up.
  int64_t elements = 0;        ///< Points of the largest space that it runs over.
  std::string kind;            ///< "product", "reduction", "map", "copy", "fill", "loop", or the operation's own name.
};
Work countWork(Operation *op);

} // namespace mlir::qtensor::firmware
