// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C header of a model.
#pragma once
#include "lib/Emit/Interface.h"

namespace mlir::qtensor {

/// Writes the header: the common interface, then the names of this model with its inputs and outputs documented.
void writeHeader(const ModelInterface &model, bool hasWeights, llvm::raw_ostream &os);

} // namespace mlir::qtensor
