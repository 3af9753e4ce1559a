// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/TFLite/Node.h"
#include "lib/Reference/IntegerRules.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::tflite;

Elem tflite::elemOf(ElemType type) {
  switch (type) {
  case ElemType::F32:
    return Elem::F32;
  case ElemType::F16:
    return Elem::F16;
  case ElemType::BF16:
    return Elem::BF16;
  case ElemType::F64:
    return Elem::F64;
  case ElemType::I2:
    return Elem::I2;
  case ElemType::I4:
    return Elem::I4;
  case ElemType::U4:
    return Elem::U4;
  case ElemType::I8:
    return Elem::I8;
  case ElemType::U8:
    return Elem::U8;
  case ElemType::I16:
    return Elem::I16;
  case ElemType::U16:
    return Elem::U16;
  case ElemType::I32:
    return Elem::I32;
  case ElemType::U32:
    return Elem::U32;
  case ElemType::I64:
    return Elem::I64;
  case ElemType::U64:
    return Elem::U64;
  case ElemType::Bool:
    return Elem::Bool;
  default:
    return Elem::Undefined;
  }
}

bool tflite::isQuantized(const Tensor &tensor) {
  Elem elem = elemOf(tensor.type);
  return isInteger(elem) && bitWidth(elem) <= 32 &&
         (!tensor.quantization.scale.empty() || tensor.quantization.isBlockwise());
}

const Tensor *Node::intermediate(unsigned i) const {
  bool present = i < op.intermediates.size() && op.intermediates[i] >= 0;
  return present ? &graph.tensors[op.intermediates[i]] : nullptr;
}

std::string Node::place() const {
  std::string name = op.code == kCustom ? op.custom : operatorName(op.code);
  std::ptrdiff_t inside = &graph - model.graphs.data();
  std::string prefix = inside ? "subgraph " + std::to_string(inside) + ", " : "";
  return prefix + "operator " + std::to_string(number) + " (" + name + "): ";
}

LogicalResult Node::fail(const Twine &what) const {
  report(model.file + ": " + place() + what);
  return failure();
}

LogicalResult Node::requireSameScale(unsigned input, unsigned output) const {
  const Quantization &from = inTensor(input).quantization, &to = outTensor(output).quantization;
  bool quantized = isQuantized(inTensor(input)) && isQuantized(outTensor(output));
  if (!quantized || (from.scale == to.scale && from.zero == to.zero))
    return success();
  return fail("moves codes between tensors of different scales; requantize in front of it");
}

int64_t Node::option(StringRef name) const {
  auto found = op.options.numbers.find(name.str());
  return found == op.options.numbers.end() ? 0 : int64_t(found->second);
}

double Node::realOption(StringRef name) const {
  auto found = op.options.numbers.find(name.str());
  return found == op.options.numbers.end() ? 0 : found->second;
}

FailureOr<Dims> Node::broadcast() const {
  SmallVector<Val> inputs;
  for (unsigned i = 0; i < numInputs(); ++i)
    inputs.push_back(in(i));
  if (std::optional<Dims> dims = e.broadcastDims(inputs))
    return *dims;
  return fail("the shapes of its inputs do not broadcast");
}

FailureOr<SmallVector<int64_t>> Node::numbers(unsigned i, StringRef what) const {
  if (!has(i) || !in(i).constant || !isInteger(in(i).elem))
    return fail(what + " must be constant integers; export the model with constant ones");
  SmallVector<int64_t> values;
  for (int64_t k = 0, count = in(i).constant->numElements(); k < count; ++k)
    values.push_back(in(i).constant->intAt(k));
  return values;
}

/// The entries of these channels, which lie along the first axis.
static Val rows(Emit &e, const Val &x, const Channels &of) {
  if (!x.constant)
    return e.sliceAxis(x, 0, e.math.constant(of.first), e.math.constant(of.count));
  auto data = std::make_shared<TensorData>(*x.constant);
  size_t row = data->bytes.size() / of.all;
  data->bytes = data->bytes.slice(of.first * row, of.count * row);
  data->dims[0] = of.count;
  return e.constant(data);
}

