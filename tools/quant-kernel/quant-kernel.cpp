// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Makes one contraction kernel from a description of its weights, without a model around it: to read its IR and its
// assembly, to check it bit by bit against a plain computation, and to time it.
#include "tools/quant-compile/CommandLine.h"
#include "tools/quant-kernel/KernelTool.h"
#include "lib/Targets/X86/Machine.h"
#include "lib/Transforms/Kernel/UnitPlan.h"
#include "qtensor/InitAll.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Verifier.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ToolOutputFile.h"
#include <chrono>
#include <random>

using namespace mlir;
using namespace mlir::qtensor;
using namespace llvm;

enum class Emit { MLIR, Lowered, LLVM, Assembly, Check };

static cl::OptionCategory category("Options of quant-kernel");
static cl::opt<std::string> layoutText("layout", cl::cat(category), cl::desc("layout of the packed weight"),
                                       cl::init("#qtile.layout<rows = 16, block = 32, codes = i4, scale = f16>"));
static cl::opt<int64_t> outputs("n", cl::cat(category), cl::desc("outputs"), cl::init(64)),
    depth("k", cl::cat(category), cl::desc("reduction"), cl::init(64));
static cl::list<int64_t> rowCounts("m", cl::CommaSeparated, cl::cat(category), cl::desc("row counts to run"));
static cl::opt<std::string> level("level", cl::cat(category), cl::desc("processor level"), cl::init("avx512"));
static cl::opt<std::string> features("features", cl::cat(category),
                                     cl::desc("LLVM features in place of the level's own"));
static cl::opt<bool> integer("integer", cl::cat(category), cl::desc("integer strategy"), cl::init(true));
static cl::opt<int64_t> zero("zero", cl::cat(category), cl::desc("static zero point"), cl::init(0));
static cl::opt<double> scale("scale", cl::cat(category), cl::desc("static scale"), cl::init(0));
static cl::list<int64_t> bytes("bytes", cl::CommaSeparated, cl::cat(category),
                               cl::desc("unsigned value of each code (integer strategy)"));
static cl::list<int64_t> upper("upper", cl::CommaSeparated, cl::cat(category),
                               cl::desc("upper limb of each code, worth 128 (integer strategy)"));
static cl::opt<int64_t> randomTable("random-table", cl::cat(category),
                                    cl::desc("entries of a random f32 table (float strategy)"));
static cl::opt<bool> scaleTable("scale-table", cl::cat(category),
                                cl::desc("bytes of the scale are indices of a random f32 table"));
static cl::opt<bool> bias("bias", cl::cat(category), cl::desc("add a bias in the epilogue"));
static cl::opt<bool> constantScale("constant-lhs-scale", cl::cat(category),
                                   cl::desc("activations have one static scale"));
static cl::opt<bool> extremes("extremes", cl::cat(category),
                              cl::desc("every code the largest, every activation -128 or 127"));
static cl::opt<std::string> core("core", cl::cat(category),
                                 cl::desc("processor of the level that has kernels of its own (default: the rest)"));
static cl::opt<int64_t> ahead("ahead", cl::cat(category), cl::init(0),
                              cl::desc("bytes that weights are asked for ahead, in place of what is right for the processor"));
static cl::opt<bool> timeRuns("time", cl::cat(category), cl::desc("time the runs"));
static cl::opt<bool> explain("explain", cl::cat(category),
                             cl::desc("print which variant each row count takes and what the costs say"));
static cl::opt<KernelVariant>
    variant("variant", cl::cat(category), cl::desc("force a variant"), cl::init(KernelVariant::Chosen),
            cl::values(clEnumValN(KernelVariant::Chosen, "chosen", "by costs (default)"),
                       clEnumValN(KernelVariant::Fused, "fused", "weights unpacked in registers"),
                       clEnumValN(KernelVariant::Decoded, "decoded", "weights decoded once a unit")));
