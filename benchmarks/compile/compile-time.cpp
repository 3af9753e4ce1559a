// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What it costs to compile one large layer: the passes from C0 to C3, the encoding and packing of its values, and LLVM
// for each processor level. usage: compile-time [--size=4096] [--weights=int4/32] [--activations=int8/32]
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Emit/NativeCode.h"
#include "lib/Pipelines/RunPhases.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "qtensor/InitAll.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include <chrono>
#include <ctime>
#include <limits>

namespace cl = llvm::cl;
using namespace mlir;
using namespace mlir::qtensor;

static cl::opt<int64_t> extent("size", cl::desc("N and K of the layer (default 4096)"), cl::init(4096));
static cl::opt<std::string> weights("weights", cl::desc("Default int4/32"), cl::init("int4/32"));
static cl::opt<std::string> activations("activations", cl::desc("Default int8/32"), cl::init("int8/32"));

/// What a layer of 4096 x 4096 may take, in milliseconds.
static constexpr int kPassLimit = 50, kLLVMLimit = 300;

static double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds of this thread on a processor: what neighbours do not change.
static double processorTime() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

static std::vector<float> makeValues(int64_t count) {
  std::vector<float> values(count);
  uint32_t state = 1;
  for (float &value : values) {
    state = state * 1664525 + 1013904223;
    value = float(int32_t(state)) * 0x1p-31f;
  }
  return values;
}

/// y = x . W^T with W as a resource that holds `values`.
static OwningOpRef<ModuleOp> makeLayer(MLIRContext *context, std::vector<float> values) {
  std::string n = std::to_string(extent), x = "tensor<?x" + n + "xf32>", w = "tensor<" + n + "x" + n + "xf32>";
  std::string text =
      "func.func @main(%x: " + x + " {qtensor.name = \"x\"}) -> (" + x + " {qtensor.name = \"y\"}) {\n" +
      "  %c0 = arith.constant 0 : index\n  %z = arith.constant 0.0 : f32\n" +
      "  %w = \"arith.constant\"() {value = dense<0.0> : " + w + "} : () -> " + w + "\n" +
      "  %m = tensor.dim %x, %c0 : " + x + "\n  %e = tensor.empty(%m) : " + x + "\n" +
      "  %f = linalg.fill ins(%z : f32) outs(%e : " + x + ") -> " + x + "\n" +
      "  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, " +
      "affine_map<(m, n, k) -> (m, n)>] ins(%x, %w : " + x + ", " + w + ") outs(%f : " + x + ") -> " + x +
      "\n  return %y : " + x + "\n}\n";
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, context);
  if (!module)
    return module;
  module->walk([&](arith::ConstantOp op) {
    if (auto type = dyn_cast<RankedTensorType>(op.getType()))
      op.setValueAttr(DenseResourceElementsAttr::get(
          type, "w", HeapAsmResourceBlob::allocateAndCopyInferAlign(ArrayRef<float>(values))));
  });
  return module;
}

/// C0 -> C3. Large weights are not encoded before they are packed.
static LogicalResult measurePasses(ModuleOp module, const PipelineOptions &options) {
  PhaseRun run;
  run.from = Phase::Imported;
  run.to = Phase::Selected;
  double start = now();
  if (failed(runPhases(module, run, options)))
    return failure();
  llvm::outs() << llvm::formatv("C0 -> C3: {0:f1} ms (limit {1} ms)\n", (now() - start) * 1e3, kPassLimit);
  return success();
}

static LogicalResult measureLevel(ModuleOp planned, const Target &target, const TargetLevel &level) {
  OwningOpRef<ModuleOp> module = planned.clone();
  PassManager pm(planned.getContext());
  addNativePasses(pm, target, level, "layer");
  double start = now();
  if (failed(pm.run(*module)))
    return failure();
  double lowering = now() - start;
  llvm::LLVMContext context;
  std::string entries[] = {("layer_run_" + level.name).str(), ("layer_shapes_" + level.name).str()};
  std::unique_ptr<llvm::Module> code = translateModule(*module, level, entries, context);
  auto machine = createTargetMachine(target, level.cpu, level.features);
  if (!code || !machine)
    return failure();
  size_t instructions = code->getInstructionCount(), bytes = 0;
  double compiling = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition < 3; ++repetition) {
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*code);
    double processor = processorTime();
    auto object = compileModule(*copy, **machine);
    compiling = std::min(compiling, processorTime() - processor);
    if (!object)
      return planned.emitError(llvm::toString(object.takeError()));
    bytes = object->size();
  }
  llvm::outs() << llvm::formatv("level {0}: LLVM {1:f1} ms of processor time at best (limit {2} ms) for {3} instructions, {4} "
                                "bytes; passes C5 -> C6 {5:f1} ms\n",
                                level.name, compiling * 1e3, kLLVMLimit, instructions, bytes, lowering * 1e3);
  return success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "Times the compiler on one matrix product\n");
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAll(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  PipelineOptions options;
  options.target = getDefaultTarget();
  options.weights = weights;
  options.activations = activations;
  OwningOpRef<ModuleOp> module = makeLayer(&context, makeValues(extent * extent));
  if (!module || failed(measurePasses(*module, options)))
    return 1;
  PhaseRun run;
  run.from = Phase::Selected;
  double start = now();
  if (failed(runPhases(*module, run, options)))
    return 1;
  double seconds = now() - start, values = double(extent * extent);
  llvm::outs() << llvm::formatv("C3 -> C5: {0:f1} ms, with the encoding and packing of {1} values, {2:f0} M/s\n", seconds * 1e3,
                                extent * extent, values / seconds * 1e-6);
  for (const TargetLevel &level : options.target->levels)
    if (failed(measureLevel(*module, *options.target, level)))
      return 1;
  return 0;
}
