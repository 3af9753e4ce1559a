// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From real arithmetic on encoded tensors to integers. What is rounded is decided by requantize alone: everything in
// front of it is exact.
#include "dialects/QTensor/IR/ModuleAttrs.h"
#include "lib/Quantize/ConstantData.h"
#include "lib/Reference/FixedPoint.h"
#include "lib/Reference/IntegerRules.h"
#include "lib/Transforms/Integer/GroupScales.h"
#include "lib/Transforms/Integer/Passes.h"
#include "lib/Transforms/Integer/RealForm.h"
#include "lib/Transforms/Select/Contraction.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include <cmath>

namespace mlir::qtensor {
#define GEN_PASS_DEF_INTEGERONLY
#include "lib/Transforms/Integer/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using reference::CodeTensor;

namespace {
/// An encoded tensor as integers: codes, a zero point, and one scale, one for each index of a dimension, or one a block.
struct Codes {
  Value codes;              ///< i8 or i16, as the codec stores them.
  bool isUnsigned = false;
  int64_t zero = 0;
  unsigned bits = 8;
  std::vector<float> scales;
  int64_t axis = -1; ///< Of several scales.
  SmallVector<int64_t> block; ///< Where there is a scale for each block of this shape; else empty.

  /// The largest |code - zero|.
  int64_t largest() const {
    int64_t low = isUnsigned ? 0 : -(int64_t(1) << (bits - 1)), high = low + (int64_t(1) << bits) - 1;
    return std::max(std::abs(low - zero), std::abs(high - zero));
  }
};

/// Exact sums of products of codes: value = scale * sum, one scale or one for each index of a result dimension.
struct Sums {
  Value tensor; ///< i32 or i64.
  std::vector<double> scales;
  int64_t axis = -1;
  bool grouped = false; ///< Of products times the factors of their groups.
};

class Converter {
public:
  Converter(QuantizeOp op, StringRef rounding) : op(op), b(op.getLoc(), op), rounding(rounding) {}

  /// Failure comes with an error. False: the op stays as it is.
  FailureOr<bool> run();

private:
  std::optional<Codes> readCodes(Value value, bool mayHaveBlocks = false);
  std::optional<Sums> readSums(Value value);
  std::optional<Sums> contract(Contraction contraction);
  /// The factors of a weight in blocks, along its channels; `w` gets the scales of these. Nothing, and a warning, where
  /// sums with them would not be exact.
  std::optional<GroupScales> splitBlocks(Contraction &contraction, const Codes &x, Codes &w);
  std::optional<Sums> multiply(ArrayRef<Factor> factors);
  Value widen(OpBuilder &builder, Location loc, Value code, const Codes &of, Type type);
  Value paddedCodes(Value operand, Codes &of);
  FailureOr<bool> addBias(Sums &sums, const Factor &bias);
  /// Nothing where the value is no constant of `count` elements.
  FailureOr<std::optional<std::vector<int64_t>>> readBias(Sums &sums, Value bias, int64_t count);
  void requantize(const Sums &sums, const RealForm &form);