/// What describes these entries: their scales, where each has its own.
static Tensor rows(Tensor tensor, const Channels &of) {
  Quantization &q = tensor.quantization;
  if (int64_t(q.scale.size()) == of.all) {
    q.scale = {q.scale.begin() + of.first, q.scale.begin() + of.first + of.count};
    q.zero = {q.zero.begin() + of.first, q.zero.begin() + of.first + of.count};
  }
  return tensor;
}

/// One scale and zero point for the whole tensor.
FailureOr<BlockAttr> Node::staticEncoding(const Tensor &tensor) const {
  const Quantization &q = tensor.quantization;
  if (q.scale.size() != 1 || q.isBlockwise())
    return fail("tensor '" + tensor.name + "' has " + Twine(q.scale.size()) +
                " scales; only constants may have more than one");
  if (!(q.scale[0] > 0))
    return fail("tensor '" + tensor.name + "' has the scale 0; quantize the model again");
  if (!isQuantized(tensor))
    return fail("tensor '" + tensor.name + "' has a scale and is of type " + typeName(tensor.type) +
                "; codes are integers of at most 32 bits");
  Elem elem = elemOf(tensor.type);
  SmallVector<int64_t> block(tensor.shape.size(), ShapedType::kDynamic);
  ParamAttr zero = q.zero[0] ? scalarParam(e.b, double(q.zero[0])) : ParamAttr();
  return BlockAttr::get(e.b.getContext(), integerCodec(e.b.getContext(), bitWidth(elem), isUnsigned(elem)), block,
                        scalarParam(e.b, q.scale[0]), zero, ParamAttr());
}

/// The encoded tensor whose codes are given; scales along `axis` where the file has several.
FailureOr<Value> Node::assemble(const Tensor &tensor, const Val &given, int64_t axis, bool perChannel) const {
  Val codes = asContainer(e, given);
  const Quantization &q = tensor.quantization;
  Elem elem = elemOf(tensor.type);
  auto shape = DimMath::shape(codes.dims);
  auto finish = [&](BlockAttr encoding, ArrayRef<Value> components) -> Value {
    auto type = RankedTensorType::get(shape, e.b.getF32Type(), encoding);
    return AssembleOp::create(e.b, e.loc, type, components);
  };
  CodecAttr codec = integerCodec(e.b.getContext(), bitWidth(elem), isUnsigned(elem));
  if (q.isBlockwise()) {
    const Val &scales = values[q.blockScales];
    if (!scales.constant || shape.size() != 2 || scales.dims.size() != 2 || q.blockZeros >= 0)
      return fail("tensor '" + tensor.name + "' has blocks that are no rows of a constant matrix, or zero points");
    ParamAttr scale = dataParam(e.b, TypeAttr::get(e.type(scales.elem)));
    auto encoding = BlockAttr::get(e.b.getContext(), codec, {1, q.blockSize}, scale, ParamAttr(), ParamAttr());
    if (DimMath::number(scales.dims[1]) != int64_t(llvm::divideCeil(shape[1], q.blockSize)))
      return fail("tensor '" + tensor.name + "' has another number of scales than of blocks");
    return finish(encoding, {e.tensor(codes), e.tensor(scales)});
  }
  SmallVector<double> perIndex(q.scale.begin(), q.scale.end());
  if (perChannel && q.scale.size() == 1)
    perIndex.assign(shape[axis], q.scale[0]);
  if (perIndex.size() == 1 && !perChannel) {
    FailureOr<BlockAttr> encoding = staticEncoding(tensor);
    if (failed(encoding))
      return failure();
    SmallVector<int64_t> block(shape.size(), ShapedType::kDynamic);
    return finish(BlockAttr::get(e.b.getContext(), codec, block, (*encoding).getScale(), (*encoding).getZero(), {}),
                  {e.tensor(codes)});
  }
  if (int64_t(perIndex.size()) != shape[axis])
    return fail("tensor '" + tensor.name + "' has " + Twine(perIndex.size()) + " scales for " + Twine(shape[axis]) +
                " channels");
  if (llvm::any_of(q.zero, [](int64_t zero) { return zero != 0; }))
    return fail("tensor '" + tensor.name + "' has a zero point for each channel, which must be 0");
  SmallVector<int64_t> block(shape.size(), ShapedType::kDynamic), grid(shape.size(), 1);
  block[axis] = 1;
  grid[axis] = shape[axis];
  auto encoding = BlockAttr::get(e.b.getContext(), codec, block, dataParam(e.b, TypeAttr::get(e.b.getF32Type())),
                                 ParamAttr(), ParamAttr());
  Val scales = e.constant(perIndex, grid, Elem::F32);
  return finish(encoding, {e.tensor(codes), e.tensor(scales)});
}

