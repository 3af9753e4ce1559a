// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quantize/ConstantData.h"
#include "lib/Transforms/Firmware/KernelTable.h"
#include "lib/Transforms/Firmware/Passes.h"
#include "qtensor/Target.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_PACKLAYERS
#include "lib/Transforms/Firmware/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

/// The integers of a constant operand, of any width, from little-endian bytes.
template <typename T>
static FailureOr<std::vector<T>> readNumbers(qnn::LayerOpInterface op, Value operand) {
  arith::ConstantOp constant = getConstantSource(operand);
  if (!constant)
    return op->emitOpError("has a weight, bias, multiplier or shift that is not constant; kernels arrange constants while compiling"),
           failure();
  auto type = cast<RankedTensorType>(operand.getType());
  std::vector<char> bytes = readBytes(cast<ElementsAttr>(constant.getValue()));
  int64_t width = type.getElementTypeBitWidth() / 8, count = type.getNumElements();
  if (width == 0 || int64_t(bytes.size()) != width * count)
    return op->emitOpError("has a constant of ") << bytes.size() << " bytes for the type " << type, failure();
  std::vector<T> numbers;
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * width, width);
    numbers.push_back(T(llvm::SignExtend64(bits, unsigned(8 * width))));
  }
  return numbers;
}

static LogicalResult readConstants(qnn::LayerOpInterface op, OperandRange weights, ConvLayer &layer, ConvConstants &to) {
  auto w = readNumbers<int32_t>(op, weights[0]);
  auto bias = readNumbers<int64_t>(op, weights[1]);
  auto multiplier = readNumbers<int32_t>(op, weights[2]), shift = readNumbers<int32_t>(op, weights[3]);
  if (failed(w) || failed(bias) || failed(multiplier) || failed(shift))
    return failure();
  to = {std::move(*w), std::move(*bias), std::move(*multiplier), std::move(*shift)};
  // Codes times weights on top of the folded bias, in any order.
  std::vector<int64_t> folded = to.foldedBias(layer);
  int64_t largest = int64_t(1) << (layer.inputBits - 1);
  for (int64_t o = 0; o < layer.out.channels; ++o) {
    int64_t sum = 0;
    for (int64_t ky = 0; ky < layer.window.kernelHeight; ++ky)
      for (int64_t kx = 0; kx < layer.window.kernelWidth; ++kx)
        for (int64_t c = 0; c < (layer.depthwise ? 1 : layer.in.channels); ++c)
          sum += std::abs(int64_t(to.weight(layer, o, ky, kx, c)));
    layer.sumBound = std::max(layer.sumBound, std::abs(folded[o]) + sum * largest);
  }
  return success();
}

namespace {
/// A kernel's choice: its name and its bytes. Empty where none accepts.
struct Packed {
  StringRef kernel;
  std::vector<char> bytes;
};
} // namespace

template <typename L, typename C>
static Packed choose(ArrayRef<const LayerKernel<L, C> *> kernels, const L &layer, const C &constants) {
  for (const LayerKernel<L, C> *kernel : kernels)
    if (kernel->accepts(layer, constants))
      return {kernel->getName(), kernel->pack(layer, constants)};
  return {};
}

static FailureOr<Packed> packLayer(qnn::LayerOpInterface op, Layer &layer, const LayerKernels &kernels) {
  if (auto *conv = std::get_if<ConvLayer>(&layer)) {
    ConvConstants constants;
    if (failed(readConstants(op, op.getWeightOperands(), *conv, constants)))
      return failure();
    return choose<ConvLayer, ConvConstants>(kernels.conv, *conv, constants);
  }
  if (auto *softmax = std::get_if<SoftmaxLayer>(&layer)) {
    auto terms = readNumbers<int32_t>(op, op.getWeightOperands()[0]);
    if (failed(terms))
      return failure();
    return choose<SoftmaxLayer, SoftmaxConstants>(kernels.softmax, *softmax, {std::move(*terms)});
  }
  if (auto *pool = std::get_if<PoolLayer>(&layer))
    return choose<PoolLayer, PoolConstants>(kernels.pool, *pool, {});
  return choose<AddLayer, AddConstants>(kernels.add, std::get<AddLayer>(layer), {});
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
    const LayerKernels *kernels = lookupLayerKernels(target);
    if (!kernels) {
      getOperation().emitError() << "target '" << target << "' has no kernels for layers; see quant-compile --list-targets";
      return signalPassFailure();
    }
    WalkResult walk = getOperation().walk([&](qnn::LayerOpInterface op) {
      return failed(pack(op, *kernels)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult pack(qnn::LayerOpInterface op, const LayerKernels &kernels) {
    if (!op.getKernelName().empty())
      return success();
    std::optional<Layer> layer = describeLayer(op);
    if (!layer)
      return op->emitOpError("has codes that are not 8 or 16 bits wide");
    FailureOr<Packed> packed = packLayer(op, *layer, kernels);
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
