// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/Tabulate.h"
#include "lib/Reference/Interpreter.h"
#include "lib/Transforms/Integer/Codes.h"
#include "lib/Transforms/Integer/EmitFixedPoint.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;

namespace {
/// Elementwise ops that compute a value of one encoded tensor.
struct Chain {
  SmallVector<linalg::GenericOp> ops;     ///< In order.
  Value source;                           ///< Encoded.
  llvm::SetVector<Operation *> constants; ///< Numbers that their bodies take from outside.

  /// Follows `value` to the tensor. False where it depends on something else.
  bool read(Value value);

private:
  bool readBody(linalg::GenericOp op);
};
} // namespace

bool Chain::readBody(linalg::GenericOp op) {
  llvm::SetVector<Value> outside;
  getUsedValuesDefinedAbove(op->getRegions(), outside);
  for (Value value : outside) {
    Operation *def = value.getDefiningOp();
    if (!def || !def->hasTrait<OpTrait::ConstantLike>() || isa<ShapedType>(value.getType()))
      return false;
    constants.insert(def);
  }
  bool ownIndex = op->walk([](linalg::IndexOp) { return WalkResult::interrupt(); }).wasInterrupted();
  return !ownIndex && !op.payloadUsesValueFromOperand(op.getDpsInitOperand(0));
}

bool Chain::read(Value value) {
  if (Value encoded = stripDequantize(value); getBlockEncoding(encoded.getType())) {
    if (source && source != encoded)
      return false;
    source = encoded;
    return true;
  }
  auto op = value.getDefiningOp<linalg::GenericOp>();
  if (!op || op.getNumReductionLoops() || op->getNumResults() != 1 || !op.hasPureTensorSemantics() ||
      op.getNumDpsInputs() == 0 ||
      !llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); }))
    return false;
  if (llvm::is_contained(ops, op))
    return true;
  if (ops.size() > 64 || !readBody(op) || !llvm::all_of(op.getDpsInputs(), [&](Value input) { return read(input); }))
    return false;
  ops.push_back(op);
  return true;
}

static RankedTensorType encodedRow(Type type, int64_t count) {
  return RankedTensorType::get({count}, getElementTypeOrSelf(type), coverTensor(getBlockEncoding(type), 1));
}

static RankedTensorType codesOf(RankedTensorType type) {
  SmallVector<Component> components;
  getBlockEncoding(type).getComponents(type.getShape(), type.getContext(), components);
  return components.front().type;
}

/// The chain over a row of codes as a function: codes -> codes.
static func::FuncOp buildFunction(ModuleOp module, Chain &chain, QuantizeOp op, int64_t count) {
  ImplicitLocOpBuilder b(op.getLoc(), module.getBodyRegion());
  RankedTensorType from = encodedRow(chain.source.getType(), count), to = encodedRow(op.getType(), count);
  auto function = func::FuncOp::create(b, "table", b.getFunctionType({codesOf(from)}, {codesOf(to)}));
  b.setInsertionPointToStart(function.addEntryBlock());
  Value row = AssembleOp::create(b, from, function.getArgument(0));
  IRMapping mapping;
  for (Operation *constant : chain.constants)
    b.clone(*constant, mapping);
  auto read = [&](Value value) {
    return getBlockEncoding(stripDequantize(value).getType()) ? row : mapping.lookup(value);
  };
  for (linalg::GenericOp inner : chain.ops) {
    SmallVector<Value> inputs;
    for (Value input : inner.getDpsInputs())
      inputs.push_back(read(input));
    Value empty = tensor::EmptyOp::create(b, {count}, getElementTypeOrSelf(inner->getResult(0).getType()));
    SmallVector<AffineMap> maps(inputs.size() + 1, b.getMultiDimIdentityMap(1));
    SmallVector<utils::IteratorType> iterators{utils::IteratorType::parallel};
    auto made = linalg::GenericOp::create(b, empty.getType(), inputs, empty, maps, iterators);
    IRMapping inside(mapping);
    inner.getRegion().cloneInto(&made.getRegion(), inside);
    mapping.map(inner->getResult(0), made->getResult(0));
  }
  Value rounded = QuantizeOp::create(b, to, read(op.getSource()), ValueRange(), ValueRange(), op.getEncoderAttr());
  func::ReturnOp::create(b, ComponentOp::create(b, rounded, "codes").getResult());
  return function;
}

