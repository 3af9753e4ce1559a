// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Integer sums with their final map => layers. What does not have a layer's form stays as it is, and is right there too.
#include "lib/Transforms/Firmware/FormLayers.h"
#include "lib/Quantize/ConstantData.h"
#include "lib/Transforms/Firmware/Passes.h"
#include "lib/Transforms/Integer/RuleCalls.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_FORMLAYERS
#include "lib/Transforms/Firmware/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using reference::CodeTensor;
using reference::QuantizedMultiplier;

namespace {
/// Forms the layer behind one final map.
class LayerFormer {
public:
  explicit LayerFormer(RequantizeOp op) : op(op), b(op.getLoc(), op) {}

  /// False where the op stays.
  bool run();

private:
  bool readSums();
  bool stripGroups();
  void readBias(Value &sums);
  Value numbers(ArrayRef<int64_t> values, Type element);
  Operation *create(const ProductForm &form);

  RequantizeOp op;
  ImplicitLocOpBuilder b;
  linalg::GenericOp product;
  Operation *reshape = nullptr; ///< Between the sums and the map.
  Value input, weights, bias;
  SmallVector<int64_t, 4> pads{0, 0, 0, 0};
};
} // namespace

/// A constant added along the last dimension.
void LayerFormer::readBias(Value &sums) {
  auto add = sums.getDefiningOp<linalg::GenericOp>();
  if (!add || add.getNumParallelLoops() != add.getNumLoops() || add.getNumDpsInputs() != 2)
    return;
  Block &body = add.getRegion().front();
  auto sum = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddIOp>();
  SmallVector<AffineMap> maps = add.getIndexingMapsArray();
  unsigned rank = add.getNumLoops();
  if (!sum || sum.getLhs() != body.getArgument(0) || sum.getRhs() != body.getArgument(1) || !maps[0].isIdentity() ||
      maps[1].getNumResults() != 1 || !add.getDpsInputs()[1].getDefiningOp<arith::ConstantOp>())
    return;
  if (!isDim(maps[1], 0, rank - 1) && !isa<AffineConstantExpr>(maps[1].getResult(0)))
    return;
  bias = add.getDpsInputs()[1];
  sums = add.getDpsInputs()[0];
}

bool LayerFormer::readSums() {
  Value sums = op.getAccumulator();
  readBias(sums);
  if (isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(sums.getDefiningOp())) {
    reshape = sums.getDefiningOp();
    sums = reshape->getOperand(0);
  }
  product = sums.getDefiningOp<linalg::GenericOp>();
  return product && product.getNumDpsInputs() >= 2;
}

Value firmware::stripZeros(Value image, int64_t zero, SmallVectorImpl<int64_t> &pads) {
  pads.assign({0, 0, 0, 0});
  auto pad = image.getDefiningOp<tensor::PadOp>();
  Value value = pad ? pad.getConstantPaddingValue() : Value();
  if (!value || constantOf(value) != zero)
    return image;
  ArrayRef<int64_t> low = pad.getStaticLow(), high = pad.getStaticHigh();
  size_t last = low.size() - 1;
  if (low[0] || high[0] || low[last] || high[last] || llvm::any_of(low, ShapedType::isDynamic) ||
      llvm::any_of(high, ShapedType::isDynamic) || (last != 3 && last != 2))
    return image;
  for (size_t axis = 1; axis < last; ++axis) {
    pads[axis - 1] = low[axis];
    pads[axis + 1] = high[axis];
  }
  return pad.getSource();
}

/// The image of a grouped convolution with all channels in one dimension. False where the sums do not become like that.
bool LayerFormer::stripGroups() {
  auto joins = [](ArrayRef<ReassociationIndices> groups) { return groups.size() == 4 && groups[3].size() == 2; };
  auto join = dyn_cast_or_null<tensor::CollapseShapeOp>(reshape);
  if (!join || !joins(join.getReassociationIndices()))
    return false;
  auto split = input.getDefiningOp<tensor::ExpandShapeOp>();
  if (split && joins(split.getReassociationIndices()))
    input = split.getSrc();
  else
    input = tensor::CollapseShapeOp::create(b, input, join.getReassociationIndices());
  return true;
}

