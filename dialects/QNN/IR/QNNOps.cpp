// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What holds for every layer, and what each adds: shapes fit, constants have a length that the layer can use.
#include "dialects/QNN/IR/QNN.h"

using namespace mlir;
using namespace mlir::qnn;

#define GET_OP_CLASSES
#include "dialects/QNN/IR/QNNOps.cpp.inc"

/// Reads of inputs and constants, a write of the destination: only where they are buffers.
template <typename OpTy>
static void collectEffects(OpTy op, SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    bool scratch = op.getScratch() && operand.get() == op.getScratch();
    if (&operand == &op.getInitMutable() || scratch)
      effects.emplace_back(MemoryEffects::Write::get(), &operand, SideEffects::DefaultResource::get());
    if (&operand != &op.getInitMutable())
      effects.emplace_back(MemoryEffects::Read::get(), &operand, SideEffects::DefaultResource::get());
  }
}

/// Static shapes, the right number of operands, and either all constants as operands or a kernel's own.
template <typename OpTy>
static LogicalResult verifyLayer(OpTy op, unsigned inputs, unsigned weights, int64_t rank) {
  for (Value operand : op->getOperands())
    if (!cast<ShapedType>(operand.getType()).hasStaticShape())
      return op.emitOpError("has an operand of type ") << operand.getType() << "; shapes of layers are static";
  if (op.getInputs().size() != inputs)
    return op.emitOpError("has ") << op.getInputs().size() << " inputs, takes " << inputs;
  if (op.getKernel() ? !op.getWeights().empty() : op.getWeights().size() != weights)
    return op.emitOpError("has ") << op.getWeights().size() << " constant operands; a layer without kernel has " << weights
                                  << ", one with a kernel has none";
  if (rank && (op.getOutputType().getRank() != rank || op.getInputType().getRank() != rank))
    return op.emitOpError("has operands of rank ") << op.getInputType().getRank() << " and " << op.getOutputType().getRank()
                                                   << ", takes " << rank;
  bool tensor = isa<RankedTensorType>(op.getInit().getType());
  if (op->getNumResults() != (tensor ? 1 : 0) || (tensor && op->getResult(0).getType() != op.getInit().getType()))
    return op.emitOpError("has one result, of its destination's type, where that is a tensor");
  return success();
}

/// Extent of the output along an axis: the windows that fit the padded input.
template <typename OpTy>
static LogicalResult verifyWindow(OpTy op) {
  auto pairs = {op.getWindow().size(), op.getStrides().size(), op.getDilations().size()};
  if (llvm::any_of(pairs, [](size_t size) { return size != 2; }) || op.getPads().size() != 4)
    return op.emitOpError("has a window, strides and dilations of 2 numbers and pads of 4");
  auto in = op.getInputType(), out = op.getOutputType();
  for (unsigned i : {0u, 1u}) {
    if (op.getWindow()[i] < 1 || op.getStrides()[i] < 1 || op.getDilations()[i] < 1 || op.getPads()[i] < 0 ||
        op.getPads()[i + 2] < 0)
      return op.emitOpError("has a window, stride, dilation or padding out of range along axis ") << i;
    int64_t room = in.getDimSize(1 + i) + op.getPads()[i] + op.getPads()[i + 2] - (op.getWindow()[i] - 1) * op.getDilations()[i];
    int64_t windows = room < 1 ? 0 : (room - 1) / op.getStrides()[i] + 1;
    if (out.getDimSize(1 + i) > windows)
      return op.emitOpError("makes ") << out.getDimSize(1 + i) << " windows along axis " << i << ", the padded input has "
                                      << windows;
  }
  if (in.getDimSize(0) != out.getDimSize(0))
    return op.emitOpError("has batches of ") << in.getDimSize(0) << " and " << out.getDimSize(0);
  return success();
}

/// Weights of `shape`; bias, multiplier and shift for one or `channels` channels.
template <typename OpTy>
static LogicalResult verifyWeights(OpTy op, ArrayRef<int64_t> shape, int64_t channels) {
  if (int64_t(op.getLow()) > int64_t(op.getHigh()))
    return op.emitOpError("clamps to [") << int64_t(op.getLow()) << ", " << int64_t(op.getHigh()) << "]";
  if (op.getKernel())
    return success();
  auto weights = cast<ShapedType>(op.getWeights()[0].getType());
  if (weights.getShape() != shape)
    return op.emitOpError("has weights of type ") << weights << ", the layer needs the shape [" << shape << "]";
  for (Value constant : op.getWeights().slice(1, 3))
    if (auto type = cast<ShapedType>(constant.getType());
        type.getRank() != 1 || (type.getDimSize(0) != 1 && type.getDimSize(0) != channels))
      return op.emitOpError("has a bias, multiplier or shift of type ") << type << "; it needs 1 or " << channels << " elements";
  return success();
}

