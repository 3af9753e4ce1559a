// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verifiers and folds of the ops that make, read and take apart encoded tensors. Labels in messages are the clauses
// of dialects/QTensor/README.md.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "dialects/QTensor/IR/ComponentBlocks.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::qtensor;

/// Emits `clause` unless `actual` are exactly the plain types of `components`.
static LogicalResult verifyComponents(Operation *op, StringRef clause, TypeRange actual,
                                      ArrayRef<Component> components) {
  if (actual.size() != components.size()) {
    InFlightDiagnostic diag = op->emitOpError() << "clause " << clause << ": the encoding has " << components.size()
                                                << " components here, got " << actual.size();
    for (const Component &component : components)
      diag.attachNote() << component.name << " : " << component.type;
    return diag;
  }
  for (auto [type, component] : llvm::zip_equal(actual, components)) {
    auto shaped = cast<ShapedType>(type);
    if (shaped.getElementType() != component.type.getElementType() ||
        failed(verifyCompatibleShape(shaped.getShape(), component.type.getShape())))
      return op->emitOpError() << "clause " << clause << ": component '" << component.name << "' is "
                               << component.type << ", got " << type;
  }
  return success();
}

static LogicalResult verifySameLogicalType(Operation *op, StringRef clause, RankedTensorType a, RankedTensorType b) {
  if (a.getElementType() != b.getElementType() || failed(verifyCompatibleShape(a.getShape(), b.getShape())))
    return op->emitOpError() << "clause " << clause << ": source and result have the same logical type, got "
                             << stripEncoding(a) << " and " << stripEncoding(b);
  return success();
}

static SmallVector<Component> componentsOf(BlockAttr encoding, ShapedType type) {
  SmallVector<Component> components;
  encoding.getComponents(type.getShape(), type.getContext(), components);
  return components;
}

//===----------------------------------------------------------------------===//
// QuantizeOp
//===----------------------------------------------------------------------===//

LogicalResult QuantizeOp::verify() {
  auto source = cast<RankedTensorType>(getSource().getType()), result = cast<RankedTensorType>(getResult().getType());
  if (source.getEncoding())
    return emitOpError() << "clause Q1: the source is a plain tensor; read an encoded one with qtensor.dequantize";
  BlockAttr encoding = getBlockEncoding(result);
  if (!encoding)
    return emitOpError() << "clause Q1: the result type carries an encoding, got " << result;
  if (failed(verifySameLogicalType(*this, "Q2", source, result)))
    return failure();
  if (getParams().empty())
    return success();
  if (getEncoder())
    return emitOpError() << "clause Q3: an encoder computes parameters; with explicit parameters there is none";
  SmallVector<Component> components = componentsOf(encoding, result);
  return verifyComponents(*this, "Q3", getParams().getTypes(), ArrayRef<Component>(components).drop_front());
}

//===----------------------------------------------------------------------===//
// DequantizeOp, AssembleOp, ComponentOp
//===----------------------------------------------------------------------===//

LogicalResult DequantizeOp::verify() {
  auto source = cast<RankedTensorType>(getSource().getType()), result = cast<RankedTensorType>(getResult().getType());
  if (result.getEncoding())
    return emitOpError() << "clause D1: the result is a plain tensor, got " << result;
  return verifySameLogicalType(*this, "D1", source, result);
}

OpFoldResult DequantizeOp::fold(FoldAdaptor) {
  // Reading a plain tensor is the tensor itself.
  return getSource().getType() == getResult().getType() ? OpFoldResult(getSource()) : OpFoldResult();
}

LogicalResult AssembleOp::verify() {
  auto result = cast<RankedTensorType>(getResult().getType());
  BlockAttr encoding = getBlockEncoding(result);
  if (!encoding)
    return emitOpError() << "clause A1: the result type carries an encoding, got " << result;
  return verifyComponents(*this, "A1", getComponents().getTypes(), componentsOf(encoding, result));
}

