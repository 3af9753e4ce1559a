// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of codes over windows or axes, through a final map => pooling layers.
#include "lib/Transforms/Firmware/FormLayers.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

/// The same elements in another shape.
static Value reshape(ImplicitLocOpBuilder &b, Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  auto all = [](int64_t rank) {
    return SmallVector<ReassociationIndices>{llvm::to_vector<2>(llvm::seq<int64_t>(0, rank))};
  };
  if (type.getRank() > 1)
    value = tensor::CollapseShapeOp::create(b, value, all(type.getRank()));
  if (shape.size() == 1)
    return value;
  return tensor::ExpandShapeOp::create(b, type.clone(shape), value, all(int64_t(shape.size())));
}

namespace {
/// Windows over an image [batch, height, width, channels].
struct Windows {
  SmallVector<int64_t, 4> in, out;
  SmallVector<int64_t, 2> window{1, 1}, strides{1, 1}, dilations{1, 1};
  SmallVector<int64_t, 4> pads{0, 0, 0, 0};

  /// How many taps of the windows at place `i` of an axis (0 or 1) lie in the image.
  int64_t countTaps(unsigned axis, int64_t i) const;
  bool fits() const;
};
} // namespace

int64_t Windows::countTaps(unsigned axis, int64_t i) const {
  int64_t count = 0;
  for (int64_t tap = 0; tap < window[axis]; ++tap) {
    int64_t at = i * strides[axis] + tap * dilations[axis] - pads[axis];
    count += at >= 0 && at < in[1 + axis];
  }
  return count;
}

/// Whether windows are of a size that layers have, and each has something of the image.
bool Windows::fits() const {
  if (llvm::is_contained(in, 0) || window[0] >= int64_t(1) << 23 || window[1] >= (int64_t(1) << 23) / window[0])
    return false;
  for (unsigned axis : {0u, 1u})
    for (int64_t i = 0; i < out[1 + axis]; ++i)
      if (countTaps(axis, i) == 0)
        return false;
  return true;
}

static Value createPool(ImplicitLocOpBuilder &b, Value codes, const Windows &w, const MeanForm &form) {
  Value image = reshape(b, codes, w.in);
  Value init = tensor::EmptyOp::create(b, w.out, b.getI8Type());
  OperationState state(b.getLoc(), qnn::Pool2DOp::getOperationName());
  state.addOperands({image, init});
  state.addTypes(init.getType());
  NamedAttrList attributes;
  attributes.set("window", b.getDenseI64ArrayAttr(w.window));
  attributes.set("strides", b.getDenseI64ArrayAttr(w.strides));
  attributes.set("dilations", b.getDenseI64ArrayAttr(w.dilations));
  attributes.set("pads", b.getDenseI64ArrayAttr(w.pads));
  attributes.set("mean", qnn::MeanAttr::get(b.getContext(), form.inputZero, form.multiple, form.multiplier, form.shift,
                                            form.outputZero, form.map));
  attributes.set("low", b.getI64IntegerAttr(form.low));
  attributes.set("high", b.getI64IntegerAttr(form.high));
  attributes.set("operandSegmentSizes", b.getDenseI32ArrayAttr({1, 0, 0, 0, 1}));
  state.addAttributes(attributes);
  return b.create(state)->getResult(0);
}

/// The axes as one window of an image. Nothing where an axis stands between them that stays.
static std::optional<Windows> windowsOfAxes(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes) {
  Windows w;
  // Extents in front of the axes, of the axes, behind them.
  int64_t extents[] = {1, 1, 1};
  unsigned part = 0;
  for (auto [i, extent] : llvm::enumerate(shape)) {
    bool goes = llvm::is_contained(axes, int64_t(i));
    if (extent == 1)
      continue;
    if (goes && part == 2)
      return std::nullopt;
    part = goes ? 1 : part == 0 ? 0 : 2;
    extents[part] *= extent;
  }
  bool image = shape.size() == 4 && extents[1] == shape[1] * shape[2] && extents[2] == shape[3];
  w.window = image ? SmallVector<int64_t, 2>{shape[1], shape[2]} : SmallVector<int64_t, 2>{1, extents[1]};
  w.in = {extents[0], w.window[0], w.window[1], extents[2]};
  w.out = {extents[0], 1, 1, extents[2]};
  return w;
}