  QuantizeOp op;
  ImplicitLocOpBuilder b;
  StringRef rounding;
  CodeTensor output;
};
} // namespace

static Value stripDequantize(Value value) {
  if (auto read = value.getDefiningOp<DequantizeOp>())
    return read.getSource();
  return value;
}

/// The numbers of a constant of floats.
static std::optional<std::vector<float>> readReals(Value component) {
  arith::ConstantOp constant = getConstantSource(component);
  if (!constant)
    return std::nullopt;
  FailureOr<FloatData> data = readFloats(constant);
  if (failed(data))
    return std::nullopt;
  ArrayRef<float> values = *data;
  return std::vector<float>(values.begin(), values.end());
}

std::optional<Codes> Converter::readCodes(Value value, bool mayHaveBlocks) {
  value = stripDequantize(value);
  auto type = cast<RankedTensorType>(value.getType());
  BlockAttr encoding = getBlockEncoding(type);
  if (!encoding || encoding.getCodec().getKind() != CodecKind::Int || encoding.getCodec().getIntStyle() == IntStyle::Offset ||
      encoding.getOffset() || (encoding.getZero() && !encoding.getZero().getScalar()))
    return std::nullopt;
  Codes out;
  out.bits = encoding.getCodec().getBits();
  out.isUnsigned = encoding.getCodec().getIntStyle() == IntStyle::Unsigned;
  out.zero = encoding.getZero() ? int64_t(*encoding.getZero().getScalar()) : 0;
  if (encoding.isStatic()) {
    out.scales = {encoding.getScale() ? float(*encoding.getScale().getScalar()) : 1.0f};
  } else {
    auto assemble = value.getDefiningOp<AssembleOp>();
    std::optional<std::vector<float>> scales = assemble ? integer::readScales(assemble) : std::nullopt;
    if (!scales)
      return std::nullopt;
    out.scales = std::move(*scales);
    for (auto [dim, extent] : llvm::enumerate(encoding.getGrid(type.getShape()))) {
      if (extent == 1)
        continue;
      if (out.axis >= 0 || extent != type.getDimSize(dim))
        out.block = llvm::to_vector(encoding.getBlock());
      out.axis = int64_t(dim);
    }
    if (!out.block.empty() && !mayHaveBlocks)
      return std::nullopt;
  }
  out.codes = ComponentOp::create(b, value, "codes");
  return out;
}

/// The codes of an operand that may be an encoded tensor with zeros around it: padding is the zero point.
Value Converter::paddedCodes(Value operand, Codes &of) {
  auto pad = operand.getDefiningOp<tensor::PadOp>();
  if (!pad)
    return of.codes;
  auto element = cast<RankedTensorType>(of.codes.getType()).getElementType();
  Value zero = arith::ConstantOp::create(b, b.getIntegerAttr(element, of.zero));
  auto type = RankedTensorType::get(pad.getResultType().getShape(), element);
  return tensor::PadOp::create(b, type, of.codes, pad.getMixedLowPad(), pad.getMixedHighPad(), zero);
}

Value Converter::widen(OpBuilder &builder, Location loc, Value code, const Codes &of, Type type) {
  Value wide = of.isUnsigned ? arith::ExtUIOp::create(builder, loc, type, code).getResult()
                             : arith::ExtSIOp::create(builder, loc, type, code).getResult();
  if (of.zero == 0)
    return wide;
  Value zero = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, of.zero));
  return arith::SubIOp::create(builder, loc, wide, zero);
}

/// The source of a tensor padded with 0.0, or the tensor itself.
static Value stripPadding(Value value) {
  auto pad = value.getDefiningOp<tensor::PadOp>();
  if (!pad)
    return value;
  Value padding = pad.getConstantPaddingValue();
  return padding && matchPattern(padding, m_AnyZeroFloat()) ? Value(pad.getSource()) : Value();
}

/// Sums fit 32 bits for codes of 8 bits; TFLite's 16-bit activations are summed in 64, as products with factors are.
static Type sumType(OpBuilder &b, const Codes &x, const Codes &w, bool real) {
  return x.bits > 8 || w.bits > 8 || (!w.block.empty() && !real) ? b.getI64Type() : b.getI32Type();
}

/// What half of a sum may reach, products or bias: `fixed<x16>` takes 48 bits, a real map 32.
static double halfRange(bool real) { return real ? 0x1p30 : 0x1p46; }

static std::vector<double> productScales(const Codes &x, const Codes &w) {
  std::vector<double> scales;
  for (float scale : w.scales)
    scales.push_back(w.axis < 0 ? double(x.scales[0] * scale) : double(x.scales[0]) * double(scale));
  return scales;
}

