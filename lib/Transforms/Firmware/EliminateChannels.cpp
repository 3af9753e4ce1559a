// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/DeadChannels.h"
#include "lib/Transforms/Firmware/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_ELIMINATECHANNELS
#include "lib/Transforms/Firmware/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

/// The channels of a value that stay.
static SmallVector<int64_t> keptChannels(const DeadChannels &channels, Value value) {
  const llvm::BitVector &removed = channels.getRemoved(value);
  SmallVector<int64_t> kept;
  for (int64_t i = 0, count = cast<RankedTensorType>(value.getType()).getShape().back(); i < count; ++i)
    if (removed.empty() || !removed.test(unsigned(i)))
      kept.push_back(i);
  return kept;
}

static RankedTensorType withChannels(Type type, int64_t count) {
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<int64_t> shape(tensor.getShape());
  shape.back() = count;
  return tensor.clone(shape);
}

/// A list of numbers for each channel, or of one for all, for the channels that stay.
template <typename T> static SmallVector<int64_t> selectNumbers(const std::vector<T> &list, ArrayRef<int64_t> kept) {
  if (list.size() == 1)
    return {list[0]};
  SmallVector<int64_t> numbers;
  for (int64_t o : kept)
    numbers.push_back(list[o]);
  return numbers;
}

/// Weights between channels that stay, in their order.
static SmallVector<int64_t> selectWeights(const ProductLayer &product, ArrayRef<int64_t> outputs,
                                          ArrayRef<int64_t> inputs) {
  const Window &w = product.layer.window;
  SmallVector<int64_t> numbers;
  auto append = [&](int64_t o, int64_t ky, int64_t kx, int64_t c) {
    numbers.push_back(product.constants.weight(product.layer, o, ky, kx, c));
  };
  if (product.layer.depthwise) {
    for (int64_t ky = 0; ky < w.kernelHeight; ++ky)
      for (int64_t kx = 0; kx < w.kernelWidth; ++kx)
        for (int64_t o : outputs)
          append(o, ky, kx, 0);
    return numbers;
  }
  for (int64_t o : outputs)
    for (int64_t ky = 0; ky < w.kernelHeight; ++ky)
      for (int64_t kx = 0; kx < w.kernelWidth; ++kx)
        for (int64_t c : inputs)
          append(o, ky, kx, c);
  return numbers;
}

/// The factors of the groups of the outputs that stay.
static SmallVector<int64_t> selectFactors(const ProductLayer &product, ArrayRef<int64_t> outputs) {
  const std::vector<int32_t> &factors = product.constants.factors;
  int64_t each = int64_t(factors.size()) / product.layer.out.channels;
  SmallVector<int64_t> numbers;
  for (int64_t o : outputs)
    numbers.append(factors.begin() + o * each, factors.begin() + (o + 1) * each);
  return numbers;
}

static RankedTensorType withOutputs(RankedTensorType type, size_t outputs) {
  SmallVector<int64_t> shape(type.getShape());
  shape.front() = int64_t(outputs);
  return type.clone(shape);
}

/// Biases with what the constant channels bring that are read no more.
static SmallVector<int64_t> foldBias(const ProductLayer &product, const DeadChannels &channels, Value input,
                                     ArrayRef<int64_t> outputs) {
  const llvm::BitVector &removed = channels.getRemoved(input);
  SmallVector<int64_t> numbers;
  for (int64_t o : outputs) {
    int64_t bias = product.constants.bias[product.constants.bias.size() == 1 ? 0 : o];
    if (!product.layer.depthwise)
      for (unsigned c : removed.set_bits())
        if (std::optional<int64_t> code = channels.getConstant(input, c))
          bias += product.contribution(o, c, *code);
    numbers.push_back(bias);
  }
  return numbers;
}

namespace {
struct EliminateChannels : mlir::qtensor::impl::EliminateChannelsBase<EliminateChannels> {
  using EliminateChannelsBase::EliminateChannelsBase;
  void runOnOperation() override;
};

/// What the products of a function amount to.
struct Amount {
  int64_t products = 0, weights = 0;
  static Amount of(func::FuncOp function);
};
} // namespace

Amount Amount::of(func::FuncOp function) {
  Amount amount;
  function.walk([&](qnn::LayerOpInterface op) {
    if (!isa<qnn::Conv2DOp, qnn::DepthwiseConv2DOp, qnn::FullyConnectedOp>(*op) || op.getWeightOperands().empty())
      return;
    amount.products += op.countMultiplications();
    amount.weights += cast<ShapedType>(op.getWeightOperands()[0].getType()).getNumElements();
  });
  return amount;
}

