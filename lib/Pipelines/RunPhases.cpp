// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pipelines/RunPhases.h"
#include "mlir/IR/AsmState.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace mlir::qtensor;

void mlir::qtensor::printModule(ModuleOp module, llvm::raw_ostream &os, bool full) {
  OpPrintingFlags flags;
  flags.enableDebugInfo();
  if (!full) {
    flags.elideLargeResourceString(64);
    flags.elideLargeElementsAttrs(16);
  }
  module.print(os, flags);
}

static LogicalResult dump(ModuleOp module, StringRef folder, const PhaseInfo &info) {
  std::error_code code = llvm::sys::fs::create_directories(folder);
  std::string path = (folder + "/" + Twine(static_cast<unsigned>(info.phase)) + "-" + info.name + ".mlir").str();
  if (!code) {
    llvm::raw_fd_ostream os(path, code);
    if (!code)
      printModule(module, os, /*full=*/true);
  }
  if (code)
    return module.emitError() << "cannot write '" << path << "': " << code.message();
  return success();
}

LogicalResult mlir::qtensor::runPhases(ModuleOp module, const PhaseRun &run, const PipelineOptions &options) {
  for (const PhaseInfo &info : getPhases()) {
    if (info.phase > run.to)
      break;
    if (run.from && info.phase < *run.from)
      continue;
    if (!run.from || info.phase > *run.from) {
      if (run.progress)
        run.progress(info.name);
      PassManager pm(module.getContext());
      if (!run.reproducer.empty())
        pm.enableCrashReproducerGeneration(run.reproducer);
      addPhasePasses(pm, info.phase, options);
      if (failed(pm.run(module)))
        return failure();
    }
    if (!run.dumpFolder.empty() && failed(dump(module, run.dumpFolder, info)))
      return failure();
  }
  return success();
}
