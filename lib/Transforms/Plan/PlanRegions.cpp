// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Places every buffer of a model of static shapes, its inputs and outputs too, in the memories that the user has.
#include "dialects/QNN/IR/QNN.h"
#include "lib/Transforms/Plan/ConstantPlanner.h"
#include "lib/Transforms/Plan/Passes.h"
#include "lib/Transforms/Plan/RegionPlanner.h"
#include "lib/Transforms/Plan/States.h"
#include "lib/Transforms/Plan/Storages.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_PLANREGIONS
#include "lib/Transforms/Plan/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// What indices of 32 bits with a sign reach, the widest on processors without an operating system.
static constexpr int64_t kMostAddressable = std::numeric_limits<int32_t>::max();

namespace {
class StaticPlanner {
public:
  /// `regions`: for activations; `flash`: for constants, none where all lie in one of any size.
  StaticPlanner(func::FuncOp main, ArrayRef<ArenaRegion> regions, ArrayRef<ArenaRegion> flash, int64_t alignment,
                bool placesInterface)
      : main(main), regions(regions), flash(flash), alignment(alignment), placesInterface(placesInterface), sizes(main),
        views(main) {}

  LogicalResult run();

private:
  LogicalResult addStorages();
  LogicalResult addInterface();
  void addOverlaps();
  double countAccesses(Value buffer);
  LogicalResult explainMissing(const RegionPlan &plan);
  void describe(const RegionPlan &plan, ArrayAttr constants);
  FailureOr<ArrayAttr> placeConstants();
  LogicalResult explainConstants(ArrayRef<DictionaryAttr> entries, int64_t missing);
  int64_t liveAt(unsigned step) const;
  void describeLayers();

  func::FuncOp main;
  ArrayRef<ArenaRegion> regions, flash;
  int64_t alignment;
  bool placesInterface;
  SizeExpressions sizes;
  BufferViewFlowAnalysis views; ///< Under which names a buffer is used: through views, branches and selects.
  SmallVector<Storage> storages;
  std::vector<RegionBuffer> buffers; ///< Of the storages, then of the inputs and outputs.
  SmallVector<BlockArgument> placed; ///< The inputs and outputs that have buffers.
  SmallVector<ArenaOverlap> overlaps;
};
} // namespace

/// Reads and writes of a buffer's bytes: as many as a layer multiplies (weights too), or once for each element.
double StaticPlanner::countAccesses(Value buffer) {
  double count = 0;
  for (Value value : views.resolve(buffer)) {
    for (Operation *user : value.getUsers()) {
      if (isa<ViewLikeOpInterface>(user))
        continue;
      auto layer = dyn_cast<qnn::LayerOpInterface>(user);
      bool reads = layer && (layer.getLayerInputs().front() == value || layer.getPackedConstants() == value);
      auto type = cast<MemRefType>(buffer.getType());
      count += reads ? double(layer.countMultiplications()) : double(type.hasStaticShape() ? type.getNumElements() : 0);
    }
  }
  return count;
}

LogicalResult StaticPlanner::addStorages() {
  FailureOr<SmallVector<Storage>> collected = collectStorages(main, sizes);
  if (failed(collected))
    return failure();
  storages = std::move(*collected);
  for (const Storage &storage : storages) {
    auto bytes = dyn_cast<AffineConstantExpr>(storage.bytes);
    if (!bytes)
      return storage.allocs.front()->emitError("a buffer has an extent that is not known; give all extents of the inputs (--dim)");
    double accesses = 0;
    for (memref::AllocOp alloc : storage.allocs)
      accesses += countAccesses(alloc);
    buffers.push_back({{bytes.getValue(), storage.begin, storage.end}, accesses});
  }
  return success();
}

/// Inputs are there before the first step, up to their last use; outputs from their first use to the end.
LogicalResult StaticPlanner::addInterface() {
  DenseMap<Operation *, unsigned> positions;
  for (auto [i, op] : llvm::enumerate(main.front()))
    positions[&op] = i;
  unsigned last = positions.size();
  auto module = main->getParentOfType<ModuleOp>();
  unsigned inputs = module->getAttrOfType<ArrayAttr>(kInputsAttr).size();
  for (unsigned i = kFirstTensorArgument; i < main.getNumArguments(); ++i) {
    // States outlive a call: they lie with the caller.
    if (isStateArgument(main, i))
      continue;
    BlockArgument argument = main.getArgument(i);
    auto type = cast<MemRefType>(argument.getType());
    if (!type.hasStaticShape())
      return main.emitError() << "an input or result has the type " << type
                              << "; without an operating system all extents are static (fix them with --dim)";
    bool isInput = i - kFirstTensorArgument < inputs;
    unsigned first = last, end = 0;
    for (Value alias : views.resolve(argument))
      for (Operation *user : alias.getUsers()) {
        unsigned position = positions.lookup(main.front().findAncestorOpInBlock(*user));
        first = std::min(first, position);
        end = std::max(end, position);
      }
    // Whoever calls may read an input or an output that the model does not touch.
    if (first > end)
      std::tie(first, end) = std::pair(0u, last);
    // A truth value lies in a byte of its own.
    int64_t bytes = type.getNumElements() * int64_t(llvm::divideCeil(type.getElementTypeBitWidth(), 8));
    placed.push_back(argument);
    buffers.push_back({{bytes, isInput ? 0 : first, isInput ? end : last}, countAccesses(argument)});
  }
  return success();
}

