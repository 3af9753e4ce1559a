// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a kernel's description to IR, assembly and running code.
#include "tools/quant-kernel/KernelTool.h"
#include "lib/Targets/X86/Machine.h"
#include "lib/Transforms/Kernel/Prepare.h"
#include "qtensor/Target.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ThreadSafeModule.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::tool;

static const TargetLevel *findLevel(StringRef name) {
  for (const TargetLevel &level : getDefaultTarget()->levels)
    if (level.name == name)
      return &level;
  return nullptr;
}

/// sums + bias[column...].
static void addBias(Description &description, MLIRContext *context) {
  description.spec.operands.push_back(MemRefType::get({ShapedType::kDynamic}, Float32Type::get(context)));
  description.spec.epilogue = [](ImplicitLocOpBuilder &b, Value sums, const StoreSite &site) -> Value {
    Value bias = site.operands.front(), values;
    if (site.mask) {
      Value none = arith::ConstantOp::create(b, b.getZeroAttr(sums.getType()));
      values = vector::MaskedLoadOp::create(b, cast<VectorType>(sums.getType()), bias, site.column, site.mask, none);
    } else {
      values = vector::LoadOp::create(b, cast<VectorType>(sums.getType()), bias, site.column);
    }
    return arith::AddFOp::create(b, sums, values);
  };
}

/// Sizes of a kernel of `rows` rows.
static KernelExtents makeExtents(ImplicitLocOpBuilder &b, const Description &description, Value rows) {
  auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, value); };
  return {rows, index(description.n), index(description.spec.weight.layout.getNumBlocks(description.k)),
          index(description.spec.getSteps())};
}

/// x[m, k] with one scale for each row and block.
static ActivationSource makeSource(MLIRContext *context, const Description &description, Value x, Value scales,
                                   Value rows) {
  ActivationSource source;
  int64_t block = description.spec.weight.layout.getBlock();
  source.x = x;
  source.map = AffineMap::getMultiDimIdentityMap(2, context);
  source.rowDims = {0};
  source.reductionDims = {1};
  source.rowExtents = {rows};
  source.reductionExtents = {description.k};
  source.wholeBlock = block >= description.k;
  source.runLength = description.k;
  source.block = std::min(block, description.k);
  source.scale = [=, lhsScales = description.lhsScales](ImplicitLocOpBuilder &b, ValueRange index) -> Value {
    if (!lhsScales)
      return arith::ConstantOp::create(b, b.getF32FloatAttr(0.25f));
    Value at = b.createOrFold<arith::DivUIOp>(index[1], arith::ConstantIndexOp::create(b, block));
    return memref::LoadOp::create(b, scales, ValueRange{index[0], at});
  };
  return source;
}

OwningOpRef<ModuleOp> tool::buildModule(MLIRContext *context, Description &description) {
  KernelSpec &spec = description.spec;
  const TileMachine &machine = description.machine;
  ImplicitLocOpBuilder b(UnknownLoc::get(context), context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(b.getLoc());
  int64_t blocks = spec.weight.layout.getNumBlocks(description.k);
  Type f32 = b.getF32Type(), i8 = b.getI8Type(), pointer = LLVM::LLVMPointerType::get(context);
  auto matrix = [](int64_t columns, Type element) { return MemRefType::get({ShapedType::kDynamic, columns}, element); };
  auto bytes = MemRefType::get({ShapedType::kDynamic}, i8);
  spec.name = "k";
  spec.output = matrix(ShapedType::kDynamic, f32);
  spec.columnTail = description.n % spec.weight.layout.getRows() != 0;
  if (description.bias)
    addBias(description, context);
  bool integer = spec.strategy == SumStrategy::Integer;
  SmallVector<Type> types{pointer, matrix(description.k, integer ? i8 : f32), matrix(blocks, f32), bytes};
  llvm::append_range(types, spec.operands);
  types.append({spec.output, bytes});
  func::FuncOp unit = buildUnit(*module, spec, machine);
  b.setInsertionPointToEnd(module->getBody());
  auto kernel = func::FuncOp::create(b, "kernel", b.getFunctionType(types, {}));
  kernel->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(), b.getUnitAttr());
  b.setInsertionPointToStart(kernel.addEntryBlock());
  ValueRange arguments = kernel.getArguments();
  Value x = arguments[1], output = arguments[arguments.size() - 2];
  KernelExtents extents = makeExtents(b, description, memref::DimOp::create(b, x, 0));
  PreparedActivations prepared = emitScratchViews(b, spec, extents, arguments.back());
  emitPrepare(b, spec, machine, /*core=*/{}, extents, prepared, makeSource(context, description, x, arguments[2], extents.rows));
  emitUnits(b, unit, spec, machine, /*core=*/{}, extents, prepared, arguments[3], output,
            arguments.slice(4, spec.operands.size()));
  func::ReturnOp::create(b);
  b.setInsertionPointToEnd(module->getBody());
  auto size = func::FuncOp::create(b, "scratch_bytes", b.getFunctionType({b.getIndexType()}, {b.getIndexType()}));
  size->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(), b.getUnitAttr());
  b.setInsertionPointToStart(size.addEntryBlock());
  func::ReturnOp::create(b, emitScratchBytes(b, spec, makeExtents(b, description, size.getArgument(0))));
  return module;
}

