// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of products of codes.
#include "lib/Quantize/ConstantData.h"
#include "lib/Quantize/WeightLayout.h"
#include "lib/Transforms/Integer/Converter.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;

/// Sums fit 32 bits for codes of 8 bits; TFLite's 16-bit activations are summed in 64, as products with factors are.
static Type sumType(OpBuilder &b, const Codes &x, const Codes &w, bool real) {
  return x.bits > 8 || w.bits > 8 || (!w.block.empty() && !real) ? b.getI64Type() : b.getI32Type();
}

static std::vector<double> productScales(const Codes &x, const Codes &w) {
  std::vector<double> scales;
  for (float scale : w.scales)
    scales.push_back(w.axis < 0 ? double(x.scales[0] * scale) : double(x.scales[0]) * double(scale));
  return scales;
}

/// Where the result of a grouped convolution, which has a scale for each filter of each group, has these: the first of
/// neighbouring dimensions, and their number. Nothing where blocks are others.
static std::optional<std::pair<int64_t, int64_t>> findFilters(Contraction &c, const Codes &w) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(w.codes.getType()).getShape();
  SmallVector<utils::IteratorType> iterators = c.op.getIteratorTypesArray();
  std::optional<std::pair<int64_t, int64_t>> found;
  for (auto [dim, expr] : llvm::enumerate(c.rhsMap.getResults())) {
    if (ShapedType::isDynamic(w.block[dim]) || w.block[dim] >= shape[dim])
      continue;
    auto loop = dyn_cast<AffineDimExpr>(expr);
    std::optional<unsigned> place = loop ? c.outputMap.getResultPosition(loop) : std::nullopt;
    if (w.block[dim] != 1 || !place || iterators[loop.getPosition()] != utils::IteratorType::parallel)
      return std::nullopt;
    if (!found)
      found = std::pair(int64_t(*place), int64_t(0));
    if (int64_t(*place) != found->first + found->second++)
      return std::nullopt;
  }
  return found;
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
    op.emitWarning() << why
                     << "; this layer stays in floating point; take fewer bits for scales (f16) or one a channel";
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

