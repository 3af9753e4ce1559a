// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One command from a model file to an artifact.
#include "lib/Pipelines/RunPhases.h"
#include "qtensor/Artifact.h"
#include "qtensor/InitAll.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/xxhash.h"

namespace cl = llvm::cl;
using namespace mlir;
using namespace mlir::qtensor;

static cl::OptionCategory category("Options of quant-compile");
static cl::opt<std::string> inputFile(cl::Positional, cl::desc("<model: .mlir or .mlirbc>"), cl::cat(category));
static cl::opt<std::string> outputFolder("o", cl::desc("Folder for the artifact; with --phase-to the file for the IR"),
                                         cl::value_desc("path"), cl::init("-"), cl::cat(category));
static cl::opt<std::string> modelName("name", cl::desc("Name of the model in the C interface (default: from the file)"),
                                      cl::cat(category));
static cl::opt<std::string> targetName("target", cl::desc("Target, see --list-targets (default: the first)"),
                                       cl::cat(category));
static cl::opt<std::string> phaseTo("phase-to", cl::desc("Stop at this phase (C0..C5 or its name) and print the IR"),
                                    cl::cat(category));
static cl::opt<std::string> phaseFrom("phase-from", cl::desc("The phase that the input is at (default: C0)"),
                                      cl::init("C0"), cl::cat(category));
static cl::opt<std::string> dumpFolder("dump-phases-to", cl::desc("Write the IR after each phase to this folder"),
                                       cl::value_desc("folder"), cl::cat(category));
static cl::opt<std::string> reproducer("crash-reproducer", cl::desc("If a pass fails, write its input and pipeline here"),
                                       cl::value_desc("file"), cl::cat(category));
static cl::opt<bool> keepAssembly("keep-assembly", cl::desc("Also write the assembly of each level"), cl::cat(category));
static cl::opt<bool> listTargets("list-targets", cl::desc("Print the targets and their levels"), cl::cat(category));
static cl::opt<bool> listPhases("list-phases", cl::desc("Print the phases and what each promises"), cl::cat(category));

int main(int argc, char **argv) {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAll(registry);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "QTensor: compiles a model to a library, a C header and a weights file\n");
  MLIRContext context(registry);
  llvm::SourceMgr sources;
  std::string error;
  auto file = openInputFile(inputFile, &error);
  if (!file) {
    llvm::errs() << "quant-compile: " << error << "\n";
    return 1;
  }
  ArtifactOptions options;
  options.sourceHash = llvm::xxHash64(file->getBuffer());
  options.sourceFile = llvm::sys::path::filename(inputFile).str();
  options.model = modelName.empty() ? llvm::sys::path::stem(inputFile).str() : modelName;
  options.target = targetName.empty() ? getTargets().front() : lookupTarget(targetName);
  options.keepAssembly = keepAssembly;
  sources.AddNewSourceBuffer(std::move(file), SMLoc());
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module)
    return 1;
  PhaseRun run;
  run.from = *parsePhase(phaseFrom);
  if (!phaseTo.empty())
    run.to = *parsePhase(phaseTo);
  run.dumpFolder = dumpFolder;
  run.reproducer = reproducer;
  if (failed(runPhases(*module, run, {options.target})))
    return 1;
  if (!phaseTo.empty()) {
    printModule(*module, llvm::outs(), false);
    return 0;
  }
  auto artifact = compileArtifact(*module, options);
  if (failed(artifact))
    return 1;
  if (llvm::Error e = writeArtifact(*artifact, *options.target, outputFolder)) {
    llvm::errs() << llvm::toString(std::move(e)) << "\n";
    return 1;
  }
  return 0;
}
