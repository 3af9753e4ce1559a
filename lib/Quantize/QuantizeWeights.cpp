// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Encodes the constant side of contractions, and tables.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Quantize/ConstantData.h"
#include "lib/Quantize/Passes.h"
#include "lib/Quantize/Plan.h"
#include "lib/Quantize/SourceNames.h"
#include "lib/Quantize/WeightLayout.h"
#include "lib/Transforms/Select/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "qtensor/Codec.h"
#include "qtensor/Encode.h"
#include "qtensor/RecordEncoder.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_QUANTIZEWEIGHTS
#include "lib/Quantize/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

static constexpr StringLiteral kNone = "none";

namespace {
/// A constant as one encoding sees it.
struct EncodedKey {
  Operation *constant;
  RankedTensorType type; ///< Encoded, dimensions permuted.
  SmallVector<int64_t> permutation;
  std::string encoder;

  bool operator==(const EncodedKey &other) const {
    return constant == other.constant && type == other.type && permutation == other.permutation &&
           encoder == other.encoder;
  }
};

struct QuantizeWeights : mlir::qtensor::impl::QuantizeWeightsBase<QuantizeWeights> {
  using QuantizeWeightsBase::QuantizeWeightsBase;

  void runOnOperation() override {
    FailureOr<Plan> loaded = Plan::load(&getContext(), planFile);
    if (failed(loaded) || failed(quantizeContractions(*loaded)) || failed(quantizeTables(*loaded)))
      return signalPassFailure();
    loaded->warnUnmatched({PlanKey::Weights, PlanKey::Tables, PlanKey::Strategy});
    loaded->warnUnused(getOperation().getLoc(), PlanKey::Weights, weights,
                       "no layer has a constant weight that it could encode");
    loaded->warnUnused(getOperation().getLoc(), PlanKey::Tables, tables,
                       "no constant of floats is a table that is read by rows alone");
    for (Operation *constant : touched)
      if (constant->use_empty())
        constant->erase();
  }

private:
  LogicalResult quantizeContractions(Plan &rules);
  LogicalResult quantizeTables(Plan &rules);
  /// `weight` is the type of its weight, encoded or not.
  LogicalResult setStrategy(Operation *op, Type weight, ArrayRef<StringRef> names, Plan &rules);
  /// The assembly of `value` (a constant of static shape, seen through `permutation`) in the format `spelling`.
  FailureOr<Value> encode(Operation *reader, Value value, ArrayRef<int64_t> permutation, ArrayRef<int64_t> axes,
                          StringRef spelling);
  /// The rounding of a large constant, for others to do; nothing when it is to be done here.
  std::optional<Value> defer(Value value, arith::ConstantOp constant, const EncodedKey &key);
  FailureOr<Value> assemble(Operation *reader, arith::ConstantOp constant, ArrayRef<int64_t> shape,
                            const EncodedKey &key);

  std::vector<std::pair<EncodedKey, Value>> made;
  llvm::SetVector<Operation *> touched;
};
} // namespace

/// What a weight is a transposition of, and for each dimension of the weight that of the source.
static std::pair<Value, SmallVector<int64_t>> skipTranspose(Value weight) {
  if (auto transpose = weight.getDefiningOp<linalg::TransposeOp>())
    return {transpose.getInput(), llvm::to_vector(transpose.getPermutation())};
  auto rank = cast<ShapedType>(weight.getType()).getRank();
  return {weight, llvm::to_vector(llvm::seq<int64_t>(0, rank))};
}

LogicalResult QuantizeWeights::setStrategy(Operation *op, Type weight, ArrayRef<StringRef> names, Plan &rules) {
  std::optional<std::string> strategy = rules.lookup(names, PlanKey::Strategy);
  if (!strategy || *strategy == "auto")
    return success();
  auto kind = symbolizeStrategyKind(*strategy);
  if (!kind)
    return op->emitError() << "the plan's strategy for this layer is '" << *strategy << "'; expected auto, float or integer";
  BlockAttr encoding = getBlockEncoding(weight);
  unsigned needed = encoding ? std::max(1u, getEmbedding(encoding.getCodec()).limbs) : 1;
  unsigned limbs = *kind == StrategyKind::Integer ? needed : 0;
  op->setAttr(kStrategyAttr, StrategyAttr::get(op->getContext(), *kind, limbs));
  return success();
}

LogicalResult QuantizeWeights::quantizeContractions(Plan &rules) {
  SmallVector<Contraction> contractions;
  getOperation().walk([&](linalg::LinalgOp op) {
    FailureOr<Contraction> contraction = matchContraction(op);
    if (succeeded(contraction) && getConstantSource(skipTranspose(contraction->rhs->get()).first))
      contractions.push_back(*contraction);
  });
  IRRewriter rewriter(&getContext());
  for (Contraction contraction : contractions) {
    auto [weight, order] = skipTranspose(contraction.rhs->get());
    SmallVector<StringRef> names = getLayerNames(contraction.op, getConstantSource(weight)->getResult(0));
    FailureOr<SideLayout> layout = getWeightLayout(contraction);
    std::string spelling = failed(layout) ? kNone.str() : rules.decide(names, PlanKey::Weights, weights);
    if (spelling == kNone) {
      if (failed(setStrategy(contraction.op, weight.getType(), names, rules)))
        return failure();
      continue;
    }
    SmallVector<int64_t> permutation;
    for (int64_t dim : layout->permutation)
      permutation.push_back(order[dim]);
    FailureOr<Value> encoded = encode(contraction.op, weight, permutation, layout->axes, spelling);
    if (failed(encoded) || failed(setStrategy(contraction.op, encoded->getType(), names, rules)) ||
        failed(replaceWeight(rewriter, contraction, *encoded, layout->permutation)))
      return failure();
  }
  return success();
}