/// Integer codes of one static block over a tensor of static shape.
static bool isPlain(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  BlockAttr encoding = getBlockEncoding(type);
  return encoding && encoding.isStatic() && tensor.hasStaticShape() &&
         encoding.getCodec().getKind() == CodecKind::Int && encoding.getCodec().getIntStyle() != IntStyle::Offset &&
         llvm::all_of(encoding.getBlock(), [](int64_t extent) { return ShapedType::isDynamic(extent); });
}

static bool isKnown(linalg::GenericOp op) {
  return !op->walk([](Operation *part) {
              bool known = part->hasTrait<OpTrait::IsTerminator>() || reference::isSupported(part);
              return known ? WalkResult::advance() : WalkResult::interrupt();
            }).wasInterrupted();
}

/// The codes that `op` makes of each code of the chain's source, from the lowest on. Nothing where the reference has no
/// rule.
static std::optional<SmallVector<int64_t>> computeTable(Chain &chain, QuantizeOp op) {
  CodecAttr codec = getBlockEncoding(chain.source.getType()).getCodec();
  int64_t count = int64_t(1) << codec.getBits();
  OwningOpRef<ModuleOp> module = ModuleOp::create(op.getLoc());
  func::FuncOp function = buildFunction(*module, chain, op, count);
  Type element = cast<RankedTensorType>(function.getArgument(0).getType()).getElementType();
  FailureOr<reference::Tensor> all = reference::Tensor::zeros(element, {count});
  if (failed(all) || !llvm::all_of(chain.ops, isKnown))
    return std::nullopt;
  for (int64_t i = 0; i < count; ++i)
    all->setInteger(i, codec.getIntStyle() == IntStyle::Unsigned ? i : i - count / 2);
  FailureOr<SmallVector<reference::Tensor>> made = reference::evaluate(function, *all);
  if (failed(made))
    return std::nullopt;
  SmallVector<int64_t> codes;
  for (int64_t i = 0; i < count; ++i)
    codes.push_back(made->front().getInteger(i));
  return codes;
}

bool integer::tabulate(QuantizeOp op) {
  Chain chain;
  if (!chain.read(op.getSource()) || chain.ops.empty() || !isPlain(chain.source.getType()) || !isPlain(op.getType()))
    return false;
  CodecAttr from = getBlockEncoding(chain.source.getType()).getCodec();
  auto type = cast<RankedTensorType>(op.getType());
  if (from.getBits() > 8 || getBlockEncoding(type).getCodec().getBits() > 16)
    return false;
  std::optional<SmallVector<int64_t>> codes = computeTable(chain, op);
  if (!codes)
    return false;
  ImplicitLocOpBuilder b(op.getLoc(), op);
  Type element = codesOf(type).getElementType();
  SmallVector<Attribute> numbers;
  for (int64_t code : *codes)
    numbers.push_back(b.getIntegerAttr(element, code));
  auto row = RankedTensorType::get({int64_t(numbers.size())}, element);
  Value table = arith::ConstantOp::create(b, DenseElementsAttr::get(row, numbers));
  Value source = ComponentOp::create(b, chain.source, "codes");
  Value empty = tensor::EmptyOp::create(b, type.getShape(), element);
  SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  bool isSigned = from.getIntStyle() != IntStyle::Unsigned;
  auto found = linalg::GenericOp::create(b, empty.getType(), source, empty, maps, iterators,
                                         [&](OpBuilder &inner, Location loc, ValueRange in) {
                                           ImplicitLocOpBuilder scalar(loc, inner);
                                           Value code = emitLookUp(Wide(scalar), table, in[0], isSigned);
                                           linalg::YieldOp::create(inner, loc, code);
                                         });
  op.replaceAllUsesWith(AssembleOp::create(b, type, found.getResult(0)).getResult());
  op.erase();
  return true;
}
