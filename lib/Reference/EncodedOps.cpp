// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ops that make, read and take apart encoded tensors, and the tensor ops that keep an encoding.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Reference/Codec.h"
#include "lib/Reference/EncodedRules.h"
#include "lib/Reference/FinalMap.h"
#include "lib/Reference/IntegerRules.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

/// Gives an encoded result its components and decoded values.
static LogicalResult setEncoded(Operation *op, Evaluation &evaluation, ArrayRef<int64_t> shape,
                                ArrayRef<Tensor> components, unsigned result = 0) {
  auto type = cast<RankedTensorType>(op->getResult(result).getType());
  FailureOr<Tensor> values =
      decodeTensor(getBlockEncoding(type), shape, type.getElementType(), components, [&] { return op->emitOpError(); });
  if (failed(values))
    return failure();
  evaluation.set(op->getResult(result), values->withComponents(components));
  return success();
}

static SmallVector<Tensor> getAll(ValueRange values, Evaluation &evaluation) {
  return llvm::map_to_vector(values, [&](Value value) { return evaluation.get(value); });
}

static LogicalResult evaluateQuantize(QuantizeOp op, Evaluation &evaluation) {
  if (op.getEncoder() && *op.getEncoder() != "absmax")
    return op.emitOpError("reference: encoder \"")
           << *op.getEncoder() << "\" is not known here; give its parameters, or run qtensor-encode-constants if it rounds a constant";
  Tensor source = evaluation.get(op.getSource());
  FailureOr<SmallVector<Tensor>> components = encodeTensor(
      getBlockEncoding(op.getType()), source, getAll(op.getParams(), evaluation), [&] { return op.emitOpError(); });
  return failed(components) ? failure() : setEncoded(op, evaluation, source.getShape(), *components);
}

static LogicalResult evaluateDequantize(DequantizeOp op, Evaluation &evaluation) {
  evaluation.set(op.getResult(), evaluation.get(op.getSource()).withoutComponents());
  return success();
}

static LogicalResult evaluateAssemble(AssembleOp op, Evaluation &evaluation) {
  SmallVector<Tensor> components = getAll(op.getComponents(), evaluation);
  SmallVector<int64_t> shape(components[0].getShape());
  return setEncoded(op, evaluation, shape, components);
}

static LogicalResult evaluateComponent(ComponentOp op, Evaluation &evaluation) {
  Tensor source = evaluation.get(op.getSource());
  SmallVector<Component> types = getComponentTypes(getBlockEncoding(op.getSource().getType()), source.getShape());
  for (auto [type, component] : llvm::zip_equal(types, source.getComponents()))
    if (type.name == op.getName()) {
      evaluation.set(op.getResult(), component);
      return success();
    }
  return op.emitOpError("reference: no component of this name");
}

//===----------------------------------------------------------------------===//
// Slices and reshapes of encoded tensors
//===----------------------------------------------------------------------===//

/// Copies the element of `from` for every element of `to`; `map` gives the source index of a destination index.
static void copyElements(Tensor &to, const Tensor &from, function_ref<int64_t(ArrayRef<int64_t>)> map) {
  SmallVector<int64_t> index(to.getRank()), strides = to.getStrides();
  for (int64_t position = 0, count = to.getNumElements(); position < count; ++position) {
    for (auto [dim, extent] : llvm::enumerate(to.getShape()))
      index[dim] = position / strides[dim] % extent;
    to.setBits(position, from.getBits(map(index)));
  }
}