/// The constants of a layer whose inputs and outputs have lost channels.
static SmallVector<Value> rewriteConstants(OpBuilder &b, qnn::LayerOpInterface op, const ProductLayer &product,
                                           const DeadChannels &channels) {
  Value input = op.getLayerInputs()[0];
  SmallVector<int64_t> inputs = keptChannels(channels, input), outputs = keptChannels(channels, op->getResult(0));
  auto typeOf = [&](unsigned i) { return cast<RankedTensorType>(op.getWeightOperands()[i].getType()); };
  auto listOf = [&](unsigned i, ArrayRef<int64_t> numbers) {
    return makeNumbers(b, op->getLoc(), typeOf(i).clone({int64_t(numbers.size())}), numbers);
  };
  SmallVector<int64_t> shape(typeOf(0).getShape());
  if (!product.layer.depthwise)
    shape.front() = int64_t(outputs.size());
  shape.back() = int64_t(product.layer.depthwise ? outputs.size() : inputs.size());
  SmallVector<Value> constants{makeNumbers(b, op->getLoc(), typeOf(0).clone(shape), selectWeights(product, outputs, inputs)),
                               listOf(1, foldBias(product, channels, input, outputs)),
                               listOf(2, selectNumbers(product.constants.multiplier, outputs)),
                               listOf(3, selectNumbers(product.constants.shift, outputs))};
  if (product.layer.groups)
    constants.push_back(makeNumbers(b, op->getLoc(), withOutputs(typeOf(4), outputs.size()), selectFactors(product, outputs)));
  return constants;
}

/// A copy of an op on values with fewer channels; the mapping knows its inputs.
static void rewrite(Operation *op, const DeadChannels &channels, IRMapping &mapping) {
  OpBuilder b(op);
  RankedTensorType type =
      withChannels(op->getResult(0).getType(), int64_t(keptChannels(channels, op->getResult(0)).size()));
  SmallVector<Value> constants;
  if (const ProductLayer *product = channels.getProduct(op))
    constants = rewriteConstants(b, cast<qnn::LayerOpInterface>(op), *product, channels);
  if (auto layer = dyn_cast<DestinationStyleOpInterface>(op))
    mapping.map(layer.getDpsInits()[0],
                tensor::EmptyOp::create(b, op->getLoc(), type.getShape(), type.getElementType()));
  Operation *copy = b.clone(*op, mapping);
  copy->getResult(0).setType(type);
  if (!constants.empty())
    cast<qnn::LayerOpInterface>(copy).getWeightOperandsMutable().assign(constants);
  mapping.map(op->getResult(0), copy->getResult(0));
}

void EliminateChannels::runOnOperation() {
  func::FuncOp function = getOperation();
  FailureOr<DeadChannels> channels = DeadChannels::analyze(function);
  if (failed(channels))
    return signalPassFailure();
  int64_t count = channels->countRemoved();
  if (count == 0)
    return;
  Amount before = Amount::of(function);
  SmallVector<Operation *> changed;
  function.walk([&](Operation *op) {
    auto loses = [&](Value value) { return channels->getRemoved(value).any(); };
    if (llvm::any_of(op->getOperands(), loses) || llvm::any_of(op->getResults(), loses))
      changed.push_back(op);
  });
  IRMapping mapping;
  for (Operation *op : changed)
    rewrite(op, *channels, mapping);
  for (Operation *op : llvm::reverse(changed)) {
    // Nobody loses channels of a value that all its readers need.
    Value result = op->getResult(0);
    if (!channels->getRemoved(result).any())
      result.replaceAllUsesWith(mapping.lookup(result));
    llvm::SetVector<Operation *> constants;
    for (Value operand : op->getOperands())
      if (Operation *made = operand.getDefiningOp(); isa_and_nonnull<arith::ConstantOp, tensor::EmptyOp>(made))
        constants.insert(made);
    op->erase();
    for (Operation *made : constants)
      if (isOpTriviallyDead(made))
        made->erase();
  }
  if (!report)
    return;
  Amount after = Amount::of(function);
  llvm::errs() << count << " channels removed; " << after.products << " of " << before.products
               << " multiplications and " << after.weights << " of " << before.weights << " weights are left\n";
}
