// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs tests in the layout of the ONNX backend test suite: imports <folder>/model.onnx, evaluates it by the reference,
// or compiles it and runs that, on <folder>/test_data_set_N/input_*.pb and compares with output_*.pb. One line a
// folder; fails if any folder does.
#include "Compiled.h"
#include "lib/Import/ONNX/Model.h"
#include "lib/Import/ONNX/ONNXImport.h"
#include "lib/Reference/Interpreter.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "qtensor/InitAll.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using reference::Tensor;

namespace {
llvm::cl::list<std::string> folders(llvm::cl::Positional, llvm::cl::desc("<folder>..."), llvm::cl::OneOrMore);
// The tolerances of the suite's own runner.
llvm::cl::opt<double> relative("rtol", llvm::cl::desc("Relative tolerance of floats"), llvm::cl::init(1e-3));
llvm::cl::opt<double> absolute("atol", llvm::cl::desc("Absolute tolerance of floats"), llvm::cl::init(1e-5));
llvm::cl::opt<std::string> level("compiled",
                                 llvm::cl::desc("Compile for this processor level, instead of the reference"),
                                 llvm::cl::value_desc("level"));

std::unique_ptr<onnx::TensorData> readData(StringRef path, std::string &problem) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  auto report = [&](const Twine &what) { problem = what.str(); };
  if (!buffer) {
    report(path + ": " + buffer.getError().message());
    return nullptr;
  }
  return onnx::readTensorProto(path, (*buffer)->getBuffer(), report);
}

FailureOr<Tensor> readTensor(StringRef path, MLIRContext &context, std::string &problem) {
  std::unique_ptr<onnx::TensorData> data = readData(path, problem);
  if (!data)
    return failure();
  FailureOr<Tensor> tensor = Tensor::zeros(onnx::elemType(data->elem, &context), data->dims);
  if (failed(tensor)) {
    problem = (path + ": has no tensor type").str();
    return failure();
  }
  unsigned size = tensor->getFormat().getBytes();
  for (int64_t i = 0, count = tensor->getNumElements(); i < count; ++i) {
    uint64_t bits = 0;
    std::memcpy(&bits, data->bytes.data() + i * size, size);
    tensor->setBits(i, bits & tensor->getFormat().mask());
  }
  return tensor;
}

bool isClose(double got, double expected) {
  if (std::isnan(got) || std::isnan(expected))
    return std::isnan(got) && std::isnan(expected);
  return got == expected || std::fabs(got - expected) <= absolute + relative * std::fabs(expected);
}

/// Nothing if the tensors agree.
std::string compare(const Tensor &got, const Tensor &expected) {
  if (got.getElementType() != expected.getElementType() || got.getShape() != expected.getShape()) {
    std::string text;
    llvm::raw_string_ostream os(text);
    os << "is ";
    got.print(os, 0);
    os << ", expected ";
    expected.print(os, 0);
    return text;
  }
  for (int64_t i = 0, count = got.getNumElements(); i < count; ++i)
    if (got.getFormat().isFloat() ? !isClose(got.getNumber(i), expected.getNumber(i))
                                  : got.getBits(i) != expected.getBits(i))
      return llvm::formatv("element {0} is {1}, expected {2}", i, got.getNumber(i), expected.getNumber(i));
  return "";
}

/// The inputs of a data set by name, in the order of the model.
using Inputs = std::vector<std::pair<std::string, std::string>>;

Inputs findInputs(StringRef folder, const onnx::Model &model) {
  Inputs inputs;
  for (const onnx::ValueInfo &input : model.graph.inputs)
    inputs.push_back({input.name, (folder + "/input_" + Twine(inputs.size()) + ".pb").str()});
  return inputs;
}

/// The results by the reference or, where a level is given, by compiled code. A message on failure.
llvm::Expected<SmallVector<Tensor>> compute(func::FuncOp function, ArrayRef<Tensor> inputs) {
  auto fail = [] {
    return llvm::createStringError(level.empty() ? "the reference can't evaluate it" : "it was not compiled");
  };
  if (level.empty()) {
    FailureOr<SmallVector<Tensor>> results = reference::evaluate(function, inputs);
    return failed(results) ? llvm::Expected<SmallVector<Tensor>>(fail()) : std::move(*results);
  }
  SmallVector<Type> types =
      llvm::map_to_vector(function.getResultTypes(), [](Type type) { return getElementTypeOrSelf(type); });
  FailureOr<std::unique_ptr<LoadedModel>> model = compileInMemory(function->getParentOfType<ModuleOp>(), level);
  return failed(model) ? llvm::Expected<SmallVector<Tensor>>(fail()) : runCompiled(**model, inputs, types);
}