/// A mean's codes in the shape that its readers have.
static Value inShape(ImplicitLocOpBuilder &b, Value codes, ArrayRef<int64_t> shape) {
  ArrayRef<int64_t> from = cast<RankedTensorType>(codes.getType()).getShape();
  if (from != shape && shape.size() == 2 && shape[0] == from[0] && shape[1] == from[3])
    return tensor::CollapseShapeOp::create(b, codes, SmallVector<ReassociationIndices>{{0, 1, 2}, {3}});
  return reshape(b, codes, shape);
}

Value firmware::createMean(ImplicitLocOpBuilder &b, Value codes, ArrayRef<int64_t> axes, const MeanForm &form,
                           ArrayRef<int64_t> shape) {
  std::optional<Windows> w = windowsOfAxes(cast<RankedTensorType>(codes.getType()).getShape(), axes);
  return w && w->fits() ? inShape(b, createPool(b, codes, *w, form), shape) : Value();
}

namespace {
/// Forms the layer behind one final map.
class MeanFormer {
public:
  explicit MeanFormer(RequantizeOp op) : op(op), b(op.getLoc(), op) {}

  void run();

private:
  bool readChain();
  bool readBody();
  bool readWindows();
  bool readAxes();
  bool readFactors();

  RequantizeOp op;
  ImplicitLocOpBuilder b;
  linalg::GenericOp factors, sums;   ///< The sums of codes and, if there are some, what they are multiplied by.
  SmallVector<Operation *> reshapes; ///< Behind the sums, the last first.
  Windows w;
  MeanForm form;
  Value input;
};
} // namespace

/// From the final map back to the sums: shapes may change, factors come directly behind the sums.
bool MeanFormer::readChain() {
  Value value = op.getAccumulator();
  for (Operation *def = value.getDefiningOp(); isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(def);
       def = value.getDefiningOp()) {
    reshapes.push_back(def);
    value = def->getOperand(0);
  }
  sums = value.getDefiningOp<linalg::GenericOp>();
  if (sums && sums.getNumReductionLoops() == 0) {
    factors = sums;
    sums = factors.getDpsInputs()[0].getDefiningOp<linalg::GenericOp>();
  }
  return sums && sums.getNumReductionLoops() && cast<RankedTensorType>(sums.getResult(0).getType()).hasStaticShape();
}

/// out += input - zero, from 0 on.
bool MeanFormer::readBody() {
  Block &body = sums.getRegion().front();
  auto sum = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddIOp>();
  auto fill = sums.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  if (!sum || sum.getLhs() != body.getArguments().back() || !fill || constantOf(fill.getInputs()[0]) != 0)
    return false;
  std::optional<Factor> code = readFactor(sum.getRhs());
  if (!code || code->code != body.getArgument(0) || !code->code.getType().isInteger(8))
    return false;
  form.inputZero = code->zero;
  return true;
}

/// Windows along one or two axes.
bool MeanFormer::readWindows() {
  SmallVector<AffineMap> maps = sums.getIndexingMapsArray();
  AffineMap in = maps.front(), out = maps.back();
  unsigned rank = in.getNumResults();
  if (sums.getNumDpsInputs() != 2 || (rank != 4 && rank != 3) || out.getNumResults() != rank ||
      !out.isProjectedPermutation() || !isDim(in, 0, out.getDimPosition(0)) ||
      !isDim(in, rank - 1, out.getDimPosition(rank - 1)) || maps[1].getNumResults() != rank - 2)
    return false;
  ArrayRef<int64_t> window = cast<RankedTensorType>(sums.getDpsInputs()[1].getType()).getShape();
  for (unsigned i = 0; i + 2 < rank; ++i) {
    std::optional<Axis> axis = readAxis(in.getResult(1 + i));
    if (!axis || axis->out != out.getDimPosition(1 + i) || !isDim(maps[1], i, axis->tap))
      return false;
    w.window[i] = window[i];
    w.strides[i] = axis->stride;
    w.dilations[i] = axis->dilation;
  }
  input = stripZeros(sums.getDpsInputs()[0], form.inputZero, w.pads);
  auto shapeOf = [&](Value value) {
    SmallVector<int64_t, 4> shape(cast<RankedTensorType>(value.getType()).getShape());
    if (rank == 3)
      shape.insert(shape.begin() + 2, 1);
    return shape;
  };
  w.in = shapeOf(input);
  w.out = shapeOf(sums.getResult(0));
  return true;
}

