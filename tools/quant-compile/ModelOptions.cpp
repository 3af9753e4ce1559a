// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ModelOptions.h"
#include "CommandLine.h"
#include "dialects/QTensor/IR/ModuleAttrs.h"
#include "lib/Calibrate/Calibrate.h"
#include "lib/Calibrate/Samples.h"
#include "lib/Emit/JitRunner.h"
#include "lib/Quantize/StaticRange.h"
#include "lib/Transforms/Plan/Passes.h"
#include "lib/Transforms/Plan/States.h"
#include "lib/Transforms/Select/Strategy.h"
#include "qtensor/Format.h"
#include "qtensor/Import.h"
#include "qtensor/InitAll.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

namespace cl = llvm::cl;
using namespace mlir;
using namespace mlir::qtensor;

cl::OptionCategory mlir::qtensor::tools::category("Options");
using tools::category;
using tools::fail;

static cl::opt<std::string> modelName("name", cl::desc("Name of the model in the C interface (default: from the file)"),
                                      cl::value_desc("identifier"), cl::cat(category));
static cl::list<std::string> memories("memory",
                                      cl::desc("Firmware: a memory for activations, with the relative cost of an access "
                                               "(--memory=dtcm:64K:1 --memory=sram:256K:3); with :constants behind it for "
                                               "weights (flash:1M:2:constants), with :copies for weights that start-up copies "
                                               "there (itcm:32K:1:copies); the first come first among equals"),
                                      cl::value_desc("name:bytes:cost:use"), cl::cat(category));
static cl::opt<std::string> interfaceKind("interface",
                                          cl::desc("Of a float model that becomes integer-only (--rounding): codes or real "
                                                   "(default: codes for firmware, else real)"),
                                          cl::value_desc("kind"), cl::cat(category));
static cl::opt<std::string> prefer("prefer",
                                   cl::desc("Firmware, where layers could do with less RAM or flash: speed; memory; or both, that "
                                            "is, memory where a layer would else need more than --memory has or TFLite "
                                            "Micro's planner would take (default)"),
                                   cl::value_desc("what"), cl::init("both"), cl::cat(category));
static cl::opt<bool> callerInterface("caller-io",
                                     cl::desc("Firmware: inputs and outputs lie in buffers of the caller's, not in the arena"),
                                     cl::cat(category));
static cl::opt<std::string> targetName("target", cl::desc("Target, see --list-targets (default: the first with an operating system)"),
                                       cl::value_desc("name"), cl::cat(category));
static cl::opt<std::string> rounding("rounding",
                                     cl::desc("Integer-only arithmetic: double (two roundings, as TFLite Micro and CMSIS-NN), "
                                              "single or real; default: double for .tflite, none for others"),
                                     cl::value_desc("mode"), cl::init(""), cl::cat(category));
static cl::opt<std::string> runtime("runtime",
                                    cl::desc("Whose integer algorithms a .tflite model has where runtimes differ: tflite-micro "
                                             "(default) or litert"),
                                    cl::value_desc("name"), cl::init("tflite-micro"), cl::cat(category));
static cl::list<std::string> dims("dim",
                                  cl::desc("Fix an extent that the model leaves open, by its name (--dim batch=1) or as "
                                           "input:axis (--dim x:0=1); may be repeated"),
                                  cl::value_desc("name=value"), cl::cat(category));
static cl::list<std::string> constants("constants",
                                       cl::desc("Take the constants that a .mlir model only names from a safetensors file; "
                                                "may be repeated"),
                                       cl::value_desc("file.safetensors"), cl::cat(category));
static cl::list<std::string> stateNames("state",
                                        cl::desc("Keep a value between calls: the input that takes it and the output that "
                                                 "gives it (--state=past=present); may be repeated"),
                                        cl::value_desc("input=output"), cl::cat(category));
static cl::opt<std::string> phaseTo("phase-to", cl::desc("Stop at this phase (C0..C5 or its name) and print the IR"),
                                    cl::value_desc("phase"), cl::cat(category));
static cl::opt<std::string> phaseFrom("phase-from", cl::desc("The phase that the input is at (default: before C0)"),
                                      cl::value_desc("phase"), cl::cat(category));
static cl::opt<std::string> dumpFolder("dump-phases-to", cl::desc("Write the IR after each phase to this folder"),
                                       cl::value_desc("folder"), cl::cat(category));
static cl::opt<std::string> reproducer("crash-reproducer",
                                       cl::desc("If a pass fails, write its input and pipeline to this file"),
                                       cl::value_desc("file"), cl::cat(category));
static cl::opt<bool> verifyPhases("verify-phases",
                                  cl::desc("Check before and after every pass what its phase promises; name a pass that "
                                           "breaks it"),
                                  cl::cat(category));
