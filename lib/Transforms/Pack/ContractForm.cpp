// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Pack/ContractForm.h"
#include "qtensor/Codec.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

/// Kernels gather a row of activations on the stack.
static constexpr int64_t kMaxReduction = int64_t(1) << 18;

static bool uses(AffineMap map, unsigned dim) { return map.isFunctionOfDim(dim); }

static bool isReduction(ContractOp op, unsigned dim) {
  return cast<StringAttr>(op.getIteratorTypes()[dim]).getValue() == "reduction";
}

/// The extent of iterator `dim` as an operand of `shape` indexes it alone.
static int64_t extentOf(AffineMap map, ArrayRef<int64_t> shape, unsigned dim) {
  for (auto [expr, extent] : llvm::zip_equal(map.getResults(), shape))
    if (auto plain = dyn_cast<AffineDimExpr>(expr); plain && plain.getPosition() == dim)
      return extent;
  return ShapedType::kDynamic;
}

static LogicalResult sortIterators(ContractOp op, ContractForm &form, std::string &reason) {
  AffineMap lhs = op.getLhsMap(), rhs = op.getRhsMap(), output = op.getOutputMap();
  for (AffineExpr expr : output.getResults()) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    if (uses(lhs, dim) && uses(rhs, dim)) {
      reason = "an iterator of both operands is kept (batched or depthwise)";
      return failure();
    }
    if (uses(rhs, dim)) {
      form.columns.push_back(dim);
    } else if (form.columns.empty()) {
      form.rows.push_back(dim);
    } else {
      reason = "the columns of the weight are not the fastest dimensions of the output";
      return failure();
    }
  }
  for (unsigned dim = 0; dim < op.getIteratorTypes().size(); ++dim)
    if (isReduction(op, dim))
      form.reductions.push_back(dim);
  if (form.columns.empty() || !rhs.isProjectedPermutation() ||
      rhs.getNumResults() != form.columns.size() + form.reductions.size()) {
    reason = "the weight is not indexed by columns and reductions alone";
    return failure();
  }
  return success();
}

/// Products along iterator `dim` that share the parameters of one side; kDynamic: all of them.
static int64_t blockAlong(AffineMap map, BlockAttr encoding, unsigned dim, int64_t extent) {
  int64_t result = ShapedType::kDynamic;
  if (encoding && extent != 1)
    for (auto [expr, block] : llvm::zip_equal(map.getResults(), encoding.getBlock()))
      if (!ShapedType::isDynamic(block) && uses(AffineMap::get(map.getNumDims(), 0, expr), dim)) {
        bool plain = isa<AffineDimExpr>(expr);
        if (!plain || block < extent)
          result = plain ? block : 1;
      }
  return result;
}

static bool hasData(BlockAttr encoding) {
  for (ParamAttr param : {encoding.getScale(), encoding.getZero(), encoding.getOffset()})
    if (param && param.isData())
      return true;
  return false;
}

/// Stays at the largest number where it would overflow.
static int64_t getProduct(ArrayRef<int64_t> extents) {
  uint64_t product = 1;
  for (int64_t extent : extents)
    product = llvm::SaturatingMultiply(product, static_cast<uint64_t>(extent));
  return std::min<uint64_t>(product, std::numeric_limits<int64_t>::max());
}

static LogicalResult findBlocks(ContractOp op, ContractForm &form, std::string &reason) {
  BlockAttr lhs = op.getLhsEncoding().value_or(nullptr), rhs = op.getRhsEncoding().value_or(nullptr);
  if (op.getStrategy().getKind() == StrategyKind::Float || (lhs && !hasData(lhs)))
    lhs = nullptr; // the float strategy decodes the lhs element by element
  if (rhs && !hasData(rhs))
    rhs = nullptr;
  // A block ends wherever a parameter changes on the way through the reduction: the fastest iterator along which one
  // does decides, however large its blocks are along the slower ones.
  form.runs = 1;
  form.runLength = form.block = getProduct(form.reductionExtents);
  for (size_t position = form.reductions.size(); position-- > 0;) {
    unsigned dim = form.reductions[position];
    int64_t extent = form.reductionExtents[position];
    int64_t a = blockAlong(op.getLhsMap(), lhs, dim, extent), b = blockAlong(op.getRhsMap(), rhs, dim, extent);
    if (ShapedType::isDynamic(a) && ShapedType::isDynamic(b))
      continue;
    int64_t block = ShapedType::isDynamic(a) ? b : ShapedType::isDynamic(b) ? a : std::min(a, b);
    int64_t larger = ShapedType::isDynamic(a) || ShapedType::isDynamic(b) ? block : std::max(a, b);
    if (larger % block != 0) {
      reason = llvm::formatv("blocks of {0} and {1} along the reduction do not nest", block, larger);
      return failure();
    }
    form.wholeBlock = false;
    form.runs = getProduct(ArrayRef(form.reductionExtents).take_front(position));
    form.runLength /= form.runs;
    form.block = block * (form.runLength / extent);
    break;
  }
  return success();
}

FailureOr<ContractForm> qtensor::getContractForm(ContractOp op, ArrayRef<int64_t> rhsShape, std::string &reason) {
  ContractForm form;
  if (failed(sortIterators(op, form, reason)))
    return failure();
  for (unsigned dim : form.columns)
    form.columnExtents.push_back(extentOf(op.getRhsMap(), rhsShape, dim));
  for (unsigned dim : form.reductions)
    form.reductionExtents.push_back(extentOf(op.getRhsMap(), rhsShape, dim));
  if (llvm::is_contained(rhsShape, ShapedType::kDynamic) || llvm::is_contained(rhsShape, 0)) {
    reason = "an extent of the weight is unknown or 0";
    return failure();
  }
  for (int64_t extent : form.columnExtents)
    form.n *= extent;
  if (getProduct(form.reductionExtents) > kMaxReduction) {
    reason = "the reduction has more products than a row of a kernel";
    return failure();
  }
  if (failed(findBlocks(op, form, reason)))
    return failure();
  return form;
}