Value LayerFormer::numbers(ArrayRef<int64_t> values, Type element) {
  SmallVector<Attribute> list;
  for (int64_t value : values)
    list.push_back(b.getIntegerAttr(element, value));
  auto type = RankedTensorType::get({int64_t(values.size())}, element);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, list));
}

/// The bits of a weight's codes, of 2, 4 and 8: those of its codec, or what codes need of which only the constant is left.
static int64_t weightBits(Value weights) {
  int64_t bits = 8;
  if (auto codes = weights.getDefiningOp<ComponentOp>()) {
    BlockAttr encoding = getBlockEncoding(codes.getSource().getType());
    bits = encoding ? encoding.getCodec().getBits() : bits;
  } else if (arith::ConstantOp constant = getConstantSource(weights)) {
    std::vector<char> bytes = readBytes(cast<ElementsAttr>(constant.getValue()));
    auto fit = [&](int64_t few) { return llvm::all_of(bytes, [&](char code) { return llvm::isIntN(few, int8_t(code)); }); };
    bits = bytes.empty() ? bits : fit(2) ? 2 : fit(4) ? 4 : 8;
  }
  return bits <= 2 ? 2 : bits <= 4 ? 4 : 8;
}

Operation *LayerFormer::create(const ProductForm &form) {
  auto sums = cast<RankedTensorType>(product->getResult(0).getType());
  BlockAttr encoding = getBlockEncoding(op.getType());
  Type code = encoding.getCodec().getStorageType();
  SmallVector<int64_t> shape(sums.getShape());
  NamedAttrList attributes;
  int64_t bits = form.kind == ProductForm::Depthwise && !weights.getDefiningOp<ComponentOp>() ? 8 : weightBits(weights);
  if (form.kind == ProductForm::Grouped) {
    int64_t filters = shape.pop_back_val();
    attributes.set("channel_groups", b.getI64IntegerAttr(shape.back()));
    shape.back() *= filters;
    SmallVector<ReassociationIndices> groups{{0, 1}, {2}, {3}, {4}};
    weights = tensor::CollapseShapeOp::create(b, weights, groups);
  } else if (shape.size() == 5) {
    int64_t multiplier = shape.pop_back_val();
    shape.back() *= multiplier;
    SmallVector<ReassociationIndices> groups{{0}, {1}, {2, 3}};
    weights = tensor::CollapseShapeOp::create(b, weights, groups);
  }
  SmallVector<Value> constants{weights, bias ? bias : numbers({0}, sums.getElementType()), op.getMultiplier(), op.getShift()};
  if (!form.groups.empty())
    constants.push_back(product.getDpsInputs()[2]);
  Value init = tensor::EmptyOp::create(b, shape, code);
  auto number = [&](int64_t value) { return b.getI64IntegerAttr(value); };
  int64_t zero = encoding.getZero() ? int64_t(*encoding.getZero().getScalar()) : 0;
  attributes.set("input_zero", number(form.inputZero));
  attributes.set("weight_bits", number(bits));
  attributes.set("output_zero", number(zero));
  attributes.set("low", number(op.getLow()));
  attributes.set("high", number(op.getHigh()));
  attributes.set("map", op.getMap());
  if (!form.groups.empty())
    attributes.set("groups", b.getDenseI64ArrayAttr(form.groups));
  auto type = cast<RankedTensorType>(weights.getType());
  StringRef name = qnn::FullyConnectedOp::getOperationName();
  if (form.kind != ProductForm::Matrix) {
    bool depthwise = form.kind == ProductForm::Depthwise;
    name = depthwise ? qnn::DepthwiseConv2DOp::getOperationName() : qnn::Conv2DOp::getOperationName();
    ArrayRef<int64_t> window = type.getShape().slice(depthwise ? 0 : 1, 2);
    attributes.set("window", b.getDenseI64ArrayAttr(window));
    attributes.set("strides", b.getDenseI64ArrayAttr(form.strides));
    attributes.set("dilations", b.getDenseI64ArrayAttr(form.dilations));
    attributes.set("pads", b.getDenseI64ArrayAttr(pads));
  }
  OperationState state(op.getLoc(), name);
  state.addOperands(input);
  state.addOperands(constants);
  state.addOperands(init);
  state.addTypes(init.getType());
  attributes.set("operandSegmentSizes", b.getDenseI32ArrayAttr({1, int32_t(constants.size()), 0, 0, 1}));
  state.addAttributes(attributes);
  return b.create(state);
}