std::optional<GroupScales> Converter::splitBlocks(Contraction &c, const Codes &x, Codes &w) {
  std::optional<unsigned> channel;
  for (auto [dim, expr] : llvm::enumerate(c.rhsMap.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (!loop)
      return std::nullopt;
    if (c.op.getIteratorTypesArray()[loop.getPosition()] == utils::IteratorType::reduction)
      continue;
    if (channel)
      return std::nullopt;
    channel = unsigned(dim);
  }
  if (!channel)
    return std::nullopt;
  std::string why;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(w.codes.getType()).getShape();
  std::optional<GroupScales> groups = GroupScales::split(w.scales, shape, w.block, *channel, why);
  bool real = rounding == "real";
  if (groups && groups->weight * double(w.largest()) * double(x.largest()) > halfRange(real)) {
    groups.reset();
    why = real ? "sums of products with the scales of their groups leave the 32 bits of a real map"
               : "sums of products with the scales of their groups leave the 48 bits of fixed<x16>";
  }
  for (double unit : groups ? ArrayRef<double>(groups->units) : ArrayRef<double>())
    if (double(x.scales[0]) * unit / double(output.scale) < 0x1p-31) {
      why = "the scales of the groups have a common unit so small that its multiplier has no bits left";
      groups.reset();
      break;
    }
  if (!groups) {
    op.emitWarning() << why << "; this layer stays in floating point; take fewer bits for scales (f16) or one a channel";
    return std::nullopt;
  }
  w.scales.assign(groups->units.begin(), groups->units.end());
  w.axis = *channel;
  return groups;
}

/// How the factors are indexed by the loops: dimensions of the weight, in whole blocks.
static AffineMap factorMap(AffineMap weight, ArrayRef<int64_t> block, ArrayRef<int64_t> shape, int64_t channel) {
  SmallVector<AffineExpr> results;
  for (auto [dim, expr] : llvm::enumerate(weight.getResults())) {
    if (int64_t(dim) == channel)
      results.push_back(expr);
    else if (shape[dim] == 1)
      results.push_back(getAffineConstantExpr(0, weight.getContext()));
    else
      results.push_back(expr.floorDiv(block[dim]));
  }
  return AffineMap::get(weight.getNumDims(), 0, results, weight.getContext());
}

std::optional<Sums> Converter::contract(Contraction c) {
  Init init = readInit(c.op.getDpsInits()[0]);
  Value left = stripPadding(c.lhs->get()), right = c.rhs->get();
  if (init.extra || !left)
    return std::nullopt;
  std::optional<Codes> x = readCodes(left), w = x ? readCodes(right, /*mayHaveBlocks=*/true) : std::nullopt;
  if (!w || x->axis >= 0)
    return std::nullopt;
  Sums out;
  out.grouped = !w->block.empty();
  std::optional<GroupScales> groups = out.grouped ? splitBlocks(c, *x, *w) : std::nullopt;
  if (out.grouped && !groups)
    return std::nullopt;
  SmallVector<Value> inputs{paddedCodes(c.lhs->get(), *x), w->codes};
  SmallVector<AffineMap> maps{c.lhsMap, c.rhsMap, c.outputMap};
  out.scales = productScales(*x, *w);
  if (w->axis >= 0) {
    auto loop = dyn_cast<AffineDimExpr>(c.rhsMap.getResult(w->axis));
    std::optional<unsigned> position = loop ? c.outputMap.getResultPosition(loop) : std::nullopt;
    if (!position)
      return std::nullopt;
    out.axis = *position;
  }
  Type sum = sumType(b, *x, *w, rounding == "real");
  auto result = cast<RankedTensorType>(c.op->getResult(0).getType());
  if (!result.hasStaticShape())
    return std::nullopt;
  Value zero = arith::ConstantOp::create(b, b.getIntegerAttr(sum, 0));
  Value empty = tensor::EmptyOp::create(b, result.getShape(), sum);
  Value filled = linalg::FillOp::create(b, zero, empty).getResult(0);
  if (groups) {
    SmallVector<APInt> factors;
    for (int64_t factor : groups->factors)
      factors.emplace_back(32, factor, /*isSigned=*/true);
    auto type = RankedTensorType::get(groups->shape, b.getI32Type());
    inputs.push_back(arith::ConstantOp::create(b, DenseElementsAttr::get(type, factors)));
    maps.insert(maps.begin() + 2, factorMap(c.rhsMap, w->block, groups->shape, w->axis));
  }
  out.tensor = linalg::GenericOp::create(
                   b, filled.getType(), inputs, filled, maps, c.op.getIteratorTypesArray(),
                   [&](OpBuilder &body, Location loc, ValueRange in) {
                     Value product = arith::MulIOp::create(body, loc, widen(body, loc, in[0], *x, sum),
                                                           widen(body, loc, in[1], *w, sum));
                     if (groups) {
                       Value factor = in[2];
                       if (factor.getType() != sum)
                         factor = arith::ExtSIOp::create(body, loc, sum, factor);
                       product = arith::MulIOp::create(body, loc, product, factor);
                     }
                     linalg::YieldOp::create(body, loc, arith::AddIOp::create(body, loc, in.back(), product).getResult());
                   })
                   .getResult(0);
  return out;
}

/// One or two encoded tensors multiplied element by element.
std::optional<Sums> Converter::multiply(ArrayRef<Factor> factors) {
  SmallVector<Codes> codes;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const Factor &factor : factors) {
    std::optional<Codes> read = readCodes(factor.tensor);
    if (!read || read->axis >= 0)
      return std::nullopt;
    codes.push_back(*read);
    inputs.push_back(read->codes);
    maps.push_back(factor.map);
  }
  Sums out;
  // Two scales are multiplied exactly enough in f64.
  out.scales = {double(codes[0].scales[0]) * (codes.size() > 1 ? double(codes[1].scales[0]) : 1.0)};
  auto result = cast<RankedTensorType>(op.getType());
  if (!result.hasStaticShape())
    return std::nullopt;
  maps.push_back(AffineMap::getMultiDimIdentityMap(result.getRank(), b.getContext()));
  SmallVector<utils::IteratorType> iterators(result.getRank(), utils::IteratorType::parallel);
  Type i32 = b.getI32Type();
  Value empty = tensor::EmptyOp::create(b, result.getShape(), i32);
  out.tensor = linalg::GenericOp::create(b, empty.getType(), inputs, empty, maps, iterators,
                                         [&](OpBuilder &body, Location loc, ValueRange in) {
                                           Value value = widen(body, loc, in[0], codes[0], i32);
                                           if (codes.size() > 1)
                                             value = arith::MulIOp::create(body, loc, value,
                                                                           widen(body, loc, in[1], codes[1], i32));
                                           linalg::YieldOp::create(body, loc, value);
                                         })
                   .getResult(0);
  return out;
}