/// What layers say of their operands, where one is born as the other dies.
void StaticPlanner::addOverlaps() {
  // Several for a value that is one of several buffers.
  DenseMap<Value, SmallVector<unsigned, 1>> indices;
  auto addNames = [&](Value buffer, unsigned index) {
    for (Value name : views.resolve(buffer))
      indices[name].push_back(index);
  };
  for (auto [i, storage] : llvm::enumerate(storages))
    for (memref::AllocOp alloc : storage.allocs)
      addNames(alloc, i);
  for (auto [i, argument] : llvm::enumerate(placed))
    addNames(argument, storages.size() + i);
  auto indexOf = [&](Value value) -> std::optional<unsigned> {
    ArrayRef<unsigned> found = indices[value];
    return found.size() == 1 ? std::optional(found.front()) : std::nullopt;
  };
  for (auto [position, op] : llvm::enumerate(main.front())) {
    auto isOnlyOperand = [&, &op = op](unsigned buffer) {
      return llvm::count_if(op.getOperands(), [&](Value v) { return llvm::is_contained(indices[v], buffer); }) == 1;
    };
    auto pairs = op.getAttrOfType<ArrayAttr>(kOverlapsAttr);
    for (Attribute attribute : pairs ? pairs.getValue() : ArrayRef<Attribute>()) {
      ArrayRef<int64_t> pair = cast<DenseI64ArrayAttr>(attribute).asArrayRef();
      Value written = op.getOperand(pair[0]), read = op.getOperand(pair[1]);
      std::optional<unsigned> over = indexOf(written), under = indexOf(read);
      if (over && under && findWholeBuffer(written) && findWholeBuffer(read) && isOnlyOperand(*over) &&
          isOnlyOperand(*under) && buffers[*over].buffer.begin == position && buffers[*under].buffer.end == position)
        overlaps.push_back({*over, *under, pair[2], pair[3]});
    }
  }
}

/// Bytes that a step cannot do without.
int64_t StaticPlanner::liveAt(unsigned step) const {
  return boundOfStep(llvm::map_to_vector(buffers, [](const RegionBuffer &b) { return b.buffer; }), alignment, overlaps, step);
}

/// By how much the model is too large, and what decides it.
LogicalResult StaticPlanner::explainMissing(const RegionPlan &plan) {
  Operation *worst = &*std::next(main.front().begin(), std::min<size_t>(plan.worstStep, main.front().getOperations().size() - 1));
  InFlightDiagnostic error = main.emitError() << "the model does not fit: " << plan.missing << " bytes more are needed";
  for (const ArenaRegion &region : regions)
    error << (&region == regions.begin() ? " than " : " and ") << region.size << " in " << region.name;
  error.attachNote(worst->getLoc()) << "most is live here: " << liveAt(plan.worstStep) << " bytes";
  for (auto [storage, buffer] : llvm::zip(storages, buffers))
    if (buffer.buffer.begin <= plan.worstStep && plan.worstStep <= buffer.buffer.end)
      error.attachNote(storage.allocs.front()->getLoc()) << "of these " << buffer.buffer.size << " bytes: "
                                                         << storage.allocs.front().getType();
  return failure();
}

LogicalResult StaticPlanner::explainConstants(ArrayRef<DictionaryAttr> entries, int64_t missing) {
  InFlightDiagnostic error = main.emitError() << "the constants do not fit: " << missing << " bytes more are needed";
  for (const ArenaRegion &region : flash)
    error << (&region == flash.begin() ? " than " : " and ") << region.size << " in " << region.name;
  auto sizeOf = [](DictionaryAttr entry) { return entry.getAs<IntegerAttr>("size").getInt(); };
  SmallVector<DictionaryAttr> largest(entries);
  llvm::stable_sort(largest, [&](DictionaryAttr a, DictionaryAttr b) { return sizeOf(a) > sizeOf(b); });
  constexpr size_t told = 3;
  StringRef before = "; the largest are ";
  for (DictionaryAttr entry : ArrayRef(largest).take_front(told)) {
    error << before << "'" << entry.getAs<StringAttr>("name").getValue() << "' (" << sizeOf(entry) << " bytes)";
    before = ", ";
  }
  return failure();
}

