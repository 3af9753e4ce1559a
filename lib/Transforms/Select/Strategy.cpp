// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The integer strategy where it is exact and worth it, the float strategy elsewhere.
#include "lib/Transforms/Select/Strategy.h"
#include "qtensor/Codec.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;

/// Below this many products in a block, one i32 sum and its scale cost more than decoding; with two limbs, of twice the
/// products, below the second number.
static constexpr int64_t kMinBlockProducts = 4, kMinTwoLimbProducts = 16;
/// The largest table that two limbs are looked up in faster than one f32.
static constexpr unsigned kMaxTwoLimbBits = 6;

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

/// The largest magnitude of code - zero, or of a multiple that stands for a code.
static int64_t getLargestFactor(BlockAttr encoding) {
  Embedding embedding = getEmbedding(encoding.getCodec());
  int64_t largest = embedding.getLargestMultiple();
  if (!encoding.getZero())
    return largest;
  std::optional<double> scalar = encoding.getZero().getScalar();
  // A zero point that is data is a code itself, or a byte.
  return largest + (scalar ? static_cast<int64_t>(std::fabs(*scalar)) : std::max<int64_t>(largest, 128));
}

/// Counts the products that share one set of parameters, or says why blocks do not fit each other or an i32 sum.
static std::string countProducts(Contraction c, BlockAttr lhs, BlockAttr rhs, int64_t &products,
                                 StrategyChoice &choice) {
  SmallVector<int64_t> extents = c.op.getStaticLoopRanges();
  int64_t known = 1;
  products = 1;
  for (auto [index, iterator] : llvm::enumerate(c.op.getIteratorTypesArray())) {
    if (iterator != utils::IteratorType::reduction)
      continue;
    unsigned dim = index;
    int64_t a = blockAlong(dim, c.lhsMap, lhs, extents[dim]), b = blockAlong(dim, c.rhsMap, rhs, extents[dim]);
    if (!ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) && a % b != 0 && b % a != 0)
      return llvm::formatv("blocks of {0} and {1} along the reduction do not nest", a, b);
    int64_t shared = ShapedType::isDynamic(a) ? b : ShapedType::isDynamic(b) ? a : std::min(a, b);
    if (ShapedType::isDynamic(shared))
      shared = extents[dim];
    if (ShapedType::isDynamic(shared) && getIntegerLimbs(rhs.getCodec()) == 2)
      return "nobody knows how many products a block holds";
    bool isOpen = ShapedType::isDynamic(shared);
    if (isOpen)
      choice.open.push_back(dim);
    products *= isOpen ? kMinBlockProducts : shared;
    known *= isOpen ? 1 : shared;
  }
  if (products < kMinBlockProducts)
    return llvm::formatv("a block holds {0} product(s) only", products);
  int64_t most = INT32_MAX / std::max<int64_t>(1, getLargestFactor(lhs) * getLargestFactor(rhs));
  if (products > most)
    return llvm::formatv("a block holds {0} products, and only {1} fit an i32 sum", products, most);
  choice.most = most / std::max<int64_t>(1, known);
  return {};
}

static std::string whyNotInteger(Contraction c, BlockAttr lhs, BlockAttr rhs, int64_t &products,
                                 StrategyChoice &choice) {
  if (!rhs)
    return "the weight is not encoded";
  if (!lhs)
    return "the activation is not encoded";
  if (lhs.getCodec().getKind() != CodecKind::Int || lhs.getCodec().getBits() > 8)
    return "the activation's codec has no 8-bit integer codes";
  if (getIntegerLimbs(rhs.getCodec()) == 0)
    return "the weight's codec has more than 8 bits";
  if (rhs.getZero() && rhs.getCodec().getKind() != CodecKind::Int)
    return "the weight has zero points, but no integer codes";
  if (lhs.getOffset())
    return "the activation has an offset";
  if (!isIntegral(lhs.getZero()) || !isIntegral(rhs.getZero()))
    return "a zero point is no integer";
  return countProducts(c, lhs, rhs, products, choice);
}

/// Why `float` is faster where `integer` is possible.
static std::string whySlower(BlockAttr rhs, int64_t products) {
  if (getIntegerLimbs(rhs.getCodec()) != 2)
    return {};
  if (rhs.getCodec().getBits() > kMaxTwoLimbBits)
    return llvm::formatv("two limbs of {0} codes take longer to look up than one f32", 1 << rhs.getCodec().getBits());
  if (products < kMinTwoLimbProducts)
    return llvm::formatv("a block holds {0} products only, too few for two limbs", products);
  return {};
}

StrategyChoice qtensor::chooseStrategy(Contraction contraction) {
  MLIRContext *context = contraction.op.getContext();
  BlockAttr lhs = getBlockEncoding(contraction.lhs->get().getType());
  BlockAttr rhs = getBlockEncoding(contraction.rhs->get().getType());
  int64_t products = 0;
  StrategyChoice choice;
  choice.strategy = StrategyAttr::get(context, StrategyKind::Float, 0);
  choice.reason = whyNotInteger(contraction, lhs, rhs, products, choice);
  if (!choice.reason.empty())
    return choice;
  choice.integer = StrategyAttr::get(context, StrategyKind::Integer, getIntegerLimbs(rhs.getCodec()));
  choice.reason = whySlower(rhs, products);
  if (choice.reason.empty())
    choice.strategy = choice.integer;
  return choice;
}
