// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ONNX -> linalg on tensors (phase C0).
#pragma once
#include "qtensor/Import.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <map>
#include <string>

namespace mlir {
class DialectRegistry;
namespace qtensor {
struct ONNXImportOptions : ImportOptions {
  ONNXImportOptions() = default;
  ONNXImportOptions(const ImportOptions &options) : ImportOptions(options) {}

  /// Inputs that become constants, as shapes given as inputs must: their bytes are little endian, one element after the
  /// other (bool and narrower types take a byte each). Type and shape are those of the data.
  std::map<std::string, std::shared_ptr<graph::TensorData>> inputs;
};

/// Imports the model at `path` as a module with one function `@main` on ranked tensors.
///
/// Arguments and results carry `qtensor.name`, their name in the model, and `qtensor.dtype = uiN` where the model's
/// element type is unsigned (integers are signless in IR). Ops have the name of the ONNX value they compute as their
/// location. Initializers that are not small become `dense_resource` constants that share the file's bytes.
///
/// On any problem - an unreadable or malformed file, an operator or attribute that is not supported, a shape that can't
/// be computed - exactly one error that names file, node, rule and remedy is emitted and the result is null.
OwningOpRef<ModuleOp> importONNX(StringRef path, MLIRContext *context, const ONNXImportOptions &options = {});

/// As above for a model in memory; `path` is used in messages and to find external data.
OwningOpRef<ModuleOp> importONNX(StringRef path, StringRef bytes, MLIRContext *context,
                                 const ONNXImportOptions &options = {});

} // namespace qtensor
} // namespace mlir
