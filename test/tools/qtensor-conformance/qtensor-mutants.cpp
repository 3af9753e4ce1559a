// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Plants one defect after the other and asks whether the comparison with the reference notices.
#include "Isolate.h"
#include "Mutants.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "qtensor/InitAll.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"

namespace cl = llvm::cl;
using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::conformance;

static cl::OptionCategory category("Options of qtensor-mutants");
static cl::opt<std::string> filter("filter", cl::desc("Only defects whose name contains this text"), cl::cat(category));

static constexpr StringLiteral kNotMade("there is no place for this defect");

static bool plantAndCheck(MLIRContext *context, const Mutant &mutant, const CellData &data, CheckOptions options) {
  // The child that plants the defect cannot count for us: a place that is not found is an error there.
  auto plant = [&](ModuleOp module) { return mutant.plant(module) ? success() : module.emitError(kNotMade); };
  Target edited;
  if (mutant.stage == Stage::Selected) {
    options.changeSelected = plant;
  } else if (mutant.stage == Stage::Tiled) {
    options.changeTiled = plant;
  } else {
    edited = plantInKernels(*options.target, mutant, kNotMade);
    options.target = &edited;
  }
  CheckResult result = checkIsolated(context, data, 1, 1, options, [](const CheckResult &) {});
  bool made = !result.failed || !StringRef(result.messages.front()).contains(kNotMade), caught = made && result.failed;
  llvm::outs() << (caught ? "caught    " : made ? "SURVIVED  " : "NOT MADE  ") << mutant.name;
  if (caught)
    llvm::outs() << " -> " << StringRef(result.messages.front()).substr(data.cell.getName().size() + 2);
  llvm::outs() << "\n";
  llvm::outs().flush();
  return caught;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAll(registry);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "Plants defects and counts which are noticed\n");
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  CheckOptions options;
  options.target = getDefaultTarget();

  llvm::StringMap<CellData> cells;
  for (const NamedCell &named : getMutantCells()) {
    FailureOr<CellData> data = makeData(&context, named.cell);
    if (failed(data))
      return 1;
    // Without a defect the cell is right; else every defect would count as noticed.
    CheckResult result = checkIsolated(&context, *data, 1, 1, options, [](const CheckResult &) {});
    for (const std::string &message : result.messages)
      llvm::outs() << "WRONG WITHOUT A DEFECT " << message << "\n";
    if (!result.failed)
      cells.try_emplace(named.name, std::move(*data));
  }
  unsigned caught = 0, total = 0;
  for (const Mutant &mutant : getMutants()) {
    if (!filter.empty() && !mutant.name.contains(filter))
      continue;
    ++total;
    if (auto found = cells.find(mutant.cell); found != cells.end())
      caught += plantAndCheck(&context, mutant, found->second, options);
  }
  llvm::outs() << caught << " of " << total << " defects caught\n";
  return caught == total && total ? 0 : 1;
}
