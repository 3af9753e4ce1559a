// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NumPy's names of MLIR's types.
#pragma once
#include "mlir/IR/Types.h"
#include <string>

namespace mlir::qtensor {

/// NumPy's name for the type of an element ("f4", "i8", ...; signless integers are signed); empty if its bytes have
/// none.
std::string npyTypeOf(Type type);

/// Whether elements of NumPy type `dtype` can be taken for `type`: the same, or integers of the same size.
bool fitsNpyType(Type type, llvm::StringRef dtype);

} // namespace mlir::qtensor