FailureOr<Value> Node::encoded(unsigned i) const {
  const Val &x = in(i);
  if (x.encoded)
    return x.encoded->value;
  if (x.elem == Elem::I64 && x.rank() == 1) {
    int64_t count = inTensor(i).shape[0];
    return narrowBias(i, {0, count, count});
  }
  FailureOr<Value> made = assemble(inTensor(i), x, inTensor(i).quantization.axis);
  if (failed(made))
    return failure();
  Val &known = values[op.inputs[i]];
  known.encoded = std::make_shared<EncodedValue>();
  known.encoded->value = *made;
  return *made;
}

FailureOr<Value> Node::filter(unsigned i, ArrayRef<int64_t> shape, int64_t axis) const {
  Dims dims = llvm::map_to_vector(shape, [&](int64_t extent) { return e.math.constant(extent); });
  return filterFrom(i, e.reshape(in(i), dims), axis);
}

FailureOr<Value> Node::filterFrom(unsigned i, const Val &codes, int64_t axis) const {
  return assembleFilter(inTensor(i), codes, axis);
}

FailureOr<Value> Node::filterPart(unsigned i, const Channels &of) const {
  if (size_t scales = inTensor(i).quantization.scale.size(); scales > 1 && int64_t(scales) != of.all)
    return fail("its filter has " + Twine(scales) + " scales for " + Twine(of.all) + " output channels");
  return assembleFilter(rows(inTensor(i), of), rows(e, in(i), of), 0);
}

FailureOr<Value> Node::assembleFilter(const Tensor &tensor, const Val &codes, int64_t axis) const {
  if (!isQuantized(tensor))
    return e.tensor(e.cast(codes, Elem::F32));
  if (tensor.quantization.isBlockwise())
    return fail("its filter has blocks, which only fully connected layers may have");
  bool perChannel = isSigned(elemOf(tensor.type)) && tensor.quantization.zero[0] == 0;
  return assemble(tensor, codes, axis, perChannel);
}

FailureOr<Val> Node::real(unsigned i) const {
  if (!isQuantized(inTensor(i)))
    return e.cast(in(i), Elem::F32);
  FailureOr<Value> value = encoded(i);
  if (failed(value))
    return failure();
  return e.wrap(*value, Elem::F32, in(i).dims);
}

LogicalResult Node::set(Val value, unsigned i) const {
  const Tensor &tensor = outTensor(i);
  // Codes have the name of the tensor whose codes they are, whoever asks for them first.
  if (value.encoded)
    (void)e.tensor(value);
  if (value.elem != elemOf(tensor.type))
    return fail("computes " + elemName(value.elem) + " for its output '" + tensor.name + "' of type " +
                typeName(tensor.type));
  values[op.outputs[i]] = std::move(value);
  return success();
}

FailureOr<Val> Node::realAs(unsigned i, ArrayRef<OpFoldResult> dims) const {
  if (llvm::equal(in(i).dims, dims, DimMath::same) || !isQuantized(inTensor(i))) {
    FailureOr<Val> x = real(i);
    return failed(x) ? x : FailureOr<Val>(e.reshape(*x, dims));
  }
  // On codes: a tensor of another rank has another encoding.
  return realFrom(i, e.reshape(in(i), dims));
}

FailureOr<Val> Node::realFrom(unsigned i, const Val &codes) const {
  if (!isQuantized(inTensor(i)))
    return e.cast(codes, Elem::F32);
  if (inTensor(i).quantization.scale.size() != 1)
    return fail("input " + Twine(i) + " has several scales and its elements are moved, which is not supported");
  FailureOr<Value> value = assemble(inTensor(i), codes, 0);
  return failed(value) ? FailureOr<Val>(failure()) : FailureOr<Val>(e.wrap(*value, Elem::F32, codes.dims));
}

