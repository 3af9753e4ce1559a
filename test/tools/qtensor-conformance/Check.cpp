// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Check.h"
#include "Compare.h"
#include "Library.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Pipelines/RunPhases.h"
#include "lib/Reference/Interpreter.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::conformance;
using reference::Tensor;

void CheckResult::add(const CheckResult &other) {
  passed += other.passed;
  failed += other.failed;
  integer += other.integer;
  llvm::append_range(messages, other.messages);
  if (levels.empty())
    levels = other.levels;
}

static func::FuncOp getMain(ModuleOp module) { return module.lookupSymbol<func::FuncOp>("main"); }

static FailureOr<SmallVector<Tensor>> makeInputs(func::FuncOp function, ArrayRef<CellData> cells) {
  SmallVector<Tensor> inputs;
  for (auto [data, type] : llvm::zip_equal(cells, function.getArgumentTypes())) {
    FailureOr<Tensor> tensor = Tensor::zeros(cast<ShapedType>(type).getElementType(), data.cell.getInputShape());
    if (failed(tensor) || tensor->getBytes().size() != data.input.size())
      return function.emitError("the input of a cell does not fit its type");
    llvm::copy(data.input, tensor->getMutableBytes().data());
    inputs.push_back(std::move(*tensor));
  }
  return inputs;
}

/// Evaluates a module at C2 and notes the operands of every cell.
static FailureOr<SmallVector<Tensor>> evaluateQuantized(ModuleOp module, ArrayRef<CellData> cells,
                                                        ArrayRef<Tensor> inputs, std::vector<Observed> &observed) {
  DenseMap<Value, size_t> cellOfArgument;
  for (BlockArgument argument : getMain(module).getArguments())
    cellOfArgument[argument] = argument.getArgNumber();
  for (const Tensor &input : inputs)
    observed.push_back({input, {}});
  size_t weights = 0;
  reference::EvaluateOptions options;
  options.observer = [&](Operation *op, ArrayRef<Tensor> results) {
    if (isa<AssembleOp>(op))
      observed[weights++].weight = results[0];
    else if (auto quantize = dyn_cast<QuantizeOp>(op))
      observed[cellOfArgument.lookup(quantize.getSource())].input = results[0];
  };
  return reference::evaluate(getMain(module), inputs, options);
}

/// C2 against C3: the canonical order differs from that of the linalg ops, so results agree within bounds.
static void compareWithinBounds(MLIRContext *context, ArrayRef<CellData> cells, ArrayRef<Observed> observed,
                                ArrayRef<Tensor> quantized, ArrayRef<Tensor> selected,
                                std::vector<std::string> &messages) {
  for (auto [i, data] : llvm::enumerate(cells)) {
    std::vector<double> bounds(selected[i].getNumElements(), 0.0); // reading is exact
    if (data.cell.isContraction()) {
      FailureOr<std::vector<double>> computed = computeBounds(context, data, observed[i]);
      if (failed(computed)) {
        messages[i] = "the bound of its sums cannot be computed";
        continue;
      }
      bounds = std::move(*computed);
    }
    if (auto message = findOutside(selected[i], quantized[i], bounds))
      messages[i] = "after selection " + *message;
  }
}

static LogicalResult compareLevels(Library &library, ArrayRef<Tensor> inputs, ArrayRef<Tensor> expected,
                                   const CheckOptions &options, std::vector<std::string> &messages, CheckResult &result,
                                   ModuleOp module) {
  for (const TargetLevel &level : options.target->levels) {
    std::string name = level.name.str();
    if ((!options.levels.empty() && !llvm::is_contained(options.levels, name)) || !library.supports(name))
      continue;
    result.levels.push_back(name);
    llvm::Expected<Results> results = library.run(name, inputs, expected.size());
    if (!results)
      return module.emitError("level " + name + ": " + llvm::toString(results.takeError()));
    for (auto [i, bytes] : llvm::enumerate(*results))
      if (auto message = findDifference(expected[i], bytes); message && messages[i].empty())
        messages[i] = "level " + name + ": " + *message;
  }
  return success();
}

