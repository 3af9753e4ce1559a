// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a compiled model, or compiles one in memory and runs it: .npy files in and out.
#include "CommandLine.h"
#include "Compare.h"
#include "Measure.h"
#include "ModelOptions.h"
#include "NamedFiles.h"
#include "Tensors.h"
#include "Values.h"
#include "lib/Emit/Files.h"
#include "qtensor/Target.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include <cmath>

namespace cl = llvm::cl;
using namespace mlir;
using namespace mlir::qtensor;
using llvm::Error;

static cl::opt<std::string> modelFile(cl::Positional, cl::desc("<lib<model>.so, or .onnx, .mlir, .mlirbc>"),
                                      cl::cat(tools::category));
static cl::list<std::string> inputFiles("input", cl::desc("An input: file.npy for the next one, or name=file.npy"),
                                        cl::value_desc("[name=]file"), cl::cat(tools::category));
static cl::list<std::string> outputFiles("output", cl::desc("Where to write an output: file.npy or name=file.npy"),
                                         cl::value_desc("[name=]file"), cl::cat(tools::category));
static cl::list<std::string> compareFiles("compare", cl::desc("A reference for an output; exit status 1 if it differs"),
                                          cl::value_desc("[name=]file"), cl::cat(tools::category));
static cl::opt<double> absolute("atol", cl::desc("Allowed absolute difference (default 1e-5)"), cl::init(1e-5),
                                cl::cat(tools::category));
static cl::opt<double> relative("rtol", cl::desc("Allowed difference relative to the reference (default 1e-4)"),
                                cl::init(1e-4), cl::cat(tools::category));
static cl::opt<std::string> stateFile("state-file",
                                      cl::desc("Of a model that keeps state: read it from this file, where it exists, before "
                                               "the run, and write it behind the run"),
                                      cl::value_desc("file"), cl::cat(tools::category));
static cl::opt<unsigned> timeRuns("time", cl::desc("Print the median time of this many runs"), cl::value_desc("runs"),
                                  cl::cat(tools::category));
static cl::opt<bool> count("count", cl::desc("Print performance counters of one run, on one thread"), cl::cat(tools::category));
static cl::opt<std::string> levelName("level", cl::desc("Processor level, one of the above (default: the best)"),
                                      cl::cat(tools::category));
static cl::opt<int> threads("num-threads", cl::desc("Threads (default: as many as processors)"), cl::cat(tools::category));
static cl::opt<bool> verify("verify", cl::desc("Check every byte of the weights file"), cl::cat(tools::category));

static cl::opt<std::string> dumpValues("dump-values",
                                       cl::desc("Write every named value, computed by the reference, to this folder; of a "
                                                "quantized model as it is at phase C2 (or --phase-to)"),
                                       cl::value_desc("folder"), cl::cat(tools::category));
static cl::opt<std::string> againstValues("compare-values",
                                          cl::desc("Compare every named value with those that --dump-values wrote"),
                                          cl::value_desc("folder"), cl::cat(tools::category));

static constexpr char kOverview[] =
    "QTensor: runs a model.\n\n"
    "  quant-run out/libmodel.so --input x.npy --output y.npy\n"
    "  quant-run model.onnx --input x.npy --compare expected.npy --rtol 1e-3\n"
    "  quant-run out/libmodel.so --input x.npy --time 100 --level <name>\n"
    "  quant-run out/libmodel.so --input x.npy --state-file session.state\n"
    "  quant-run model.onnx --input x.npy --dump-values float/\n"
    "  quant-run model.onnx --weights=int4/32 --input x.npy --compare-values float/\n\n"
    "The levels of a model:";

/// With the levels of the targets that the program was built with.
static std::string makeOverview() {
  std::string text = kOverview;
  for (const Target *target : getTargets()) {
    if (target->firmware)
      continue; // which runs elsewhere
    text += (" " + target->name + ":").str();
    for (const TargetLevel &level : target->levels)
      text += (" " + level.name).str();
  }
  return text + "\n";
}

