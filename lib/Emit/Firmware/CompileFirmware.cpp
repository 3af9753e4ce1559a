// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/CompileFirmware.h"
#include "dialects/QNN/IR/QNN.h"
#include "lib/Emit/Firmware/EmitC.h"
#include "lib/Emit/Firmware/HelperCode.h"
#include "lib/Emit/Firmware/ObjectFacts.h"
#include "lib/Emit/WeightsFile.h"
#include "lib/Pipelines/Pipelines.h"
#include "lib/Pipelines/VerifyPasses.h"
#include "qtensor/Firmware.h"
#include "lib/Transforms/Contracts/Contracts.h"
#include "lib/Transforms/Firmware/SourceGroups.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace mlir;
using namespace mlir::qtensor;

/// The constants as they lie in flash, memory behind memory.
static std::string flatten(const WeightsFile &weights, int64_t bytes) {
  std::string flat(bytes, '\0');
  for (const WeightEntry &entry : weights.entries)
    llvm::copy(entry.bytes, flat.begin() + entry.offset);
  return flat;
}

/// The symbols of constants, and their bytes.
static std::vector<ConstantSection> splitConstants(ArrayRef<FirmwareConstants> constants, StringRef bytes) {
  std::vector<ConstantSection> sections;
  for (const FirmwareConstants &region : constants) {
    sections.push_back({region.symbol, region.section, bytes.take_front(region.bytes)});
    bytes = bytes.drop_front(region.bytes);
  }
  return sections;
}

/// Gives the symbols that the code names their bytes. They never pass through an optimisation.
static void defineConstants(llvm::Module &code, ArrayRef<ConstantSection> sections) {
  for (const ConstantSection &section : sections) {
    llvm::GlobalVariable *symbol = code.getGlobalVariable(section.symbol);
    if (!symbol)
      continue;
    if (section.bytes.empty()) {
      symbol->setInitializer(llvm::Constant::getNullValue(symbol->getValueType()));
    } else {
      symbol->setInitializer(llvm::ConstantDataArray::getString(code.getContext(), section.bytes, /*AddNull=*/false));
    }
    symbol->setSection(section.section);
    symbol->setLinkage(llvm::GlobalValue::InternalLinkage);
  }
}

static LogicalResult lower(ModuleOp module, const ArtifactOptions &options, StringRef prefix, bool asSource) {
  PassManager pm(module.getContext());
  auto broken = std::make_shared<std::atomic<bool>>(false);
  if (options.verify)
    verifyAroundPasses(pm, Phase::Native, broken);
  addFirmwarePasses(pm, *options.target, prefix, asSource);
  return failure(failed(pm.run(module)) || *broken || (options.verify && failed(verifyContract(module, Phase::Native))));
}

/// The kernel of what is no layer of the qnn dialect.
static constexpr StringLiteral kLoops = "loops";

/// Of a buffer; 0 without one. Codes narrower than a byte lie in whole ones.
static int64_t bytesOf(Value buffer) {
  auto type = buffer ? dyn_cast<MemRefType>(buffer.getType()) : MemRefType();
  if (!type || !type.hasStaticShape())
    return 0;
  Type element = type.getElementType();
  return type.getNumElements() * (element.isIntOrFloat() ? llvm::divideCeil(element.getIntOrFloatBitWidth(), 8) : 4);
}

static FirmwareLayer describeLayer(qnn::LayerOpInterface op) {
  FirmwareLayer layer;
  layer.source = firmware::sourceName(op->getLoc());
  layer.kind = op->getName().stripDialect().str();
  layer.kernel = op.getKernelName().str();
  layer.macs = op.countMultiplications();
  layer.constantBytes = bytesOf(op.getPackedConstants());
  layer.scratchBytes = bytesOf(op.getScratchBuffer());
  if (auto live = op->getAttrOfType<IntegerAttr>(kLiveAttr))
    layer.liveBytes = live.getInt();
  return layer;
}

/// The bytes of the constants that operations read.
static int64_t countConstants(ArrayRef<Operation *> ops, Value weights) {
  llvm::SetVector<Value> used;
  for (Operation *op : ops) {
    used.insert_range(op->getOperands());
    getUsedValuesDefinedAbove(op->getRegions(), used);
  }
  int64_t bytes = 0;
  for (size_t i = 0; i < used.size(); ++i) { // grows
    Operation *op = used[i].getDefiningOp();
    if (!op || !isPure(op) || op->getNumRegions())
      continue;
    auto view = dyn_cast<memref::ViewOp>(op);
    if ((view && view.getSource() == weights) || isa<memref::GetGlobalOp>(op))
      bytes += bytesOf(used[i]);
    else
      used.insert_range(op->getOperands());
  }
  return bytes;
}

