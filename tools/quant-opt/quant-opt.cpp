// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs any pass of QTensor or MLIR on an .mlir file. The passes are found in the registry; nothing is listed here.
#include "lib/Pipelines/VerifyPasses.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "qtensor/InitAll.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ToolOutputFile.h"

namespace cl = llvm::cl;
using namespace mlir;

static cl::opt<bool>
    verifyPhases("verify-phases",
                 cl::desc("Check before and after every pass that encodings are kept and no rounding is "
                          "erased; name a pass that breaks it"));

/// MlirOptMain with one more hook: passes are watched.
static LogicalResult run(DialectRegistry &registry, StringRef input, StringRef output) {
  MlirOptMainConfig plain = MlirOptMainConfig::createFromCLOptions(), watched = plain;
  auto broken = std::make_shared<std::atomic<bool>>(false);
  watched.setPassPipelineSetupFn([&](PassManager &pm) -> LogicalResult {
    qtensor::verifyAroundPasses(pm, std::nullopt, broken);
    return plain.setupPassPipeline(pm);
  });
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(input, &error);
  std::unique_ptr<llvm::ToolOutputFile> result = file ? openOutputFile(output, &error) : nullptr;
  if (!result) {
    llvm::errs() << "error: " << error << "\n";
    return failure();
  }
  if (failed(MlirOptMain(result->os(), std::move(file), registry, watched)))
    return failure();
  result->keep();
  // Expected diagnostics have been compared already.
  return failure(*broken && !plain.shouldVerifyDiagnostics());
}

int main(int argc, char **argv) {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllPasses();
  qtensor::registerAll(registry);
  auto [input, output] = registerAndParseCLIOptions(argc, argv, "QTensor optimizer driver\n", registry);
  if (!verifyPhases)
    return asMainReturnCode(MlirOptMain(argc, argv, input, output, registry));
  llvm::InitLLVM init(argc, argv);
  return asMainReturnCode(run(registry, input, output));
}
