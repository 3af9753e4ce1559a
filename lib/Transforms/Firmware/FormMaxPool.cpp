// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Maxima over windows of codes => pooling layers.
#include "lib/Transforms/Firmware/FormLayers.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

void firmware::formMaxPool(linalg::LinalgOp op) {
  auto out = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  Block &body = *op.getBlock();
  auto most = body.getTerminator()->getOperand(0).getDefiningOp<arith::MaxSIOp>();
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  AffineMap in = maps.front(), result = maps.back();
  unsigned bits = out.getElementType().isIntOrFloat() ? out.getElementTypeBitWidth() : 0;
  if (!most || !fill || out.getRank() != 4 || op.getNumDpsInputs() != 2 || op.getNumLoops() != 6 || !out.hasStaticShape() ||
      !result.isProjectedPermutation() || in.getNumResults() != 4 || (bits != 8 && bits != 16) ||
      constantOf(fill.getInputs()[0]) != -(int64_t(1) << (bits - 1)) || most.getLhs() == most.getRhs() ||
      !llvm::is_contained(most->getOperands(), body.getArgument(0)) || !llvm::is_contained(most->getOperands(), body.getArgument(2)))
    return;
  std::optional<Axis> y = readAxis(in.getResult(1)), x = readAxis(in.getResult(2));
  AffineMap window = maps[1];
  if (!y || !x || !isDim(in, 0, result.getDimPosition(0)) || !isDim(in, 3, result.getDimPosition(3)) ||
      y->out != result.getDimPosition(1) || x->out != result.getDimPosition(2) || window.getNumResults() != 2 ||
      !isDim(window, 0, y->tap) || !isDim(window, 1, x->tap))
    return;
  ImplicitLocOpBuilder b(op.getLoc(), op);
  int64_t high = (int64_t(1) << (bits - 1)) - 1;
  auto extents = cast<RankedTensorType>(op.getDpsInputs()[1].getType()).getShape();
  Value input = op.getDpsInputs()[0];
  SmallVector<int64_t, 4> pads{0, 0, 0, 0};
  auto pad = input.getDefiningOp<tensor::PadOp>();
  // The lowest code never wins over one of the input.
  if (pad && pad.getConstantPaddingValue() && constantOf(pad.getConstantPaddingValue()) == -high - 1 && !pad.getStaticLow()[0] &&
      !pad.getStaticHigh()[0] && !pad.getStaticLow()[3] && !pad.getStaticHigh()[3]) {
    pads = {pad.getStaticLow()[1], pad.getStaticLow()[2], pad.getStaticHigh()[1], pad.getStaticHigh()[2]};
    input = pad.getSource();
  }
  if (llvm::any_of(pads, ShapedType::isDynamic))
    return;
  Value init = tensor::EmptyOp::create(b, out.getShape(), out.getElementType());
  OperationState state(op.getLoc(), qnn::Pool2DOp::getOperationName());
  state.addOperands({input, init});
  state.addTypes(out);
  NamedAttrList attributes;
  attributes.set("window", b.getDenseI64ArrayAttr(extents));
  attributes.set("strides", b.getDenseI64ArrayAttr({y->stride, x->stride}));
  attributes.set("dilations", b.getDenseI64ArrayAttr({y->dilation, x->dilation}));
  attributes.set("pads", b.getDenseI64ArrayAttr(pads));
  attributes.set("max", b.getUnitAttr());
  attributes.set("low", b.getI64IntegerAttr(-high - 1));
  attributes.set("high", b.getI64IntegerAttr(high));
  attributes.set("operandSegmentSizes", b.getDenseI32ArrayAttr({1, 0, 0, 0, 1}));
  state.addAttributes(attributes);
  op->getResult(0).replaceAllUsesWith(b.create(state)->getResult(0));
  op->erase();
}