LogicalResult Node::setReal(const Val &real, unsigned i, ArrayRef<OpFoldResult> dims) const {
  const Tensor &tensor = outTensor(i);
  if (!isQuantized(tensor)) {
    Val plain = e.cast(real, elemOf(tensor.type));
    return set(dims.empty() ? plain : e.reshape(plain, dims), i);
  }
  FailureOr<Val> codes = rounded(real, tensor);
  return failed(codes) ? failure() : set(dims.empty() ? *codes : e.reshape(*codes, dims), i);
}

/// Codes as `tensor` has them.
FailureOr<Val> Node::rounded(const Val &real, const Tensor &tensor) const {
  FailureOr<BlockAttr> encoding = staticEncoding(tensor);
  if (failed(encoding))
    return failure();
  SmallVector<int64_t> block(real.rank(), ShapedType::kDynamic);
  auto attr = BlockAttr::get(e.b.getContext(), encoding->getCodec(), block, encoding->getScale(), encoding->getZero(), {});
  auto type = RankedTensorType::get(DimMath::shape(real.dims), e.b.getF32Type(), attr);
  Val out;
  out.elem = elemOf(tensor.type);
  out.dims = real.dims;
  out.encoded = std::make_shared<EncodedValue>();
  out.encoded->value = QuantizeOp::create(e.b, e.loc, type, e.tensor(real), ValueRange(), ValueRange(), StringAttr());
  return out;
}

LogicalResult Node::setByRule(StringRef rule, ArrayRef<unsigned> inputs, ArrayRef<NamedAttribute> parameters,
                              llvm::function_ref<Val(Emit &, ArrayRef<Val>)> meaning) const {
  return setByRule(rule, inputs, {}, parameters,
                   [&](Emit &inner, ArrayRef<Val> reals) { return SmallVector<Val>{meaning(inner, reals)}; });
}

/// Whether the rule takes codes of these types. It tries some, which it does not for tensors that damaged files may
/// claim: of those the lowering says it.
LogicalResult Node::checkRule(StringRef rule, DictionaryAttr parameters, TypeRange inputs, TypeRange outputs) const {
  auto isLarge = [](Type type) {
    double count = 1;
    for (int64_t extent : cast<RankedTensorType>(type).getShape())
      count *= double(extent);
    return count > double(1 << 22);
  };
  if (llvm::any_of(inputs, isLarge) || llvm::any_of(outputs, isLarge))
    return success();
  reference::RuleCall call;
  std::string problem;
  if (succeeded(reference::readRuleCall(rule, parameters, inputs, outputs, call, problem)))
    return success();
  return fail("is quantized, and of its rule (" + rule + "), " + problem + "; quantize the model again");
}

LogicalResult Node::setByRule(StringRef rule, ArrayRef<unsigned> inputs, ArrayRef<unsigned> states,
                              ArrayRef<NamedAttribute> parameters,
                              llvm::function_ref<SmallVector<Val>(Emit &, ArrayRef<Val>)> meaning) const {
  SmallVector<Value> operands;
  for (unsigned i : inputs) {
    FailureOr<Value> value = encoded(i);
    if (failed(value))
      return failure();
    operands.push_back(*value);
  }
  SmallVector<int32_t> written{op.outputs[0]};
  for (unsigned state : states)
    written.push_back(op.inputs[state]);
  SmallVector<Type> types;
  for (int32_t tensor : written) {
    FailureOr<BlockAttr> encoding = staticEncoding(graph.tensors[tensor]);
    if (failed(encoding))
      return failure();
    types.push_back(RankedTensorType::get(graph.tensors[tensor].shape, e.b.getF32Type(), *encoding));
  }
  NamedAttrList attributes(parameters);
  attributes.append("rounding", e.b.getStringAttr(options.rounding));
  auto as = AsOp::create(e.b, e.loc, TypeRange(types), rule, operands, attributes.getDictionary(e.b.getContext()));
  Block *body = e.b.createBlock(&as.getBody());
  SmallVector<Val> reals;
  for (auto [operand, i] : llvm::zip_equal(operands, inputs))
    reals.push_back(e.wrap(body->addArgument(operand.getType(), e.loc), Elem::F32, in(i).dims));
  // Constants outside of the region are out of its sight: it gets a vocabulary of its own.
  Emit inner(e.b, e.math);
  inner.setLoc(e.loc);
  SmallVector<Value> results;
  SmallVector<Val> meant = meaning(inner, reals);
  for (auto [real, type] : llvm::zip_equal(meant, types))
    results.push_back(QuantizeOp::create(e.b, e.loc, type, inner.tensor(real), ValueRange(), ValueRange(), StringAttr()));
  YieldOp::create(e.b, e.loc, results);
  e.b.setInsertionPointAfter(as);
  for (auto [i, tensor] : llvm::enumerate(written)) {
    if (DimMath::shape(meant[i].dims) != cast<RankedTensorType>(types[i]).getShape())
      return fail("its result's shape is not that of its output '" + graph.tensors[tensor].name + "'");
    Val out;
    out.elem = elemOf(graph.tensors[tensor].type);
    out.dims = meant[i].dims;
    out.encoded = std::make_shared<EncodedValue>();
    out.encoded->value = as.getResult(i);
    if (i == 0 && failed(set(std::move(out))))
      return failure();
    else if (i != 0)
      values[tensor] = std::move(out);
  }
  // Of tensors whose shapes fit each other.
  return checkRule(rule, as.getParametersAttr(), as.getInputs().getTypes(), as.getResultTypes());
}