/// The error where `option` was given but has no effect, for a reason.
static Error unused(const cl::Option &option, const Twine &reason) {
  return llvm::createStringError(tools::noEffect(option, reason));
}

namespace {
/// One open model with its buffers.
class Session {
public:
  explicit Session(std::unique_ptr<LoadedModel> model) : model(std::move(model)) {}
  ~Session() {
    if (handle)
      model->close(handle);
  }

  Error open();
  Error readInputs();
  Error allocate();
  Error run();
  Error readState();
  Error writeState();
  Error writeOutputs();
  Error compare();
  Error measure();

  bool isSame = true; ///< Whether all comparisons held.

private:
  Error check(qt_status status);

  std::unique_ptr<LoadedModel> model;
  LoadedModel::Handle *handle = nullptr;
  std::string report;
  std::vector<NpyArray> arrays;
  std::vector<qt_tensor> inputs, outputs;
  std::vector<AlignedBytes> buffers;
  void *scratch = nullptr, *state = nullptr;
};
} // namespace

Error Session::check(qt_status status) {
  if (status == QT_OK)
    return Error::success();
  return llvm::createStringError(report.empty() ? model->errorText(status) : report);
}

Error Session::open() {
  qt_options options = {};
  options.level = levelName.empty() ? nullptr : levelName.c_str();
  options.threads = count ? 1 : threads;
  options.verify = verify;
  options.report = [](void *user, const char *text) { *static_cast<std::string *>(user) = text; };
  options.report_user = &report;
  return check(model->open(model->getWeights(), &options, &handle));
}

static std::vector<std::string> namesOf(ArrayRef<LoadedTensor> tensors) {
  std::vector<std::string> names;
  for (const LoadedTensor &tensor : tensors)
    names.push_back(tensor.name);
  return names;
}

Error Session::readInputs() {
  auto given = tools::readInputs(inputFiles, namesOf(model->getInputs()));
  if (!given)
    return given.takeError();
  arrays.reserve(given->size()); // the inputs point into them
  for (auto [tensor, array] : llvm::zip_equal(model->getInputs(), *given)) {
    if (!array)
      return tools::missingInput(tensor.name);
    auto input = tools::toTensor(tensor, arrays.emplace_back(std::move(*array)));
    if (!input)
      return input.takeError();
    inputs.push_back(*input);
  }
  return Error::success();
}

Error Session::allocate() {
  outputs.resize(model->getOutputs().size());
  size_t scratchBytes = 0;
  if (Error error = check(model->shapes(handle, inputs.data(), outputs.data(), &scratchBytes)))
    return error;
  for (qt_tensor &tensor : outputs)
    tensor.data = buffers.emplace_back(tensorBytes(tensor)).data;
  scratch = buffers.emplace_back(scratchBytes).data;
  if (size_t bytes = model->stateSize(handle)) {
    state = buffers.emplace_back(bytes).data;
    if (Error error = state ? check(model->stateInit(handle, state)) : Error::success())
      return error;
  }
  if (llvm::any_of(buffers, [](const AlignedBytes &buffer) { return !buffer.data; }))
    return llvm::createStringError("no memory for the outputs and " + Twine(scratchBytes) + " bytes of scratch");
  return Error::success();
}

Error Session::readState() {
  if (stateFile.empty())
    return Error::success();
  if (!model->stateSize(handle)) { // Who runs models of all kinds names a file for each of them.
    llvm::errs() << "warning: " << tools::noEffect(stateFile, "the model keeps no state") << "\n";
    return Error::success();
  }
  if (!llvm::sys::fs::exists(stateFile))
    return Error::success();
  auto file = llvm::MemoryBuffer::getFile(stateFile);
  if (!file)
    return llvm::createStringError("cannot read '" + stateFile + "': " + file.getError().message());
  StringRef bytes = (*file)->getBuffer();
  if (bytes.size() != model->stateSize(handle))
    return llvm::createStringError("'" + stateFile + "' has " + Twine(bytes.size()) + " bytes; the state of this model has " +
                                   Twine(model->stateSize(handle)));
  if (state)
    llvm::copy(bytes, static_cast<char *>(state));
  return Error::success();
}