FailureOr<ActivationCodes> qtensor::getActivationCodes(BlockAttr encoding, std::string &reason) {
  CodecAttr codec = encoding.getCodec();
  FailureOr<CodeMeaning> meaning = getCodeMeaning(codec, StrategyKind::Integer, reason);
  if (failed(meaning))
    return failure();
  if (codec.getKind() != CodecKind::Int || encoding.getOffset()) {
    reason = "the activation has an offset or no integer codes";
    return failure();
  }
  ActivationCodes codes;
  bool isSigned = meaning->flip != 0;
  if (!isSigned && meaning->max > 127)
    codes.flip = 128;
  codes.bias = isSigned ? 0 : meaning->zero - codes.flip;
  ParamAttr zero = encoding.getZero();
  std::optional<double> scalar = zero ? zero.getScalar() : 0.0;
  codes.hasZero = !scalar || *scalar + codes.bias != 0;
  // As padding, a zero point is a byte like a code.
  double lowest = scalar.value_or(0), highest = lowest;
  if (!scalar) {
    auto stored = dyn_cast<CodecAttr>(zero.getValue());
    if (!stored || stored.getKind() != CodecKind::Int || stored.getBits() > 8) {
      reason = "the activation's zero points are no integers of 8 bits";
      return failure();
    }
    CodecRange range = getCodecRange(stored);
    lowest = zero.getNegated() ? -range.highest : range.lowest;
    highest = zero.getNegated() ? -range.lowest : range.highest;
  }
  if (lowest + codes.bias < -128 || highest + codes.bias > 127) {
    reason = "the activation's zero points may be outside of its codes";
    return failure();
  }
  return codes;
}

LogicalResult qtensor::checkActivation(ContractOp op, std::string &reason) {
  return success(op.getStrategy().getKind() == StrategyKind::Float ||
                 succeeded(getActivationCodes(*op.getLhsEncoding(), reason)));
}

std::optional<Follows> qtensor::classifyExtra(const ContractForm &form, AffineMap map, ShapedType type) {
  SmallVector<unsigned> dims;
  for (auto [position, expr] : llvm::enumerate(map.getResults())) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      dims.push_back(dim.getPosition());
    else if (type.getDimSize(position) != 1)
      return std::nullopt;
  }
  size_t rows = form.rows.size(), columns = form.columns.size();
  auto isRange = [&](size_t first, size_t count) {
    bool same = dims.size() == count;
    for (size_t i = 0; same && i < count; ++i)
      same = dims[i] == first + i;
    return same;
  };
  if (dims.empty())
    return Follows::Nothing;
  if (isRange(0, rows + columns))
    return Follows::All;
  if (isRange(rows, columns))
    return Follows::Columns;
  if (isRange(0, rows))
    return Follows::Rows;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

static CodeMeaning integerCodes(CodecAttr codec) {
  CodeMeaning meaning;
  unsigned bits = codec.getBits();
  meaning.codes = IntegerType::get(codec.getContext(), bits);
  // Two's complement becomes unsigned by turning the sign bit over; offset and unsigned codes are already.
  if (decodeCode(codec, (1u << bits) - 1) < decodeCode(codec, 0))
    meaning.flip = 1u << (bits - 1);
  meaning.zero = -static_cast<int64_t>(decodeCode(codec, meaning.flip));
  meaning.max = (1 << bits) - 1;
  return meaning;
}

FailureOr<CodeMeaning> qtensor::getCodeMeaning(CodecAttr codec, StrategyKind strategy, std::string &reason) {
  for (Type type : {Type(Float32Type::get(codec.getContext())), Type(Float16Type::get(codec.getContext())),
                    Type(BFloat16Type::get(codec.getContext()))})
    if (codec == CodecAttr::getForFloat(cast<FloatType>(type)) && strategy == StrategyKind::Float)
      return getFloatMeaning(type, reason);
  if (codec.getBits() > 8) {
    reason = "the codec has more than 8 bits";
    return failure();
  }
  if (codec.getKind() == CodecKind::Int)
    return integerCodes(codec);
  CodeMeaning meaning;
  meaning.codes = IntegerType::get(codec.getContext(), codec.getBits());
  if (strategy == StrategyKind::Float) {
    for (double value : getCodecTable(codec))
      meaning.values.push_back(static_cast<float>(value));
    return meaning;
  }
  Embedding embedding = getEmbedding(codec);
  llvm::append_range(meaning.bytes, embedding.limb[0]);
  llvm::append_range(meaning.upper, embedding.limb[1]);
  meaning.zero = embedding.zero;
  meaning.max = 1;
  for (uint8_t limb : llvm::concat<uint8_t>(meaning.bytes, meaning.upper))
    meaning.max = std::max<int64_t>(meaning.max, limb);
  meaning.unit = static_cast<float>(embedding.scale);
  return meaning;
}

FailureOr<CodeMeaning> qtensor::getFloatMeaning(Type element, std::string &reason) {
  if (!isa<Float16Type, BFloat16Type, Float32Type>(element)) {
    reason = llvm::formatv("plain weights of type {0}", element);
    return failure();
  }
  CodeMeaning meaning;
  meaning.codes = element;
  return meaning;
}
