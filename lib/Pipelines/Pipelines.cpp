// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order of all passes. A target's record adds those of its own where it is asked here (include/qtensor/Target.h).
#include "lib/Pipelines/Pipelines.h"
#include "lib/Calibrate/Passes.h"
#include "lib/Quantize/Passes.h"
#include "lib/Transforms/Firmware/Passes.h"
#include "lib/Transforms/Plan/RegionPlanner.h"
#include "lib/Transforms/Integer/Passes.h"
#include "lib/Transforms/Kernel/Passes.h"
#include "lib/Transforms/Native/Passes.h"
#include "lib/Transforms/Normalize/Passes.h"
#include "lib/Transforms/Plan/Passes.h"
#include "lib/Transforms/Select/Passes.h"
#include "lib/Transforms/Vectorize/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::qtensor;

static void addCleanup(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

static bool hasLayers(const Target *target) { return target && target->layerKernels; }

/// What an importer made -> C0: normalisation.
static void addImportedPasses(OpPassManager &pm, const PipelineOptions &options) {
  // IR from other front ends may name its entry as it likes, call functions, compute on whole tensors, scale as TOSA does, and
  // have small things to fold.
  pm.addPass(createFindEntry());
  pm.addNestedPass<func::FuncOp>(createGuardStridedInserts());
  // Extents are checked on what the model says, before anything is folded: folding takes it for granted that they agree.
  pm.addPass(createInlinerPass(/*opPipelines=*/{}, /*defaultPipelineBuilder=*/[](OpPassManager &) {}));
  pm.addPass(createSymbolDCEPass());
  pm.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  TosaToArithPassOptions scaling;
  scaling.includeApplyRescale = true;
  pm.addNestedPass<func::FuncOp>(createTosaToArithPass(scaling));
  if (options.checkExtents)
    pm.addNestedPass<func::FuncOp>(createCheckExtents());
  addCleanup(pm);
  pm.addPass(createRefineResults());
  OpPassManager &function = pm.nest<func::FuncOp>();
  // First, so that weights which the exporter left to compute are constants to all that follow.
  function.addPass(createEvaluateConstants());
  function.addPass(createChannelsLast());
  // Right behind it: until the transpositions have cancelled, every convolution has two.
  function.addPass(createSinkTransposes());
  // What did not cancel is read by contractions as it lies; broadcasts must be gone before maps are compared with
  // weights.
  function.addPass(createFoldReads());
  // Before rows are collapsed: a scale is found right behind its contraction.
  function.addPass(createFoldScale());
  function.addPass(createNormalizeMatmul());
  function.addPass(createSimplifyShapes());
  function.addPass(createCheckStateWrites());
  // Last: transposed, scaled and reshaped weights become constants.
  function.addPass(createEvaluateConstants());
  // Sinking leaves the same reshape, extent or scalar many times.
  addCleanup(pm);
}

/// C0 -> C1: statistics are read where they are used, but only of the model that is being compiled.
static void addObservedPasses(OpPassManager &pm, const PipelineOptions &options) {
  if (!options.statisticsFile.empty())
    pm.addPass(createCheckStatistics({options.statisticsFile}));
}

/// C1 -> C2: weights first, since only inputs of encoded weights are rounded.
static void addQuantizedPasses(OpPassManager &pm, const PipelineOptions &options) {
  pm.addPass(createFoldDecodes());
  QuantizeWeightsOptions weights;
  weights.lateFrom = options.lateFrom;
  weights.weights = options.weights;
  weights.tables = options.tables;
  weights.planFile = options.planFile;
  pm.addPass(createQuantizeWeights(weights));
  // Before activations: what is multiplied with a cache is rounded like what is multiplied with a weight.
  QuantizeStatesOptions states;
  states.caches = options.caches;
  states.planFile = options.planFile;
  pm.addPass(createQuantizeStates(states));
  QuantizeInterfaceOptions interface;
  interface.activations = options.activations;
  interface.statistics = options.statisticsFile;
  interface.results = true;
  bool codesOutside = options.interfaceOfCodes && !options.rounding.empty();
  if (codesOutside)
    pm.addPass(createQuantizeInterface(interface));
  QuantizeActivationsOptions activations;
  activations.activations = options.activations;
  activations.planFile = options.planFile;
  activations.statistics = options.statisticsFile;
  activations.rounding = options.rounding;
  pm.addPass(createQuantizeActivations(activations));
  // Where the model rounds as integer-only ones do; last, so that what was just quantized takes part.
  pm.addNestedPass<func::FuncOp>(createHoistQuantize({options.rounding}));
  interface.results = false;
  if (codesOutside)
    pm.addPass(createQuantizeInterface(interface));
  pm.addNestedPass<func::FuncOp>(createIntegerOnly({options.rounding}));
}

/// C2 -> C3: epilogues are fused while values are still encoded and whole; decomposition comes last.
static void addSelectedPasses(OpPassManager &pm, const PipelineOptions &options) {
  // Before its two products are contractions of their own. Its kernels are made of vectors, which scalar cores do not have.
  if (!hasLayers(options.target))
    pm.addPass(createSelectAttention());
  SelectContractionsOptions select;
  select.strategy = options.strategy;
  if (hasLayers(options.target)) {
    addCleanup(pm);
    pm.addNestedPass<func::FuncOp>(createFormLayers());
  }
  pm.addNestedPass<func::FuncOp>(createLowerRules());
  pm.addPass(createSelectContractions(select));
  // Before a lookup is fused with what reads it.
  pm.addPass(createLookupRows());
  pm.addPass(createFuseEpilogues());
  pm.addPass(createLowerRequantize());
  pm.addPass(createDecomposeEncodings());
  // Components ask for the extents of what they were made from: back to those of the inputs.
  pm.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
  addCleanup(pm);
  if (hasLayers(options.target))
    pm.addNestedPass<func::FuncOp>(createEliminateChannels({options.explain}));
  if (options.explain) {
    ExplainOptions explain;
    explain.rows.assign(options.explainRows.begin(), options.explainRows.end());
    pm.addPass(createExplain(explain));
  }
}

static PackLayersOptions packOptions(const PipelineOptions &options) {
  PackLayersOptions pack;
  pack.target = options.target->name.str();
  pack.prefer = options.prefer;
  pack.placesInterface = options.placesInterface;
  int64_t room = 0;
  ArenaRegion region;
  for (const std::string &text : options.memories) // What is wrong with one is said where they are used.
    room += parseRegion(text, region) && region.use == ArenaRegion::Activations ? region.size : 0;
  if (room)
    pack.room = room;
  return pack;
}

/// C3 -> C4: packing for the target, then fusion of what is left of the graph.
static void addTiledPasses(OpPassManager &pm, const PipelineOptions &options) {
  if (hasLayers(options.target)) {
    PlanGreedilyOptions greedy;
    greedy.alignment = kFirmwareAlignment;
    greedy.placesInterface = options.placesInterface;
    pm.addNestedPass<func::FuncOp>(createPlanGreedily(greedy));
  }
  if (options.target && options.target->addPackPasses)
    options.target->addPackPasses(pm);
  pm.addPass(createEncodeConstants());
  pm.addPass(createFuseElementwise());
  pm.addPass(createLayOutWeights());
  pm.addNestedPass<func::FuncOp>(createEvaluateConstants());
  addCleanup(pm);
  if (hasLayers(options.target)) {
    pm.addNestedPass<func::FuncOp>(createFuseLayers({options.target->name.str()}));
    pm.addNestedPass<func::FuncOp>(createPackLayers(packOptions(options)));
  }
}

/// C4 -> C5: from tensors to buffers, to one arena.
static void addPlannedPasses(OpPassManager &pm, const PipelineOptions &options) {
  pm.addPass(createMakeEntry());
  addCleanup(pm);
  ExternalizeConstantsOptions constants;
  if (hasLayers(options.target))
    constants.alignment = kFirmwareAlignment;
  pm.addPass(createExternalizeConstants(constants));
  pm.addPass(createSplitFills({/*empties=*/hasLayers(options.target)}));
  pm.addPass(createKeepLoopValues());
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  pm.addNestedPass<func::FuncOp>(createOrderStores());
  pm.addPass(bufferization::createOneShotBufferizePass());
  addCleanup(pm);
  pm.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
  addCleanup(pm);
  // Kernels want room for their activations: it must exist before the arena is planned.
  // Firmware has little RAM: as many bytes as the weights are no room.
  pm.addPass(createAttachScratch({/*decodeWeights=*/!hasLayers(options.target)}));
  if (hasLayers(options.target)) {
    pm.addNestedPass<func::FuncOp>(createAttachLayerScratch({options.target->name.str()}));
    PlanRegionsOptions plan;
    plan.regions.assign(options.memories.begin(), options.memories.end());
    plan.alignment = kFirmwareAlignment;
    plan.placesInterface = options.placesInterface;
    pm.addPass(createPlanRegions(plan));
  } else {
    pm.addPass(createPlanMemory());
  }
  addCleanup(pm);
}

void mlir::qtensor::addPhasePasses(OpPassManager &pm, Phase phase, const PipelineOptions &options) {
  switch (phase) {
  case Phase::Imported:
    return addImportedPasses(pm, options);
  case Phase::Native:
    return;
  case Phase::Observed:
    return addObservedPasses(pm, options);
  case Phase::Quantized:
    return addQuantizedPasses(pm, options);
  case Phase::Selected:
    return addSelectedPasses(pm, options);
  case Phase::Tiled:
    return addTiledPasses(pm, options);
  case Phase::Planned:
    return addPlannedPasses(pm, options);
  }
}

/// Loops, buffers and scalars -> LLVM dialect, with indices as wide as addresses are. `hosted`: f16 and roundeven
/// are instructions, or functions of the system.
static void addLLVMPasses(OpPassManager &pm, unsigned indexBits, bool hosted) {
  FinalizeMemRefToLLVMConversionPassOptions memory;
  memory.indexBitwidth = indexBits;
  ConvertFuncToLLVMPassOptions functions;
  functions.indexBitwidth = indexBits;
  pm.addPass(createLowerAffinePass());
  addCleanup(pm);
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createExpandSmallFloats({/*halves=*/!hosted}));
  if (!hosted)
    pm.addPass(createExpandRounding());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  arith::ArithExpandOpsPassOptions expand;
  expand.includeF8E8M0 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
  pm.addPass(createFinalizeMemRefToLLVMConversionPass(memory));
  pm.addPass(createConvertIndexToLLVMPass({indexBits}));
  pm.addPass(createArithToLLVMConversionPass({indexBits}));
  pm.addPass(createConvertControlFlowToLLVMPass({indexBits}));
  pm.addPass(createConvertFuncToLLVMPass(functions));
  pm.addPass(createReconcileUnrealizedCastsPass());
  addCleanup(pm);
}