/// Factors for the groups of weights of `shape`, a channel first. Products with them are summed in 64 bits.
template <typename OpTy>
static LogicalResult verifyGroups(OpTy op, ArrayRef<int64_t> shape) {
  std::optional<ArrayRef<int64_t>> groups = op.getGroups();
  if (!groups)
    return success();
  if (groups->size() + 1 != shape.size() || llvm::any_of(*groups, [](int64_t size) { return size < 1; }))
    return op.emitOpError("has groups of [") << *groups << "]; they have " << shape.size() - 1 << " extents of at least 1";
  qtensor::FinalMapAttr map = op.getMap();
  if (!map.getFixed() || map.getMode() != qtensor::FixedMode::X16)
    return op.emitOpError("has groups and the map ") << map << "; products with factors need fixed<x16>";
  if (op.getKernel())
    return success();
  SmallVector<int64_t> expected{shape[0]};
  for (auto [extent, size] : llvm::zip_equal(shape.drop_front(), *groups))
    expected.push_back((extent + size - 1) / size);
  auto factors = cast<ShapedType>(op.getWeights()[4].getType());
  if (factors.getShape() != ArrayRef(expected) || !factors.getElementType().isInteger(32))
    return op.emitOpError("has factors of type ") << factors << ", its groups need i32 of the shape [" << ArrayRef(expected) << "]";
  return success();
}

void Conv2DOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  collectEffects(*this, effects);
}
LogicalResult Conv2DOp::verify() {
  if (failed(verifyLayer(*this, getSum() ? 2 : 1, getGroups() ? 5 : 4, 4)) || failed(verifyWindow(*this)))
    return failure();
  if (getSum() && getInputType(1).getShape() != getOutputType().getShape())
    return emitOpError("adds the shape [") << getInputType(1).getShape() << "] to [" << getOutputType().getShape() << "]";
  int64_t channels = getOutputType().getDimSize(3), from = getInputType().getDimSize(3), parts = getChannelGroups();
  if (parts < 1 || channels % parts || from % parts)
    return emitOpError("has ") << parts << " groups of channels, which must divide the " << from << " it reads and the "
                               << channels << " it makes";
  if (parts > 1 && (getGroups() || getSum()))
    return emitOpError("has groups of channels and ")
           << (getGroups() ? "groups of weights" : "a sum") << "; it takes one of them";
  int64_t shape[] = {channels, getWindow()[0], getWindow()[1], from / parts};
  return failed(verifyWeights(*this, shape, channels)) ? failure() : verifyGroups(*this, shape);
}
int64_t Conv2DOp::countMultiplications() {
  return getOutputType().getNumElements() * getWindow()[0] * getWindow()[1] * getInputType().getDimSize(3) /
         getChannelGroups();
}

void DepthwiseConv2DOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  collectEffects(*this, effects);
}
LogicalResult DepthwiseConv2DOp::verify() {
  if (failed(verifyLayer(*this, 1, 4, 4)) || failed(verifyWindow(*this)))
    return failure();
  int64_t channels = getOutputType().getDimSize(3), from = getInputType().getDimSize(3);
  if (from == 0 || channels % from)
    return emitOpError("makes ") << channels << " channels of " << from << "; the number must be a multiple";
  return verifyWeights(*this, {getWindow()[0], getWindow()[1], channels}, channels);
}
int64_t DepthwiseConv2DOp::countMultiplications() {
  return getOutputType().getNumElements() * getWindow()[0] * getWindow()[1];
}

void FullyConnectedOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  collectEffects(*this, effects);
}
LogicalResult FullyConnectedOp::verify() {
  if (failed(verifyLayer(*this, 1, getGroups() ? 5 : 4, 2)))
    return failure();
  int64_t channels = getOutputType().getDimSize(1);
  if (getInputType().getDimSize(0) != getOutputType().getDimSize(0))
    return emitOpError("has ") << getInputType().getDimSize(0) << " rows of input, " << getOutputType().getDimSize(0) << " of output";
  int64_t shape[] = {channels, getInputType().getDimSize(1)};
  return failed(verifyWeights(*this, shape, channels)) ? failure() : verifyGroups(*this, shape);
}
int64_t FullyConnectedOp::countMultiplications() {
  return getOutputType().getNumElements() * getInputType().getDimSize(1);
}

