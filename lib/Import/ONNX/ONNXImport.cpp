// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/ONNXImport.h"
#include "lib/Import/Graph/Function.h"
#include "lib/Import/ONNX/Importer.h"
#include "lib/Import/ONNX/Registry.h"
#include "qtensor/Import.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mlir::qtensor {

OwningOpRef<ModuleOp> importONNX(StringRef path, StringRef bytes, MLIRContext *context,
                                 const ONNXImportOptions &options) {
  return graph::importWith(context, [&](onnx::ReportFn report) -> OwningOpRef<ModuleOp> {
    std::unique_ptr<onnx::Model> model = onnx::readModel(path, bytes, report);
    return model ? onnx::Importer(*model, context, options, report).run() : nullptr;
  });
}

OwningOpRef<ModuleOp> importONNX(StringRef path, MLIRContext *context, const ONNXImportOptions &options) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (buffer)
    return importONNX(path, (*buffer)->getBuffer(), context, options);
  emitError(UnknownLoc::get(context)) << path << ": can't be read: " << buffer.getError().message();
  return nullptr;
}

static OwningOpRef<ModuleOp> importFile(StringRef path, MLIRContext *context, const ImportOptions &options) {
  return importONNX(path, context, ONNXImportOptions(options));
}

void registerONNXImport(DialectRegistry &registry) {
  graph::registerDialects(registry);
  registerImporter("onnx", importFile, {"outputs", "weights"},
                   [](raw_ostream &os) { onnx::Registry::get().printTable(os); });
}

} // namespace mlir::qtensor
