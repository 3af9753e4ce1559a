// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a planned module to an artifact in memory: one LLVM module per level, compiled side by side.
#include "dialects/QNN/IR/QNN.h"
#include "lib/Emit/Glue.h"
#include "lib/Emit/Header.h"
#include "lib/Emit/Manifest.h"
#include "lib/Emit/NativeCode.h"
#include "lib/Pipelines/VerifyPasses.h"
#include "lib/Pipelines/Pipelines.h"
#include "lib/Transforms/Contracts/Contracts.h"
#include "lib/Transforms/Plan/Passes.h"
#include "qtensor/Artifact.h"
#include "mlir/IR/Threading.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// The code of one level on its way to an object file. Each has its own LLVM context, so levels need no lock.
struct LevelCode {
  const TargetLevel *level = nullptr;
  std::unique_ptr<llvm::LLVMContext> context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> module;
  ArtifactObject object;
  std::string error;
};
} // namespace

/// MLIR's part: the module of one level, in LLVM IR.
static LogicalResult lower(ModuleOp planned, const ArtifactOptions &options, StringRef prefix, LevelCode &code) {
  // The table of weights stays behind; only its offsets are in the code.
  OwningOpRef<ModuleOp> module = planned.clone();
  (*module)->removeAttr(kWeightsAttr);
  PassManager pm(planned.getContext());
  auto broken = std::make_shared<std::atomic<bool>>(false);
  if (options.verify)
    verifyAroundPasses(pm, Phase::Native, broken);
  addNativePasses(pm, *options.target, *code.level, prefix);
  if (failed(pm.run(*module)) || *broken || (options.verify && failed(verifyContract(*module, Phase::Native))))
    return failure();
  std::string entries[] = {(prefix + "_run_" + code.level->name).str(), (prefix + "_shapes_" + code.level->name).str()};
  code.module = translateModule(*module, *code.level, entries, *code.context);
  if (!code.module)
    return failure();
  // Only the glue sees the entries.
  for (const std::string &entry : entries)
    code.module->getFunction(entry)->setVisibility(llvm::GlobalValue::HiddenVisibility);
  return success();
}

/// LLVM's part. Runs beside other levels.
static void compile(const ArtifactOptions &options, LevelCode &code) {
  code.object.name = code.level->name.str();
  auto machine = createTargetMachine(*options.target, code.level->cpu, code.level->features);
  if (!machine) {
    code.error = llvm::toString(machine.takeError());
    return;
  }
  auto bytes = compileModule(*code.module, **machine, options.keepAssembly ? &code.object.assembly : nullptr);
  if (bytes)
    code.object.bytes = std::move(*bytes);
  else
    code.error = llvm::toString(bytes.takeError());
}

/// What was planned, or made of kernels, for a target without an operating system has no code here.
static LogicalResult checkHosted(ModuleOp planned) {
  if (isFirmwarePlan(planned->getAttrOfType<DictionaryAttr>(kPlanAttr)))
    return planned.emitError() << "the module was planned for a target without an operating system (" << kPlanAttr
                               << " has regions); compile it for that target (--target), or from an earlier phase for this one";
  auto isLayer = [](qnn::LayerOpInterface op) {
    op->emitError() << "is a layer for the kernels of a target without an operating system; compile the module for that "
                       "target (--target), or from phase C2 for this one";
    return WalkResult::interrupt();
  };
  return failure(planned.walk(isLayer).wasInterrupted());
}

FailureOr<Artifact> mlir::qtensor::compileArtifact(ModuleOp planned, const ArtifactOptions &options) {
  auto progress = [&](const Twine &what) {
    if (options.progress)
      options.progress(what.str());
  };
  if (options.target->firmware)
    return planned.emitError() << "target '" << options.target->name
                               << "' has no operating system: a shared library, a weights file and what runs in this "
                                  "process need a target that has one (see --list-targets)";
  if (failed(checkHosted(planned)))
    return failure();
  FailureOr<ModelInterface> model = readInterface(planned, options.model);
  FailureOr<WeightsFile> weights = readWeights(planned);
  if (failed(model) || failed(weights))
    return failure();

  std::vector<LevelCode> codes;
  for (const TargetLevel &level : options.target->levels) {
    progress("lowering for level " + level.name);
    codes.emplace_back().level = &level;
    if (failed(lower(planned, options, model->name, codes.back())))
      return failure();
  }
  progress("compiling " + Twine(codes.size()) + " levels");
  Artifact artifact;
  artifact.model = model->name;
  auto glue = compileGlue(*model, *weights, *options.target);
  if (!glue)
    return planned.emitError() << llvm::toString(glue.takeError());
  artifact.objects.push_back({"glue", std::move(*glue), ""});
  parallelForEach(planned.getContext(), codes, [&](LevelCode &code) { compile(options, code); });
  for (LevelCode &code : codes) {
    if (!code.error.empty())
      return planned.emitError() << "level " << code.level->name << ": " << code.error;
    artifact.objects.push_back(std::move(code.object));
  }
  llvm::raw_string_ostream header(artifact.header);
  writeHeader(*model, !weights->entries.empty(), header);
  artifact.manifest = makeManifest(planned, *model, *weights, options);
  artifact.weightsBytes = weights->entries.empty() ? 0 : weights->size();
  artifact.writeWeights = [weights = std::move(*weights)](llvm::raw_ostream &os) { writeWeights(weights, os); };
  return artifact;
}
