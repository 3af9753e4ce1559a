// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs functions of an .mlir file by the reference, so that a test has expected values beside its inputs:
//
//   func.func @add(%a: tensor<2xf32>) -> tensor<2xf32>
//       attributes {inputs = [dense<[1.0, 2.0]> : tensor<2xf32>], expect = [dense<2.0> : tensor<2xf32>]} { ... }
//
// `inputs` gives the arguments. `expect` is compared with the results, exactly or within `tolerance` (relative beyond
// magnitude 1); without it the results are printed. A private function is only called by others.
#include "lib/Reference/Interpreter.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Support/ToolUtilities.h"
#include "qtensor/InitAll.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;

static FailureOr<SmallVector<reference::Tensor>> readTensors(func::FuncOp function, StringRef name) {
  SmallVector<reference::Tensor> tensors;
  auto list = function->getAttrOfType<ArrayAttr>(name);
  for (Attribute attribute : list ? list.getValue() : ArrayRef<Attribute>()) {
    auto typed = dyn_cast<TypedAttr>(attribute);
    if (!typed)
      return function.emitError("'") << name << "' must hold constants";
    FailureOr<reference::Tensor> tensor =
        reference::Tensor::fromAttribute(typed, [&] { return function.emitError("'") << name << "': "; });
    if (failed(tensor))
      return failure();
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

/// Exactly equal bits, or floats whose difference is within `tolerance`. Two NaN are equal.
static bool isEqual(const reference::Tensor &a, const reference::Tensor &b, int64_t position, double tolerance) {
  if (a.getBits(position) == b.getBits(position))
    return true;
  if (!a.getFormat().isFloat())
    return false;
  double x = a.getReal(position), y = b.getReal(position);
  if (std::isnan(x) || std::isnan(y))
    return std::isnan(x) && std::isnan(y);
  return std::fabs(x - y) <= tolerance * std::max(1.0, std::fabs(y));
}

static LogicalResult compare(func::FuncOp function, ArrayRef<reference::Tensor> results,
                             ArrayRef<reference::Tensor> expected, double tolerance) {
  if (results.size() != expected.size())
    return function.emitError("returns ") << results.size() << " values, expected " << expected.size();
  for (auto [index, result, value] : llvm::enumerate(results, expected)) {
    bool same = result.getElementType() == value.getElementType() && result.getShape() == value.getShape();
    for (int64_t position = 0; same && position < result.getNumElements(); ++position)
      same = isEqual(result, value, position, tolerance);
    if (same)
      continue;
    std::string text;
    llvm::raw_string_ostream os(text);
    result.print(os);
    os << ", expected ";
    value.print(os);
    return function.emitError("result ") << index << " is " << text;
  }
  return success();
}

static LogicalResult runFunction(func::FuncOp function, raw_ostream &os) {
  FailureOr<SmallVector<reference::Tensor>> inputs = readTensors(function, "inputs");
  FailureOr<SmallVector<reference::Tensor>> expected = readTensors(function, "expect");
  if (failed(inputs) || failed(expected))
    return failure();
  FailureOr<SmallVector<reference::Tensor>> results = reference::evaluate(function, *inputs);
  if (failed(results))
    return failure();
  if (function->hasAttr("expect")) {
    auto tolerance = function->getAttrOfType<FloatAttr>("tolerance");
    if (failed(compare(function, *results, *expected, tolerance ? tolerance.getValueAsDouble() : 0.0)))
      return failure();
    os << "@" << function.getName() << ": ok\n";
    return success();
  }
  for (const reference::Tensor &result : *results) {
    os << "@" << function.getName() << ": ";
    result.print(os);
    os << "\n";
  }
  return success();
}

static LogicalResult runModule(llvm::SourceMgr &sources, MLIRContext &context, raw_ostream &os) {
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module)
    return failure();
  bool failedAny = false;
  for (auto function : module->getOps<func::FuncOp>())
    if (function.isPublic() && !function.isDeclaration())
      failedAny |= failed(runFunction(function, os));
  return failure(failedAny);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::cl::opt<std::string> input(llvm::cl::Positional, llvm::cl::desc("<file.mlir>"), llvm::cl::init("-"));
  llvm::cl::opt<bool> verify("verify-diagnostics", llvm::cl::desc("Compare diagnostics with expected-error comments"));
  llvm::cl::opt<bool> split("split-input-file", llvm::cl::desc("Run each part between // ----- lines on its own"));
  llvm::cl::ParseCommandLineOptions(argc, argv, "Runs functions by the reference\n");
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAll(registry);
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(input, &message);
  if (!file) {
    llvm::errs() << message << "\n";
    return 1;
  }
  auto process = [&](std::unique_ptr<llvm::MemoryBuffer> buffer, raw_ostream &os) -> LogicalResult {
    MLIRContext context(registry);
    context.printOpOnDiagnostic(false);
    llvm::SourceMgr sources;
    sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
    if (!verify) {
      SourceMgrDiagnosticHandler handler(sources, &context);
      return runModule(sources, context, os);
    }
    SourceMgrDiagnosticVerifierHandler handler(sources, &context);
    (void)runModule(sources, context, os);
    return handler.verify();
  };
  if (!split)
    return failed(process(std::move(file), llvm::outs()));
  return failed(splitAndProcessBuffer(std::move(file), process, llvm::outs()));
}