void Pool2DOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  collectEffects(*this, effects);
}
LogicalResult Pool2DOp::verify() {
  if (failed(verifyLayer(*this, 1, 0, 4)) || failed(verifyWindow(*this)))
    return failure();
  if (getInputType().getDimSize(3) != getOutputType().getDimSize(3))
    return emitOpError("has ") << getInputType().getDimSize(3) << " channels of input, " << getOutputType().getDimSize(3) << " of output";
  if (!getMean())
    return success();
  bool bytes = getInputType().getElementType().isInteger(8) && getOutputType().getElementType().isInteger(8);
  if (getMax() || !bytes || getWindow()[0] * getWindow()[1] >= int64_t(1) << 23)
    return emitOpError("has a mean; it is of codes of 8 bits, of windows of less than 2^23 codes, and no maximum");
  return success();
}
int64_t Pool2DOp::countMultiplications() { return getOutputType().getNumElements() * getWindow()[0] * getWindow()[1]; }

void AddOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  collectEffects(*this, effects);
}
LogicalResult AddOp::verify() {
  if (failed(verifyLayer(*this, 2, 0, 0)))
    return failure();
  if (getZeros().size() != 2 || getMultipliers().size() != 3 || getShifts().size() != 3)
    return emitOpError("has 2 zeros, 3 multipliers and 3 shifts");
  for (unsigned i : {0u, 1u})
    if (getInputType(i).getShape() != getOutputType().getShape())
      return emitOpError("adds shapes that differ: [") << getInputType(i).getShape() << "] and [" << getOutputType().getShape() << "]";
  return success();
}
int64_t AddOp::countMultiplications() { return getOutputType().getNumElements(); }

void MulOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  collectEffects(*this, effects);
}
std::optional<MulOp::Repeats> MulOp::findRepeats(ArrayRef<int64_t> second, ArrayRef<int64_t> shape) {
  if (second.size() > shape.size())
    return std::nullopt;
  size_t lead = shape.size() - second.size(), end = shape.size();
  auto extent = [&](size_t i) { return i < lead ? 1 : second[i - lead]; };
  Repeats found;
  for (; end > 0 && extent(end - 1) == shape[end - 1]; --end)
    found.length *= shape[end - 1];
  for (; end > 0 && extent(end - 1) == 1; --end)
    found.rows *= shape[end - 1];
  for (; end > 0 && extent(end - 1) == shape[end - 1]; --end)
    found.batch *= shape[end - 1];
  return end == 0 ? std::optional(found) : std::nullopt;
}
LogicalResult MulOp::verify() {
  if (failed(verifyLayer(*this, 2, 0, 0)))
    return failure();
  if (getZeros().size() != 2 || llvm::any_of(getZeros(), [](int64_t zero) { return !llvm::isInt<16>(zero); }))
    return emitOpError("has 2 zeros, of 16 bits at most");
  if (!llvm::isInt<32>(int64_t(getMultiplier())) || !llvm::isInt<32>(int64_t(getShift())))
    return emitOpError("has a multiplier and a shift of 32 bits");
  if (getInputType(0).getShape() != getOutputType().getShape() ||
      !findRepeats(getInputType(1).getShape(), getOutputType().getShape()))
    return emitOpError("multiplies the shapes [") << getInputType(0).getShape() << "] and [" << getInputType(1).getShape()
                                                  << "] to [" << getOutputType().getShape()
                                                  << "]; the first is the result's, the second may be 1 along neighbouring dimensions";
  return success();
}
int64_t MulOp::countMultiplications() { return getOutputType().getNumElements(); }

void SoftmaxOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  collectEffects(*this, effects);
}
LogicalResult SoftmaxOp::verify() {
  if (failed(verifyLayer(*this, 1, 1, 0)))
    return failure();
  if (getInputType().getShape() != getOutputType().getShape() || getInputType().getRank() == 0)
    return emitOpError("keeps the shape of its input, which has rows");
  if (!getKernel() && cast<ShapedType>(getWeights()[0].getType()).getNumElements() != 256)
    return emitOpError("has a table of 256 terms, one for each difference of two codes of 8 bits");
  return success();
}
int64_t SoftmaxOp::countMultiplications() { return getOutputType().getNumElements(); }
