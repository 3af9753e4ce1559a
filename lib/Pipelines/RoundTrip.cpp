// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whether a module survives being written and read again.
#include "lib/Pipelines/RunPhases.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace mlir::qtensor;

static std::string toText(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printModule(module, os, /*full=*/true);
  return text;
}

static LogicalResult compare(ModuleOp module, StringRef written, StringRef kind) {
  // A context of its own: in the same one resources would be read under new names.
  MLIRContext context(module.getContext()->getDialectRegistry(), MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  // Bytecode wants its buffer aligned as its resources are.
  auto buffer = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(written.size(), kind, llvm::Align(64));
  llvm::copy(written, buffer->getBufferStart());
  llvm::SourceMgr source;
  source.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> copy = parseSourceFile<ModuleOp>(source, &context);
  if (!copy)
    return module.emitError() << "the module cannot be read again after it was written as " << kind;
  if (toText(module) == toText(*copy))
    return success();
  return module.emitError() << "the module differs from what is read after it was written as " << kind;
}

LogicalResult mlir::qtensor::verifyRoundTrip(ModuleOp module) {
  std::string bytecode;
  llvm::raw_string_ostream os(bytecode);
  if (failed(writeBytecodeToFile(module, os)))
    return module.emitError("the module cannot be written as bytecode");
  return failure(failed(compare(module, toText(module), "text")) || failed(compare(module, bytecode, "bytecode")));
}
