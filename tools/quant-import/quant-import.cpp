// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads a model file and writes it as MLIR: linalg on tensors.
#include "lib/Emit/Files.h"
#include "lib/Import/Graph/Tensor.h"
#include "qtensor/Import.h"
#include "lib/Import/Safetensors/Safetensors.h"
#include "tools/quant-compile/CommandLine.h"
#include "tools/quant-compile/Progress.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/BuiltinOps.h"
#include "qtensor/InitAll.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"

using namespace mlir;
namespace cl = llvm::cl;

namespace {
cl::OptionCategory category("quant-import options");
cl::opt<std::string> input(cl::Positional, cl::desc("<model>"), cl::init(""), cl::cat(category));
cl::opt<std::string> output("o", cl::desc("Where to write the module (default: standard output)"),
                            cl::value_desc("file"), cl::init("-"), cl::cat(category));
cl::list<std::string> outputs("output",
                              cl::desc("Return this value of the model instead of its own outputs, by its name (\"*\": "
                                       "what every operator computes); may be repeated"),
                              cl::value_desc("name"), cl::cat(category));
cl::opt<std::string> rounding("rounding",
                              cl::desc("Rounding of integer-only models: double (TFLite Micro, CMSIS-NN) or single"),
                              cl::init("double"), cl::cat(category));
cl::opt<std::string> runtime("runtime",
                             cl::desc("Whose integer algorithms a .tflite model has where runtimes differ: tflite-micro "
                                      "(default) or litert"),
                             cl::value_desc("name"), cl::init("tflite-micro"), cl::cat(category));
cl::list<std::string> dims("dim",
                           cl::desc("Fix an extent the model leaves open, by its symbolic name (--dim batch=1) or "
                                    "as input:axis (--dim x:0=1); may be repeated"),
                           cl::value_desc("name=value"), cl::cat(category));
cl::opt<std::string>
    weights("weights",
            cl::desc("Take the weights from a safetensors file: its tensors replace initializers of the "
                     "same name, shape and type"),
            cl::value_desc("file.safetensors"), cl::cat(category));
cl::opt<bool> listOperators("list-operators", cl::desc("Print a markdown table of the supported operators and exit"),
                            cl::cat(category));
cl::opt<bool> emitBytecode("emit-bytecode", cl::desc("Write MLIR bytecode instead of text: small and quick to load"),
                           cl::cat(category));
cl::opt<bool> elideWeights("elide-weights", cl::desc("Leave large constants out of the text, to read it"),
                           cl::cat(category));

/// safetensors' name of an element type; empty if it has none.
StringRef dtypeOf(qtensor::graph::Elem elem) {
  using qtensor::graph::Elem;
  static const std::map<Elem, StringRef> names = {
      {Elem::F32, "F32"}, {Elem::F64, "F64"}, {Elem::F16, "F16"},  {Elem::BF16, "BF16"}, {Elem::I8, "I8"},
      {Elem::U8, "U8"},   {Elem::I16, "I16"}, {Elem::U16, "U16"},  {Elem::I32, "I32"},   {Elem::U32, "U32"},
      {Elem::I64, "I64"}, {Elem::U64, "U64"}, {Elem::Bool, "BOOL"}};
  auto found = names.find(elem);
  return found == names.end() ? "" : found->second;
}

/// Lets `file` replace initializers; counts them.
void replaceWeights(qtensor::ImportOptions &options, const qtensor::Safetensors &file, unsigned &count) {
  options.weights = [&](const qtensor::graph::TensorData &tensor) -> FailureOr<ArrayRef<char>> {
    auto found = file.tensors.find(tensor.name);
    if (found == file.tensors.end())
      return ArrayRef<char>();
    if (found->second.dtype != dtypeOf(tensor.elem) || ArrayRef(found->second.shape) != ArrayRef(tensor.dims))
      return failure();
    ++count;
    return found->second.data;
  };
}

LogicalResult write(ModuleOp module, raw_ostream &os) {
  if (emitBytecode)
    return writeBytecodeToFile(module, os);
  OpPrintingFlags flags;
  flags.enableDebugInfo(true, /*prettyForm=*/false);
  if (elideWeights)
    flags.elideLargeElementsAttrs(16).elideLargeResourceString(64);
  module.print(os, flags);
  os << "\n";
  return success();
}
} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv,
                              "Reads a model (.onnx, .tflite) and writes it as MLIR: linalg on tensors.\n\n"
                              "  quant-import model.onnx -o model.mlir\n"
                              "  quant-import model.onnx --dim batch=1 --elide-weights | less\n"
                              "  quant-import model.tflite --rounding=single --output='*'\n");
  DialectRegistry registry;
  qtensor::registerAll(registry);
  if (listOperators) {
    qtensor::printOperatorTables(llvm::outs());
    return qtensor::tools::exitStatus(0);
  }
  if (input.empty()) {
    llvm::errs() << "error: no model given; try quant-import --help\n";
    return 1;
  }
  MLIRContext context(registry);
  qtensor::ImportOptions options;
  for (auto [option, setting] : {std::pair<const cl::Option *, StringRef>(std::addressof(outputs), "outputs"),
                                 {&rounding, "rounding"},
                                 {&runtime, "runtime"},
                                 {&weights, "weights"}})
    if (!qtensor::tools::checkReads(input, *option, setting))
      return 1;
  if (emitBytecode && elideWeights)
    return qtensor::tools::fail(qtensor::tools::noEffect(elideWeights, "bytecode has all constants")), 1;
  if (!qtensor::tools::parseDims(dims, options))
    return 1;
  options.outputs.assign(outputs.begin(), outputs.end());
  options.rounding = rounding;
  options.runtime = runtime;
  qtensor::Safetensors replacement; // the module's constants point into it
  unsigned replaced = 0;
  if (!weights.empty()) {
    llvm::Expected<qtensor::Safetensors> file = qtensor::readSafetensors(weights);
    if (!file) {
      llvm::errs() << "error: " << llvm::toString(file.takeError()) << "\n";
      return 1;
    }
    replacement = std::move(*file);
    replaceWeights(options, replacement, replaced);
  }
  qtensor::tools::Progress progress;
  progress("importing");
  OwningOpRef<ModuleOp> module = qtensor::importModel(input, &context, options);
  if (!module)
    return 1;
  if (!weights.empty() && !replaced) {
    llvm::errs() << "error: no tensor of '" << weights << "' has the name of an initializer of '" << input << "'\n";
    return 1;
  }
  progress("writing");
  LogicalResult written = success();
  if (llvm::Error error = qtensor::writeFile(output, [&](raw_ostream &os) { written = write(*module, os); }))
    return qtensor::tools::fail(llvm::toString(std::move(error))), 1;
  return qtensor::tools::exitStatus(failed(written));
}