/// The sums behind a value: of a contraction, perhaps in another shape.
std::optional<Sums> Converter::readSums(Value value) {
  Operation *def = value.getDefiningOp();
  if (!def)
    return std::nullopt;
  if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(def)) {
    std::optional<Sums> inner = readSums(def->getOperand(0));
    auto type = cast<RankedTensorType>(value.getType());
    if (!inner || inner->axis >= 0 || !type.hasStaticShape())
      return std::nullopt;
    IRMapping mapping;
    mapping.map(def->getOperand(0), inner->tensor);
    Operation *made = b.clone(*def, mapping);
    made->getResult(0).setType(type.clone(cast<RankedTensorType>(inner->tensor.getType()).getElementType()));
    inner->tensor = made->getResult(0);
    return inner;
  }
  FailureOr<Contraction> contraction = matchContraction(def);
  return succeeded(contraction) ? contract(*contraction) : std::nullopt;
}

/// The bias in units of the sums' scales. Codes are used as they are, reals and codes beside groups are rounded.
/// Sums of weights that are all zero are nothing but their bias: any scale will do, so they get one that it fits.
static void scaleDeadSums(Sums &sums, ArrayRef<float> bias) {
  for (auto [i, scale] : llvm::enumerate(sums.scales)) {
    if (scale != 0)
      continue;
    ArrayRef<float> own = sums.scales.size() == 1 ? bias : bias.slice(bias.size() == 1 ? 0 : i, 1);
    double most = 0;
    for (float value : own)
      most = std::max(most, std::abs(double(value)));
    scale = most > 0 ? most / 0x1p29 : 1;
  }
}