/// Constant codes of a weight that has another order of dimensions (a model brought its own) in that of the quantizer,
/// which layers are recognised by. Returns how they are indexed.
AffineMap Converter::layOut(const Contraction &c, Codes &w) {
  FailureOr<SideLayout> layout = getWeightLayout(c);
  auto assemble = stripDequantize(c.rhs->get()).getDefiningOp<AssembleOp>();
  arith::ConstantOp constant = assemble ? getConstantSource(assemble.getComponents()[0]) : arith::ConstantOp();
  auto type = cast<RankedTensorType>(w.codes.getType());
  if (failed(layout) || !constant || !w.block.empty() || !type.getElementType().isInteger(8) ||
      llvm::is_sorted(layout->permutation))
    return c.rhsMap;
  std::vector<char> bytes = readBytes(cast<ElementsAttr>(constant.getValue()));
  if (int64_t(bytes.size()) != type.getNumElements())
    return c.rhsMap;
  auto moved = RankedTensorType::get(applyPermutation(type.getShape(), layout->permutation), type.getElementType());
  w.codes = makeConstant(b, constant.getLoc(), moved, transpose(ArrayRef(bytes), type.getShape(), layout->permutation),
                         "codes");
  return AffineMap::get(c.rhsMap.getNumDims(), 0, applyPermutation(c.rhsMap.getResults(), layout->permutation),
                        b.getContext());
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
  std::optional<std::pair<int64_t, int64_t>> filters = w->block.empty() ? std::nullopt : findFilters(c, *w);
  if (filters) {
    std::tie(out.axis, out.axes) = *filters;
    w->block.clear();
  }
  out.grouped = !w->block.empty();
  std::optional<GroupScales> groups = out.grouped ? splitBlocks(c, *x, *w) : std::nullopt;
  if (out.grouped && !groups)
    return std::nullopt;
  AffineMap rhsMap = layOut(c, *w);
  SmallVector<Value> inputs{padCodes(b, c.lhs->get(), *x), w->codes};
  SmallVector<AffineMap> maps{c.lhsMap, rhsMap, c.outputMap};
  out.scales = productScales(*x, *w);
  if (w->axis >= 0 && !filters) {
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
  out.tensor =
      linalg::GenericOp::create(
          b, filled.getType(), inputs, filled, maps, c.op.getIteratorTypesArray(),
          [&](OpBuilder &body, Location loc, ValueRange in) {
            Value product =
                arith::MulIOp::create(body, loc, x->widen(body, loc, in[0], sum), w->widen(body, loc, in[1], sum));
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
  out.most = double(codes[0].largest()) * (codes.size() > 1 ? double(codes[1].largest()) : 1.0);
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

/// Where the scales of sums lie behind a reshape: where it moves their dimensions as a whole, beside others of
/// extent 1.
static bool moveAxis(Operation *reshape, Sums &sums) {
  if (sums.axis < 0)
    return true;
  auto collapse = dyn_cast<tensor::CollapseShapeOp>(reshape);
  ArrayRef<int64_t> longer =
      cast<RankedTensorType>((collapse ? reshape->getOperand(0) : reshape->getResult(0)).getType()).getShape();
  auto groups =
      collapse ? collapse.getReassociationIndices() : cast<tensor::ExpandShapeOp>(reshape).getReassociationIndices();
  for (auto [position, group] : llvm::enumerate(groups)) {
    auto hasScales = [&](int64_t dim) { return dim >= sums.axis && dim < sums.axis + sums.axes; };
    auto isUnit = [&](int64_t dim) { return longer[dim] == 1; };
    if (collapse && llvm::any_of(group, hasScales)) {
      if (!llvm::is_contained(group, sums.axis + sums.axes - 1) ||
          !llvm::all_of(group, [&](int64_t dim) { return hasScales(dim) || isUnit(dim); }))
        return false;
      sums.axis = int64_t(position);
      sums.axes = 1;
      return true;
    }
    if (collapse || int64_t(position) != sums.axis)
      continue;
    if (sums.axes > 1 || llvm::count_if(group, isUnit) + 1 != int64_t(group.size()))
      return false;
    sums.axis = *llvm::find_if_not(group, isUnit);
    return true;
  }
  return false;
}

/// The sums behind a value: of a contraction, perhaps in another shape.
std::optional<Sums> Converter::readSums(Value value) {
  Operation *def = value.getDefiningOp();
  if (!def)
    return std::nullopt;
  if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(def)) {
    std::optional<Sums> inner = readSums(def->getOperand(0));
    auto type = cast<RankedTensorType>(value.getType());
    if (!inner || !type.hasStaticShape() || !moveAxis(def, *inner))
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

/// Sums as they are read through a map from the result's index space.
std::optional<Sums> Converter::readThrough(Sums sums, AffineMap map) {
  if (map.isIdentity())
    return sums;
  auto type = cast<RankedTensorType>(op.getType());
  if (sums.axis >= 0 || !type.hasStaticShape() || !map.isProjectedPermutation(/*allowZeroInResults=*/true))
    return std::nullopt;
  Value empty = tensor::EmptyOp::create(b, type.getShape(), getElementTypeOrSelf(sums.tensor.getType()));
  SmallVector<AffineMap> maps{map, AffineMap::getMultiDimIdentityMap(type.getRank(), b.getContext())};
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  sums.tensor = linalg::GenericOp::create(
                    b, empty.getType(), sums.tensor, empty, maps, iterators,
                    [](OpBuilder &body, Location loc, ValueRange in) { linalg::YieldOp::create(body, loc, in[0]); })
                    .getResult(0);
  return sums;
}

std::optional<Sums> Converter::readTerm(const Term &term, bool alone) {
  std::optional<Sums> sums = term.factors.size() == 1 ? readSums(term.factors[0].tensor) : std::nullopt;
  if (sums)
    sums = readThrough(*sums, term.factors[0].map);
  if (!sums && alone && !term.factors.empty())
    sums = multiply(term.factors);
  if (!sums || !(term.weight > 0) || !divideSums(b, *sums, term.divisors))
    return std::nullopt;
  for (double &scale : sums->scales)
    scale *= term.weight;
  return sums;
}
