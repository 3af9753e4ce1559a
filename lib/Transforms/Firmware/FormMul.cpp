// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of two tensors of codes with their final map => layers.
#include "lib/Transforms/Firmware/FormLayers.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

Value firmware::createMul(ImplicitLocOpBuilder &b, ValueRange codes, ArrayRef<int64_t> zeros, const MapForm &form,
                          ArrayRef<int64_t> shape) {
  auto fits = [&](unsigned first) {
    return shapeOf(codes[first]) == shape && qnn::MulOp::findRepeats(shapeOf(codes[1 - first]), shape);
  };
  unsigned first = fits(0) ? 0 : 1;
  if (!fits(first))
    return {};
  Value init = tensor::EmptyOp::create(b, shape, b.getI8Type());
  NamedAttrList attributes;
  attributes.set("zeros", b.getDenseI64ArrayAttr({zeros[first], zeros[1 - first]}));
  for (auto [name, value] :
       {std::pair("multiplier", form.multiplier), std::pair("shift", form.shift),
        std::pair("output_zero", form.outputZero), std::pair("low", form.low), std::pair("high", form.high)})
    attributes.set(name, b.getI64IntegerAttr(value));
  attributes.set("map", form.map);
  attributes.set("operandSegmentSizes", b.getDenseI32ArrayAttr({2, 0, 0, 0, 1}));
  OperationState state(b.getLoc(), qnn::MulOp::getOperationName());
  state.addOperands({codes[first], codes[1 - first], init});
  state.addTypes(init.getType());
  state.addAttributes(attributes);
  return b.create(state)->getResult(0);
}

/// Whether an input is read as it lies, from its last dimension on; of extents of 1 there is one element.
static bool readsInOrder(AffineMap map, Value input) {
  unsigned lead = map.getNumDims() - map.getNumResults();
  for (auto [i, extent] : llvm::enumerate(shapeOf(input))) {
    auto number = dyn_cast<AffineConstantExpr>(map.getResult(i));
    if (!isDim(map, i, lead + i) && !(extent == 1 && number && number.getValue() == 0))
      return false;
  }
  return true;
}

bool firmware::formMul(RequantizeOp op) {
  auto product = op.getAccumulator().getDefiningOp<linalg::GenericOp>();
  std::optional<MapForm> form = readMapForm(op);
  if (!form || !product || product.getNumReductionLoops() || product.getNumDpsInputs() != 2 ||
      !cast<RankedTensorType>(op.getType()).hasStaticShape())
    return false;
  auto value = product.getRegion().front().getTerminator()->getOperand(0).getDefiningOp<arith::MulIOp>();
  SmallVector<AffineMap> maps = product.getIndexingMapsArray();
  if (!value || !maps.back().isIdentity())
    return false;
  SmallVector<int64_t, 2> zeros;
  for (auto [i, operand] : llvm::enumerate(value->getOperands())) {
    std::optional<Factor> factor = readFactor(operand);
    Value input = product.getDpsInputs()[i];
    if (!factor || factor->code != product.getRegion().front().getArgument(i) || !factor->code.getType().isInteger(8) ||
        !llvm::isInt<8>(factor->zero) || maps[i].getNumResults() > maps[i].getNumDims() ||
        !readsInOrder(maps[i], input))
      return false;
    zeros.push_back(factor->zero);
  }
  ImplicitLocOpBuilder b(op.getLoc(), op);
  Value codes = createMul(b, product.getDpsInputs(), zeros, *form, shapeOf(product.getResult(0)));
  if (!codes)
    return false;
  op.replaceAllUsesWith(AssembleOp::create(b, op.getType(), codes).getResult());
  op.erase();
  return true;
}
