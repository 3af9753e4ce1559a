// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How linalg ops read codes: by their bodies and their maps.
#include "lib/Transforms/Firmware/FormLayers.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

std::optional<int64_t> firmware::constantOf(Value value) {
  APInt number;
  if (!matchPattern(value, m_ConstantInt(&number)))
    return std::nullopt;
  return number.getSExtValue();
}

std::optional<Factor> firmware::readFactor(Value value) {
  Factor factor;
  if (auto difference = value.getDefiningOp<arith::SubIOp>()) {
    std::optional<int64_t> zero = constantOf(difference.getRhs());
    if (!zero)
      return std::nullopt;
    factor.zero = *zero;
    value = difference.getLhs();
  }
  if (auto wide = value.getDefiningOp<arith::ExtSIOp>())
    value = wide.getIn();
  factor.code = dyn_cast<BlockArgument>(value);
  return factor.code ? std::optional(factor) : std::nullopt;
}

/// The only element of a constant.
static std::optional<int64_t> onlyNumber(Value value) {
  DenseIntElementsAttr numbers;
  if (!value || !matchPattern(value, m_Constant(&numbers)) || numbers.getNumElements() != 1)
    return std::nullopt;
  return (*numbers.begin()).getSExtValue();
}

std::optional<MapForm> firmware::readMapForm(RequantizeOp op) {
  BlockAttr encoding = getBlockEncoding(op.getType());
  std::optional<int64_t> multiplier = onlyNumber(op.getMultiplier()), shift = onlyNumber(op.getShift());
  if (!op.getMap().getFixed() || op.getMap().getMode() == FixedMode::X16 || !encoding.isStatic() || !multiplier ||
      !shift || encoding.getCodec().getIntStyle() != IntStyle::Signed ||
      !encoding.getCodec().getStorageType().isInteger(8))
    return std::nullopt;
  MapForm form;
  form.multiplier = *multiplier;
  form.shift = *shift;
  form.outputZero = encoding.getZero() ? int64_t(*encoding.getZero().getScalar()) : 0;
  form.low = op.getLow();
  form.high = op.getHigh();
  form.map = op.getMap();
  return form;
}

/// out += (input - zero) * weight, the input first; with a third input, that product times it.
static std::optional<int64_t> readProductBody(linalg::GenericOp op) {
  unsigned inputs = op.getNumDpsInputs();
  if ((inputs != 2 && inputs != 3) || op.getNumDpsInits() != 1)
    return std::nullopt;
  Block &body = op.getRegion().front();
  auto sum = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddIOp>();
  auto product = sum && sum.getLhs() == body.getArgument(inputs) ? sum.getRhs().getDefiningOp<arith::MulIOp>() : arith::MulIOp();
  if (inputs == 3) {
    std::optional<Factor> factor = product ? readFactor(product.getRhs()) : std::nullopt;
    if (!factor || factor->zero != 0 || factor->code != body.getArgument(2))
      return std::nullopt;
    product = product.getLhs().getDefiningOp<arith::MulIOp>();
  }
  std::optional<Factor> x = product ? readFactor(product.getLhs()) : std::nullopt;
  std::optional<Factor> w = x ? readFactor(product.getRhs()) : std::nullopt;
  if (!w || w->zero != 0 || x->code != body.getArgument(0) || w->code != body.getArgument(1))
    return std::nullopt;
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  if (!fill || constantOf(fill.getInputs()[0]) != 0)
    return std::nullopt;
  return x->zero;
}

/// dim * scale, or nothing.
static std::optional<std::pair<unsigned, int64_t>> readScaledDim(AffineExpr expr) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return std::pair(dim.getPosition(), int64_t(1));
  auto product = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!product || product.getKind() != AffineExprKind::Mul)
    return std::nullopt;
  auto dim = dyn_cast<AffineDimExpr>(product.getLHS());
  auto scale = dyn_cast<AffineConstantExpr>(product.getRHS());
  return dim && scale ? std::optional(std::pair(dim.getPosition(), scale.getValue())) : std::nullopt;
}

std::optional<Axis> firmware::readAxis(AffineExpr expr) {
  auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!sum || sum.getKind() != AffineExprKind::Add)
    return std::nullopt;
  auto out = readScaledDim(sum.getLHS()), tap = readScaledDim(sum.getRHS());
  if (!out || !tap)
    return std::nullopt;
  return Axis{out->first, tap->first, out->second, tap->second};
}

bool firmware::isDim(AffineMap map, unsigned result, unsigned dim) {
  auto expr = dyn_cast<AffineDimExpr>(map.getResult(result));
  return expr && expr.getPosition() == dim;
}

/// Images [n, h, w, group, channel], weights [group, filter, ky, kx, channel], sums [n, h, w, group, filter].
static bool isGrouped(AffineMap in, AffineMap weights, AffineMap out, const Axis &y, const Axis &x) {
  auto reads = [](AffineMap map, unsigned result, AffineMap other, unsigned same) {
    return map.getResult(result) == other.getResult(same);
  };
  return in.getNumResults() == 5 && weights.getNumResults() == 5 && out.getNumResults() == 5 &&
         reads(in, 3, weights, 0) && reads(in, 3, out, 3) && reads(out, 4, weights, 1) && isDim(weights, 2, y.tap) &&
         isDim(weights, 3, x.tap) && reads(in, 4, weights, 4) && weights.isProjectedPermutation();
}

