// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs the public functions of two .mlir files, IR before and after a pass, on the same random inputs by the reference
// and compares their results. The inputs are deterministic: floats in [-1, 1), integers in [0, 8), which are valid
// indices of most tables.
#include "lib/Reference/Interpreter.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "qtensor/InitAll.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace mlir::qtensor;
using reference::Tensor;

static FailureOr<SmallVector<Tensor>> makeInputs(func::FuncOp function, int64_t dynamicExtent) {
  std::minstd_rand random(1);
  SmallVector<Tensor> inputs;
  for (Type type : function.getArgumentTypes()) {
    SmallVector<int64_t> shape;
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      for (int64_t extent : tensor.getShape())
        shape.push_back(ShapedType::isDynamic(extent) ? dynamicExtent : extent);
    FailureOr<Tensor> input = Tensor::zeros(getElementTypeOrSelf(type), shape);
    if (failed(input))
      return function.emitError("has an argument of type ") << type << ", which cannot be made up";
    for (int64_t i = 0, e = input->getNumElements(); i < e; ++i) {
      if (input->getFormat().isFloat())
        input->setReal(i, static_cast<double>(random()) / std::minstd_rand::max() * 2 - 1);
      else
        input->setInteger(i, (random() >> 8) % 8);
    }
    inputs.push_back(std::move(*input));
  }
  return inputs;
}

static bool isClose(const Tensor &a, const Tensor &b, int64_t position, double tolerance) {
  if (!a.getFormat().isFloat())
    return a.getBits(position) == b.getBits(position);
  double x = a.getReal(position), y = b.getReal(position);
  if (std::isnan(x) || std::isnan(y))
    return std::isnan(x) && std::isnan(y);
  return x == y || std::fabs(x - y) <= tolerance * std::max(1.0, std::fabs(x));
}

static LogicalResult compare(func::FuncOp before, func::FuncOp after, int64_t dynamicExtent, double tolerance) {
  if (before.getFunctionType() != after.getFunctionType())
    return after.emitError("has type ") << after.getFunctionType() << ", before " << before.getFunctionType();
  FailureOr<SmallVector<Tensor>> inputs = makeInputs(before, dynamicExtent);
  if (failed(inputs))
    return failure();
  FailureOr<SmallVector<Tensor>> expected = reference::evaluate(before, *inputs);
  FailureOr<SmallVector<Tensor>> found = reference::evaluate(after, *inputs);
  if (failed(expected) || failed(found))
    return failure();
  for (auto [index, a, b] : llvm::enumerate(*expected, *found)) {
    if (a.getShape() != b.getShape())
      return after.emitError("result ") << index << " has another shape than before";
    for (int64_t i = 0, e = a.getNumElements(); i < e; ++i)
      if (!isClose(a, b, i, tolerance))
        return after.emitError("result ")
               << index << " at " << i << " is " << b.getNumber(i) << ", before " << a.getNumber(i);
  }
  return success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::cl::opt<std::string> beforePath(llvm::cl::Positional, llvm::cl::Required, llvm::cl::desc("<before.mlir>"));
  llvm::cl::opt<std::string> afterPath(llvm::cl::Positional, llvm::cl::desc("<after.mlir>"), llvm::cl::init("-"));
  llvm::cl::opt<double> tolerance("tolerance", llvm::cl::desc("Allowed difference, relative beyond magnitude 1"),
                                  llvm::cl::init(1e-5));
  llvm::cl::opt<int64_t> dynamicExtent("extent", llvm::cl::desc("The extent of dynamic dimensions"), llvm::cl::init(5));
  llvm::cl::ParseCommandLineOptions(argc, argv, "Compares two files by running them by the reference\n");
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAll(registry);
  MLIRContext context(registry);
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler handler(sources, &context);
  OwningOpRef<ModuleOp> before = parseSourceFile<ModuleOp>(beforePath, &context);
  OwningOpRef<ModuleOp> after = parseSourceFile<ModuleOp>(afterPath, &context);
  if (!before || !after)
    return 1;
  int64_t compared = 0;
  for (auto function : before->getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isDeclaration())
      continue;
    auto other = after->lookupSymbol<func::FuncOp>(function.getName());
    if (!other)
      return failed(function.emitError("is not in the other file"));
    if (failed(compare(function, other, dynamicExtent, tolerance)))
      return 1;
    ++compared;
  }
  llvm::outs() << compared << " functions agree\n";
  return compared == 0;
}
