// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From real arithmetic on encoded tensors to integers. What is rounded is decided by requantize alone: everything in
// front of it is exact.
#include "dialects/QTensor/IR/ModuleAttrs.h"
#include "lib/Quantize/ConstantData.h"
#include "lib/Quantize/SourceNames.h"
#include "lib/Reference/FixedPoint.h"
#include "lib/Reference/IntegerRules.h"
#include "lib/Transforms/Integer/AddByRule.h"
#include "lib/Transforms/Integer/Codes.h"
#include "lib/Transforms/Integer/GroupScales.h"
#include "lib/Transforms/Integer/Passes.h"
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
class Converter {
public:
  Converter(QuantizeOp op, StringRef rounding) : op(op), b(op.getLoc(), op), rounding(rounding) {}

  /// Failure comes with an error. False: the op stays as it is.
  FailureOr<bool> run();
  /// The contraction whose sums are integers now, or null.
  Operation *getLayer() const { return layer; }

private:
  std::optional<Sums> readSums(Value value);
  std::optional<Sums> contract(Contraction contraction);
  /// The factors of a weight in blocks, along its channels; `w` gets the scales of these. Nothing, and a warning, where
  /// sums with them would not be exact.
  std::optional<GroupScales> splitBlocks(Contraction &contraction, const Codes &x, Codes &w);
  std::optional<Sums> multiply(ArrayRef<Factor> factors);
  /// The sums that a term is, times its weight. Nothing where it is none; `alone`: it may be a product of tensors.
  std::optional<Sums> readTerm(const Term &term, bool alone);
  FailureOr<bool> addBias(Sums &sums, const Term &bias);
  /// Adds numbers along a dimension of the result, or one everywhere.
  void addNumbers(Sums &sums, ArrayRef<int64_t> values, std::optional<unsigned> dim);
  bool addOffset(Sums &sums, double offset);
  /// Nothing where the value is no constant of `count` elements.
  FailureOr<std::optional<std::vector<int64_t>>> readBias(Sums &sums, Value bias, double weight, int64_t count);
  std::optional<std::vector<int64_t>> scaleReals(Sums &sums, ArrayRef<float> reals);
  void requantize(const Sums &sums, const RealForm &form);

  QuantizeOp op;
  ImplicitLocOpBuilder b;
  StringRef rounding;
  CodeTensor output;
  Operation *layer = nullptr;
};
} // namespace

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
  std::optional<Codes> x = readCodes(b, left), w = x ? readCodes(b, right, /*mayHaveBlocks=*/true) : std::nullopt;
  if (!w || x->axis >= 0)
    return std::nullopt;
  Sums out;
  out.products = true;
  out.grouped = !w->block.empty();
  std::optional<GroupScales> groups = out.grouped ? splitBlocks(c, *x, *w) : std::nullopt;
  if (out.grouped && !groups)
    return std::nullopt;
  SmallVector<Value> inputs{padCodes(b, c.lhs->get(), *x), w->codes};
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
                     Value product = arith::MulIOp::create(body, loc, x->widen(body, loc, in[0], sum),
                                                           w->widen(body, loc, in[1], sum));
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
    std::optional<Codes> read = readCodes(b, factor.tensor);
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
                                           Value value = codes[0].widen(body, loc, in[0], i32);
                                           if (codes.size() > 1)
                                             value = arith::MulIOp::create(body, loc, value,
                                                                           codes[1].widen(body, loc, in[1], i32));
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
  if (FailureOr<Addition> addition = matchAddition(def); succeeded(addition) && addition->isReduction())
    return sumCodes(b, *addition, rounding == "real");
  FailureOr<Contraction> contraction = matchContraction(def);
  if (failed(contraction))
    return std::nullopt;
  layer = def;
  return contract(*contraction);
}