static FirmwareLayer describeGroup(const firmware::SourceGroup &group, Value weights, StringRef prefix) {
  FirmwareLayer layer;
  layer.source = group.source;
  layer.kind = group.kind;
  layer.kernel = kLoops;
  layer.function = group.function.empty() ? "" : (prefix + "_" + group.function).str();
  layer.macs = group.multiplications;
  layer.constantBytes = countConstants(group.ops, weights);
  for (Operation *op : group.ops)
    if (auto live = op->getAttrOfType<IntegerAttr>(kLiveAttr))
      layer.liveBytes = std::max(layer.liveBytes, live.getInt());
  return layer;
}

/// What the layers are, before they become calls: those of the qnn dialect, and between them what other operators became.
static std::vector<FirmwareLayer> describeLayers(ModuleOp module, StringRef prefix) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  SmallVector<firmware::SourceGroup> groups = firmware::groupBySource(main);
  DenseMap<Operation *, const firmware::SourceGroup *> starts;
  for (const firmware::SourceGroup &group : groups)
    starts[group.ops.front()] = &group;
  std::vector<FirmwareLayer> layers;
  for (Operation &op : main.front())
    if (auto layer = dyn_cast<qnn::LayerOpInterface>(op))
      layers.push_back(describeLayer(layer));
    else if (const firmware::SourceGroup *group = starts.lookup(&op))
      layers.push_back(describeGroup(*group, main.getArgument(kWeightsArgument), prefix));
  return layers;
}

/// The functions that layers of the qnn dialect became: those of calls, in order.
static void nameFunctions(ModuleOp module, StringRef prefix, std::vector<FirmwareLayer> &layers) {
  size_t next = 0;
  module.walk([&](LLVM::CallOp call) {
    std::optional<StringRef> callee = call.getCallee();
    if (!callee || !callee->starts_with("layer"))
      return;
    while (next < layers.size() && layers[next].kernel == kLoops)
      ++next;
    if (next < layers.size())
      layers[next++].function = (prefix + "_" + *callee).str();
  });
}

/// Whether the memories of constants hold the weights, and not much more.
static LogicalResult checkConstants(ModuleOp module, ArrayRef<FirmwareConstants> constants, int64_t weightsBytes) {
  if (constants.empty())
    return success(); // One memory, as large as the weights.
  int64_t most = weightsBytes + int64_t(constants.size()) * kFirmwareAlignment, bytes = 0;
  for (const FirmwareConstants &region : constants)
    bytes = std::min(bytes, most) + std::min(region.bytes, most + 1);
  if (bytes < weightsBytes || bytes > most)
    return module.emitError() << kPlanAttr << " has memories of constants that do not add up to the " << weightsBytes
                              << " bytes of " << kWeightsAttr;
  return success();
}

/// Fails, after a diagnostic, where the plan is none of memories, or does not fit the module.
static LogicalResult readPlan(ModuleOp module, const ModelInterface &model, int64_t weightsBytes, FirmwareObject &made) {
  auto plan = module->getAttrOfType<DictionaryAttr>(kPlanAttr);
  if (!isFirmwarePlan(plan) || !plan.contains("bound"))
    return module.emitError() << kPlanAttr << " does not say in which memories buffers lie ('bound' and 'regions'), as a target "
                              << "without an operating system needs; run qtensor-plan-regions, or compile from an earlier phase";
  size_t inputs = model.inputs.size();
  auto number = [](DictionaryAttr from, StringRef name) { return from.getAs<IntegerAttr>(name).getInt(); };
  made.arenaBound = number(plan, "bound");
  if (plan.contains("greedy"))
    made.greedyArena = number(plan, "greedy");
  if (auto regions = plan.getAs<ArrayAttr>("regions"))
    for (auto region : regions.getAsRange<DictionaryAttr>())
      made.arenas.push_back({region.getAs<StringAttr>("name").str(), number(region, "bytes")});
  if (auto flash = plan.getAs<ArrayAttr>("constants"))
    for (auto region : flash.getAsRange<DictionaryAttr>()) {
      std::string memory = region.getAs<StringAttr>("name").str();
      made.constants.push_back({memory, "", "", number(region, "bytes"), region.getAs<BoolAttr>("copied").getValue()});
    }
  if (auto places = plan.getAs<ArrayAttr>("places"); places && !places.empty()) {
    if (places.size() != inputs + model.outputs.size())
      return module.emitError() << kPlanAttr << " has " << places.size() << " places for " << inputs << " inputs and "
                                << model.outputs.size() << " outputs";
    for (auto [i, place] : llvm::enumerate(places.getAsRange<DictionaryAttr>()))
      (i < inputs ? made.inputs : made.outputs).push_back({unsigned(number(place, "region")), number(place, "offset")});
  }
  return checkConstants(module, made.constants, weightsBytes);
}

