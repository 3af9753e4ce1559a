// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constants that a module only names, from safetensors files.
#pragma once
#include "mlir/IR/BuiltinOps.h"

namespace mlir::qtensor {

/// Gives every `dense_resource<name>` that came without bytes the tensor of that name in one of `files`. The files are
/// mapped and stay so as long as a constant points into them; nothing is copied. Fails after an error for a file that
/// cannot be read, a tensor of another type or shape, a name in two files, and a resource whose bytes are nowhere.
LogicalResult bindConstants(ModuleOp module, ArrayRef<std::string> files);

} // namespace mlir::qtensor