LogicalResult mlir::qtensor::reference::evaluateEncodedSlice(tensor::ExtractSliceOp op, Evaluation &evaluation) {
  Tensor source = evaluation.get(op.getSource());
  BlockAttr encoding = getBlockEncoding(op.getType());
  SmallVector<int64_t> offsets = evaluation.getIndices(op.getMixedOffsets());
  SmallVector<int64_t> sizes = evaluation.getIndices(op.getMixedSizes());
  if (op.getDroppedDims().any() ||
      !llvm::all_of(evaluation.getIndices(op.getMixedStrides()), [](int64_t stride) { return stride == 1; }))
    return op.emitOpError("reference: an encoded slice keeps its rank and has unit strides");
  for (auto [offset, size, extent] : llvm::zip_equal(offsets, sizes, source.getShape()))
    if (offset < 0 || size < 0 || offset + size > extent)
      return op.emitOpError("reference: the slice at [")
             << offsets << "] of sizes [" << sizes << "] is not inside [" << source.getShape() << "]";
  SmallVector<Tensor> components;
  for (auto [type, component, steps] : llvm::zip_equal(getComponentTypes(encoding, sizes), source.getComponents(),
                                                       getComponentSteps(encoding, source.getShape()))) {
    FailureOr<Tensor> part = evaluation.allocate(op, component.getElementType(), type.type.getShape());
    if (failed(part))
      return failure();
    SmallVector<int64_t> strides = component.getStrides();
    for (auto [offset, step] : llvm::zip_equal(offsets, steps))
      if (offset % step != 0)
        return op.emitOpError("reference: the slice at [")
               << offsets << "] splits a block of component '" << type.name << "'";
    copyElements(*part, component, [&, &steps = steps](ArrayRef<int64_t> index) {
      int64_t position = 0;
      for (size_t dim = 0; dim < index.size(); ++dim)
        position += (offsets[dim] / steps[dim] + index[dim]) * strides[dim];
      return position;
    });
    components.push_back(std::move(*part));
  }
  return setEncoded(op, evaluation, sizes, components);
}

LogicalResult mlir::qtensor::reference::setEncodedReshape(Operation *op, Evaluation &evaluation, const Tensor &source,
                                                          ArrayRef<int64_t> shape) {
  BlockAttr encoding = getBlockEncoding(op->getResult(0).getType());
  SmallVector<Tensor> components;
  SmallVector<Component> types = getComponentTypes(encoding, shape);
  if (types.size() != source.getComponents().size())
    return op->emitOpError("reference: the reshape changes the components");
  for (auto [type, component] : llvm::zip_equal(types, source.getComponents())) {
    if (type.type.getNumElements() != component.getNumElements())
      return op->emitOpError("reference: the reshape splits a block of component '") << type.name << "'";
    components.push_back(component.reshaped(type.type.getShape()));
  }
  return setEncoded(op, evaluation, shape, components);
}

LogicalResult mlir::qtensor::reference::setEncodedEmpty(Operation *op, Evaluation &evaluation,
                                                        ArrayRef<int64_t> shape) {
  SmallVector<Tensor> components;
  for (const Component &type : getComponentTypes(getBlockEncoding(op->getResult(0).getType()), shape)) {
    FailureOr<Tensor> part = evaluation.allocate(op, type.type.getElementType(), type.type.getShape());
    if (failed(part))
      return failure();
    components.push_back(std::move(*part));
  }
  return setEncoded(op, evaluation, shape, components);
}

/// qtensor.insert: the slice is encoded on its own and its components replace those of the blocks it covers.
static LogicalResult evaluateInsert(InsertOp op, Evaluation &evaluation) {
  Tensor source = evaluation.get(op.getSource()), dest = evaluation.get(op.getDest());
  BlockAttr encoding = getBlockEncoding(op.getDest().getType());
  SmallVector<int64_t> offsets = evaluation.getIndices(op.getMixedOffsets());
  if (op.getEncoder() && *op.getEncoder() != "absmax")
    return op.emitOpError("reference: encoder \"") << *op.getEncoder() << "\" is not known here";
  if (source.getShape() != ArrayRef<int64_t>(evaluation.getIndices(op.getMixedSizes())))
    return op.emitOpError("reference: the source has shape [") << source.getShape() << "], not the slice's sizes";
  for (auto [offset, size, extent] : llvm::zip_equal(offsets, source.getShape(), dest.getShape()))
    if (offset < 0 || offset + size > extent)
      return op.emitOpError("reference: the slice at [") << offsets << "] is not inside [" << dest.getShape() << "]";
  FailureOr<SmallVector<Tensor>> parts = encodeTensor(encoding, source, {}, [&] { return op.emitOpError(); });
  if (failed(parts))
    return failure();
  SmallVector<Tensor> components(dest.getComponents());
  for (auto [component, part, steps] :
       llvm::zip_equal(components, *parts, getComponentSteps(encoding, dest.getShape()))) {
    SmallVector<int64_t> strides = component.getStrides(), partStrides = part.getStrides();
    for (int64_t position = 0, count = part.getNumElements(); position < count; ++position) {
      int64_t to = 0;
      for (auto [dim, extent] : llvm::enumerate(part.getShape()))
        to += (offsets[dim] / steps[dim] + position / partStrides[dim] % extent) * strides[dim];
      component.setBits(to, part.getBits(position));
    }
  }
  return setEncoded(op, evaluation, SmallVector<int64_t>(dest.getShape()), components);
}