std::optional<Sums> Converter::readTerm(const Term &term, bool alone) {
  std::optional<Sums> sums =
      term.factors.size() == 1 && term.factors[0].map.isIdentity() ? readSums(term.factors[0].tensor) : std::nullopt;
  if (!sums && alone && !term.factors.empty())
    sums = multiply(term.factors);
  if (!sums || !(term.weight > 0) || !divideSums(b, *sums, term.divisors))
    return std::nullopt;
  for (double &scale : sums->scales)
    scale *= term.weight;
  return sums;
}

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

static double scaleAt(ArrayRef<double> scales, int64_t i) { return scales[scales.size() == 1 ? 0 : i]; }

/// Reals in units of the sums' scales. Nothing, and a warning, where one does not fit.
std::optional<std::vector<int64_t>> Converter::scaleReals(Sums &sums, ArrayRef<float> reals) {
  // Units of grouped weights are small: a bias may need more than 32 bits. Half is for the products.
  double limit = (sums.grouped ? halfRange(rounding == "real") : 0x1p31) / 2;
  std::vector<int64_t> values;
  scaleDeadSums(sums, reals);
  for (auto [i, real] : llvm::enumerate(reals)) {
    double scale = scaleAt(sums.scales, i), value = std::round(double(real) / scale);
    if (!(std::abs(value) <= limit)) {
      op.emitWarning() << "channel " << i << " has the bias " << real
                       << " beside weights so small that it does not fit "
                       << "their scale; this layer stays in floating point: drop the channel, or enlarge its weights";
      return std::nullopt;
    }
    // Codes that are not multiplied have large steps.
    if (!sums.products && std::abs(value * scale - double(real)) > 0.02 * double(output.scale))
      return std::nullopt;
    values.push_back(int64_t(value));
  }
  return values;
}