FailureOr<Val> Node::realBias(unsigned i, const Channels &of) const {
  if (in(i).rank() != 1 || DimMath::number(in(i).dims[0]) != of.all || int64_t(inTensor(i).shape[0]) != of.all)
    return fail("the bias does not have one entry for each output channel");
  Tensor tensor = rows(inTensor(i), of);
  bool otherWidth = tensor.type == ElemType::I64 || tensor.type == ElemType::I16;
  if (!otherWidth || tensor.quantization.scale.empty()) {
    if (of.count == of.all)
      return real(i);
    Val codes = rows(e, in(i), of);
    if (!isQuantized(tensor))
      return e.cast(codes, Elem::F32);
    FailureOr<Value> made = assemble(tensor, codes, 0);
    return failed(made) ? FailureOr<Val>(failure()) : FailureOr<Val>(e.wrap(*made, Elem::F32, codes.dims));
  }
  FailureOr<Value> made = narrowBias(i, of);
  return failed(made) ? FailureOr<Val>(failure()) : FailureOr<Val>(e.wrap(*made, Elem::F32, e.math.constant(of.count)));
}

/// A bias of 64 or 16 bits as one of 32.
FailureOr<Value> Node::narrowBias(unsigned i, const Channels &of) const {
  Tensor tensor = rows(inTensor(i), of);
  FailureOr<SmallVector<int64_t>> codes = numbers(i, "a bias of 64 or 16 bits");
  if (failed(codes))
    return failure();
  if (llvm::any_of(*codes, [](int64_t code) { return !llvm::isInt<32>(code); }))
    return fail("the bias '" + tensor.name + "' has codes of more than 32 bits, which are not supported; quantize with larger "
                "scales");
  tensor.type = ElemType::I32;
  ArrayRef<int64_t> part = ArrayRef(*codes).slice(of.first, of.count);
  return assemble(tensor, e.constant(SmallVector<double>(part.begin(), part.end()), {of.count}, Elem::I32), 0);
}

/// Sums of products with 16-bit codes have 64 bits here, as the runtimes' have beside biases of 64. The type of the
/// bias, or where there is none an option, asks the runtimes for other sums and other multipliers.
LogicalResult Node::checkSumType(unsigned bias) const {
  bool wide = llvm::any_of(op.inputs, [&](int32_t i) { return i >= 0 && graph.tensors[i].type == ElemType::I16; });
  int64_t type = has(bias) ? int64_t(inTensor(bias).type) : option("quantized_bias_type");
  if (!wide || type != int64_t(ElemType::I32))
    return success();
  return fail(
      "multiplies codes of 16 bits and has " +
      Twine(has(bias) ? "a bias of int32" : "no bias and the quantized_bias_type int32") +
      ", which asks for sums of 32 bits; of such codes only sums of 64 bits are supported: convert the model with "
      "biases of int64, as converters do unless told otherwise");
}