/// Which functions of a helper library are called is known when instructions are chosen: those that the target has are added,
/// and all is compiled again.
static llvm::Expected<ObjectBytes> compileWithHelpers(llvm::Module &code, llvm::TargetMachine &machine, const FirmwareRecord &record,
                                                      StringRef entry, std::string *assembly) {
  HelperCode helpers(record.helpers, *code.getFunction(entry));
  while (true) {
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(code);
    helpers.hide(*copy);
    // Where registers have no known length, what LLVM makes of scalar loops is longer, and its frames begin where they are aligned
    // when they are entered: with more stack than it states.
    auto object = compileModule(*copy, machine, assembly, /*vectorize=*/record.scaledFrames.assumedBytes == 0);
    if (!object)
      return object;
    auto facts = readObjectFacts(StringRef(object->data(), object->size()));
    if (!facts)
      return facts.takeError();
    auto added = helpers.add(code, facts->undefined);
    if (!added)
      return added.takeError();
    if (!*added)
      return object;
  }
}

static void nameConstants(FirmwareObject &made, StringRef prefix, int64_t bytes) {
  if (made.constants.empty())
    made.constants.push_back({"", "", "", bytes});
  for (FirmwareConstants &region : made.constants) {
    region.symbol = (prefix + "_weights" + (region.memory.empty() ? "" : "_" + region.memory)).str();
    region.section = (region.copied ? ".data." : ".rodata.") + region.symbol;
  }
}

FailureOr<FirmwareObject> mlir::qtensor::compileFirmware(ModuleOp planned, const ArtifactOptions &options) {
  auto progress = [&](const Twine &what) {
    if (options.progress)
      options.progress(what.str());
  };
  const Target &target = *options.target;
  FailureOr<ModelInterface> model = readInterface(planned, options.model);
  FailureOr<WeightsFile> weights = readWeights(planned, kFirmwareAlignment);
  FirmwareObject made;
  if (failed(model) || failed(weights) || failed(readPlan(planned, *model, weights->payloadBytes, made)))
    return failure();
  made.constantBytes = weights->payloadBytes;
  nameConstants(made, model->name, weights->payloadBytes);
  made.layers = describeLayers(planned, model->name);
  progress("lowering for " + target.name);
  OwningOpRef<ModuleOp> module = planned.clone();
  if (failed(lower(*module, options, model->name, /*asSource=*/false)))
    return failure();
  nameFunctions(*module, model->name, made.layers);
  if (auto checks = (*module)->getAttrOfType<ArrayAttr>(kChecksAttr))
    for (auto text : checks.getAsValueRange<StringAttr>())
      made.checks.push_back(text.str());
  int64_t constantBytes = 0;
  for (const FirmwareConstants &region : made.constants)
    constantBytes += region.bytes;
  std::string constants = flatten(*weights, constantBytes);
  std::vector<ConstantSection> sections = splitConstants(made.constants, constants);
  if (options.emitC) {
    OwningOpRef<ModuleOp> source = planned.clone();
    llvm::raw_string_ostream os(made.source);
    if (failed(lower(*source, options, model->name, /*asSource=*/true)) ||
        failed(emitC(*source, *target.firmware, model->name + "_run", sections, os)))
      return failure();
  }
  const TargetLevel &level = target.levels.front();
  llvm::LLVMContext context;
  std::string entry = model->name + "_run";
  std::unique_ptr<llvm::Module> code = translateModule(*module, level, entry, context);
  if (!code)
    return failure();
  for (llvm::Function &function : *code) {
    // Loops that copy stay loops: firmware may have no C library.
    function.addFnAttr("no-builtins");
    // Vectors of what is no layer would be guesses; LLVM takes them apart.
    if (!function.getName().starts_with("layer") && !target.firmware->plainFeatures.empty())
      function.addFnAttr("target-features", target.firmware->plainFeatures);
    if (!function.isDeclaration() && function.getName() != entry)
      function.setName(model->name + "_" + function.getName());
    // The stack that is stated counts the entry's frame below every layer: so it lies there below the last one too.
    if (function.getName() == entry)
      function.addFnAttr("disable-tail-calls", "true");
  }
  defineConstants(*code, sections);
  code->setModuleInlineAsm(target.firmware->moduleAssembly);
  progress("compiling");
  auto machine = createTargetMachine(target, level.cpu, level.features);
  if (!machine)
    return planned.emitError() << llvm::toString(machine.takeError());
  auto object = compileWithHelpers(*code, **machine, *target.firmware, entry, options.keepAssembly ? &made.assembly : nullptr);
  if (!object)
    return planned.emitError() << llvm::toString(object.takeError());
  made.object = std::move(*object);
  made.model = std::move(*model);
  return made;
}