Error Session::writeState() {
  if (stateFile.empty() || !model->stateSize(handle))
    return Error::success();
  return writeText(stateFile, StringRef(static_cast<const char *>(state), model->stateSize(handle)));
}

Error Session::run() { return check(model->run(handle, state, inputs.data(), outputs.data(), scratch)); }

Error Session::writeOutputs() {
  auto files = tools::resolveFiles(outputFiles, namesOf(model->getOutputs()), "output");
  if (!files)
    return files.takeError();
  for (auto [index, file] : *files)
    if (Error error = tools::writeArray(tools::toArray(outputs[index]), file))
      return error;
  return Error::success();
}

Error Session::compare() {
  auto files = tools::resolveFiles(compareFiles, namesOf(model->getOutputs()), "compare");
  if (!files)
    return files.takeError();
  for (auto [index, file] : *files) {
    auto want = readNpy(file);
    if (!want)
      return want.takeError();
    isSame &= tools::compareArrays(model->getOutputs()[index].name, tools::toArray(outputs[index]), *want, absolute, relative,
                                   llvm::outs());
  }
  return Error::success();
}

Error Session::measure() {
  auto call = [&] { (void)model->run(handle, state, inputs.data(), outputs.data(), scratch); };
  if (timeRuns)
    llvm::outs() << llvm::formatv("{0:f4} ms, median of {1} runs, level {2}\n", 1e3 * tools::medianSeconds(timeRuns, call),
                                  unsigned(timeRuns), model->level(handle));
  if (!count)
    return Error::success();
  auto counts = tools::countEvents(call);
  if (!counts)
    return counts.takeError();
  llvm::outs() << "one run on one thread, level " << model->level(handle) << ":\n";
  for (const tools::EventCount &event : *counts)
    llvm::outs() << "  " << (event.number ? std::to_string(*event.number) : "no counter for") << " " << event.name << "\n";
  return Error::success();
}

/// The options of this tool alone: of what runs compiled code, and all. The others say how a model is compiled.
static constexpr StringLiteral kOfRuns[] = {"output", "compare", "atol",  "rtol",        "state-file",
                                            "time",   "count",   "level", "num-threads", "verify"};
static constexpr StringLiteral kOfValues[] = {"input", "dump-values", "compare-values"};
/// Checks of the compiler, which pass where it does nothing.
static constexpr StringLiteral kChecks[] = {"verify-phases", "verify-roundtrip"};

/// An option that would be ignored was meant for something.
static Error checkOptions() {
  if (StringRef(modelFile).ends_with(".so"))
    for (const auto &[name, option] : cl::getRegisteredOptions())
      if (option->getNumOccurrences() && llvm::is_contained(option->Categories, &tools::category) && option->hasArgStr() &&
          !llvm::is_contained(llvm::concat<const StringLiteral>(kOfRuns, kOfValues, kChecks), name))
        return unused(*option, "'" + modelFile + "' is compiled already");
  if (!dumpValues.empty() || !againstValues.empty())
    for (StringRef name : kOfRuns)
      if (cl::Option *option = cl::getRegisteredOptions().lookup(name); option->getNumOccurrences())
        return unused(*option, "with --dump-values and --compare-values the reference computes, and no compiled code runs");
  for (const cl::opt<double> *tolerance : {&absolute, &relative}) {
    if (!(*tolerance >= 0) || !std::isfinite(*tolerance)) // NaN would hide every difference
      return llvm::createStringError(llvm::formatv("--{0}={1}", tolerance->ArgStr, double(*tolerance)).str() +
                                     ": a tolerance is a finite number, at least 0");
    if (tolerance->getNumOccurrences() && compareFiles.empty())
      return unused(*tolerance, "there is nothing to compare with; give --compare");
  }
  if (count && threads.getNumOccurrences())
    return unused(threads, "--count runs on one thread");
  if (threads < 0)
    return llvm::createStringError("--num-threads=" + Twine(int(threads)) +
                                   ": expected a number of threads, or 0 for as many as processors");
  return Error::success();
}

