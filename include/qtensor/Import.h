// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Readers of model files. A reader is one folder under lib/Import, which registers itself for a file extension.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/MemoryBuffer.h"
#include "mlir/IR/OwningOpRef.h"
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace mlir::qtensor {
namespace graph {
struct TensorData;
}

struct ImportOptions {
  /// Extents that the file leaves open: a symbolic name ("batch") or "input:axis" -> the number to use. A key that names none is
  /// an error.
  std::map<std::string, int64_t> dims;
  /// Results of the function in place of the model's own: names of values, or "*" for what every operator computes.
  std::vector<std::string> outputs;
  /// How integer-only models round when they scale sums: "double" (two roundings, as TFLite Micro and CMSIS-NN do) or
  /// "single". Formats that do not leave it open ignore it.
  std::string rounding = "double";
  /// Whose integer algorithms operators have where runtimes differ: "tflite-micro" or "litert".
  std::string runtime = "tflite-micro";
  /// Data that replace a constant's: its little-endian bytes, an empty array to keep the file's own, or a failure when
  /// there are data of another shape or type. The bytes must live as long as the module.
  std::function<FailureOr<ArrayRef<char>>(const graph::TensorData &)> weights;
  /// safetensors files with the constants that a .mlir module only names.
  std::vector<std::string> constantFiles;
};

/// Reads the file at `path` as a module with one function @main on ranked tensors (phase C0). Null after one error that
/// names file, place, rule and remedy.
using ImportFunction = OwningOpRef<ModuleOp> (*)(StringRef path, MLIRContext *context, const ImportOptions &options);

/// Prints a markdown table of the operators that can be imported.
using OperatorTable = void (*)(raw_ostream &os);

/// `extension` without the dot, in lower case; static storage duration. Called by the reader's folder. `settings` are
/// the fields of ImportOptions that it reads, by their names, beside `dims`. A format of operators has a table of them.
void registerImporter(StringRef extension, ImportFunction function, ArrayRef<StringRef> settings, OperatorTable table);

/// Whether the reader of this file reads a field of ImportOptions; true where there is no reader, which importModel
/// says.
bool readsSetting(StringRef path, StringRef setting);

/// Reads a model with the reader of its extension; .mlir (text or bytecode) and .mlirbc need none. Null after a diagnostic.
OwningOpRef<ModuleOp> importModel(StringRef path, MLIRContext *context, const ImportOptions &options);

/// Whether importModel takes the file for IR, which says nothing of extents that have to agree; readers of graphs write checks.
bool isIR(StringRef path);

/// The extensions that importModel knows, sorted, e.g. ".mlir, .mlirbc, .onnx".
std::string listImporters();

/// Prints the tables of operators, one after the other under the extension's name.
void printOperatorTables(raw_ostream &os);

/// Parses IR of unknown origin, text or bytecode. The parsers of MLIR trust their input in places; here a crash of
/// theirs, or nesting that would exhaust the stack, is a diagnostic and a null module like any other mistake. After a
/// crash nothing else should be done with the context.
OwningOpRef<ModuleOp> readIR(std::unique_ptr<llvm::MemoryBuffer> buffer, MLIRContext *context);

} // namespace mlir::qtensor