//===----------------------------------------------------------------------===//
// Integer-only arithmetic
//===----------------------------------------------------------------------===//

static LogicalResult evaluateRequantize(RequantizeOp op, Evaluation &evaluation) {
  Tensor accumulator = evaluation.get(op.getAccumulator()), multiplier = evaluation.get(op.getMultiplier());
  Tensor shift = op.getShift() ? evaluation.get(op.getShift()) : Tensor();
  BlockAttr encoding = getBlockEncoding(op.getType());
  SmallVector<Component> types = getComponentTypes(encoding, accumulator.getShape());
  ParamAttr zeroParam = encoding.getZero();
  if (types.size() != 1)
    return op.emitOpError("reference: the result's encoding must be static");
  double zero = zeroParam ? *zeroParam.getScalar() : 0.0;
  FailureOr<Tensor> codes = evaluation.allocate(op, types[0].type.getElementType(), accumulator.getShape());
  if (failed(codes))
    return failure();
  SmallVector<int64_t> strides = accumulator.getStrides();
  Codec codec(encoding.getCodec());
  FinalMapAttr map = op.getMap();
  for (int64_t position = 0, count = accumulator.getNumElements(); position < count; ++position) {
    int64_t channel = op.getAxis() ? position / strides[*op.getAxis()] % accumulator.getShape()[*op.getAxis()] : 0;
    int64_t value = accumulator.getInteger(position);
    if (map.getFixed() && (shift.getInteger(channel) < -62 || shift.getInteger(channel) > 31))
      return op.emitOpError("reference: shift ") << shift.getInteger(channel) << " is outside [-62, 31]";
    value = map.getFixed() ? mapFixed(value, int32_t(multiplier.getInteger(channel)),
                                      int32_t(shift.getInteger(channel)), map.getMode())
                           : mapReal(value, float(multiplier.getReal(channel)), map.getRounding());
    double code = std::min(std::max(double(value) + zero, double(int64_t(op.getLow()))), double(int64_t(op.getHigh())));
    codes->setInteger(position, codec.encodeInteger(code));
  }
  return setEncoded(op, evaluation, SmallVector<int64_t>(accumulator.getShape()), {std::move(*codes)});
}

static LogicalResult setCodes(AsOp op, Evaluation &evaluation, const CodeTensor &from, unsigned result) {
  auto type = cast<RankedTensorType>(op.getResult(result).getType());
  BlockAttr encoding = getBlockEncoding(type);
  FailureOr<Tensor> codes =
      evaluation.allocate(op, getComponentTypes(encoding, type.getShape())[0].type.getElementType(), type.getShape());
  if (failed(codes))
    return failure();
  Codec codec(encoding.getCodec());
  for (auto [i, code] : llvm::enumerate(from.codes))
    codes->setInteger(int64_t(i), codec.encodeInteger(code));
  return setEncoded(op, evaluation, type.getShape(), {std::move(*codes)}, result);
}

/// The exact algorithm on the codes of statically encoded operands.
static LogicalResult evaluateRule(AsOp op, Evaluation &evaluation) {
  RuleCall call;
  call.parameters = op.getParametersAttr();
  for (Value input : op.getInputs()) {
    Tensor value = evaluation.get(input);
    std::optional<CodeTensor> codes =
        CodeTensor::describe(cast<RankedTensorType>(input.getType()), value.getShape());
    if (!codes)
      return op.emitOpError("reference: rule \"") << op.getRule() << "\" takes statically encoded integers";
    Codec codec(getBlockEncoding(input.getType()).getCodec());
    for (int64_t i = 0, count = value.getNumElements(); i < count; ++i)
      codes->codes.push_back(int32_t(codec.decode(value.getComponents()[0].getInteger(i))));
    call.inputs.push_back(std::move(*codes));
  }
  for (auto [i, result] : llvm::enumerate(op.getResults())) {
    auto type = cast<RankedTensorType>(result.getType());
    std::optional<CodeTensor> output = CodeTensor::describe(type, type.getShape());
    if (!output || !type.hasStaticShape())
      return op.emitOpError("reference: rule \"") << op.getRule() << "\" has statically encoded results of known shape";
    (i == 0 ? call.output : call.further.emplace_back()) = std::move(*output);
  }
  std::string problem;
  if (failed(applyIntegerRule(op.getRule(), call, problem)))
    return op.emitOpError("reference: rule \"") << op.getRule() << "\": " << problem;
  for (unsigned i = 0; i < op.getNumResults(); ++i)
    if (failed(setCodes(op, evaluation, i == 0 ? call.output : call.further[i - 1], i)))
      return failure();
  return success();
}

