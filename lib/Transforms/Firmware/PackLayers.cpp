// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/FastMap.h"
#include "lib/Transforms/Firmware/KernelTable.h"
#include "lib/Transforms/Firmware/LayerConstants.h"
#include "lib/Transforms/Firmware/Passes.h"
#include "lib/Transforms/Firmware/ScratchLimit.h"
#include "lib/Transforms/Plan/Passes.h"
#include "qtensor/Target.h"
#include "llvm/ADT/StringSwitch.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_PACKLAYERS
#include "lib/Transforms/Firmware/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

namespace {
/// A kernel's choice: its name and its bytes. Empty where none accepts.
struct Packed {
  StringRef kernel;
  std::vector<char> bytes;
};
} // namespace

/// Whether the memory that a kernel wants is there.
using Fits = llvm::function_ref<bool(const LayerMemory &memory)>;

template <typename L, typename C>
static Packed choose(ArrayRef<const LayerKernel<L, C> *> kernels, const L &layer, const C &constants, Fits fits) {
  const LayerKernel<L, C> *kernel = findKernel<L, C>(kernels, layer, constants);
  if (!kernel)
    return {};
  const LayerKernel<L, C> *twin = kernel->getFrugalTwin();
  if (twin && canCompute(*twin, layer, constants) && !fits(memoryOf(*kernel, layer)))
    kernel = twin;
  return {kernel->getName(), kernel->pack(layer, constants)};
}

static FailureOr<Packed> packLayer(qnn::LayerOpInterface op, Layer &layer, const LayerKernels &kernels, Preference preference,
                                   Fits fits) {
  if (auto *conv = std::get_if<ConvLayer>(&layer)) {
    FailureOr<ConvConstants> constants = readConvConstants(op);
    if (failed(constants))
      return failure();
    conv->sumBound = boundOfSums(*conv, *constants);
    conv->preferSpeed = preference == Preference::Speed;
    return choose<ConvLayer, ConvConstants>(kernels.conv, *conv, *constants, fits);
  }
  if (auto *softmax = std::get_if<SoftmaxLayer>(&layer)) {
    auto terms = readNumbers<int32_t>(op, op.getWeightOperands()[0]);
    if (failed(terms))
      return failure();
    return choose<SoftmaxLayer, SoftmaxConstants>(kernels.softmax, *softmax, {std::move(*terms)}, fits);
  }
  if (auto *pool = std::get_if<PoolLayer>(&layer))
    return choose<PoolLayer, PoolConstants>(kernels.pool, *pool, {}, fits);
  if (auto *mul = std::get_if<MulLayer>(&layer))
    return choose<MulLayer, MulConstants>(kernels.mul, *mul, {}, fits);
  return choose<AddLayer, AddConstants>(kernels.add, std::get<AddLayer>(layer), {}, fits);
}

/// Bytes as a constant that is kept outside of the IR's own tables.
static Value makeBytes(OpBuilder &b, Location loc, ArrayRef<char> bytes) {
  auto type = RankedTensorType::get({int64_t(bytes.size())}, b.getI8Type());
  auto blob = HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, /*align=*/16);
  return arith::ConstantOp::create(b, loc, DenseResourceElementsAttr::get(type, "layer", std::move(blob)));
}

namespace {
struct PackLayers : mlir::qtensor::impl::PackLayersBase<PackLayers> {
  using PackLayersBase::PackLayersBase;

  void runOnOperation() override {
    const LayerKernels *kernels = requireLayerKernels(getOperation(), target);
    if (!kernels)
      return signalPassFailure();
    std::optional<Preference> preference = readPreference();
    if (!preference) {
      getOperation().emitError() << "prefer='" << prefer << "': expected speed, memory or both";
      return signalPassFailure();
    }
    if (getOperation().isExternal())
      return;
    int64_t bytes = room;
    if (auto greedy = getOperation()->getAttrOfType<IntegerAttr>(kGreedyAttr))
      bytes = std::min(bytes, greedy.getInt());
    dropEmptyLayers();
    ScratchLimit limit(getOperation(), *preference, bytes, placesInterface);
    WalkResult walk = getOperation().walk([&](qnn::LayerOpInterface op) {
      return failed(pack(op, *kernels, *preference, limit)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }

private:
  std::optional<Preference> readPreference() const {
    return llvm::StringSwitch<std::optional<Preference>>(prefer)
        .Case("both", Preference::Both)
        .Case("speed", Preference::Speed)
        .Case("memory", Preference::Memory)
        .Default(std::nullopt);
  }

  /// A layer without outputs does nothing, and kernels count on at least one.
  void dropEmptyLayers() {
    getOperation().walk([](qnn::LayerOpInterface op) {
      Value destination = op.getDestination().get();
      if (!llvm::is_contained(cast<ShapedType>(destination.getType()).getShape(), 0))
        return;
      op->replaceAllUsesWith(ValueRange(destination).take_front(op->getNumResults()));
      op->erase();
    });
  }

  LogicalResult pack(qnn::LayerOpInterface op, const LayerKernels &kernels, Preference preference, const ScratchLimit &limit) {
    if (!op.getKernelName().empty())
      return success();
    std::optional<Layer> layer = describeLayer(op);
    if (!layer)
      return op->emitOpError("has codes that are not 8 or 16 bits wide");
    FailureOr<Packed> packed = packLayer(
        op, *layer, kernels, preference, [&](const LayerMemory &memory) { return limit.allows(op, memory); });
    if (failed(packed))
      return failure();
    if (packed->kernel.empty())
      return op->emitOpError("has no kernel on target '") << target << "'";
    OpBuilder b(op);
    op.setKernelName(packed->kernel);
    op.getWeightOperandsMutable().clear();
    if (!packed->bytes.empty())
      op.getPackedConstantsMutable().assign(makeBytes(b, op->getLoc(), packed->bytes));
    return success();
  }
};
} // namespace
