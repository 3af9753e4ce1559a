// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Between .npy files and the tensors of the C interface.
#pragma once
#include "lib/Emit/LoadedModel.h"
#include "lib/Import/Npy/Npy.h"

namespace mlir::qtensor::tools {

/// NumPy's name of a dtype, e.g. "f4"; bfloat16 has none and is stored as "u2".
StringRef npyType(int32_t dtype);

/// Describes an array as an input of the model. Fails if the type of element is another.
llvm::Expected<qt_tensor> toTensor(const LoadedTensor &expected, NpyArray &array);

/// Copies an output.
NpyArray toArray(const qt_tensor &tensor);

} // namespace mlir::qtensor::tools
