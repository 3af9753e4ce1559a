// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is added to sums, in units of their scales.
#include "lib/Quantize/ConstantData.h"
#include "lib/Transforms/Integer/Converter.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;

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
  sums.tensor = linalg::GenericOp::create(b, type, ValueRange{sums.tensor, constant}, empty, maps, iterators,
                                          [](OpBuilder &body, Location loc, ValueRange in) {
                                            Value sum = arith::AddIOp::create(body, loc, in[0], in[1]);
                                            linalg::YieldOp::create(body, loc, sum);
                                          })
                    .getResult(0);
}