/// A convolution by its maps: which loops are the window's.
static std::optional<ProductForm> readWindowForm(linalg::GenericOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  AffineMap in = maps[0], weights = maps[1], out = maps.back();
  unsigned rank = out.getNumResults();
  if (in.getNumResults() < 4 || rank < 4 || rank > 5 || !out.isProjectedPermutation() ||
      !isDim(in, 0, out.getDimPosition(0)))
    return std::nullopt;
  std::optional<Axis> y = readAxis(in.getResult(1)), x = readAxis(in.getResult(2));
  if (!y || !x || y->out != out.getDimPosition(1) || x->out != out.getDimPosition(2))
    return std::nullopt;
  ProductForm form;
  form.strides = {y->stride, x->stride};
  form.dilations = {y->dilation, x->dilation};
  if (isGrouped(in, weights, out, *y, *x)) {
    form.kind = ProductForm::Grouped;
    return form;
  }
  if (in.getNumResults() != 4)
    return std::nullopt;
  auto channel = dyn_cast<AffineDimExpr>(in.getResult(3));
  bool one = !channel && isa<AffineConstantExpr>(in.getResult(3));
  unsigned last = out.getDimPosition(rank - 1);
  if (rank == 4 && channel && weights.getNumResults() == 4 && isDim(weights, 0, last) && isDim(weights, 1, y->tap) &&
      isDim(weights, 2, x->tap) && isDim(weights, 3, channel.getPosition()) && channel.getPosition() != last) {
    form.kind = ProductForm::Conv;
    return form;
  }
  // Depthwise: a channel of the output reads one of the input; with a multiplier both have a loop.
  bool split = rank == 5 && channel && isDim(out, 3, channel.getPosition());
  bool plain = rank == 4 && (one || (channel && channel.getPosition() == last));
  if (!(split || plain) || weights.getNumResults() != rank - 1 || !isDim(weights, 0, y->tap) || !isDim(weights, 1, x->tap) ||
      !isDim(weights, rank - 2, last) || (split && !isDim(weights, 2, channel.getPosition())))
    return std::nullopt;
  form.kind = ProductForm::Depthwise;
  return form;
}

/// The groups of a weight that is indexed by `weights`, its channel first, whose factors are indexed by `factors`.
static std::optional<SmallVector<int64_t, 3>> readGroups(linalg::GenericOp op, AffineMap weights, AffineMap factors) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op.getDpsInputs()[1].getType()).getShape();
  SmallVector<int64_t, 3> groups;
  if (factors.getNumResults() != weights.getNumResults() || factors.getResult(0) != weights.getResult(0))
    return std::nullopt;
  for (unsigned i = 1; i < weights.getNumResults(); ++i) {
    AffineExpr expr = factors.getResult(i), dim = weights.getResult(i);
    auto quotient = dyn_cast<AffineBinaryOpExpr>(expr);
    if (expr == dim)
      groups.push_back(1);
    else if (auto zero = dyn_cast<AffineConstantExpr>(expr); zero && zero.getValue() == 0)
      groups.push_back(shape[i]);
    else if (quotient && quotient.getKind() == AffineExprKind::FloorDiv && quotient.getLHS() == dim &&
             isa<AffineConstantExpr>(quotient.getRHS()))
      groups.push_back(cast<AffineConstantExpr>(quotient.getRHS()).getValue());
    else
      return std::nullopt;
  }
  return groups;
}

/// A matrix product by its maps.
static std::optional<ProductForm> readMatrixForm(AffineMap in, AffineMap weights, AffineMap out) {
  for (AffineMap map : {in, weights, out})
    if (map.getNumDims() != 3 || map.getNumResults() != 2 || !map.isProjectedPermutation())
      return std::nullopt;
  if (!isDim(out, 0, in.getDimPosition(0)) || !isDim(out, 1, weights.getDimPosition(0)) ||
      in.getDimPosition(1) != weights.getDimPosition(1))
    return std::nullopt;
  ProductForm form;
  form.kind = ProductForm::Matrix;
  return form;
}

std::optional<ProductForm> firmware::readProductForm(linalg::GenericOp op) {
  std::optional<int64_t> zero = readProductBody(op);
  if (!zero)
    return std::nullopt;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  std::optional<ProductForm> form = readMatrixForm(maps[0], maps[1], maps.back());
  if (!form)
    form = readWindowForm(op);
  if (!form)
    return std::nullopt;
  form->inputZero = *zero;
  if (maps.size() == 3)
    return form;
  // Factors of a depthwise layer would belong to its taps, those of a grouped one to its groups: such a layer stays as
  // it is.
  std::optional<SmallVector<int64_t, 3>> groups = readGroups(op, maps[1], maps[2]);
  if (!groups || form->kind == ProductForm::Depthwise || form->kind == ProductForm::Grouped)
    return std::nullopt;
  form->groups = *groups;
  return form;
}