FailureOr<std::optional<std::vector<int64_t>>> Converter::readBias(Sums &sums, Value bias, int64_t count) {
  auto scaleAt = [&](ArrayRef<double> scales, int64_t i) { return scales[scales.size() == 1 ? 0 : i]; };
  // Units of grouped weights are small: a bias may need more than 32 bits.
  double limit = sums.grouped ? halfRange(rounding == "real") : 0x1p31;
  std::vector<int64_t> values;
  std::optional<Codes> codes = readCodes(bias);
  if (!codes) {
    std::optional<std::vector<float>> reals = readReals(bias);
    if (!reals || int64_t(reals->size()) != count)
      return std::optional<std::vector<int64_t>>();
    scaleDeadSums(sums, *reals);
    for (auto [i, real] : llvm::enumerate(*reals)) {
      double value = std::round(double(real) / scaleAt(sums.scales, i));
      if (!(std::abs(value) <= limit / 2)) { // half is for the products
        op.emitWarning() << "channel " << i << " has the bias " << real << " beside weights so small that it does not fit "
                         << "their scale; this layer stays in floating point: drop the channel, or enlarge its weights";
        return std::optional<std::vector<int64_t>>();
      }
      values.push_back(int64_t(value));
    }
    return std::optional(values);
  }
  auto assemble = stripDequantize(bias).getDefiningOp<AssembleOp>();
  arith::ConstantOp constant = assemble ? getConstantSource(assemble.getComponents()[0]) : arith::ConstantOp();
  if (!constant || codes->bits != 32)
    return std::optional<std::vector<int64_t>>();
  std::vector<char> bytes = readBytes(cast<ElementsAttr>(constant.getValue()));
  if (int64_t(bytes.size()) != 4 * count)
    return std::optional<std::vector<int64_t>>();
  for (int64_t i = 0; i < count; ++i) {
    int32_t code;
    std::memcpy(&code, bytes.data() + 4 * i, 4);
    values.push_back(code - codes->zero);
    double own = double(codes->scales[codes->scales.size() == 1 ? 0 : i]);
    if (sums.grouped) {
      double value = std::round(double(values.back()) * own / scaleAt(sums.scales, i));
      values.back() = int64_t(std::clamp(value, -limit, limit - 1));
      continue;
    }
    if (!(std::abs(scaleAt(sums.scales, i) - own) <= 0.02 * double(output.scale)))
      return op.emitError() << "the bias of channel " << i << " has the scale " << own << ", the products "
                            << scaleAt(sums.scales, i) << "; they may differ by 2 % of the output's scale; quantize "
                            << "the model again",
             failure();
  }
  return std::optional(values);
}

/// Adds a bias along one dimension of the result. False where it is none.
FailureOr<bool> Converter::addBias(Sums &sums, const Factor &bias) {
  auto type = cast<RankedTensorType>(sums.tensor.getType());
  std::optional<unsigned> dim;
  for (auto [i, expr] : llvm::enumerate(bias.map.getResults()))
    if (auto loop = dyn_cast<AffineDimExpr>(expr); loop && type.getDimSize(loop.getPosition()) != 1) {
      if (dim)
        return false;
      dim = loop.getPosition();
    }
  int64_t count = dim ? type.getDimSize(*dim) : 1;
  if (sums.axis >= 0 && dim && int64_t(*dim) != sums.axis)
    return false;
  FailureOr<std::optional<std::vector<int64_t>>> values = readBias(sums, bias.tensor, count);
  if (failed(values))
    return failure();
  if (!*values)
    return false;
  Type element = type.getElementType();
  SmallVector<Attribute> numbers;
  for (int64_t value : **values)
    numbers.push_back(b.getIntegerAttr(element, value));
  auto constant = arith::ConstantOp::create(
      b, DenseElementsAttr::get(RankedTensorType::get({count}, element), numbers));
  int64_t rank = type.getRank();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, b.getContext());
  AffineExpr position = dim ? b.getAffineDimExpr(*dim) : b.getAffineConstantExpr(0);
  SmallVector<AffineMap> maps{identity, AffineMap::get(rank, 0, {position}, b.getContext()), identity};
  Value empty = tensor::EmptyOp::create(b, type.getShape(), element);
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  sums.tensor =
      linalg::GenericOp::create(b, type, ValueRange{sums.tensor, constant}, empty, maps, iterators,
                                [](OpBuilder &body, Location loc, ValueRange in) {
                                  Value sum = arith::AddIOp::create(body, loc, in[0], in[1]);
                                  linalg::YieldOp::create(body, loc, sum);
                                })
          .getResult(0);
  return true;
}