/// qtensor.as: the algorithm of its rule; the body where the registry does not know it.
static LogicalResult evaluateAs(AsOp op, Evaluation &evaluation) {
  if (isIntegerRule(op.getRule()))
    return evaluateRule(op, evaluation);
  FailureOr<SmallVector<Tensor>> results =
      evaluation.evaluateBlock(op.getBody().front(), getAll(op.getInputs(), evaluation));
  if (failed(results))
    return failure();
  for (auto [result, value] : llvm::zip_equal(op.getResults(), *results))
    evaluation.set(result, value);
  return success();
}

//===----------------------------------------------------------------------===//
// Work on components
//===----------------------------------------------------------------------===//

/// Sums of code - static zero over every block.
static FailureOr<Tensor> sumBlocks(EncodeOp op, Evaluation &evaluation, const Tensor &codes, const Parameters &blocks) {
  SmallVector<int64_t> grid = op.getEncoding().getGrid(codes.getShape());
  FailureOr<Tensor> sums = evaluation.allocate(op, IntegerType::get(op.getContext(), 32), grid);
  if (failed(sums))
    return failure();
  Codec codec(op.getEncoding().getCodec());
  double zero = blocks.zero.constant.value_or(0.0);
  for (int64_t position = 0, count = codes.getNumElements(); position < count; ++position) {
    int64_t block = blocks.getBlock(position);
    double value = codec.isInteger() ? codec.decode(codes.getInteger(position))
                                     : double(codec.toMultiple(codes.getInteger(position)));
    sums->setInteger(block, sums->getInteger(block) + int64_t(value - zero));
  }
  return sums;
}

static LogicalResult evaluateEncode(EncodeOp op, Evaluation &evaluation) {
  if (op.getEncoder() && *op.getEncoder() != "absmax")
    return op.emitOpError("reference: encoder \"") << *op.getEncoder() << "\" is not known here; give its parameters";
  auto emitError = [&] { return op.emitOpError(); };
  Tensor source = evaluation.get(op.getSource());
  FailureOr<SmallVector<Tensor>> components =
      encodeTensor(op.getEncoding(), source, getAll(op.getParams(), evaluation), emitError);
  if (failed(components))
    return failure();
  if (op.getSums()) {
    FailureOr<Parameters> blocks =
        Parameters::decode(op.getEncoding(), source.getShape(), ArrayRef<Tensor>(*components).drop_front(), emitError);
    if (failed(blocks))
      return failure();
    FailureOr<Tensor> sums = sumBlocks(op, evaluation, (*components)[0], *blocks);
    if (failed(sums))
      return failure();
    components->push_back(std::move(*sums));
  }
  if (components->size() != op.getResults().size())
    return op.emitOpError("reference: the op must be on tensors");
  for (auto [result, component] : llvm::zip_equal(op.getResults(), *components))
    evaluation.set(result, component);
  return success();
}

static LogicalResult evaluateDecode(DecodeOp op, Evaluation &evaluation) {
  auto type = dyn_cast<RankedTensorType>(op.getOutput().getType());
  if (!type)
    return op.emitOpError("reference: the op must be on tensors");
  SmallVector<Tensor> components = getAll(op.getComponents(), evaluation);
  FailureOr<Tensor> values = decodeTensor(op.getEncoding(), components[0].getShape(), type.getElementType(), components,
                                          [&] { return op.emitOpError(); });
  if (failed(values))
    return failure();
  evaluation.set(op.getResult(), std::move(*values));
  return success();
}

void mlir::qtensor::reference::addEncodedRules(RuleTable &table) {
  addRule<QuantizeOp, evaluateQuantize>(table);
  addRule<DequantizeOp, evaluateDequantize>(table);
  addRule<AssembleOp, evaluateAssemble>(table);
  addRule<ComponentOp, evaluateComponent>(table);
  addRule<InsertOp, evaluateInsert>(table);
  addRule<RequantizeOp, evaluateRequantize>(table);
  addRule<AsOp, evaluateAs>(table);
  addRule<EncodeOp, evaluateEncode>(table);
  addRule<DecodeOp, evaluateDecode>(table);
}