static cl::opt<bool> roundTrip("verify-roundtrip",
                               cl::desc("Check after every phase that IR is read as it was written, text and bytecode"),
                                     cl::cat(category));
static cl::opt<std::string> weights("weights", cl::desc("Format of weights, e.g. int4/32, nf4/64, int8/channel"),
                                    cl::value_desc("format"), cl::init("none"), cl::cat(category));
static cl::opt<std::string> tables("tables", cl::desc("Format of tables that are read by rows (embeddings)"),
                                   cl::value_desc("format"), cl::init("none"), cl::cat(category));
static cl::opt<std::string> activations("activations",
                                        cl::desc("Format of what weights are multiplied with, e.g. int8/token"),
                                        cl::value_desc("format"), cl::init("none"), cl::cat(category));
static cl::opt<std::string> caches("caches",
                                   cl::desc("Format of float states (--state), one block for each token, e.g. int8/token"),
                                   cl::value_desc("format"), cl::init("none"), cl::cat(category));
static cl::opt<std::string> planFile("plan", cl::desc("File that gives each layer its formats by name"),
                                     cl::value_desc("file"), cl::cat(category));
static cl::list<std::string> samples("calibrate",
                                     cl::desc("Run the float model on samples, for static formats: a .npy file, a folder of "
                                              "them, or a text file with a line of [name=]file.npy for each input; may be "
                                              "repeated"),
                                     cl::value_desc("files"), cl::CommaSeparated, cl::cat(category));
static cl::opt<std::string> statisticsFile("statistics",
                                           cl::desc("Statistics of calibration: written with --calibrate, else read"),
                                           cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string> strategy("strategy", cl::desc("How to compute on encoded values: auto, float or integer"),
                                     cl::value_desc("name"), cl::init("auto"), cl::cat(category));
static cl::opt<bool> explain("explain", cl::desc("Say for each layer what was decided, and why nothing better"),
                             cl::cat(category));
static cl::list<int64_t> explainRows("explain-rows", cl::desc("With --explain: for each kernel what its costs predict for so many rows"),
                                     cl::value_desc("M"), cl::CommaSeparated, cl::cat(category));
static cl::opt<bool> listFormats("list-formats", cl::desc("Print the formats of weights and activations"),
                                 cl::cat(category));
static cl::opt<bool> listTargets("list-targets", cl::desc("Print the targets and their levels"), cl::cat(category));
static cl::opt<bool> listPhases("list-phases", cl::desc("Print the phases and what each promises"), cl::cat(category));

void tools::registerEverything(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllPasses();
  registerAll(registry);
}

static bool readPhase(StringRef option, StringRef text, Phase &phase) {
  std::optional<Phase> parsed = parsePhase(text);
  if (!parsed || *parsed == Phase::Native)
    return fail("--" + option + "=" + text + ": no phase of that name before C6; see --list-phases");
  phase = *parsed;
  return true;
}

/// Also where nothing in the model would use them: a misspelt format must not pass for one.
static bool checkSpellings(MLIRContext &context) {
  for (const cl::opt<std::string> *option : {&weights, &tables, &activations, &caches}) {
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &error) { message = error.str(); });
    auto emit = [&] { return emitError(UnknownLoc::get(&context)); };
    if (*option != "none" && failed(checkSpelling(&context, *option, /*takesStatic=*/option == &activations, emit)))
      return fail("--" + option->ArgStr + "=" + *option + ": " + message);
  }
  if (!rounding.empty() && !isRounding(rounding))
    return fail("--rounding=" + rounding + ": expected double, single or real");
  if (!isStrategyOption(strategy))
    return fail("--strategy=" + strategy + ": expected auto, float or integer");
  return true;
}

/// The options that are done with once a phase is reached: formats and what they need, kernels, memory.
static bool checkPhases(const PhaseRun &run, Phase last) {
  const std::pair<const cl::Option *, Phase> uses[] = {
      {&weights, Phase::Quantized},       {&tables, Phase::Quantized},   {&activations, Phase::Quantized},
      {&caches, Phase::Quantized},        {&planFile, Phase::Quantized}, {&statisticsFile, Phase::Quantized},
      {&interfaceKind, Phase::Quantized}, {&rounding, Phase::Quantized}, {&strategy, Phase::Selected},
      {&explain, Phase::Selected},        {&prefer, Phase::Tiled},       {std::addressof(memories), Phase::Planned},
      {&callerInterface, Phase::Planned}};
  for (auto [option, phase] : uses) {
    if (!option->getNumOccurrences())
      continue;
    if (run.from && *run.from >= phase)
      return fail(
          tools::noEffect(*option, "the input is at phase " + getPhaseInfo(*run.from).id + " already (--phase-from)"));
    if (phase > last)
      return fail(tools::noEffect(*option, "nothing goes beyond phase " + getPhaseInfo(last).id));
  }
  return true;
}