/// The bias in units of the sums' scales. Codes are used as they are, reals and codes beside groups are rounded.
FailureOr<std::optional<std::vector<int64_t>>> Converter::readBias(Sums &sums, Value bias, double weight,
                                                                   int64_t count) {
  std::optional<Codes> codes = readCodes(b, bias);
  if (!codes) {
    std::optional<std::vector<float>> reals = readReals(bias);
    if (!reals || int64_t(reals->size()) != count)
      return std::optional<std::vector<int64_t>>();
    for (float &real : *reals)
      real = float(real * weight);
    return scaleReals(sums, *reals);
  }
  auto assemble = stripDequantize(bias).getDefiningOp<AssembleOp>();
  arith::ConstantOp constant = assemble ? getConstantSource(assemble.getComponents()[0]) : arith::ConstantOp();
  if (!constant || codes->bits != 32 || weight != 1)
    return std::optional<std::vector<int64_t>>();
  std::vector<char> bytes = readBytes(cast<ElementsAttr>(constant.getValue()));
  if (int64_t(bytes.size()) != 4 * count)
    return std::optional<std::vector<int64_t>>();
  double limit = sums.grouped ? halfRange(rounding == "real") : 0x1p31;
  std::vector<int64_t> values;
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
FailureOr<bool> Converter::addBias(Sums &sums, const Term &bias) {
  auto type = cast<RankedTensorType>(sums.tensor.getType());
  const Factor *only = bias.getOnly();
  if (!only)
    return false;
  std::optional<unsigned> dim;
  for (auto [i, expr] : llvm::enumerate(only->map.getResults()))
    if (auto loop = dyn_cast<AffineDimExpr>(expr); loop && type.getDimSize(loop.getPosition()) != 1) {
      if (dim)
        return false;
      dim = loop.getPosition();
    }
  int64_t count = dim ? type.getDimSize(*dim) : 1;
  if (sums.axis >= 0 && dim && int64_t(*dim) != sums.axis)
    return false;
  FailureOr<std::optional<std::vector<int64_t>>> values = readBias(sums, only->tensor, bias.weight, count);
  if (failed(values))
    return failure();
  if (!*values)
    return false;
  addNumbers(sums, **values, dim);
  return true;
}

bool Converter::addOffset(Sums &sums, double offset) {
  if (offset == 0)
    return true;
  std::optional<std::vector<int64_t>> values = scaleReals(sums, std::vector<float>(sums.scales.size(), float(offset)));
  if (values)
    addNumbers(sums, *values, sums.scales.size() == 1 ? std::nullopt : std::optional(unsigned(sums.axis)));
  return values.has_value();
}

void Converter::addNumbers(Sums &sums, ArrayRef<int64_t> values, std::optional<unsigned> dim) {
  auto type = cast<RankedTensorType>(sums.tensor.getType());
  Type element = type.getElementType();
  SmallVector<Attribute> numbers;
  for (int64_t value : values)
    numbers.push_back(b.getIntegerAttr(element, value));
  auto constant = arith::ConstantOp::create(
      b, DenseElementsAttr::get(RankedTensorType::get({int64_t(values.size())}, element), numbers));
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
}

/// The code of a bound. What is far outside of the codes is one of their ends.
static int64_t boundCode(double real, const CodeTensor &output) {
  float ratio = float(real) / output.scale;
  return std::abs(ratio) < 0x1p31f ? reference::codeOf(float(real), output) : ratio < 0 ? output.low : output.high;
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
    low = std::max(low, boundCode(*form.low, output));
  if (form.high)
    high = std::min(high, boundCode(*form.high, output));
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
  if (form->terms.empty())
    return false;
  if (addByRule(op, *form, rounding))
    return true;
  // The sums come first; what is added to them is a bias.
  std::optional<Sums> sums;
  std::optional<size_t> base;
  for (auto [i, term] : llvm::enumerate(form->terms)) {
    if (sums)
      break;
    sums = readTerm(term, /*alone=*/form->terms.size() == 1);
    if (sums)
      base = i;
  }
  if (!sums)
    return false;
  for (auto [i, term] : llvm::enumerate(form->terms)) {
    if (i == *base)
      continue;
    FailureOr<bool> added = addBias(*sums, term);
    if (failed(added) || !*added)
      return added;
  }
  if (!addOffset(*sums, form->offset))
    return false;
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

/// The name of what reads the real value of a layer in the end, behind elementwise ops.
static std::string nameOfReader(Operation *layer) {
  Operation *reader = layer;
  while (true) {
    Operation *next = *reader->getUsers().begin();
    auto elementwise = dyn_cast<linalg::LinalgOp>(next);
    reader = next;
    if (!elementwise || elementwise.getNumReductionLoops() || next->use_empty())
      break;
  }
  if (reader->hasTrait<OpTrait::IsTerminator>())
    return "a result of the model";
  SmallVector<StringRef> names = getSourceNames(reader->getLoc());
  return "'" + (names.empty() ? reader->getName().getStringRef() : names.front()).str() + "'";
}

/// Erases what nobody reads any more. A layer that is still read is computed twice, which is said.
static void eraseDead(Block &block, const llvm::SmallPtrSetImpl<Operation *> &layers) {
  SmallVector<Operation *> twice;
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (isOpTriviallyDead(&op))
      op.erase();
    else if (layers.contains(&op))
      twice.push_back(&op);
  }
  for (Operation *layer : llvm::reverse(twice))
    layer->emitWarning()
        << "is computed twice: in integers where its result is rounded, and in floats for " << nameOfReader(layer)
        << ", which reads the real value; let it read rounded values (QuantizeLinear, DequantizeLinear) too";
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
    llvm::SmallPtrSet<Operation *, 16> layers;
    for (QuantizeOp op : ops) {
      Converter converter(op, mode);
      FailureOr<bool> isInteger = converter.run();
      if (failed(isInteger))
        return signalPassFailure();
      if (*isInteger && converter.getLayer())
        layers.insert(converter.getLayer());
      if (!*isInteger && comesFromCodes(op.getSource()))
        op.emitWarning("'qtensor.quantize' op stays real arithmetic between codes: an integer-only runtime's codes may "
                       "differ from its by one");
    }
    eraseDead(getOperation().front(), layers);
  }
};
} // namespace
