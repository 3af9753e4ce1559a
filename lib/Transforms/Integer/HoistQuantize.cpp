// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounding moves in front of what moves values or picks the largest: both see the same codes there, and what stands in
// front of the rounding can become integer arithmetic.
#include "dialects/QTensor/IR/ModuleAttrs.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Integer/Passes.h"
#include "lib/Transforms/Select/Addition.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "qtensor/Codec.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_HOISTQUANTIZE
#include "lib/Transforms/Integer/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// Integer codes whose order is that of the values, with numbers as parameters for the whole tensor.
static bool isOrdered(QuantizeOp op) {
  BlockAttr encoding = getBlockEncoding(op.getType());
  auto type = cast<RankedTensorType>(op.getType());
  return op.getParams().empty() && encoding && encoding.isStatic() && !encoding.getOffset() &&
         encoding.getCodec().getKind() == CodecKind::Int && encoding.getCodec().getIntStyle() != IntStyle::Offset &&
         type.hasStaticShape() && llvm::all_of(encoding.getGrid(type.getShape()), [](int64_t n) { return n == 1; }) &&
         encoding.getScale() && *encoding.getScale().getScalar() > 0;
}

namespace {
class Hoister {
public:
  explicit Hoister(QuantizeOp op)
      : op(op), encoding(getBlockEncoding(op.getType())), b(op.getLoc(), op),
        code(encoding.getCodec().getStorageType()) {}

  /// The roundings in front of what stood there, none where there are no new ones.
  SmallVector<QuantizeOp, 2> run();

private:
  Value roundedCodes(Value source);
  Value codesOfPart(Value part);
  std::optional<int64_t> paddingCode(tensor::PadOp pad);
  Value hoistPad(tensor::PadOp pad);
  Value hoistTranspose(linalg::TransposeOp transpose);
  Value hoistReshape(Operation *reshape);
  Value hoistMax(linalg::GenericOp pool);
  Value hoistWrite(linalg::GenericOp writer);
  Value hoistPick(linalg::GenericOp pick);
  Value hoistInsert(tensor::InsertSliceOp insert);
  Value number(int64_t value) { return arith::ConstantOp::create(b, b.getIntegerAttr(code, value)); }

  QuantizeOp op;
  BlockAttr encoding;
  ImplicitLocOpBuilder b;
  Type code;
  SmallVector<QuantizeOp, 2> made;
};
} // namespace

/// The codes of `source`, which is rounded as the op's was. What is rounded like that already is taken.
Value Hoister::roundedCodes(Value source) {
  auto type = cast<RankedTensorType>(source.getType());
  auto encoded = RankedTensorType::get(type.getShape(), type.getElementType(), coverTensor(encoding, type.getRank()));
  for (Operation *user : source.getUsers()) {
    auto same = dyn_cast<QuantizeOp>(user);
    if (!same || same == op || same->getBlock() != op->getBlock() || same.getType() != encoded ||
        !same.getParams().empty() || same.getEncoderAttr() != op.getEncoderAttr())
      continue;
    if (op->isBeforeInBlock(same))
      same->moveBefore(op);
    return ComponentOp::create(b, same, "codes");
  }
  made.push_back(QuantizeOp::create(b, encoded, source, ValueRange(), ValueRange(), op.getEncoderAttr()));
  return ComponentOp::create(b, made.back(), "codes");
}

/// The codes of a part that stands in another tensor. One that has codes of its own, of another scale, is not computed
/// twice: what these mean is rounded.
Value Hoister::codesOfPart(Value part) {
  SmallVector<Operation *> moves;
  for (Value base = part;;) {
    auto type = cast<RankedTensorType>(base.getType());
    BlockAttr own = coverTensor(encoding, type.getRank());
    QuantizeOp other;
    for (Operation *user : base.getUsers())
      if (auto rounded = dyn_cast<QuantizeOp>(user);
          rounded && rounded->getBlock() == op->getBlock() && isOrdered(rounded))
        if (!other || getBlockEncoding(rounded.getType()) == own)
          other = rounded;
    Operation *def = base.getDefiningOp();
    if (isa_and_nonnull<DequantizeOp>(def) || (other && getBlockEncoding(other.getType()) == own))
      return roundedCodes(part);
    if (other) {
      if (op->isBeforeInBlock(other))
        other->moveBefore(op);
      IRMapping mapping;
      mapping.map(base, DequantizeOp::create(b, type, other).getResult());
      for (Operation *move : llvm::reverse(moves))
        b.clone(*move, mapping);
      return roundedCodes(mapping.lookup(part));
    }
    Value from = def ? getMoved(def) : Value();
    if (!from)
      return roundedCodes(part);
    moves.push_back(def);
    base = from;
  }
}