/// Options that need another one.
static bool checkUses(StringRef path, Phase last) {
  if (!interfaceKind.empty() && rounding.empty())
    return fail(tools::noEffect(interfaceKind, "without --rounding no float model becomes integer-only"));
  bool isStatic = isStaticSpelling(activations) || !planFile.empty();
  if (!statisticsFile.empty() && samples.empty() && !isStatic)
    return fail(tools::noEffect(statisticsFile, "no format is static; give --activations=<codec>/static, for example"));
  if (!samples.empty() && statisticsFile.empty() && !isStatic && last > Phase::Observed)
    return fail(tools::noEffect(samples, "no format is static, and --statistics names no file for the ranges"));
  return tools::checkReads(path, runtime, "runtime");
}

bool tools::ModelOptions::readCommandLine(StringRef path, MLIRContext &context, Phase last) {
  if (path.empty())
    return fail("no model given; try --help");
  const Target *target = targetName.empty() ? getDefaultTarget() : lookupTarget(targetName);
  if (!target)
    return fail("--target=" + targetName + ": no such target; see --list-targets");
  if (!checkSpellings(context))
    return false;
  if (!phaseFrom.empty() && !readPhase("phase-from", phaseFrom, run.from.emplace()))
    return false;
  run.to = last;
  if (!phaseTo.empty() && !readPhase("phase-to", phaseTo, run.to))
    return false;
  if (run.to > last)
    return fail("--phase-to=" + phaseTo + " is behind phase C" + Twine(unsigned(last)) + ", the last that has what is asked for");
  if (run.from && *run.from > run.to)
    return fail("--phase-from is behind --phase-to");
  if (!checkPhases(run, last) || !checkUses(path, run.to))
    return false;
  if (!samples.empty() && (run.from.value_or(Phase::Imported) != Phase::Imported || run.to == Phase::Imported))
    return fail("--calibrate needs the way from C0 to C1, which --phase-from and --phase-to leave out");
  run.dumpFolder = dumpFolder;
  run.reproducer = reproducer;
  run.verifyRoundTrip = roundTrip;
  run.verify = artifact.verify = verifyPhases;
  pipeline.target = artifact.target = target;
  if (!target->firmware && (!memories.empty() || callerInterface || prefer.getNumOccurrences()))
    return fail("--memory, --prefer and --caller-io are for targets without an operating system; see --list-targets");
  if (!interfaceKind.empty() && interfaceKind != "codes" && interfaceKind != "real")
    return fail("--interface=" + interfaceKind + ": expected codes or real");
  pipeline.interfaceOfCodes = interfaceKind.empty() ? target->firmware != nullptr : interfaceKind == "codes";
  pipeline.memories.assign(memories.begin(), memories.end());
  pipeline.placesInterface = !callerInterface;
  if (prefer != "speed" && prefer != "memory" && prefer != "both")
    return fail("--prefer=" + prefer + ": expected speed, memory or both");
  pipeline.prefer = prefer;
  pipeline.weights = weights;
  pipeline.tables = tables;
  pipeline.activations = activations;
  pipeline.caches = caches;
  pipeline.planFile = planFile;
  pipeline.statisticsFile = statisticsFile;
  pipeline.strategy = strategy;
  pipeline.explain = explain;
  if (!explainRows.empty() && !explain)
    return fail("--explain-rows adds to what --explain prints; give both");
  for (int64_t rows : explainRows) {
    if (rows < 1)
      return fail("--explain-rows=" + Twine(rows) + ": row counts begin at 1");
    pipeline.explainRows.push_back(rows);
  }
  artifact.model = modelName.empty() ? llvm::sys::path::stem(path).str() : modelName;
  // Only the name: the same model gives the same manifest wherever it lies.
  artifact.sourceFile = llvm::sys::path::filename(path).str();
  auto settings = [&](const cl::opt<std::string> &option) {
    if (!option.empty() && option.getNumOccurrences())
      artifact.settings.push_back({option.ArgStr.str(), option});
  };
  settings(phaseFrom);
  for (const cl::opt<std::string> *option : {&weights, &tables, &activations, &strategy})
    settings(*option);
  for (const std::string &file : constants)
    artifact.settings.push_back({"constants", llvm::sys::path::filename(file).str()});
  for (const std::string &state : stateNames)
    artifact.settings.push_back({"state", state});
  for (const std::string &dim : dims)
    artifact.settings.push_back({"dim", dim});
  return true;
}