static unsigned countInteger(ModuleOp module) {
  unsigned count = 0;
  module.walk([&](ContractOp op) { count += op.getStrategy().getKind() == StrategyKind::Integer; });
  return count;
}

/// Fills `messages` (empty = right) of all cells; failure when the module as a whole got stuck.
static LogicalResult checkTogether(MLIRContext *context, ArrayRef<CellData> cells, const CheckOptions &options,
                                   std::vector<std::string> &messages, CheckResult &result) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(writeModule(cells), context);
  if (!module)
    return failure();
  FailureOr<SmallVector<Tensor>> inputs = makeInputs(getMain(*module), cells);
  if (failed(inputs))
    return failure();
  std::vector<Observed> observed;
  FailureOr<SmallVector<Tensor>> quantized = evaluateQuantized(*module, cells, *inputs, observed);
  PipelineOptions pipeline;
  pipeline.target = options.target;
  auto advance = [&](Phase from, Phase to) {
    PhaseRun run;
    run.from = from;
    run.to = to;
    run.verify = true;
    return runPhases(*module, run, pipeline);
  };
  if (failed(quantized) || failed(advance(Phase::Quantized, Phase::Selected)))
    return failure();
  FailureOr<SmallVector<Tensor>> selected = reference::evaluate(getMain(*module), *inputs);
  if (failed(selected))
    return failure();
  result.integer = countInteger(*module);
  compareWithinBounds(context, cells, observed, *quantized, *selected, messages);
  if (options.referenceOnly)
    return success();
  if (options.changeSelected && failed(options.changeSelected(*module)))
    return failure();
  if (failed(advance(Phase::Selected, Phase::Tiled)))
    return failure();
  if (options.changeTiled && failed(options.changeTiled(*module)))
    return failure();
  if (failed(advance(Phase::Tiled, Phase::Planned)))
    return failure();
  FailureOr<Library> library = Library::make(*module, *options.target);
  if (failed(library))
    return failure();
  return compareLevels(*library, *inputs, *selected, options, messages, result, *module);
}

static void keepModule(ArrayRef<CellData> cells, StringRef folder) {
  std::string name = cells.front().cell.getName();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '/' || c == ':' || c == '?'; }, '-');
  std::error_code code = llvm::sys::fs::create_directories(folder);
  llvm::raw_fd_ostream os((folder + "/" + name + ".mlir").str(), code);
  if (code)
    llvm::errs() << "cannot write to '" << folder << "': " << code.message() << "\n";
  else
    os << writeModule(cells);
}

CheckResult conformance::checkCells(MLIRContext *context, ArrayRef<CellData> cells, const CheckOptions &options) {
  CheckResult result;
  std::vector<std::string> messages(cells.size());
  std::string errors;
  LogicalResult done = [&] {
    ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error && errors.size() < 2000)
        llvm::raw_string_ostream(errors) << (errors.empty() ? "" : "; ") << diagnostic;
      return success();
    });
    return checkTogether(context, cells, options, messages, result);
  }();
  if (failed(done) && cells.size() > 1) {
    CheckResult parts;
    parts.add(checkCells(context, cells.take_front(cells.size() / 2), options));
    parts.add(checkCells(context, cells.drop_front(cells.size() / 2), options));
    return parts;
  }
  if (failed(done))
    messages[0] = errors.empty() ? "failed without a diagnostic" : errors;
  for (auto [data, message] : llvm::zip_equal(cells, messages)) {
    if (message.empty()) {
      ++result.passed;
      continue;
    }
    ++result.failed;
    result.messages.push_back(data.cell.getName() + ": " + message);
    if (!options.keepFolder.empty())
      keepModule(data, options.keepFolder);
  }
  return result;
}