LogicalResult tool::lowerModule(ModuleOp module, StringRef level) {
  PassManager manager(module.getContext(), ModuleOp::getOperationName());
  StringRef fma = findLevel(level)->fusedMultiply ? "" : ",qtensor-expand-fma";
  std::string pipeline = ("x86-lower-tile-ops{level=" + level + "},qtile-expand" + fma +
                          ",canonicalize,cse,convert-vector-to-scf,lower-affine,"
                          "convert-scf-to-cf,expand-strided-metadata,lower-affine,convert-vector-to-llvm,convert-to-llvm,"
                          "reconcile-unrealized-casts")
                             .str();
  if (failed(parsePassPipeline(pipeline, manager)))
    return failure();
  return manager.run(module);
}

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>> makeMachine(const TargetLevel &level, StringRef features) {
  llvm::Triple triple("x86_64-unknown-linux-gnu");
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return llvm::createStringError(error);
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, level.cpu, features.empty() ? level.features : features, llvm::TargetOptions(),
                                  llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Default));
}

static void optimise(llvm::Module &module, llvm::TargetMachine &machine) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration()) {
      function.addFnAttr("target-cpu", machine.getTargetCPU());
      function.addFnAttr("target-features", machine.getTargetFeatureString());
    }
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

llvm::Expected<std::unique_ptr<llvm::Module>> tool::compileModule(ModuleOp module, llvm::LLVMContext &context,
                                                                  StringRef level, StringRef features) {
  auto machine = makeMachine(*findLevel(level), features);
  if (!machine)
    return machine.takeError();
  std::unique_ptr<llvm::Module> result = translateModuleToLLVMIR(module, context, "kernel");
  if (!result)
    return llvm::createStringError("the module does not translate to LLVM IR");
  result->setTargetTriple((*machine)->getTargetTriple());
  result->setDataLayout((*machine)->createDataLayout());
  optimise(*result, **machine);
  return result;
}

llvm::Expected<std::string> tool::emitAssembly(llvm::Module &module) {
  const llvm::Function *any = nullptr;
  for (const llvm::Function &function : module)
    if (!function.isDeclaration())
      any = &function;
  TargetLevel level{"", any->getFnAttribute("target-cpu").getValueAsString(), "", 0, 0, {}};
  auto machine = makeMachine(level, any->getFnAttribute("target-features").getValueAsString());
  if (!machine)
    return machine.takeError();
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream os(text);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, os, nullptr, llvm::CodeGenFileType::AssemblyFile))
    return llvm::createStringError("the target emits no assembly");
  passes.run(module);
  return text.str().str();
}

llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> tool::makeJit(ModuleOp module, StringRef level, StringRef features) {
  auto context = std::make_unique<llvm::LLVMContext>();
  auto compiled = compileModule(module, *context, level, features);
  if (!compiled)
    return compiled.takeError();
  const TargetLevel &target = *findLevel(level);
  llvm::orc::JITTargetMachineBuilder builder((*compiled)->getTargetTriple());
  builder.setCPU(target.cpu.str());
  std::vector<std::string> list;
  for (StringRef feature : llvm::split(features.empty() ? target.features : features, ','))
    if (!feature.empty())
      list.push_back(feature.str());
  builder.addFeatures(list);
  auto jit = llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create();
  if (!jit)
    return jit.takeError();
  if (llvm::Error error = (*jit)->addIRModule(llvm::orc::ThreadSafeModule(std::move(*compiled), std::move(context))))
    return error;
  return jit;
}
