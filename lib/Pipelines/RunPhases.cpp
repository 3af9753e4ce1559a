// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pipelines/RunPhases.h"
#include "lib/Emit/Files.h"
#include "lib/Pipelines/VerifyPasses.h"
#include "lib/Transforms/Contracts/Contracts.h"
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
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return module.emitError() << "cannot make the folder '" << folder << "': " << code.message();
  std::string path = (folder + "/" + Twine(static_cast<unsigned>(info.phase)) + "-" + info.name + ".mlir").str();
  if (llvm::Error error = writeFile(path, [&](llvm::raw_ostream &os) { printModule(module, os, /*full=*/true); }))
    return module.emitError() << llvm::toString(std::move(error));
  return success();
}

/// Runs the passes of one phase.
static LogicalResult runPhase(ModuleOp module, Phase phase, const PhaseRun &run, const PipelineOptions &options) {
  PassManager pm(module.getContext());
  auto broken = std::make_shared<std::atomic<bool>>(false);
  if (!run.reproducer.empty())
    pm.enableCrashReproducerGeneration(run.reproducer);
  if (run.verify)
    verifyAroundPasses(pm, phase, broken);
  addPhasePasses(pm, phase, options);
  return failure(failed(pm.run(module)) || *broken || (run.verify && failed(verifyContract(module, phase))) ||
                 (run.verifyRoundTrip && failed(verifyRoundTrip(module))));
}

LogicalResult mlir::qtensor::runPhases(ModuleOp module, const PhaseRun &run, const PipelineOptions &options) {
  if (failed(verifySizes(module)))
    return failure();
  // Anyone may have written it, and every pass relies on it; what an imported model may hold is asked when it is one
  // (below).
  if (failed(verifyContract(module, run.from.value_or(Phase::Quantized))))
    return failure();
  for (const PhaseInfo &info : getPhases()) {
    if (info.phase > run.to)
      break;
    if (run.from && info.phase < *run.from)
      continue;
    if (!run.from || info.phase > *run.from) {
      if (run.progress)
        run.progress(info.name);
      bool isForeign = info.phase == Phase::Imported && !run.verify;
      if (failed(runPhase(module, info.phase, run, options)) ||
          (isForeign && failed(verifyContract(module, info.phase))))
        return failure();
    }
    if (!run.dumpFolder.empty() && failed(dump(module, run.dumpFolder, info)))
      return failure();
  }
  return success();
}