static cl::opt<Emit> emit("emit", cl::cat(category), cl::desc("what to make"), cl::init(Emit::Check),
                          cl::values(clEnumValN(Emit::MLIR, "mlir", "the kernel before lowering"),
                                     clEnumValN(Emit::Lowered, "lowered", "the LLVM dialect"),
                                     clEnumValN(Emit::LLVM, "llvm", "optimised LLVM IR"),
                                     clEnumValN(Emit::Assembly, "asm", "assembly"),
                                     clEnumValN(Emit::Check, "check", "run it and compare (default)")));

/// Whether operands of these sizes fit into memory, and tables hold what codes index.
static bool checkRanges() {
  constexpr int64_t most = int64_t(1) << 31;
  auto isSize = [](int64_t size) { return size >= 1 && size <= most; };
  if (!isSize(outputs) || !isSize(depth) || outputs > most / depth)
    return qtensor::tools::fail("--n=" + Twine(outputs) + " --k=" + Twine(depth) + ": expected a weight of 1 to 2^31 elements");
  for (int64_t rows : rowCounts)
    if (!isSize(rows) || rows > most / std::max<int64_t>(outputs, depth))
      return qtensor::tools::fail("--m=" + Twine(rows) + ": expected at least 1 row, and at most 2^31 elements in all rows");
  auto isByte = [](int64_t entry) { return entry >= 0 && entry <= 255; };
  if (!llvm::all_of(bytes, isByte) || !llvm::all_of(upper, isByte))
    return qtensor::tools::fail("--bytes and --upper: expected numbers from 0 to 255");
  return true;
}

/// The entries of a table of codes.
static bool checkTable(StringRef option, int64_t entries, int64_t least, int64_t most) {
  if (!entries || (entries >= least && entries <= most))
    return true;
  return qtensor::tools::fail("--" + option + ": expected " + Twine(least) + (least == most ? "" : " to " + std::to_string(most)) +
                     " entries for codes of this layout, got " + Twine(entries));
}

/// An option that would be ignored was meant for something.
static bool checkUses() {
  struct Use {
    const cl::Option *option;
    bool isUsed;
    StringRef reason;
  };
  const Use uses[] = {
      {std::addressof(bytes), integer, "the float strategy multiplies values; see --random-table"},
      {std::addressof(upper), integer && !bytes.empty(), "it goes with --bytes and the integer strategy"},
      {&randomTable, !integer, "the integer strategy multiplies bytes; see --bytes"},
      {&features, emit != Emit::MLIR && emit != Emit::Lowered, "no machine code is made"},
      {&extremes, emit == Emit::Check, "nothing runs"},
      {&timeRuns, emit == Emit::Check, "nothing runs"}};
  for (const Use &use : uses)
    if (use.option->getNumOccurrences() && !use.isUsed)
      return qtensor::tools::fail(qtensor::tools::noEffect(*use.option, use.reason));
  return true;
}

static bool describe(MLIRContext *context, tool::Description &to) {
  auto layout = dyn_cast_or_null<qtile::LayoutAttr>(parseAttribute(layoutText, context));
  if (!layout) {
    errs() << "--layout is not a #qtile.layout\n";
    return false;
  }
  int64_t codes = int64_t(1) << (layout.hasIntegerCodes() ? layout.getCodes().getIntOrFloatBitWidth() : 8);
  int64_t stored = int64_t(1) << layout.getStoredBits();
  if (!checkRanges() || !checkTable("random-table", randomTable, codes, std::max<int64_t>(codes, 256)) ||
      !checkTable("bytes", bytes.size(), 1, stored) || !checkTable("upper", upper.size(), 1, stored))
    return false;
  KernelSpec &spec = to.spec;
  spec.strategy = integer ? SumStrategy::Integer : SumStrategy::Float;
  PackedWeight &weight = spec.weight;
  weight.layout = layout;
  to.n = outputs;
  to.k = depth;
  weight.zero = zero;
  if (scale != 0)
    weight.scale = static_cast<float>(scale);
  weight.max = (1 << (layout.hasIntegerCodes() ? layout.getCodes().getIntOrFloatBitWidth() : 8)) - 1;
  auto readTable = [&](const cl::list<int64_t> &entries, SmallVectorImpl<uint8_t> &table) {
    table.assign(entries.begin(), entries.end());
    table.resize(size_t(1) << layout.getStoredBits());
    weight.max = std::max<int64_t>(weight.max, *llvm::max_element(table));
  };
  if (!bytes.empty()) {
    weight.max = 1;
    readTable(bytes, weight.bytes);
    if (!upper.empty())
      readTable(upper, weight.upper);
  }
  std::mt19937 random(3);
  for (int64_t i = 0; i < randomTable; ++i)
    weight.values.push_back(static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 991.0f);
  for (int64_t i = 0; i < (scaleTable ? 256 : 0); ++i)
    weight.scaleValues.push_back(static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 997.0f);
  if (integer && (!layout.hasIntegerCodes() || isa_and_nonnull<FloatType>(layout.getZero()))) {
    errs() << "the integer strategy needs integer codes and an integer zero\n";
    return false;
  }
  spec.variant = variant;
  to.extremes = extremes;
  to.bias = bias;
  to.lhsScales = !constantScale;
  return true;
}