/// The code of a number around a tensor: 0.0 is the zero point, if that is a code, and -inf the lowest one.
std::optional<int64_t> Hoister::paddingCode(tensor::PadOp pad) {
  FloatAttr number;
  Value padding = pad.getConstantPaddingValue();
  if (!padding || !matchPattern(padding, m_Constant(&number)))
    return std::nullopt;
  CodecRange range = getCodecRange(encoding.getCodec());
  if (number.getValue().isInfinity())
    return int64_t(number.getValue().isNegative() ? range.lowest : range.highest);
  int64_t zero = encoding.getZero() ? int64_t(*encoding.getZero().getScalar()) : 0;
  if (!number.getValue().isZero() || double(zero) < range.lowest || double(zero) > range.highest)
    return std::nullopt;
  return zero;
}

Value Hoister::hoistPad(tensor::PadOp pad) {
  std::optional<int64_t> around = paddingCode(pad);
  if (!around)
    return {};
  Value codes = roundedCodes(pad.getSource());
  auto type = RankedTensorType::get(pad.getResultType().getShape(), code);
  return tensor::PadOp::create(b, type, codes, pad.getMixedLowPad(), pad.getMixedHighPad(), number(*around));
}

/// Padding in front of a transposition goes behind it, where a convolution can take it in.
Value Hoister::hoistTranspose(linalg::TransposeOp transpose) {
  ArrayRef<int64_t> order = transpose.getPermutation();
  auto pad = transpose.getInput().getDefiningOp<tensor::PadOp>();
  std::optional<int64_t> around = pad ? paddingCode(pad) : std::nullopt;
  Value codes = roundedCodes(around ? pad.getSource() : transpose.getInput());
  auto shape = applyPermutation(cast<RankedTensorType>(codes.getType()).getShape(), order);
  Value empty = tensor::EmptyOp::create(b, shape, code);
  Value moved = linalg::TransposeOp::create(b, codes, empty, order)->getResult(0);
  if (!around)
    return moved;
  auto low = applyPermutation(pad.getMixedLowPad(), order), high = applyPermutation(pad.getMixedHighPad(), order);
  auto type = RankedTensorType::get(cast<RankedTensorType>(op.getType()).getShape(), code);
  return tensor::PadOp::create(b, type, moved, low, high, number(*around));
}

Value Hoister::hoistReshape(Operation *reshape) {
  Value codes = roundedCodes(reshape->getOperand(0));
  IRMapping mapping;
  mapping.map(reshape->getOperand(0), codes);
  Operation *moved = b.clone(*reshape, mapping);
  moved->getResult(0).setType(cast<RankedTensorType>(op.getType()).clone(code).dropEncoding());
  return moved->getResult(0);
}

/// The largest code is that of the largest value.
Value Hoister::hoistMax(linalg::GenericOp pool) {
  Block &body = pool.getRegion().front();
  auto most = body.getTerminator()->getOperand(0).getDefiningOp<arith::MaximumFOp>();
  auto fill = pool.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  FloatAttr start;
  if (!most || !fill || pool.getNumDpsInputs() > 2 || !matchPattern(fill.getInputs()[0], m_Constant(&start)) ||
      !start.getValue().isInfinity() || !start.getValue().isNegative())
    return {};
  BlockArgument taken = body.getArgument(0), before = body.getArguments().back();
  bool picks =
      (most.getLhs() == before && most.getRhs() == taken) || (most.getLhs() == taken && most.getRhs() == before);
  auto shape = cast<RankedTensorType>(pool.getResult(0).getType()).getShape();
  if (!picks || (pool.getNumDpsInputs() == 2 && !pool.getDpsInputs()[1].getDefiningOp<tensor::EmptyOp>()))
    return {};
  bool isUnsigned = encoding.getCodec().getIntStyle() == IntStyle::Unsigned;
  SmallVector<Value> inputs{roundedCodes(pool.getDpsInputs()[0])};
  if (pool.getNumDpsInputs() == 2) // only its extents are read
    inputs.push_back(
        tensor::EmptyOp::create(b, cast<RankedTensorType>(pool.getDpsInputs()[1].getType()).getShape(), code));
  Value empty = tensor::EmptyOp::create(b, shape, code);
  Value lowest = number(int64_t(getCodecRange(encoding.getCodec()).lowest));
  Value filled = linalg::FillOp::create(b, lowest, empty).getResult(0);
  auto pooled = linalg::GenericOp::create(
      b, filled.getType(), inputs, filled, pool.getIndexingMapsArray(), pool.getIteratorTypesArray(),
      [&](OpBuilder &inner, Location loc, ValueRange in) {
        Value larger = isUnsigned ? arith::MaxUIOp::create(inner, loc, in.back(), in.front()).getResult()
                                  : arith::MaxSIOp::create(inner, loc, in.back(), in.front()).getResult();
        linalg::YieldOp::create(inner, loc, larger);
      });
  return pooled.getResult(0);
}

