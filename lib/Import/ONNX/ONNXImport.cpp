// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/ONNXImport.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Import/ONNX/Importer.h"
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "qtensor/Import.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mlir::qtensor {

void registerONNXImportDialects(DialectRegistry &registry) {
  registry.insert<QTensorDialect, arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect, linalg::LinalgDialect,
                  math::MathDialect, scf::SCFDialect, tensor::TensorDialect>();
}

OwningOpRef<ModuleOp> importONNX(StringRef path, StringRef bytes, MLIRContext *context,
                                 const ONNXImportOptions &options) {
  DialectRegistry registry;
  registerONNXImportDialects(registry);
  context->appendDialectRegistry(registry);
  context->loadAllAvailableDialects();
  bool reported = false;
  auto report = [&](const Twine &what) {
    if (!std::exchange(reported, true))
      emitError(UnknownLoc::get(context)) << what;
  };
  std::unique_ptr<onnx::Model> model = onnx::readModel(path, bytes, report);
  if (!model)
    return nullptr;
  return onnx::Importer(*model, context, options, report).run();
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
  registerONNXImportDialects(registry);
  registerImporter("onnx", importFile, [](raw_ostream &os) { onnx::Registry::get().printTable(os); });
}

} // namespace mlir::qtensor