/// The machine that the level and the core name.
static bool findMachine(TileMachine &machine) {
  const x86::MachineRow *row = x86::lookupMachineRow(level);
  if (!row) {
    errs() << "unknown level '" << level << "'\n";
    return false;
  }
  std::vector<TileMachine> machines = x86::getTileMachines(*row);
  auto found = llvm::find_if(machines, [](const TileMachine &one) { return one.core == core; });
  if (found == machines.end()) {
    errs() << "the level '" << level << "' has no kernels for '" << core << "'\n";
    return false;
  }
  machine = *found;
  if (ahead.getNumOccurrences())
    machine.streamAhead = ahead;
  return true;
}

static int fail(Error error) {
  errs() << toString(std::move(error)) << '\n';
  return 1;
}

static int run(MLIRContext &context) {
  tool::Description description;
  if (!checkUses() || !findMachine(description.machine) || !describe(&context, description))
    return 1;
  if (explain)
    explainPlan(description.spec, description.machine, SmallVector<int64_t>(rowCounts.begin(), rowCounts.end()), outs());
  OwningOpRef<ModuleOp> module = tool::buildModule(&context, description);
  if (failed(mlir::verify(*module)))
    return 1;
  if (emit == Emit::MLIR) {
    outs() << *module << '\n';
    return 0;
  }
  if (failed(tool::lowerModule(*module, level)))
    return 1;
  if (emit == Emit::Lowered) {
    outs() << *module << '\n';
    return 0;
  }
  if (emit == Emit::Check) {
    auto start = std::chrono::steady_clock::now();
    auto jit = tool::makeJit(*module, level, features);
    if (!jit)
      return fail(jit.takeError());
    if (auto compiled = (*jit)->lookup("_mlir_ciface_kernel"); !compiled)
      return fail(compiled.takeError());
    if (timeRuns)
      outs() << formatv("LLVM {0:f3} s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    return tool::checkKernel(**jit, description, SmallVector<int64_t>(rowCounts.begin(), rowCounts.end()), timeRuns) ? 0 : 1;
  }
  LLVMContext llvmContext;
  auto compiled = tool::compileModule(*module, llvmContext, level, features);
  if (!compiled)
    return fail(compiled.takeError());
  if (emit == Emit::LLVM) {
    outs() << **compiled;
    return 0;
  }
  auto assembly = tool::emitAssembly(**compiled);
  if (!assembly)
    return fail(assembly.takeError());
  outs() << *assembly;
  return 0;
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "Makes, checks and times one contraction kernel\n");
  InitializeAllTargets();
  InitializeAllTargetMCs();
  InitializeAllAsmPrinters();
  InitializeAllAsmParsers();
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllPasses();
  registerAllToLLVMIRTranslations(registry);
  qtensor::registerAll(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  return qtensor::tools::exitStatus(run(context));
}
