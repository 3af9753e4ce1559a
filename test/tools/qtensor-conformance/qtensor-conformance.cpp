// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every registered format, op and way to store activations, compiled and compared with the reference on every
// processor level that this machine runs.
#include "Isolate.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "qtensor/InitAll.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/Threading.h"

namespace cl = llvm::cl;
using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::conformance;

static cl::OptionCategory category("Options of qtensor-conformance");
static cl::opt<bool> listCells("list", cl::desc("Print the names of the cells and stop"), cl::cat(category));
static cl::opt<std::string> filter("filter", cl::desc("Only cells whose name matches this regular expression"),
                                   cl::cat(category));
static cl::opt<uint64_t> seed("seed", cl::desc("Other sizes and numbers (default 1)"), cl::init(1), cl::cat(category));
static cl::opt<bool> allCells("all", cl::desc("Every cell; else each format once and a sample"), cl::cat(category));
static cl::opt<unsigned> sample("sample", cl::desc("Cells beyond one for each format, without --all (default 24)"),
                                cl::init(24), cl::cat(category));
static cl::opt<bool> extremes("extremes", cl::desc("Codes are the largest and the smallest of their format only"),
                              cl::cat(category));
static cl::opt<unsigned> group("group", cl::desc("Cells compiled together (default 12)"), cl::init(12),
                               cl::cat(category));
static cl::opt<unsigned> jobs("jobs", cl::desc("Groups checked at the same time (default: all processors)"),
                              cl::init(llvm::hardware_concurrency().compute_thread_count()), cl::cat(category));
static cl::opt<std::string> targetName("target", cl::desc("Target (default: the first)"), cl::cat(category));
static cl::list<std::string> levels("level", cl::desc("Only this processor level; may be repeated"), cl::cat(category));
static cl::opt<bool> referenceOnly("reference-only", cl::desc("Stop after selection: no target, no machine code"),
                                   cl::cat(category));
static cl::opt<std::string> keep("keep", cl::desc("Write the modules of failing cells to this folder"),
                                 cl::value_desc("folder"), cl::cat(category));

static FailureOr<std::vector<Cell>> selectCells(MLIRContext *context) {
  CellSelection selection;
  selection.seed = seed;
  selection.extremes = extremes;
  selection.sample = allCells || !filter.empty() ? 0 : sample;
  std::vector<Cell> cells = enumerateCells(context, selection);
  llvm::Regex regex(filter);
  std::string error;
  if (!filter.empty() && !regex.isValid(error)) {
    llvm::errs() << "qtensor-conformance: --filter: " << error << "\n";
    return failure();
  }
  llvm::erase_if(cells, [&](const Cell &cell) { return !filter.empty() && !regex.match(cell.getName()); });
  return cells;
}

static int checkAll(MLIRContext *context, ArrayRef<Cell> cells, const CheckOptions &options) {
  std::vector<CellData> data;
  for (const Cell &cell : cells) {
    FailureOr<CellData> made = makeData(context, cell);
    if (failed(made))
      return 1;
    data.push_back(std::move(*made));
  }
  CheckResult total = checkIsolated(context, data, std::max(1u, group.getValue()), std::max(1u, jobs.getValue()),
                                    options, [](const CheckResult &result) {
                                      for (const std::string &message : result.messages)
                                        llvm::outs() << "FAILED " << message << "\n";
                                      llvm::outs().flush();
                                    });
  llvm::outs() << "levels: " << llvm::join(total.levels, " ")
               << "; contractions by the integer strategy: " << total.integer << "\n";
  llvm::outs() << total.passed << " cells passed, " << total.failed << " failed\n";
  return total.failed || !total.passed || (total.levels.empty() && !referenceOnly) ? 1 : 0;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAll(registry);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "Compares compiled cells with the reference\n");
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  CheckOptions options;
  options.target = targetName.empty() ? getDefaultTarget() : lookupTarget(targetName);
  if (!options.target) {
    llvm::errs() << "qtensor-conformance: there is no target '" << targetName << "'\n";
    return 1;
  }
  options.levels.assign(levels.begin(), levels.end());
  options.keepFolder = keep;
  options.referenceOnly = referenceOnly;
  FailureOr<std::vector<Cell>> cells = selectCells(&context);
  if (failed(cells))
    return 1;
  if (!listCells)
    return checkAll(&context, *cells, options);
  for (const Cell &cell : *cells)
    llvm::outs() << cell.getName() << "\n";
  llvm::outs() << cells->size() << " cells\n";
  return 0;
}