/// The fused activation of sums + bias.
FailureOr<Val> Node::activatedSum(const Val &sums, unsigned bias, const Channels &of) const {
  FailureOr<int64_t> kind = activation();
  if (failed(kind) || failed(checkSumType(bias)))
    return failure();
  SmallVector<Val> parts = {sums};
  if (has(bias)) {
    FailureOr<Val> addend = realBias(bias, of);
    if (failed(addend))
      return failure();
    parts.push_back(*addend);
  }
  if (parts.size() == 1 && *kind == 0)
    return sums;
  return e.mapTo(sums.dims, parts, Elem::F32, [&](Scalar &s, ValueRange in) {
    return activate(s, parts.size() == 1 ? in[0] : s.add(in[0], in[1]), *kind);
  });
}

LogicalResult Node::setSum(const Val &sums, unsigned bias, ArrayRef<OpFoldResult> dims) const {
  int64_t channels = DimMath::numberOrDynamic(sums.dims.back());
  FailureOr<Val> made = activatedSum(sums, bias, {0, channels, channels});
  return failed(made) ? failure() : setReal(*made, 0, dims);
}

FailureOr<Val> Node::roundedSum(const Val &sums, unsigned bias, const Channels &of) const {
  FailureOr<Val> made = activatedSum(sums, bias, of);
  return failed(made) ? made : rounded(*made, outTensor());
}

FailureOr<int64_t> Node::activation() const {
  int64_t kind = option("activation");
  if (kind < 0 || kind > 4)
    return fail("the fused activation " + Twine(kind) + " is not supported");
  return kind;
}

Value Node::activate(Scalar &s, Value x, int64_t activation) const {
  switch (activation) {
  case 1:
    return s.max(x, s.like(x, 0));
  case 2:
    return s.clamp(x, s.like(x, -1), s.like(x, 1));
  case 3:
    return s.clamp(x, s.like(x, 0), s.like(x, 6));
  case 4:
    return s.tanh(x);
  default:
    return x;
  }
}

FailureOr<Span> tflite::readSpan(const Node &n, OpFoldResult extent, int64_t kernel, StringRef axis) {
  constexpr int64_t kMost = 1 << 20; // products below can't overflow
  std::string dilated = ("dilation_" + axis).str();
  int64_t dilation = n.op.options.numbers.count(dilated) ? n.option(dilated) : 1,
          stride = n.option(("stride_" + axis).str());
  int64_t padding = n.option("padding");
  if (padding != 0 && padding != 1)
    return n.fail("the padding " + Twine(padding) + " is neither SAME (0) nor VALID (1)");
  auto given = DimMath::number(extent);
  if (!given || kernel < 1 || kernel > kMost || stride < 1 || stride > kMost || dilation < 1 || dilation > kMost)
    return n.fail("the window, its strides or its dilations are not in [1, 2^20]");
  int64_t reach = (kernel - 1) * dilation + 1;
  int64_t out = padding == 0 ? llvm::divideCeil(*given, stride) : *given >= reach ? (*given - reach) / stride + 1 : 0;
  int64_t total = padding == 0 ? std::max<int64_t>((out - 1) * stride + reach - *given, 0) : 0;
  if (out < 1)
    return n.fail("the window does not fit into its input");
  return Span{kernel, stride, dilation, total / 2, total - total / 2, out};
}

FailureOr<Window> tflite::readWindow(const Node &n, const Val &x, int64_t height, int64_t width) {
  if (x.rank() != 4)
    return n.fail("its input has rank " + Twine(x.rank()) + "; it must be [N, H, W, C]");
  Window w;
  int64_t kernels[] = {height, width};
  for (int axis = 0; axis < 2; ++axis) {
    FailureOr<Span> span = readSpan(n, x.dims[1 + axis], kernels[axis], axis ? "w" : "h");
    if (failed(span))
      return failure();
    w.kernel[axis] = span->kernel, w.strides[axis] = span->stride, w.dilations[axis] = span->dilation;
    w.low[axis] = span->low, w.high[axis] = span->high, w.out[axis] = span->out;
  }
  return w;
}
