// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds the reader of a model file.
#include "qtensor/Import.h"
#include "dialects/QTensor/IR/ModuleAttrs.h"
#include "lib/Import/BindConstants.h"
#include "lib/Import/FixExtents.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::qtensor;

static OwningOpRef<ModuleOp> parseIR(StringRef path, MLIRContext *context, const ImportOptions &options) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file) {
    emitError(UnknownLoc::get(context)) << "cannot open '" << path << "': " << file.getError().message();
    return nullptr;
  }
  OwningOpRef<ModuleOp> module = readIR(std::move(*file), context);
  if (module && failed(bindConstants(*module, options.constantFiles)))
    return nullptr;
  if (module)
    fixExtents(*module, options.dims);
  return module;
}

namespace {
struct Importer {
  ImportFunction function;
  std::vector<std::string> settings;
  OperatorTable table;
};
} // namespace

static std::map<std::string, Importer> &importers() {
  static std::map<std::string, Importer> all = {{"mlir", {parseIR, {"constantFiles"}, nullptr}},
                                                {"mlirbc", {parseIR, {"constantFiles"}, nullptr}}};
  return all;
}

void mlir::qtensor::registerImporter(StringRef extension, ImportFunction function, ArrayRef<StringRef> settings,
                                     OperatorTable table) {
  importers()[extension.str()] = {function, {settings.begin(), settings.end()}, table};
}

void mlir::qtensor::printOperatorTables(raw_ostream &os) {
  bool first = true;
  for (const auto &[extension, importer] : importers()) {
    if (!importer.table)
      continue;
    os << (std::exchange(first, false) ? "" : "\n") << "## ." << extension << "\n\n";
    importer.table(os);
  }
}

std::string mlir::qtensor::listImporters() {
  std::string list;
  for (const auto &[extension, importer] : importers())
    list += (list.empty() ? "." : ", .") + extension;
  return list;
}

/// Checked for every file: a misspelt mode must not pass because this model has nothing that it is about.
static LogicalResult checkModes(StringRef path, MLIRContext *context, const ImportOptions &options) {
  auto fail = [&] { return emitError(UnknownLoc::get(context)) << path << ": "; };
  if (!isIntegerRounding(options.rounding))
    return fail() << "the rounding is double or single, not '" << options.rounding << "'";
  if (options.runtime != "tflite-micro" && options.runtime != "litert")
    return fail() << "the runtime is tflite-micro or litert, not '" << options.runtime << "'";
  return success();
}

static const Importer *findImporter(StringRef path) {
  auto found = importers().find(llvm::sys::path::extension(path).drop_front(path.contains('.') ? 1 : 0).lower());
  return found == importers().end() ? nullptr : &found->second;
}

bool mlir::qtensor::readsSetting(StringRef path, StringRef setting) {
  const Importer *found = findImporter(path);
  return !found || llvm::is_contained(found->settings, setting.str());
}

bool mlir::qtensor::isIR(StringRef path) {
  const Importer *found = findImporter(path);
  return found && found->function == parseIR;
}

OwningOpRef<ModuleOp> mlir::qtensor::importModel(StringRef path, MLIRContext *context, const ImportOptions &options) {
  const Importer *found = findImporter(path);
  if (!readsSetting(path, "constantFiles") && !options.constantFiles.empty()) {
    emitError(UnknownLoc::get(context)) << "'" << path << "' has its constants in it; files of constants go with .mlir";
    return nullptr;
  }
  if (!found) {
    emitError(UnknownLoc::get(context)) << "'" << path
                                        << "' is no model file that can be read; known: " << listImporters();
    return nullptr;
  }
  if (failed(checkModes(path, context, options)))
    return nullptr;
  constexpr int64_t kMostExtent = int64_t(1) << 40;
  for (const auto &[key, number] : options.dims)
    if (number < 1 || number > kMostExtent) {
      emitError(UnknownLoc::get(context)) << "'" << path << "': the extent " << number << " chosen for '" << key
                                          << "' is not between 1 and " << kMostExtent;
      return nullptr;
    }
  OwningOpRef<ModuleOp> module = found->function(path, context, options);
  if (module && failed(checkExtents(*module, options.dims, path)))
    return nullptr;
  return module;
}