void Converter::requantize(const Sums &sums, const RealForm &form) {
  bool single = rounding == "single", wide = cast<RankedTensorType>(sums.tensor.getType()).getElementType().isInteger(64);
  SmallVector<Attribute> multipliers, shifts;
  bool real = rounding == "real";
  for (double scale : sums.scales) {
    double ratio = scale / double(output.scale);
    if (real) {
      multipliers.push_back(b.getF32FloatAttr(float(ratio)));
      continue;
    }
    reference::QuantizedMultiplier fixed = reference::quantizeMultiplier(ratio, single);
    multipliers.push_back(b.getI32IntegerAttr(fixed.multiplier));
    shifts.push_back(b.getI32IntegerAttr(fixed.shift));
  }
  auto vector = [&](ArrayRef<Attribute> values, Type element) -> Value {
    auto type = RankedTensorType::get({int64_t(values.size())}, element);
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, values));
  };
  auto [low, high] = std::pair(output.low, output.high);
  if (form.low)
    low = std::max(low, reference::codeOf(float(*form.low), output));
  if (form.high)
    high = std::min(high, reference::codeOf(float(*form.high), output));
  high = std::max(high, low);
  auto map = FinalMapAttr::get(b.getContext(), !real, RoundingMode::HalfAway,
                               wide ? FixedMode::X16 : single ? FixedMode::Single : FixedMode::Double);
  Value multiplier = vector(multipliers, real ? Type(b.getF32Type()) : Type(b.getI32Type()));
  Value shift = real ? Value() : vector(shifts, b.getI32Type());
  IntegerAttr axis = sums.scales.size() > 1 ? b.getI64IntegerAttr(sums.axis) : IntegerAttr();
  auto made = RequantizeOp::create(b, op.getType(), sums.tensor, multiplier, shift, axis, map, b.getI64IntegerAttr(low),
                                   b.getI64IntegerAttr(high));
  op.replaceAllUsesWith(made.getResult());
  op.erase();
}

FailureOr<bool> Converter::run() {
  std::optional<CodeTensor> described = CodeTensor::describe(cast<RankedTensorType>(op.getType()),
                                                             cast<RankedTensorType>(op.getType()).getShape());
  if (!described)
    return false;
  output = *described;
  std::string why;
  std::optional<RealForm> form = readRealForm(op.getSource(), why);
  if (!form)
    return false;
  // The sums come first; what is added to them is a bias.
  std::optional<Sums> sums;
  std::optional<size_t> base;
  for (auto [i, term] : llvm::enumerate(form->terms)) {
    if (sums)
      break;
    sums = term.size() == 1 && term[0].map.isIdentity() ? readSums(term[0].tensor) : std::nullopt;
    if (!sums && form->terms.size() == 1)
      sums = multiply(term);
    if (sums)
      base = i;
  }
  if (!sums)
    return false;
  for (auto [i, term] : llvm::enumerate(form->terms)) {
    if (i == *base)
      continue;
    if (term.size() != 1)
      return false;
    FailureOr<bool> added = addBias(*sums, term[0]);
    if (failed(added) || !*added)
      return added;
  }
  requantize(*sums, *form);
  return true;
}

/// Whether codes are behind a value, so that an integer-only runtime would have no real arithmetic in between.
static bool comesFromCodes(Value value) {
  SmallVector<Value> open{value};
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!open.empty()) {
    Value next = open.pop_back_val();
    if (getBlockEncoding(next.getType()))
      return true;
    if (Operation *def = next.getDefiningOp(); def && seen.insert(def).second)
      llvm::append_range(open, def->getOperands());
  }
  return false;
}

namespace {
struct IntegerOnly : mlir::qtensor::impl::IntegerOnlyBase<IntegerOnly> {
  using IntegerOnlyBase::IntegerOnlyBase;

  void runOnOperation() override {
    std::string mode = rounding;
    if (mode.empty())
      if (auto own = getOperation()->getParentOfType<ModuleOp>()->getAttrOfType<StringAttr>(kRoundingAttr))
        mode = own.str();
    if (mode.empty())
      return;
    if (!llvm::is_contained({"double", "single", "real"}, mode)) {
      getOperation().emitError() << "rounding is double, single or real, got '" << mode << "'";
      return signalPassFailure();
    }
    SmallVector<QuantizeOp> ops;
    getOperation().walk([&](QuantizeOp op) {
      if (!op->getParentOfType<AsOp>() && op.getParams().empty())
        ops.push_back(op);
    });
    for (QuantizeOp op : ops) {
      FailureOr<bool> isInteger = Converter(op, mode).run();
      if (failed(isInteger))
        return signalPassFailure();
      if (!*isInteger && comesFromCodes(op.getSource()))
        op.emitWarning("'qtensor.quantize' op stays real arithmetic between codes: an integer-only runtime's codes may "
                       "differ from its by one");
    }
  }
};
} // namespace