/// All of some axes.
bool MeanFormer::readAxes() {
  SmallVector<AffineMap> maps = sums.getIndexingMapsArray();
  AffineMap out = maps.back();
  if (sums.getNumDpsInputs() != 1 || !maps[0].isIdentity() || !out.isProjectedPermutation())
    return false;
  SmallVector<unsigned> kept;
  for (unsigned i = 0; i < out.getNumResults(); ++i)
    kept.push_back(out.getDimPosition(i));
  SmallVector<int64_t> axes;
  for (unsigned i = 0; i < out.getNumDims(); ++i)
    if (!llvm::is_contained(kept, i))
      axes.push_back(i);
  input = sums.getDpsInputs()[0];
  std::optional<Windows> found = windowsOfAxes(cast<RankedTensorType>(input.getType()).getShape(), axes);
  if (!llvm::is_sorted(kept) || !found)
    return false;
  w = *found;
  return true;
}

/// Whether a body multiplies all its inputs with each other and does nothing else.
static bool multipliesInputs(linalg::GenericOp op) {
  Block &body = op.getRegion().front();
  Value left = body.getTerminator()->getOperand(0);
  for (unsigned i = op.getNumDpsInputs(); i-- > 1;) {
    auto product = left.getDefiningOp<arith::MulIOp>();
    if (!product || product.getRhs() != body.getArgument(i))
      return false;
    left = product.getLhs();
  }
  return left == body.getArgument(0);
}

/// A constant that is read along the rows or columns of an image [batch, rows, columns, channels], perhaps without
/// columns.
static std::optional<int64_t> readAt(Value constant, AffineMap map, int64_t y, int64_t x) {
  DenseIntElementsAttr numbers;
  if (!matchPattern(constant, m_Constant(&numbers)))
    return std::nullopt;
  int64_t at = 0;
  for (auto [expr, extent] : llvm::zip_equal(map.getResults(), numbers.getType().getShape())) {
    if (extent == 1)
      continue;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || dim.getPosition() == 0 || dim.getPosition() + 1 == map.getNumDims())
      return std::nullopt;
    at = at * extent + (dim.getPosition() == 1 ? y : x);
  }
  return numbers.getValues<APInt>()[at].getSExtValue();
}

/// Factors by which sums of windows with fewer codes become as large as the others: their product is `multiple` /
/// codes.
bool MeanFormer::readFactors() {
  if (!factors)
    return true;
  SmallVector<AffineMap> maps = factors.getIndexingMapsArray();
  if (sums.getNumDpsInputs() != 2 || !multipliesInputs(factors) || !maps.front().isIdentity() ||
      !maps.back().isIdentity())
    return false;
  for (int64_t y = 0; y < w.out[1]; ++y)
    for (int64_t x = 0; x < w.out[2]; ++x) {
      int64_t multiple = w.countTaps(0, y) * w.countTaps(1, x);
      for (unsigned i = 1; i < factors.getNumDpsInputs(); ++i) {
        std::optional<int64_t> factor = readAt(factors.getDpsInputs()[i], maps[i], y, x);
        if (!factor || *factor < 1 || *factor >= int64_t(1) << 23)
          return false;
        multiple *= *factor;
        if (multiple >= int64_t(1) << 23)
          return false;
      }
      if (form.multiple && form.multiple != multiple)
        return false;
      form.multiple = multiple;
    }
  return true;
}

void MeanFormer::run() {
  std::optional<MapForm> map = readMapForm(op);
  if (!map || !readChain() || !readBody() || (!readWindows() && !readAxes()) || !w.fits() || !readFactors())
    return;
  static_cast<MapForm &>(form) = *map;
  Value codes =
      inShape(b, createPool(b, input, w, form), cast<RankedTensorType>(sums.getResult(0).getType()).getShape());
  for (Operation *reshape : llvm::reverse(reshapes)) {
    IRMapping mapping;
    mapping.map(reshape->getOperand(0), codes);
    Operation *made = b.clone(*reshape, mapping);
    made->getResult(0).setType(cast<RankedTensorType>(made->getResult(0).getType()).clone(b.getI8Type()));
    codes = made->getResult(0);
  }
  op.replaceAllUsesWith(AssembleOp::create(b, op.getType(), codes).getResult());
  op.erase();
}

void firmware::formMean(RequantizeOp op) { MeanFormer(op).run(); }
