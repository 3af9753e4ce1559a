// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds the reader of a model file.
#include "qtensor/Import.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::qtensor;

static OwningOpRef<ModuleOp> parseIR(StringRef path, MLIRContext *context, const ImportOptions &) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file) {
    emitError(UnknownLoc::get(context)) << "cannot open '" << path << "': " << file.getError().message();
    return nullptr;
  }
  return readIR(std::move(*file), context);
}

static std::map<std::string, ImportFunction> &importers() {
  static std::map<std::string, ImportFunction> functions = {{"mlir", parseIR}, {"mlirbc", parseIR}};
  return functions;
}

void mlir::qtensor::registerImporter(StringRef extension, ImportFunction function) {
  importers()[extension.str()] = function;
}

std::string mlir::qtensor::listImporters() {
  std::string list;
  for (const auto &[extension, function] : importers())
    list += (list.empty() ? "." : ", .") + extension;
  return list;
}

OwningOpRef<ModuleOp> mlir::qtensor::importModel(StringRef path, MLIRContext *context, const ImportOptions &options) {
  auto found = importers().find(llvm::sys::path::extension(path).drop_front(path.contains('.') ? 1 : 0).lower());
  if (found != importers().end())
    return found->second(path, context, options);
  emitError(UnknownLoc::get(context)) << "'" << path << "' is no model file that can be read; known: " << listImporters();
  return nullptr;
}