/// Whether kernels can arrange a value while they compile.
static bool comesFromConstant(Value value) {
  Operation *op = value.getDefiningOp();
  if (op && isa<ComponentOp, AssembleOp, QuantizeOp, tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
    return llvm::all_of(op->getOperands(), comesFromConstant);
  return op && op->hasTrait<OpTrait::ConstantLike>();
}

bool LayerFormer::run() {
  auto sums = cast<RankedTensorType>(op.getAccumulator().getType());
  int64_t last = sums.getRank() - 1;
  BlockAttr encoding = getBlockEncoding(op.getType());
  if (!op.getMap().getFixed() || !encoding.isStatic() || encoding.getCodec().getIntStyle() != IntStyle::Signed ||
      (op.getAxis() && int64_t(*op.getAxis()) != last) || !readSums())
    return false;
  std::optional<ProductForm> form = readProductForm(product);
  if (!form)
    return false;
  input = product.getDpsInputs()[0];
  weights = product.getDpsInputs()[1];
  auto isCode = [](Type type, bool wide) {
    auto tensor = cast<RankedTensorType>(type);
    return tensor.hasStaticShape() && (tensor.getElementType().isInteger(8) || (wide && tensor.getElementType().isInteger(16)));
  };
  Type code = encoding.getCodec().getStorageType();
  if (!isCode(input.getType(), true) || !isCode(weights.getType(), false) || (!code.isInteger(8) && !code.isInteger(16)))
    return false;
  if (!comesFromConstant(weights) || (bias && !comesFromConstant(bias)))
    return false;
  if (form->kind == ProductForm::Grouped && !stripGroups())
    return false;
  // Zero points around the image become the layer's padding.
  if (form->kind != ProductForm::Matrix)
    input = stripZeros(input, form->inputZero, pads);
  Value codes = create(*form)->getResult(0);
  if (form->kind == ProductForm::Grouped)
    reshape = nullptr;
  auto wanted = RankedTensorType::get(sums.getShape(), code);
  if (codes.getType() != wanted) {
    IRMapping mapping;
    mapping.map(reshape->getOperand(0), codes);
    Operation *made = b.clone(*reshape, mapping);
    made->getResult(0).setType(wanted);
    codes = made->getResult(0);
  }
  op.replaceAllUsesWith(AssembleOp::create(b, op.getType(), codes).getResult());
  op.erase();
  return true;
}

namespace {
struct FormLayers : mlir::qtensor::impl::FormLayersBase<FormLayers> {
  void runOnOperation() override {
    SmallVector<RequantizeOp> maps;
    SmallVector<AsOp> rules;
    SmallVector<linalg::LinalgOp> reductions;
    getOperation().walk([&](Operation *op) {
      if (auto linalg = dyn_cast<linalg::LinalgOp>(op); linalg && linalg.getNumReductionLoops() == 2 && op->getNumResults() == 1)
        reductions.push_back(linalg);
      if (auto map = dyn_cast<RequantizeOp>(op))
        maps.push_back(map);
      if (auto rule = dyn_cast<AsOp>(op); rule && reference::isIntegerRule(rule.getRule()))
        rules.push_back(rule);
    });
    for (RequantizeOp op : maps)
      if (!LayerFormer(op).run() && !formMul(op))
        formMean(op);
    for (linalg::LinalgOp op : reductions)
      if (!op->getResult(0).use_empty())
        formMaxPool(op);
    for (AsOp op : rules)
      if (failed(formRule(op)))
        return signalPassFailure();
  }
};
} // namespace
