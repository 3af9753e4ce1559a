// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a compiled model, or compiles one in memory and runs it: .npy files in and out.
#include "Compare.h"
#include "Measure.h"
#include "ModelOptions.h"
#include "Tensors.h"
#include "Values.h"
#include "lib/Emit/Files.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"

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
static cl::opt<std::string> levelName("level", cl::desc("Processor level, by name (default: the best)"),
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
    "  quant-run out/libmodel.so --input x.npy --time 100 --level avx2\n"
    "  quant-run out/libmodel.so --input x.npy --state-file session.state\n"
    "  quant-run model.onnx --input x.npy --dump-values float/\n"
    "  quant-run model.onnx --weights=int4/32 --input x.npy --compare-values float/\n";

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
  /// Whether all comparisons hold.
  llvm::Expected<bool> compare();
  Error measure();

private:
  Error check(qt_status status);
  /// Splits "[name=]file" and finds the tensor; without a name, the `position`th.
  llvm::Expected<std::pair<unsigned, StringRef>> parse(StringRef text, unsigned position, ArrayRef<LoadedTensor> list);

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

llvm::Expected<std::pair<unsigned, StringRef>> Session::parse(StringRef text, unsigned position, ArrayRef<LoadedTensor> list) {
  for (auto [i, tensor] : llvm::enumerate(list)) {
    StringRef file = text;
    if (file.consume_front(tensor.name) && file.consume_front("="))
      return std::pair<unsigned, StringRef>(i, file);
  }
  if (position >= list.size())
    return llvm::createStringError("'" + text + "': the model has only " + Twine(list.size()) + " of these");
  return std::pair<unsigned, StringRef>(position, text);
}

Error Session::readInputs() {
  arrays.resize(model->getInputs().size());
  inputs.resize(arrays.size());
  std::vector<bool> isGiven(arrays.size());
  for (auto [position, text] : llvm::enumerate(inputFiles)) {
    auto parsed = parse(text, position, model->getInputs());
    if (!parsed)
      return parsed.takeError();
    auto [index, file] = *parsed;
    auto array = readNpy(file);
    if (!array)
      return array.takeError();
    arrays[index] = std::move(*array);
    auto tensor = tools::toTensor(model->getInputs()[index], arrays[index]);
    if (!tensor)
      return tensor.takeError();
    inputs[index] = *tensor;
    isGiven[index] = true;
  }
  for (auto [index, tensor] : llvm::enumerate(model->getInputs()))
    if (!isGiven[index])
      return llvm::createStringError("input '" + tensor.name + "' is not given: --input " + tensor.name + "=file.npy");
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
  if (stateFile.empty() || !llvm::sys::fs::exists(stateFile))
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
  if (stateFile.empty())
    return Error::success();
  return writeText(stateFile, StringRef(static_cast<const char *>(state), model->stateSize(handle)));
}

Error Session::run() { return check(model->run(handle, state, inputs.data(), outputs.data(), scratch)); }

Error Session::writeOutputs() {
  for (auto [position, text] : llvm::enumerate(outputFiles)) {
    auto parsed = parse(text, position, model->getOutputs());
    if (!parsed)
      return parsed.takeError();
    std::error_code code;
    llvm::raw_fd_ostream os(parsed->second, code);
    if (!code)
      writeNpy(tools::toArray(outputs[parsed->first]), os);
    if (code)
      return llvm::createStringError(code, "cannot write '" + parsed->second + "': " + code.message());
  }
  return Error::success();
}

llvm::Expected<bool> Session::compare() {
  bool isSame = true;
  for (auto [position, text] : llvm::enumerate(compareFiles)) {
    auto parsed = parse(text, position, model->getOutputs());
    if (!parsed)
      return parsed.takeError();
    auto want = readNpy(parsed->second);
    if (!want)
      return want.takeError();
    isSame &= tools::compareArrays(model->getOutputs()[parsed->first].name, tools::toArray(outputs[parsed->first]), *want,
                                   absolute, relative, llvm::outs());
  }
  return isSame;
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

static llvm::Expected<std::unique_ptr<LoadedModel>> load(const DialectRegistry &registry) {
  if (StringRef(modelFile).ends_with(".so"))
    return LoadedModel::openLibrary(modelFile);
  tools::ModelOptions options;
  if (!options.readCommandLine(modelFile))
    return llvm::createStringError("the command line makes no sense");
  MLIRContext context(registry);
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
  if (!options.readCommandLine(modelFile))
    return llvm::createStringError("the command line makes no sense");
  options.run.to = std::min(options.run.to, Phase::Quantized);
  options.pipeline.lateFrom = std::numeric_limits<int64_t>::max(); // the reference does not know every encoder
  MLIRContext context(registry);
  tools::Progress progress;
  options.run.progress = [&](StringRef what) { progress(what); };
  OwningOpRef<ModuleOp> module = tools::importAndRun(modelFile, options, context);
  std::vector<NpyArray> inputs;
  for (StringRef text : inputFiles) {
    auto array = readNpy(text.contains('=') ? text.split('=').second : text);
    if (!array)
      return array.takeError();
    inputs.push_back(std::move(*array));
  }
  FailureOr<tools::NamedValues> values = failure();
  progress("evaluating with the reference");
  if (module)
    values = tools::evaluateValues(*module, inputs);
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
  for (auto step : {&Session::open, &Session::readInputs, &Session::allocate, &Session::readState, &Session::run,
                    &Session::writeState, &Session::writeOutputs, &Session::measure})
    if (Error error = (session.*step)())
      return std::move(error);
  return session.compare();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  DialectRegistry registry;
  tools::registerEverything(registry);
  cl::HideUnrelatedOptions(tools::category);
  cl::ParseCommandLineOptions(argc, argv, kOverview);
  if (tools::printLists())
    return 0;
  bool wantsValues = !dumpValues.empty() || !againstValues.empty();
  if (Error error = wantsValues ? runValues(registry) : Error::success()) {
    llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
    return 2;
  }
  if (wantsValues)
    return 0;
  llvm::Expected<bool> isSame = runModel(registry);
  if (!isSame) {
    llvm::errs() << "error: " << llvm::toString(isSame.takeError()) << "\n";
    return 2;
  }
  return *isSame ? 0 : 1;
}