LogicalResult ComponentOp::verify() {
  auto source = cast<RankedTensorType>(getSource().getType());
  BlockAttr encoding = getBlockEncoding(source);
  if (!encoding)
    return emitOpError() << "clause P1: the source type carries an encoding, got " << source;
  for (Component &component : componentsOf(encoding, source))
    if (component.name == getName())
      return verifyComponents(*this, "P1", getResult().getType(), component);
  InFlightDiagnostic diag = emitOpError() << "clause P1: no component '" << getName() << "'";
  for (Component &component : componentsOf(encoding, source))
    diag.attachNote() << "there is " << component.name << " : " << component.type;
  return diag;
}

void ComponentOp::build(OpBuilder &builder, OperationState &state, Value source, StringRef name) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<Component> components;
  getBlockEncoding(type).getComponents(type.getShape(), builder.getContext(), components);
  auto *component = llvm::find_if(components, [&](const Component &c) { return c.name == name; });
  assert(component != components.end() && "the encoding has no such component");
  build(builder, state, component->type, source, builder.getStringAttr(name));
}

OpFoldResult ComponentOp::fold(FoldAdaptor) {
  auto assemble = getSource().getDefiningOp<AssembleOp>();
  if (!assemble)
    return {};
  auto type = cast<RankedTensorType>(getSource().getType());
  for (auto [component, value] : llvm::zip_equal(componentsOf(getBlockEncoding(type), type), assemble.getComponents()))
    if (component.name == getName() && value.getType() == getResult().getType())
      return value;
  return {};
}

//===----------------------------------------------------------------------===//
// InsertOp
//===----------------------------------------------------------------------===//