/// Tables are constants of rank 2 that only tensor.extract reads.
LogicalResult QuantizeWeights::quantizeTables(Plan &rules) {
  SmallVector<arith::ConstantOp> constants;
  getOperation().walk([&](arith::ConstantOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (type && type.getRank() == 2 && isa<FloatType>(type.getElementType()) && !op->use_empty() &&
        llvm::all_of(op->getUsers(), llvm::IsaPred<tensor::ExtractOp>))
      constants.push_back(op);
  });
  for (arith::ConstantOp constant : constants) {
    SmallVector<StringRef> names = getSourceNames(constant.getLoc());
    std::string spelling = rules.decide(names, PlanKey::Tables, tables);
    if (spelling == kNone)
      continue;
    FailureOr<Value> encoded = encode(constant, constant, {0, 1}, {1}, spelling);
    if (failed(encoded))
      return failure();
    constant.getResult().replaceUsesWithIf(*encoded, [](OpOperand &use) { return isa<tensor::ExtractOp>(use.getOwner()); });
  }
  return success();
}

FailureOr<Value> QuantizeWeights::encode(Operation *reader, Value value, ArrayRef<int64_t> permutation,
                                         ArrayRef<int64_t> axes, StringRef spelling) {
  arith::ConstantOp constant = getConstantSource(value);
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.hasStaticShape())
    return reader->emitError() << "the weight has no static shape: " << type;
  FailureOr<FormatChoice> choice =
      parseFormatSpelling(&getContext(), spelling, type.getRank(), axes, [&] { return reader->emitError(); });
  if (failed(choice))
    return failure();
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation)
    shape.push_back(type.getDimSize(dim));
  auto encoding = cast<BlockAttr>(choice->encoding);
  // A reference encoder makes whole records along one dimension.
  if (!lookupRecordEncoder(choice->weightEncoder))
    encoding = spreadBlocks(encoding, axes, shape);
  EncodedKey key{constant, RankedTensorType::get(shape, type.getElementType(), encoding),
                 llvm::to_vector(permutation), choice->weightEncoder};
  for (auto &[known, assembled] : made)
    if (known == key)
      return assembled;
  std::optional<Value> late = defer(value, constant, key);
  FailureOr<Value> assembled = late ? FailureOr<Value>(*late) : assemble(reader, constant, type.getShape(), key);
  if (succeeded(assembled)) {
    made.push_back({key, *assembled});
    touched.insert(constant);
  }
  return assembled;
}

std::optional<Value> QuantizeWeights::defer(Value value, arith::ConstantOp constant, const EncodedKey &key) {
  auto type = cast<RankedTensorType>(constant.getType());
  if (value != constant.getResult() || type.getNumElements() < lateFrom / (type.getElementTypeBitWidth() / 8))
    return std::nullopt;
  OpBuilder builder(constant->getContext());
  builder.setInsertionPointAfter(constant);
  if (!llvm::equal(key.permutation, llvm::seq<int64_t>(0, key.permutation.size()))) {
    Value empty = tensor::EmptyOp::create(builder, constant.getLoc(), key.type.getShape(), type.getElementType());
    value = linalg::TransposeOp::create(builder, constant.getLoc(), value, empty, key.permutation)->getResult(0);
  }
  return QuantizeOp::create(builder, constant.getLoc(), key.type, value, ValueRange(), ValueRange(),
                            builder.getStringAttr(key.encoder));
}

FailureOr<Value> QuantizeWeights::assemble(Operation *reader, arith::ConstantOp constant, ArrayRef<int64_t> shape,
                                           const EncodedKey &key) {
  FailureOr<FloatData> values = readFloats(constant);
  if (failed(values))
    return failure();
  bool moved = !llvm::equal(key.permutation, llvm::seq<int64_t>(0, key.permutation.size()));
  if (moved)
    values = FloatData(transpose(ArrayRef<float>(*values), shape, key.permutation));
  BlockAttr encoding = getBlockEncoding(key.type);
  EncodeOptions options;
  options.encoder = key.encoder;
  options.parallel = parallel;
  FailureOr<std::vector<ComponentBytes>> components =
      encodeTensor(*values, key.type.getShape(), encoding, options, [&] { return reader->emitError(); });
  if (failed(components))
    return failure();
  SmallVector<Component> types;
  encoding.getComponents(key.type.getShape(), &getContext(), types);
  SmallVector<StringRef> names = getSourceNames(constant.getLoc());
  std::string name = names.empty() ? std::string("weight") : names.front().str();
  OpBuilder builder(constant);
  SmallVector<Value> operands;
  for (auto [component, bytes] : llvm::zip_equal(types, *components))
    operands.push_back(
        makeConstant(builder, constant.getLoc(), component.type, std::move(bytes), name + "." + component.name));
  return AssembleOp::create(builder, constant.getLoc(), key.type, operands).getResult();
}