/// Nothing if the data set passes.
std::string runDataSet(StringRef folder, func::FuncOp function, const Inputs &files, MLIRContext &context) {
  std::string problem;
  SmallVector<Tensor> inputs;
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    StringRef name = function.getArgAttrOfType<StringAttr>(i, "qtensor.name").getValue();
    auto file = llvm::find_if(files, [&](const auto &entry) { return entry.first == name; });
    FailureOr<Tensor> input = readTensor(file->second, context, problem);
    if (failed(input))
      return problem;
    inputs.push_back(std::move(*input));
  }
  llvm::Expected<SmallVector<Tensor>> results = compute(function, inputs);
  if (!results)
    return llvm::toString(results.takeError());
  for (auto [i, result] : llvm::enumerate(*results)) {
    FailureOr<Tensor> expected = readTensor((folder + "/output_" + Twine(i) + ".pb").str(), context, problem);
    if (failed(expected))
      return problem;
    std::string difference = compare(result, *expected);
    if (!difference.empty())
      return "output " + std::to_string(i) + " " + difference;
  }
  return "";
}

/// The suite passes shapes, axes and padding as inputs; here they are constants of the model.
bool bindParameters(const Inputs &files, ONNXImportOptions &options) {
  std::string ignored;
  for (const auto &[name, file] : files)
    if (std::shared_ptr<onnx::TensorData> data = readData(file, ignored); data && data->dims.size() <= 1)
      options.inputs[name] = std::move(data);
  return !options.inputs.empty();
}

/// Nothing if the data set passes.
std::string importAndRun(StringRef path, StringRef data, const Inputs &inputs, const ONNXImportOptions &options,
                         MLIRContext &context, std::string &problem) {
  OwningOpRef<ModuleOp> module = importONNX(path, &context, options);
  if (!module)
    return problem;
  return runDataSet(data, module->lookupSymbol<func::FuncOp>("main"), inputs, context);
}

std::string runFolder(StringRef folder, MLIRContext &context) {
  std::string problem, path = (folder + "/model.onnx").str();
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (problem.empty())
      problem = diagnostic.str();
    return success();
  });
  auto report = [&](const Twine &what) { problem = what.str(); };
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  std::unique_ptr<onnx::Model> model = buffer ? onnx::readModel(path, (*buffer)->getBuffer(), report) : nullptr;
  if (!model)
    return problem.empty() ? "has no model.onnx" : problem;
  for (unsigned set = 0;; ++set) {
    std::string data = (folder + "/test_data_set_" + Twine(set)).str();
    if (!llvm::sys::fs::is_directory(data))
      return set ? "" : "has no test data";
    Inputs inputs = findInputs(data, *model);
    ONNXImportOptions options;
    std::string result = importAndRun(path, data, inputs, options, context, problem);
    // Not imported, or shapes of results follow from values.
    bool isOpen = result == problem || StringRef(problem).contains("depends on the values of an input");
    if (!result.empty() && isOpen && bindParameters(inputs, options)) {
      problem.clear();
      result = importAndRun(path, data, inputs, options, context, problem);
    }
    if (!result.empty())
      return problem.empty() ? result : result + ": " + problem;
  }
}
} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::cl::ParseCommandLineOptions(argc, argv, "Runs ONNX backend tests\n");
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAll(registry);
  unsigned failures = 0;
  for (StringRef folder : folders) {
    MLIRContext context(registry, MLIRContext::Threading::DISABLED);
    std::string problem = runFolder(folder, context);
    failures += !problem.empty();
    llvm::outs() << (problem.empty() ? "pass " : "FAIL ") << llvm::sys::path::filename(folder);
    llvm::outs() << (problem.empty() ? "" : ": ") << problem << "\n";
    llvm::outs().flush(); // what was said stays said if the next model crashes
  }
  llvm::outs() << folders.size() - failures << " passed, " << failures << " failed\n";
  return failures ? 1 : 0;
}