void mlir::qtensor::addNativePasses(OpPassManager &pm, const Target &target, const TargetLevel &level,
                                    StringRef prefix) {
  if (target.addNativePasses)
    target.addNativePasses(pm, level);
  EmitEntryOptions entry;
  entry.prefix = prefix.str();
  entry.suffix = level.name.str();
  pm.addPass(createLowerCore());
  pm.addPass(createEmitEntry(entry));
  pm.addPass(createLowerChecks());
  pm.addPass(createExpandCopies());
  pm.addPass(createOutlineOps());
  // The register tile of a level: accumulators, the vectors of one row and a broadcast must fit its registers.
  VectorizeOptions tile;
  unsigned registersPerVector = std::max(1u, 512 / level.vectorBits);
  tile.vectors = registersPerVector == 1 ? 2 : 1;
  unsigned vectorRegisters = registersPerVector * tile.vectors;
  tile.rows = std::max(1u, std::min(6u, (level.vectorRegisters - vectorRegisters - 2) / vectorRegisters));
  pm.addPass(createVectorize(tile));
  addCleanup(pm);
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(math::createMathExtendToSupportedTypes());
  pm.addPass(createApproximateMath());
  if (!level.fusedMultiply)
    pm.addPass(createExpandFma());
  pm.addPass(createForallToParallelLoopPass());
  pm.addPass(createOutlineParallel());
  pm.addPass(createResolveExpandShapes());
  pm.addPass(memref::createExpandStridedMetadataPass());
  addLLVMPasses(pm, /*indexBits=*/64, /*hosted=*/true);
}

