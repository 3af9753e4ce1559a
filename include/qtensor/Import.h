// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Readers of model files. A reader is one folder under lib/Import, which registers itself for a file extension.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/MemoryBuffer.h"
#include "mlir/IR/OwningOpRef.h"
#include <map>
#include <string>

namespace mlir::qtensor {

struct ImportOptions {
  /// Extents that the file leaves open: a symbolic name ("batch") or "input:axis" -> the number to use.
  std::map<std::string, int64_t> dims;
};

/// Reads the file at `path` as a module with one function @main on ranked tensors (phase C0). Null after one error that
/// names file, place, rule and remedy.
using ImportFunction = OwningOpRef<ModuleOp> (*)(StringRef path, MLIRContext *context, const ImportOptions &options);

/// `extension` without the dot, in lower case; static storage duration. Called by the reader's folder.
void registerImporter(StringRef extension, ImportFunction function);

/// Reads a model with the reader of its extension; .mlir (text or bytecode) and .mlirbc need none. Null after a diagnostic.
OwningOpRef<ModuleOp> importModel(StringRef path, MLIRContext *context, const ImportOptions &options);

/// The extensions that importModel knows, sorted, e.g. ".mlir, .mlirbc, .onnx".
std::string listImporters();

/// Parses IR of unknown origin, text or bytecode. The parsers of MLIR trust their input in places; here a crash of
/// theirs, or nesting that would exhaust the stack, is a diagnostic and a null module like any other mistake. After a
/// crash nothing else should be done with the context.
OwningOpRef<ModuleOp> readIR(std::unique_ptr<llvm::MemoryBuffer> buffer, MLIRContext *context);

} // namespace mlir::qtensor
