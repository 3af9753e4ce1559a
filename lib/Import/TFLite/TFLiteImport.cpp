// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/TFLite/TFLiteImport.h"
#include "lib/Import/Graph/Function.h"
#include "lib/Import/TFLite/Composites.h"
#include "lib/Import/TFLite/Importer.h"
#include "lib/Import/TFLite/Registry.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mlir::qtensor {

static OwningOpRef<ModuleOp> importBytes(StringRef path, StringRef bytes, std::shared_ptr<void> owner,
                                         MLIRContext *context, const ImportOptions &options) {
  return graph::importWith(context, [&](tflite::ReportFn report) -> OwningOpRef<ModuleOp> {
    std::unique_ptr<tflite::Model> model = tflite::readModel(path, bytes, std::move(owner), report);
    return model && tflite::inlineComposites(*model, report) ? tflite::Importer(*model, context, options, report).run() : nullptr;
  });
}

OwningOpRef<ModuleOp> importTFLite(StringRef path, StringRef bytes, MLIRContext *context, const ImportOptions &options) {
  // Constants keep the bytes they refer to.
  std::shared_ptr<llvm::MemoryBuffer> copy = llvm::MemoryBuffer::getMemBufferCopy(bytes, path);
  return importBytes(path, copy->getBuffer(), copy, context, options);
}

static OwningOpRef<ModuleOp> importFile(StringRef path, MLIRContext *context, const ImportOptions &options) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer) {
    emitError(UnknownLoc::get(context)) << path << ": can't be read: " << buffer.getError().message();
    return nullptr;
  }
  std::shared_ptr<llvm::MemoryBuffer> owner = std::move(*buffer);
  return importBytes(path, owner->getBuffer(), owner, context, options);
}

void registerTFLiteImport(DialectRegistry &registry) {
  graph::registerDialects(registry);
  registerImporter("tflite", importFile, {"outputs", "rounding", "runtime"},
                   [](raw_ostream &os) { tflite::Registry::get().printTable(os); });
}

} // namespace mlir::qtensor
