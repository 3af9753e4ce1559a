// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The integer strategy where it is exact and worth it, the float strategy elsewhere.
#include "lib/Transforms/Select/Strategy.h"
#include "qtensor/Codec.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;

/// Below this many products in a block, one i32 sum and its scale cost more than decoding.
static constexpr int64_t kMinBlockProducts = 4;

unsigned qtensor::getIntegerLimbs(CodecAttr codec) { return getEmbedding(codec).limbs; }

static bool isIntegral(ParamAttr zero) {
  if (!zero)
    return true;
  if (std::optional<double> scalar = zero.getScalar())
    return *scalar == std::trunc(*scalar);
  auto codec = dyn_cast<CodecAttr>(zero.getValue());
  return codec && codec.getKind() == CodecKind::Int && codec.getBits() <= 8;
}

/// The extent, along iterator `dim`, over which one side has one set of parameters; kDynamic is all of it.
static int64_t blockAlong(unsigned dim, AffineMap map, BlockAttr encoding, int64_t extent) {
  int64_t result = ShapedType::kDynamic;
  for (auto [expr, block] : llvm::zip_equal(map.getResults(), encoding.getBlock())) {
    if (ShapedType::isDynamic(block) || !expr.isFunctionOfDim(dim))
      continue;
    bool plain = isa<AffineDimExpr>(expr);
    if (plain && !ShapedType::isDynamic(extent) && block >= extent)
      continue;
    result = plain ? block : 1;
  }
  return result;
}

/// Products that share one set of parameters, or the reason why blocks do not fit each other.
static std::string checkBlocks(Contraction c, BlockAttr lhs, BlockAttr rhs) {
  SmallVector<int64_t> extents = c.op.getStaticLoopRanges();
  int64_t products = 1;
  for (auto [index, iterator] : llvm::enumerate(c.op.getIteratorTypesArray())) {
    if (iterator != utils::IteratorType::reduction)
      continue;
    unsigned dim = index;
    int64_t a = blockAlong(dim, c.lhsMap, lhs, extents[dim]), b = blockAlong(dim, c.rhsMap, rhs, extents[dim]);
    if (!ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) && a % b != 0 && b % a != 0)
      return llvm::formatv("blocks of {0} and {1} along the reduction do not nest", a, b);
    int64_t shared = ShapedType::isDynamic(a) ? b : ShapedType::isDynamic(b) ? a : std::min(a, b);
    if (ShapedType::isDynamic(shared))
      shared = ShapedType::isDynamic(extents[dim]) ? kMinBlockProducts : extents[dim];
    products = std::min<int64_t>(products, kMinBlockProducts) * std::min<int64_t>(shared, kMinBlockProducts);
  }
  if (products < kMinBlockProducts)
    return llvm::formatv("a block holds {0} product(s) only", products);
  return {};
}

static std::string whyNotInteger(Contraction c, BlockAttr lhs, BlockAttr rhs) {
  if (!rhs)
    return "the weight is not encoded";
  if (!lhs)
    return "the activation is not encoded";
  if (lhs.getCodec().getKind() != CodecKind::Int || lhs.getCodec().getBits() > 8)
    return "the activation's codec has no 8-bit integer codes";
  if (getIntegerLimbs(rhs.getCodec()) != 1)
    return "the weight's codec has no exact embedding in 8-bit integers";
  if (lhs.getOffset())
    return "the activation has an offset";
  if (!isIntegral(lhs.getZero()) || !isIntegral(rhs.getZero()))
    return "a zero point is no integer";
  return checkBlocks(c, lhs, rhs);
}

StrategyChoice qtensor::chooseStrategy(Contraction contraction) {
  MLIRContext *context = contraction.op.getContext();
  BlockAttr lhs = getBlockEncoding(contraction.lhs->get().getType());
  BlockAttr rhs = getBlockEncoding(contraction.rhs->get().getType());
  std::string reason = whyNotInteger(contraction, lhs, rhs);
  if (!reason.empty())
    return {StrategyAttr::get(context, StrategyKind::Float, 0), reason};
  return {StrategyAttr::get(context, StrategyKind::Integer, getIntegerLimbs(rhs.getCodec())), {}};
}