/// An elementwise op behind a layer that writes its result transposed, as `qtensor-sink-transposes` makes them: codes
/// are transposed instead, behind the layer.
Value Hoister::hoistWrite(linalg::GenericOp writer) {
  SmallVector<AffineMap> maps = writer.getIndexingMapsArray();
  Operation *producer = writer.getNumDpsInputs() ? writer.getDpsInputs()[0].getDefiningOp() : nullptr;
  if (!isa_and_nonnull<linalg::LinalgOp, QuantizeOp, DequantizeOp>(producer) || !maps[0].isPermutation() ||
      maps[0].isIdentity() || !maps.back().isIdentity() || writer->getNumResults() != 1 ||
      writer->walk([](linalg::IndexOp) { return WalkResult::interrupt(); }).wasInterrupted())
    return {};
  // New loop i is old loop order[i]: the first input is read as it lies.
  auto order = llvm::map_to_vector(maps[0].getResults(),
                                   [](AffineExpr expr) { return int64_t(cast<AffineDimExpr>(expr).getPosition()); });
  AffineMap toOld = AffineMap::getPermutationMap(invertPermutationVector(order), b.getContext());
  for (AffineMap &map : maps)
    map = map.compose(toOld);
  maps.back() = maps.front();
  ArrayRef<int64_t> shape = cast<RankedTensorType>(writer.getDpsInputs()[0].getType()).getShape();
  Value empty = tensor::EmptyOp::create(b, shape, getElementTypeOrSelf(writer.getResult(0).getType()));
  auto plain =
      linalg::GenericOp::create(b, empty.getType(), writer.getDpsInputs(), empty, maps, writer.getIteratorTypesArray());
  IRMapping inside;
  writer.getRegion().cloneInto(&plain.getRegion(), inside);
  plain->setLoc(writer.getLoc());
  Value codes = roundedCodes(plain.getResult(0));
  Value moved = tensor::EmptyOp::create(b, cast<RankedTensorType>(op.getType()).getShape(), code);
  return linalg::TransposeOp::create(b, codes, moved, invertPermutationVector(order))->getResult(0);
}

/// Elements that are picked by their places are codes that are.
Value Hoister::hoistPick(linalg::GenericOp pick) {
  Value codes = roundedCodes(getPickedFrom(pick));
  Value empty = tensor::EmptyOp::create(b, cast<RankedTensorType>(op.getType()).getShape(), code);
  Block &body = *pick.getBody();
  auto argument = dyn_cast<BlockArgument>(body.getTerminator()->getOperand(0));
  SmallVector<AffineMap> maps = pick.getIndexingMapsArray();
  SmallVector<Value> inputs = pick.getDpsInputs();
  if (argument) {
    inputs = {codes};
    maps = {maps[argument.getArgNumber()], maps.back()};
  }
  auto moved = linalg::GenericOp::create(b, empty.getType(), inputs, empty, maps, pick.getIteratorTypesArray(),
                                         [&](OpBuilder &inner, Location loc, ValueRange in) {
                                           if (argument)
                                             return linalg::YieldOp::create(inner, loc, in[0]), void();
                                           IRMapping mapping;
                                           mapping.map(body.getArguments(), in);
                                           Value found;
                                           for (Operation &step : body.without_terminator()) {
                                             if (auto extract = dyn_cast<tensor::ExtractOp>(step)) {
                                               auto position = llvm::map_to_vector(extract.getIndices(), [&](Value i) {
                                                 return mapping.lookupOrDefault(i);
                                               });
                                               found = tensor::ExtractOp::create(inner, loc, codes, position);
                                               continue;
                                             }
                                             inner.clone(step, mapping);
                                           }
                                           linalg::YieldOp::create(inner, loc, found);
                                         });
  return moved.getResult(0);
}

