// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names, types and shapes of what a model takes and gives, read from the attributes of a planned module.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include <optional>
#include <string>
#include <vector>

namespace mlir::qtensor {

struct TensorInterface {
  std::string name;
  std::string typeText;         ///< The MLIR type, for people: "tensor<?x64xf32>".
  int32_t dtype;                ///< A qt_dtype.
  std::vector<int64_t> shape;   ///< -1: any extent.
  std::vector<int32_t> symbols; ///< Extents with equal numbers are equal; -1: no name.
  std::vector<std::string> dims; ///< Names of the extents, "" where there is none.
  std::optional<float> scale;    ///< Of codes: real = scale * (code - zero).
  int64_t zero = 0;
};

struct ModelInterface {
  std::string name; ///< A C identifier.
  std::vector<TensorInterface> inputs, outputs;
  std::vector<TensorInterface> states; ///< What the model keeps between calls; of fixed extents.
  int32_t symbolCount = 0;
};

/// Reads the interface of a module at phase C5. Emits an error and fails for element types or ranks that the C
/// interface lacks.
FailureOr<ModelInterface> readInterface(ModuleOp module, StringRef name);

/// The name of a dtype as in the C header, e.g. "QT_F32".
StringRef dtypeName(int32_t dtype);

/// A C identifier that resembles `text`; "model" if nothing of it can be used.
std::string toIdentifier(StringRef text);

} // namespace mlir::qtensor