static llvm::Expected<std::unique_ptr<LoadedModel>> load(const DialectRegistry &registry) {
  if (StringRef(modelFile).ends_with(".so"))
    return LoadedModel::openLibrary(modelFile);
  MLIRContext context(registry);
  tools::ModelOptions options;
  if (!options.readCommandLine(modelFile, context))
    return llvm::createStringError("the command line makes no sense");
  tools::Progress progress;
  options.run.progress = options.artifact.progress = [&](StringRef what) { progress(what); };
  OwningOpRef<ModuleOp> module = tools::importAndRun(modelFile, options, context);
  FailureOr<Artifact> artifact = failure();
  if (module)
    artifact = compileArtifact(*module, options.artifact);
  if (failed(artifact))
    return llvm::createStringError("'" + modelFile + "' was not compiled");
  return LoadedModel::link(*artifact);
}

/// Intermediate values: evaluated by the reference, not by compiled code, which has no values by name.
static Error runValues(const DialectRegistry &registry) {
  tools::ModelOptions options;
  if (StringRef(modelFile).ends_with(".so"))
    return llvm::createStringError("a library has no values by name; give the model file");
  MLIRContext context(registry);
  if (!options.readCommandLine(modelFile, context, Phase::Quantized))
    return llvm::createStringError("the command line makes no sense");
  options.pipeline.lateFrom = std::numeric_limits<int64_t>::max(); // the reference does not know every encoder
  tools::Progress progress;
  options.run.progress = [&](StringRef what) { progress(what); };
  OwningOpRef<ModuleOp> module = tools::importAndRun(modelFile, options, context);
  FailureOr<tools::NamedValues> values = failure();
  if (module) {
    auto inputs = tools::readArguments(*module, inputFiles);
    if (!inputs)
      return inputs.takeError();
    progress("evaluating with the reference");
    values = tools::evaluateValues(*module, *inputs);
  }
  if (failed(values))
    return llvm::createStringError("'" + modelFile + "' was not evaluated");
  if (!dumpValues.empty())
    if (Error error = tools::writeValues(*values, dumpValues))
      return error;
  return againstValues.empty() ? Error::success() : tools::compareValues(*values, againstValues, llvm::outs());
}

static llvm::Expected<bool> runModel(const DialectRegistry &registry) {
  auto model = load(registry);
  if (!model)
    return model.takeError();
  Session session(std::move(*model));
  // What is measured runs again, from the state that the run before left: the outputs are compared before.
  for (auto step : {&Session::open, &Session::readInputs, &Session::allocate, &Session::readState, &Session::run,
                    &Session::writeState, &Session::writeOutputs, &Session::compare, &Session::measure})
    if (Error error = (session.*step)())
      return std::move(error);
  return session.isSame;
}

/// Whether all comparisons hold.
static llvm::Expected<bool> run(const DialectRegistry &registry) {
  if (Error error = checkOptions())
    return std::move(error);
  if (dumpValues.empty() && againstValues.empty())
    return runModel(registry);
  if (Error error = runValues(registry))
    return std::move(error);
  return true;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  DialectRegistry registry;
  tools::registerEverything(registry);
  cl::HideUnrelatedOptions(tools::category);
  cl::ParseCommandLineOptions(argc, argv, makeOverview());
  if (tools::printLists())
    return tools::exitStatus(0);
  llvm::Expected<bool> isSame = run(registry);
  if (isSame)
    if (Error error = finishWriting(llvm::outs(), "standard output"))
      isSame = std::move(error);
  if (!isSame) {
    llvm::errs() << "error: " << llvm::toString(isSame.takeError()) << "\n";
    return 2;
  }
  return *isSame ? 0 : 1;
}