void mlir::qtensor::addFirmwarePasses(OpPassManager &pm, const Target &target, StringRef prefix, bool asSource) {
  pm.addPass(createLowerChecks({/*numbers=*/true}));
  pm.addPass(createEmitFirmwareEntry({prefix.str()}));
  pm.addPass(createOutlineSources({(prefix + "_run").str()}));
  pm.addPass(createLowerLayers({target.name.str()}));
  // What is no layer: element by element, decoded where it is read.
  LowerComponentsOptions scalar;
  scalar.lanes = scalar.registers = 1;
  scalar.tileRows.push_back(1);
  scalar.tileColumns.push_back(1);
  pm.addPass(createLowerComponents(scalar));
  pm.addPass(createExpandTileOps());
  pm.addPass(createScalarizeAccess());
  pm.addPass(createExpandCopies());
  pm.addPass(createConvertLinalgToLoopsPass());
  pm.addPass(createForallToForLoopPass());
  addCleanup(pm);
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(math::createMathExtendToSupportedTypes());
  pm.addPass(createApproximateMath());
  pm.addPass(createExpandRoots());
  pm.addPass(createExpandPowers());
  if (asSource)
    pm.addPass(createExpandFma());
  pm.addPass(memref::createExpandStridedMetadataPass());
  addLLVMPasses(pm, /*indexBits=*/32, /*hosted=*/false);
}

void mlir::qtensor::registerPipelines(DialectRegistry &) {
  PassPipelineRegistration<>("qtensor-normalize", "Normalise an imported model: the passes that end phase C0",
                             [](OpPassManager &pm) {
                               PipelineOptions options;
                               options.checkExtents = true; // quant-opt reads IR.
                               addPhasePasses(pm, Phase::Imported, options);
                             });
}