/// Gives the weights the offsets of a plan, region behind region, and describes these.
FailureOr<ArrayAttr> StaticPlanner::placeConstants() {
  auto module = main->getParentOfType<ModuleOp>();
  auto weights = module->getAttrOfType<ArrayAttr>(kWeightsAttr);
  if (flash.empty() || !weights)
    return ArrayAttr();
  Builder b(main.getContext());
  auto number = [&](int64_t value) { return b.getI64IntegerAttr(value); };
  SmallVector<DictionaryAttr> entries(weights.getAsRange<DictionaryAttr>());
  DenseMap<int64_t, unsigned> indices;
  std::vector<ConstantBlock> blocks;
  for (auto [i, entry] : llvm::enumerate(entries)) {
    indices[entry.getAs<IntegerAttr>("offset").getInt()] = i;
    blocks.push_back({entry.getAs<IntegerAttr>("size").getInt()});
  }
  SmallVector<std::pair<memref::ViewOp, unsigned>> views;
  for (Operation *user : main.getArgument(kWeightsArgument).getUsers()) {
    auto view = dyn_cast<memref::ViewOp>(user);
    std::optional<int64_t> offset = view ? getConstantIntValue(view.getByteShift()) : std::nullopt;
    if (!offset || !indices.contains(*offset))
      return user->emitOpError("uses the weights at a place that qtensor.weights does not have"), failure();
    views.push_back({view, indices[*offset]});
    blocks[views.back().second].reads += countAccesses(view);
  }
  ConstantPlan plan = planConstants(blocks, flash, alignment);
  if (plan.missing)
    return explainConstants(entries, plan.missing);
  SmallVector<Attribute> described, placed;
  SmallVector<int64_t> bases;
  int64_t base = 0;
  for (auto [region, bytes] : llvm::zip_equal(flash, plan.bytes)) {
    bases.push_back(base);
    described.push_back(b.getDictionaryAttr({b.getNamedAttr("base", number(base)), b.getNamedAttr("bytes", number(bytes)),
                                             b.getNamedAttr("copied", b.getBoolAttr(region.use == ArenaRegion::Copies)),
                                             b.getNamedAttr("name", b.getStringAttr(region.name))}));
    base += bytes;
  }
  auto offsetOf = [&](unsigned i) { return bases[blocks[i].region] + blocks[i].offset; };
  for (auto [i, entry] : llvm::enumerate(entries)) {
    NamedAttrList moved(entry);
    moved.set("offset", number(offsetOf(i)));
    placed.push_back(moved.getDictionary(main.getContext()));
  }
  llvm::sort(placed, [](Attribute a, Attribute b) {
    auto offset = [](Attribute entry) { return cast<DictionaryAttr>(entry).getAs<IntegerAttr>("offset").getInt(); };
    return offset(a) < offset(b);
  });
  module->setAttr(kWeightsAttr, b.getArrayAttr(placed));
  for (auto [view, index] : views) {
    OpBuilder at(view);
    view.getByteShiftMutable().assign(arith::ConstantIndexOp::create(at, view.getLoc(), offsetOf(index)));
  }
  return b.getArrayAttr(described);
}

