// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Intermediate values of a model, computed by the reference and known by their source names.
#pragma once
#include "lib/Import/Npy/Npy.h"
#include "mlir/IR/BuiltinOps.h"
#include <map>

namespace mlir::qtensor::tools {

/// Values by the name that they have in the model's file.
using NamedValues = std::map<std::string, NpyArray>;

/// What the arguments of @main are: the files that the command line names, in the order of the arguments, zeros for states
/// that none is given for.
llvm::Expected<std::vector<NpyArray>> readArguments(ModuleOp module, ArrayRef<std::string> files);

/// Evaluates @main of a module before phase C4 on its arguments. Of several ops with one name the last counts; the
/// values of encoded tensors are decoded. Fails after a diagnostic.
FailureOr<NamedValues> evaluateValues(ModuleOp module, ArrayRef<NpyArray> arguments);

/// The file for a value in a folder of values.
std::string valueFile(StringRef folder, StringRef name);

/// Writes every value as a .npy file.
llvm::Error writeValues(const NamedValues &values, StringRef folder);

/// Prints, for every value that also has a file in `folder`, how much it differs from it, in the order of names.
llvm::Error compareValues(const NamedValues &values, StringRef folder, llvm::raw_ostream &os);

} // namespace mlir::qtensor::tools
