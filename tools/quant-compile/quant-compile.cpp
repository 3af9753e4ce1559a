// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One command from a model file to an artifact.
#include "CommandLine.h"
#include "ModelOptions.h"
#include "lib/Emit/Files.h"
#include "lib/Measure/MeasureBundle.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"

namespace cl = llvm::cl;
using namespace mlir;
using namespace mlir::qtensor;

static cl::opt<std::string> inputFile(cl::Positional, cl::desc("<model.onnx, .mlir or .mlirbc>"), cl::cat(tools::category));
static cl::opt<std::string> output("o", cl::desc("Folder for the artifact; with --phase-to the file for the IR"),
                                   cl::value_desc("path"), cl::cat(tools::category));
static cl::opt<bool> keepAssembly("keep-assembly", cl::desc("Also write the assembly of each level"),
                                  cl::cat(tools::category));
static cl::opt<bool> emitSource("emit-c", cl::desc("Firmware: also write the code as one C file, with the same results"),
                                cl::cat(tools::category));
static cl::opt<bool> elide("elide-weights", cl::desc("With --phase-to: leave large constants out of the text"),
                           cl::cat(tools::category));

static cl::opt<bool> measure("measure", cl::desc("Firmware: run the bundle's example in an emulator, count instructions of each "
                                                 "layer, and check every access to memory"),
                             cl::cat(tools::category));

static constexpr char kOverview[] =
    "QTensor: compiles a model to a library, a C header and a weights file.\n\n"
    "  quant-compile model.onnx -o out/                      float32\n"
    "  quant-compile model.onnx --weights=int4/32 -o out/    4-bit weights in blocks of 32 (see --list-formats)\n"
    "  quant-compile model.onnx --weights=int8/channel --activations=int8/token -o out/\n"
    "  quant-compile model.onnx --weights=int8/channel --activations=int8/static --calibrate=samples/ -o out/\n"
    "  quant-compile model.mlir --constants=model.safetensors --weights=int4/32 -o out/\n"
    "  quant-compile model.onnx --phase-to=C3 --elide-weights  look at the IR on the way\n\n"
    "Writes lib<model>.so, lib<model>.a, <model>.o, <model>.h, <model>.weights and <model>.json.\n";

static int writeIR(ModuleOp module) {
  auto print = [&](llvm::raw_ostream &os) { printModule(module, os, /*full=*/!elide); };
  if (llvm::Error error = writeFile(output.empty() ? "-" : StringRef(output), print))
    return tools::fail(llvm::toString(std::move(error))), 1;
  return 0;
}

/// Runs the bundle's example in an emulator, prints what came out, and completes the report.
static llvm::Error measureAndReport(Bundle &bundle, tools::Progress &progress) {
  static int anchor; // an address of this program
  std::string program = llvm::sys::fs::getMainExecutable("quant-compile", &anchor);
  llvm::SmallString<128> plugins(llvm::sys::path::parent_path(llvm::sys::path::parent_path(program)));
  llvm::sys::path::append(plugins, "lib");
  MeasureOptions options;
  options.folder = output;
  options.pluginFolder = plugins;
  options.progress = [&](StringRef what) { progress(what); };
  auto run = measureBundle(bundle, options);
  if (!run)
    return run.takeError();
  llvm::outs() << run->output;
  const FirmwareMeasurement &seen = *(bundle.measurement = std::move(run->measurement));
  llvm::outs() << "instructions: " << seen.total.raw << ", weighted: " << seen.total.weighted << "\nstack: " << seen.stackBytes
               << " of " << bundle.stackBytes << " bytes\n";
  for (auto [arena, bytes] : llvm::zip_equal(bundle.object.arenas, seen.arenaBytes))
    llvm::outs() << arena.name << ": " << bytes << " of " << arena.bytes << " bytes\n";
  return writeReport(bundle, output);
}

/// For a target without an operating system.
static int compileBundle(ModuleOp module, const ArtifactOptions &options, tools::Progress &progress) {
  FailureOr<FirmwareObject> object = compileFirmware(module, options);
  if (failed(object))
    return 1;
  progress("writing files");
  auto bundle = makeBundle(std::move(*object), options);
  llvm::Error error = bundle ? writeBundle(*bundle, output) : bundle.takeError();
  if (!error && measure)
    error = measureAndReport(*bundle, progress);
  if (error) {
    llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
    return 1;
  }
  return 0;
}

static int compile(const DialectRegistry &registry) {
  MLIRContext context(registry);
  tools::ModelOptions options;
  if (!options.readCommandLine(inputFile, context))
    return 1;
  bool wantsIR = options.run.to != Phase::Planned || cl::getRegisteredOptions()["phase-to"]->getNumOccurrences();
  if (!wantsIR && output.empty()) {
    llvm::errs() << "error: no folder for the artifact: give -o <folder>\n";
    return 1;
  }
  if (elide && !wantsIR)
    return tools::fail(tools::noEffect(elide, "no IR is printed; give --phase-to")), 1;
  if (measure && !options.artifact.target->firmware)
    return tools::fail("--measure is for targets without an operating system; see quant-run --time"), 1;
  tools::Progress progress;
  options.run.progress = options.artifact.progress = [&](StringRef what) { progress(what); };
  options.artifact.keepAssembly = keepAssembly;
  options.artifact.emitC = emitSource;
  if (emitSource && !options.artifact.target->firmware) {
    llvm::errs() << "error: --emit-c is for targets without an operating system; see --list-targets\n";
    return 1;
  }
  OwningOpRef<ModuleOp> module = tools::importAndRun(inputFile, options, context);
  if (!module)
    return 1;
  if (wantsIR)
    return writeIR(*module);
  if (options.artifact.target->firmware)
    return compileBundle(*module, options.artifact, progress);
  FailureOr<Artifact> artifact = compileArtifact(*module, options.artifact);
  if (failed(artifact))
    return 1;
  progress("writing files");
  if (llvm::Error error = writeArtifact(*artifact, *options.artifact.target, output)) {
    llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
    return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  // Formats and targets must be known before their lists are printed.
  DialectRegistry registry;
  tools::registerEverything(registry);
  cl::HideUnrelatedOptions(tools::category);
  cl::ParseCommandLineOptions(argc, argv, kOverview);
  return tools::exitStatus(tools::printLists() ? 0 : compile(registry));
}