LogicalResult InsertOp::verify() {
  auto source = getSourceType(), dest = cast<RankedTensorType>(getDest().getType());
  BlockAttr encoding = getBlockEncoding(dest);
  if (source.getEncoding() || !encoding || getResult().getType() != getDest().getType())
    return emitOpError() << "clause I1: a plain source goes into an encoded destination, and the result has its type";
  if (source.getRank() != dest.getRank() || source.getElementType() != dest.getElementType())
    return emitOpError() << "clause I1: source and destination have the same rank and logical element type";
  for (int64_t dim = 0, rank = dest.getRank(); dim < rank; ++dim) {
    int64_t offset = getStaticOffsets()[dim], size = getStaticSizes()[dim];
    if (getStaticStrides()[dim] != 1)
      return emitOpError() << "clause I2: strides are 1, got " << getStaticStrides()[dim] << " in dimension " << dim;
    bool reachesEnd = !ShapedType::isDynamic(offset) && !ShapedType::isDynamic(size) &&
                      offset + size == dest.getDimSize(dim);
    // Every parameter that a block of codes shares with others would be written for those too.
    for (ArrayRef<int64_t> each : getComponentBlocks(encoding)) {
      int64_t block = ShapedType::isDynamic(each[dim]) ? dest.getDimSize(dim) : each[dim];
      if (block == 1)
        continue;
      if (ShapedType::isDynamic(block) ? offset != 0 : ShapedType::isDynamic(offset) || offset % block != 0)
        return emitOpError() << "clause I3: the offset in dimension " << dim
                             << " is not provably a multiple of the block";
      if (!reachesEnd && (ShapedType::isDynamic(size) || ShapedType::isDynamic(block) || size % block != 0))
        return emitOpError() << "clause I3: the size in dimension " << dim
                             << " is not provably a multiple of the block and does not reach the end";
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// RequantizeOp, AsOp
//===----------------------------------------------------------------------===//

LogicalResult RequantizeOp::verify() {
  auto acc = cast<RankedTensorType>(getAccumulator().getType()), result = cast<RankedTensorType>(getResult().getType());
  BlockAttr encoding = getBlockEncoding(result);
  if (!encoding || encoding.getCodec().getKind() != CodecKind::Int)
    return emitOpError() << "clause R1: the result has an integer encoding, got " << result;
  if (!acc.getElementType().isInteger(32) && !acc.getElementType().isInteger(64))
    return emitOpError() << "clause R1: accumulators are i32 or i64, got " << acc.getElementType();
  if (failed(verifyCompatibleShape(acc.getShape(), result.getShape())))
    return emitOpError() << "clause R1: accumulator and result have the same shape";
  if (int64_t(getLow()) > int64_t(getHigh())) // the accessors of signless attributes are unsigned
    return emitOpError() << "clause R2: clamp [" << int64_t(getLow()) << ", " << int64_t(getHigh()) << "] is empty";
  Type multiplier = cast<RankedTensorType>(getMultiplier().getType()).getElementType();
  if (getMap().getFixed() ? !getShift() || !multiplier.isInteger(32) : getShift() || !multiplier.isF32())
    return emitOpError() << "clause R3: a fixed map has i32 multipliers and shifts, a real map f32 multipliers only";
  int64_t axis = getAxis().value_or(0);
  if (axis < 0 || (getAxis() && axis >= acc.getRank()))
    return emitOpError() << "clause R4: axis " << axis << " is outside rank " << acc.getRank();
  int64_t expected = getAxis() ? acc.getDimSize(axis) : 1;
  for (Value value : {getMultiplier(), getShift()}) {
    if (!value)
      continue;
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getRank() != 1 || (!type.isDynamicDim(0) && !ShapedType::isDynamic(expected) &&
                                type.getDimSize(0) != expected))
      return emitOpError() << "clause R4: one multiplier (and shift) per index of the axis, " << expected << ", got "
                           << type;
  }
  return success();
}

LogicalResult AsOp::verify() {
  Block &body = getBody().front();
  if (body.getArgumentTypes() != getInputs().getTypes())
    return emitOpError() << "clause S1: the body's arguments are the inputs";
  auto yield = cast<YieldOp>(body.getTerminator());
  if (yield.getValues().getTypes() != getResults().getTypes())
    return emitOpError() << "clause S1: the body yields the results";
  return success();
}

//===----------------------------------------------------------------------===//
// EncodeOp, DecodeOp
//===----------------------------------------------------------------------===//

/// Ops on buffers read their inputs and write their outputs; on tensors they have no effect.
static void appendEffects(DestinationStyleOpInterface op,
                          SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

/// Results are the destinations when those are tensors, and absent when they are memrefs.
static LogicalResult verifyDestinations(DestinationStyleOpInterface op, StringRef clause) {
  SmallVector<Type> expected;
  for (OpOperand &init : op.getDpsInitsMutable())
    if (isa<RankedTensorType>(init.get().getType()))
      expected.push_back(init.get().getType());
  if (TypeRange(expected) != op->getResultTypes())
    return op->emitOpError() << "clause " << clause << ": one result of the type of each tensor destination";
  return success();
}

LogicalResult EncodeOp::verify() {
  auto source = cast<ShapedType>(getSource().getType());
  if (failed(verifyDestinations(*this, "N1")))
    return failure();
  if (failed(getEncoding().verifyEncoding(source.getShape(), source.getElementType(), [&] { return emitOpError(); })))
    return failure();
  SmallVector<Component> components = componentsOf(getEncoding(), source);
  if (!getParams().empty() &&
      failed(verifyComponents(*this, "N1", getParams().getTypes(), ArrayRef<Component>(components).drop_front())))
    return failure();
  if (getSums())
    components.push_back({"sums", RankedTensorType::get(getEncoding().getGrid(source.getShape()),
                                                        IntegerType::get(getContext(), 32))});
  if (getPacked()) {
    int64_t last = source.getRank() ? source.getShape().back() : 1;
    if (!canPackCodes(getEncoding()) || ShapedType::isDynamic(last))
      return emitOpError() << "clause N3: packed codes have at most 4 bits, blocks of a multiple of 32 or of the whole "
                           << "extent along the last dimension, and that extent is known";
    SmallVector<int64_t> shape(source.getShape());
    shape.back() = getPackedExtent(last);
    components.front().type = components.front().type.clone(shape);
  }
  return verifyComponents(*this, "N1", getOutputs().getTypes(), components);
}

void EncodeOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  appendEffects(*this, effects);
}

LogicalResult DecodeOp::verify() {
  auto output = cast<ShapedType>(getOutput().getType());
  if (failed(verifyDestinations(*this, "N2")))
    return failure();
  return verifyComponents(*this, "N2", getComponents().getTypes(), componentsOf(getEncoding(), output));
}

void DecodeOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  appendEffects(*this, effects);
}

void ContractOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  appendEffects(*this, effects);
}

void EpilogueOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  appendEffects(*this, effects);
}

void AttentionOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  appendEffects(*this, effects);
}

#define GET_OP_CLASSES
#include "dialects/QTensor/IR/QTensorOps.cpp.inc"
