// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/NativeCode.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "qtensor/Firmware.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Scalar/LoopIdiomRecognize.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/LoopUtils.h"
#include <mutex>

using namespace mlir;
using namespace mlir::qtensor;

static void initializeLLVM() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
    // It looks for checksums in loops, and takes time exponential in the length of what a loop carries.
    llvm::DisableLIRP::HashRecognize = true;
  });
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> mlir::qtensor::createTargetMachine(const Target &target, StringRef cpu,
                                                                                       StringRef features) {
  initializeLLVM();
  llvm::Triple triple(target.triple);
  std::string error;
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!backend)
    return llvm::createStringError("LLVM cannot compile for '" + target.triple.str() + "': " + error);
  llvm::TargetOptions options;
  // Fused multiply-add only where the IR says fma: the bits must not depend on the level.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  options.FunctionSections = true;
  auto relocation = llvm::Reloc::PIC_;
  std::optional<llvm::CodeModel::Model> codeModel;
  if (target.firmware) {
    relocation = llvm::Reloc::Static;
    options.EmitStackSizeSection = true;
    // Sizes of stacks leave out vector registers without a known length: the rules for finding frames have them.
    options.ForceDwarfFrameSection = target.firmware->scaledFrames.assumedBytes != 0;
    options.MCOptions.ABIName = target.firmware->abi.str();
    if (target.firmware->relativeAddresses)
      codeModel = llvm::CodeModel::Medium;
  }
  return std::unique_ptr<llvm::TargetMachine>(backend->createTargetMachine(
      triple, cpu, features, options, relocation, codeModel, llvm::CodeGenOptLevel::Default));
}

/// Loops this long are as long as they should be, or too long already. LLVM comes to the same end, but finding out what
/// unrolling would bring takes it half of its time.
static void keepLongLoopsRolled(llvm::Module &module) {
  constexpr size_t kLong = 150;
  for (llvm::Function &function : module) {
    if (function.getInstructionCount() < kLong)
      continue;
    llvm::DominatorTree dominators(function);
    llvm::LoopInfo loops(dominators);
    for (llvm::Loop *loop : loops.getLoopsInPreorder()) {
      size_t length = 0;
      for (const llvm::BasicBlock *block : loop->blocks())
        length += block->size();
      if (length >= kLong)
        llvm::addStringMetadataToLoop(loop, "llvm.loop.unroll.disable", 1);
    }
  }
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine, bool vectorize) {
  keepLongLoopsRolled(module);
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = vectorize;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

/// The lane of a constant mask that is set, if it is the only one.
static std::optional<unsigned> getOnlyLane(llvm::Value *mask) {
  auto *constant = dyn_cast<llvm::Constant>(mask);
  auto *type = dyn_cast<llvm::FixedVectorType>(mask->getType());
  std::optional<unsigned> only;
  for (unsigned lane = 0; constant && type && lane < type->getNumElements(); ++lane) {
    llvm::Constant *bit = constant->getAggregateElement(lane);
    if (bit && bit->isNullValue())
      continue;
    if (!bit || !bit->isOneValue() || only)
      return std::nullopt;
    only = lane;
  }
  return only;
}

/// A masked store of one lane becomes a store of that element. LLVM 22's x86 backend would store four bytes of it,
/// whatever its type, where integers are narrowed right before and AVX-512 can do both at once (`combineMaskedStore`).
static void storeSingleLanes(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
      auto *store = dyn_cast<llvm::IntrinsicInst>(&instruction);
      if (!store || store->getIntrinsicID() != llvm::Intrinsic::masked_store)
        continue;
      std::optional<unsigned> lane = getOnlyLane(store->getArgOperand(store->arg_size() - 1));
      if (!lane)
        continue;
      llvm::IRBuilder<> builder(store);
      llvm::Value *element = builder.CreateExtractElement(store->getArgOperand(0), *lane);
      llvm::Value *to = builder.CreateConstInBoundsGEP1_64(element->getType(), store->getArgOperand(1), *lane);
      uint64_t before = *lane * module.getDataLayout().getTypeStoreSize(element->getType());
      builder.CreateAlignedStore(element, to, llvm::commonAlignment(store->getParamAlign(1).valueOrOne(), before));
      store->eraseFromParent();
    }
}

/// Generates code of one kind. False: the backend cannot.
static bool generate(llvm::Module &module, llvm::TargetMachine &machine, llvm::SmallVectorImpl<char> &bytes,
                     llvm::CodeGenFileType kind) {
  llvm::raw_svector_ostream os(bytes);
  llvm::legacy::PassManager codegen;
  if (machine.addPassesToEmitFile(codegen, os, nullptr, kind))
    return false;
  codegen.run(module);
  return true;
}

llvm::Expected<ObjectBytes> mlir::qtensor::compileModule(llvm::Module &module, llvm::TargetMachine &machine,
                                                        std::string *assembly, bool vectorize) {
  module.setDataLayout(machine.createDataLayout());
  module.setTargetTriple(machine.getTargetTriple());
  optimize(module, machine, vectorize);
  storeSingleLanes(module);
  if (assembly) {
    llvm::SmallString<0> text;
    auto copy = llvm::CloneModule(module);
    if (!generate(*copy, machine, text, llvm::CodeGenFileType::AssemblyFile))
      return llvm::createStringError("LLVM cannot write assembly for this target");
    *assembly = text.str().str();
  }
  ObjectBytes object;
  if (!generate(module, machine, object, llvm::CodeGenFileType::ObjectFile))
    return llvm::createStringError("LLVM cannot write object files for this target");
  return object;
}

std::unique_ptr<llvm::Module> mlir::qtensor::translateModule(ModuleOp module, const TargetLevel &level,
                                                            ArrayRef<std::string> entries, llvm::LLVMContext &context) {
  DialectRegistry registry;
  registerAllToLLVMIRTranslations(registry);
  module.getContext()->appendDialectRegistry(registry);
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context, level.name);
  if (!code)
    return code;
  for (llvm::Function &function : *code) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", level.cpu);
    if (!level.features.empty())
      function.addFnAttr("target-features", level.features);
    function.addFnAttr("prefer-vector-width", std::to_string(level.vectorBits));
    // Everything else must not meet its twin of another level or model.
    if (!llvm::is_contained(entries, function.getName()))
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  }
  return code;
}