/// What is put into a tensor has its encoding there.
Value Hoister::hoistInsert(tensor::InsertSliceOp insert) {
  if (!cast<RankedTensorType>(insert.getSource().getType()).hasStaticShape())
    return {};
  auto shape = cast<RankedTensorType>(op.getType()).getShape();
  Value whole = insert.getDest().getDefiningOp<tensor::EmptyOp>() ? Value(tensor::EmptyOp::create(b, shape, code))
                                                                  : roundedCodes(insert.getDest());
  Value part = codesOfPart(insert.getSource());
  return tensor::InsertSliceOp::create(b, part, whole, insert.getMixedOffsets(), insert.getMixedSizes(),
                                       insert.getMixedStrides());
}

SmallVector<QuantizeOp, 2> Hoister::run() {
  Operation *source = op.getSource().getDefiningOp();
  // What was read from codes like these becomes the same ones.
  auto read = dyn_cast_or_null<DequantizeOp>(source);
  if (read && read.getSource().getType() == op.getType() && encoding.getCodec().getBits() <= 16) {
    op.replaceAllUsesWith(read.getSource());
    op.erase();
    return {};
  }
  Value codes;
  if (auto pad = dyn_cast_or_null<tensor::PadOp>(source))
    codes = hoistPad(pad);
  else if (auto transpose = dyn_cast_or_null<linalg::TransposeOp>(source))
    codes = hoistTranspose(transpose);
  else if (isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::ExtractSliceOp>(source) &&
           cast<RankedTensorType>(source->getOperand(0).getType()).hasStaticShape())
    codes = hoistReshape(source);
  else if (auto insert = dyn_cast_or_null<tensor::InsertSliceOp>(source))
    codes = hoistInsert(insert);
  else if (Value from = source ? getPickedFrom(source) : Value();
           from && cast<RankedTensorType>(from.getType()).hasStaticShape())
    codes = hoistPick(cast<linalg::GenericOp>(source));
  else if (auto generic = dyn_cast_or_null<linalg::GenericOp>(source))
    codes = generic.getNumReductionLoops() ? hoistMax(generic) : hoistWrite(generic);
  if (!codes)
    return {};
  op.replaceAllUsesWith(AssembleOp::create(b, op.getType(), codes).getResult());
  op.erase();
  return made;
}

namespace {
struct HoistQuantize : mlir::qtensor::impl::HoistQuantizeBase<HoistQuantize> {
  using HoistQuantizeBase::HoistQuantizeBase;

  void runOnOperation() override {
    if (rounding.empty())
      return;
    if (failed(verifyRounding(getOperation(), rounding)))
      return signalPassFailure();
    SmallVector<QuantizeOp> ops;
    getOperation().walk([&](QuantizeOp op) {
      if (!op->getParentOfType<AsOp>() && isOrdered(op))
        ops.push_back(op);
    });
    // Tensors of parts last: by then it is known which codes the parts have.
    auto isOfParts = [](QuantizeOp op) { return bool(op.getSource().getDefiningOp<tensor::InsertSliceOp>()); };
    while (!ops.empty()) {
      auto next = llvm::find_if_not(llvm::reverse(ops), isOfParts);
      if (next == ops.rend())
        next = std::max_element(ops.rbegin(), ops.rend(), [](QuantizeOp a, QuantizeOp b) {
          return a->getBlock() == b->getBlock() && a->isBeforeInBlock(b);
        });
      QuantizeOp op = *next;
      ops.erase(std::next(next).base());
      ops.append(Hoister(op).run());
    }
    // What was rounded only behind has no reader left.
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(getOperation().front())))
      if (isOpTriviallyDead(&op))
        op.erase();
  }
};
} // namespace
