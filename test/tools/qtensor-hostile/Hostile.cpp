// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Hostile.h"
#include "lib/Pipelines/RunPhases.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "qtensor/Import.h"
#include "qtensor/InitAll.h"
#include "qtensor/Target.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::hostile;

std::unique_ptr<MLIRContext> hostile::makeContext() {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAll(registry);
  auto context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

Outcome hostile::process(MLIRContext &context, StringRef bytes, std::string &message) {
  unsigned errors = 0;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && !errors++)
      message = diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module = readIR(llvm::MemoryBuffer::getMemBufferCopy(bytes, "input"), &context);
  PhaseRun run;
  run.from = Phase::Quantized;
  run.to = Phase::Selected;
  PipelineOptions pipeline;
  pipeline.target = getDefaultTarget();
  if (module && succeeded(runPhases(*module, run, pipeline)))
    return Outcome::Accepted;
  return errors ? Outcome::Refused : Outcome::Silent;
}

std::string hostile::toBytecode(MLIRContext &context, StringRef text) {
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
  std::string bytes;
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  llvm::raw_string_ostream os(bytes);
  if (module && failed(writeBytecodeToFile(*module, os)))
    bytes.clear();
  return bytes;
}