/// Marks the pairs of --state in a module that an importer made.
static LogicalResult markStates(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (stateNames.empty() || !main)
    return success();
  auto find = [](unsigned count, StringRef name, auto getName) -> std::optional<unsigned> {
    for (unsigned i = 0; i < count; ++i)
      if (auto attr = getName(i, "qtensor.name"); attr && attr.getValue() == name)
        return i;
    return std::nullopt;
  };
  for (StringRef text : stateNames) {
    // Names of tensors have equal signs rarely; every place to cut is tried.
    std::optional<unsigned> input, output;
    for (size_t at = text.find('='); at != StringRef::npos && !(input && output); at = text.find('=', at + 1)) {
      input = find(main.getNumArguments(), text.take_front(at),
                   [&](unsigned i, StringRef key) { return main.getArgAttrOfType<StringAttr>(i, key); });
      output = find(main.getNumResults(), text.drop_front(at + 1),
                    [&](unsigned i, StringRef key) { return main.getResultAttrOfType<StringAttr>(i, key); });
    }
    if (!input || !output)
      return main.emitError() << "--state=" << text << ": expected input=output, names of this model";
    auto name = main.getArgAttr(*input, "qtensor.name");
    main.setArgAttr(*input, kStateAttr, name);
    main.setResultAttr(*output, kStateAttr, name);
  }
  return verifyStates(main, [&] { return main.emitError(); });
}

/// Leads the module to C0, runs it on the samples, and goes on from there with the statistics in a file.
static LogicalResult runCalibrated(ModuleOp module, tools::ModelOptions &options) {
  PhaseRun import = options.run;
  import.to = Phase::Imported;
  if (options.run.from != Phase::Imported && failed(runPhases(module, import, options.pipeline)))
    return failure();
  options.run.from = Phase::Imported;
  FailureOr<std::vector<Sample>> inputs = readSamples(module, samples);
  if (failed(inputs))
    return failure();
  // Samples run on this machine, whatever the artifact is for.
  const Target *here = options.pipeline.target->firmware ? getDefaultTarget() : options.pipeline.target;
  FailureOr<Statistics> seen = calibrate(module, *createJitRunner(*here, options.run.progress), *inputs);
  if (failed(seen))
    return failure();
  llvm::SmallString<128> file(statisticsFile.getValue());
  std::optional<llvm::FileRemover> remover;
  if (file.empty()) {
    if (std::error_code code = llvm::sys::fs::createTemporaryFile("calibration", "json", file))
      return module.emitError() << "cannot make a temporary file: " << code.message();
    remover.emplace(file);
  }
  options.pipeline.statisticsFile = file.str().str();
  if (failed(seen->save(module.getContext(), file)))
    return failure();
  return runPhases(module, options.run, options.pipeline);
}

/// MLIR prints errors and drops warnings, which say what a model loses.
static LogicalResult printWarning(Diagnostic &diagnostic) {
  if (diagnostic.getSeverity() != DiagnosticSeverity::Warning)
    return failure();
  llvm::errs() << diagnostic.getLocation() << ": warning: " << diagnostic << "\n";
  return success();
}

OwningOpRef<ModuleOp> tools::importAndRun(StringRef path, ModelOptions &options, MLIRContext &context) {
  ScopedDiagnosticHandler warnings(&context, printWarning);
  ImportOptions import;
  if (!parseDims(dims, import))
    return nullptr;
  import.constantFiles.assign(constants.begin(), constants.end());
  context.loadAllAvailableDialects();
  if (options.run.progress)
    options.run.progress("importing");
  if (auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false))
    options.artifact.sourceHash = llvm::xxHash64((*file)->getBuffer());
  if (isIntegerRounding(rounding))
    import.rounding = rounding;
  import.runtime = runtime;
  options.pipeline.rounding = rounding;
  options.pipeline.checkExtents = isIR(path);
  OwningOpRef<ModuleOp> module = importModel(path, &context, import);
  if (!module || failed(markStates(*module)) ||
      failed(samples.empty() ? runPhases(*module, options.run, options.pipeline) : runCalibrated(*module, options)))
    return nullptr;
  return module;
}

bool tools::printLists() {
  if (listFormats) {
    DialectRegistry registry;
    registerAll(registry);
    MLIRContext context(registry);
    printFormats(&context, llvm::outs());
  }
  if (listTargets)
    for (const Target *target : getTargets()) {
      llvm::outs() << target->name << ": " << target->description << "\n";
      for (const TargetLevel &level : target->levels)
        llvm::outs() << "  " << level.name << (target->firmware ? " (firmware)" : "") << ": " << level.cpu << (level.features.empty() ? "" : " ") << level.features << "\n";
    }
  if (listPhases)
    for (const PhaseInfo &info : getPhases())
      llvm::outs() << info.id << " " << info.name << ": " << info.promise << "\n";
  return listFormats || listTargets || listPhases;
}