void StaticPlanner::describe(const RegionPlan &plan, ArrayAttr constants) {
  Builder b(main.getContext());
  auto number = [&](StringRef name, int64_t value) { return b.getNamedAttr(name, b.getI64IntegerAttr(value)); };
  SmallVector<Attribute> used, places;
  int64_t bytes = 0, bound = 0, base = 0;
  SmallVector<int64_t> bases;
  for (auto [region, placed] : llvm::zip_equal(regions, plan.regions)) {
    used.push_back(b.getDictionaryAttr({number("base", base), number("bytes", placed.bytes),
                                        b.getNamedAttr("name", b.getStringAttr(region.name))}));
    bases.push_back(base);
    base += llvm::alignTo(placed.bytes, alignment);
    bytes += placed.bytes;
  }
  for (const RegionBuffer &buffer : buffers)
    bound = std::max(bound, liveAt(buffer.buffer.begin));
  for (const RegionBuffer &buffer : ArrayRef(buffers).drop_front(storages.size()))
    places.push_back(b.getDictionaryAttr({number("offset", buffer.buffer.offset), number("region", buffer.region)}));
  OpBuilder at = OpBuilder::atBlockBegin(&main.front());
  SmallVector<Value> offsets;
  for (const RegionBuffer &buffer : ArrayRef(buffers).take_front(storages.size()))
    offsets.push_back(arith::ConstantIndexOp::create(at, main.getLoc(), bases[buffer.region] + buffer.buffer.offset));
  for (auto [storage, offset] : llvm::zip_equal(storages, offsets))
    replaceByView(storage, main.getArgument(kScratchArgument), offset);
  NamedAttrList entries({number("bound", bound), number("buffers", buffers.size()), number("bytes", bytes),
                         b.getNamedAttr("places", b.getArrayAttr(places)),
                         b.getNamedAttr("regions", b.getArrayAttr(used)), number("slots", 0)});
  if (Attribute greedy = main->removeAttr(kGreedyAttr))
    entries.set("greedy", greedy);
  if (constants)
    entries.set("constants", constants);
  main->getParentOfType<ModuleOp>()->setAttr(kPlanAttr, entries.getDictionary(main.getContext()));
}

/// What is live while a layer or a loop runs, for the report.
void StaticPlanner::describeLayers() {
  for (auto [position, op] : llvm::enumerate(main.front()))
    if (!isPure(&op) && !op.hasTrait<OpTrait::IsTerminator>() && !isa<memref::AllocOp>(op))
      op.setDiscardableAttr(kLiveAttr, Builder(main.getContext()).getI64IntegerAttr(liveAt(position)));
}

LogicalResult StaticPlanner::run() {
  if (failed(addStorages()) || (placesInterface && failed(addInterface())))
    return failure();
  addOverlaps();
  describeLayers();
  RegionPlan plan = planRegions(buffers, regions, alignment, overlaps);
  if (plan.missing)
    return explainMissing(plan);
  FailureOr<ArrayAttr> constants = placeConstants();
  if (failed(constants))
    return failure();
  describe(plan, *constants);
  return success();
}

namespace {
struct PlanRegions : mlir::qtensor::impl::PlanRegionsBase<PlanRegions> {
  using PlanRegionsBase::PlanRegionsBase;

  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.getNumArguments() < kFirstTensorArgument || main.isExternal()) {
      getOperation().emitError("@main has no %scratch argument; qtensor-make-entry must run first");
      return signalPassFailure();
    }
    if (getOperation()->hasAttr(kPlanAttr))
      return; // An IR file that was already at this point.
    auto isBuffer = [](Type type) { return isa<MemRefType>(type); };
    if (!getOperation()->getAttrOfType<ArrayAttr>(kInputsAttr) ||
        !llvm::all_of(main.getArgumentTypes().drop_front(kFirstTensorArgument), isBuffer)) {
      getOperation().emitError("the module names no inputs, or @main has an argument that is no buffer; qtensor-make-entry must run first");
      return signalPassFailure();
    }
    SmallVector<ArenaRegion> memories, flash;
    if (failed(readRegions(memories, flash)))
      return signalPassFailure();
    resolveExtents(main);
    if (failed(StaticPlanner(main, memories, flash, alignment, placesInterface).run()))
      signalPassFailure();
  }

private:
  /// Memories of activations, at least one, and of constants.
  LogicalResult readRegions(SmallVector<ArenaRegion> &memories, SmallVector<ArenaRegion> &flash) {
    for (const std::string &text : regions) {
      ArenaRegion region;
      if (!parseRegion(text, region))
        return getOperation().emitError() << "a memory is name:bytes or name:bytes:cost (as dtcm:64K:1), with :constants or "
                                             ":copies behind it where it is for weights; got '"
                                          << text << "'";
      SmallVector<ArenaRegion> &group = region.use == ArenaRegion::Activations ? memories : flash;
      auto isSame = [&](const ArenaRegion &other) { return StringRef(other.name).equals_insensitive(region.name); };
      if (llvm::any_of(group, isSame))
        return getOperation().emitError() << "two memories " << (&group == &flash ? "of constants " : "") << "are called '"
                                          << region.name << "', in capitals or not; give each a name of its own";
      group.push_back(region);
    }
    if (memories.empty())
      memories.push_back({"arena"});
    for (ArenaRegion &region : memories)
      region.size = std::min(region.size, kMostAddressable);
    if (!flash.empty() && llvm::none_of(flash, [](auto &r) { return r.use == ArenaRegion::Constants; }))
      return getOperation().emitError("there is a memory of copies, but none that they are copied from; add one as flash:1M:2:constants");
    return success();
  }
};
} // namespace
