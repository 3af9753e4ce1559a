// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The verifier of attention, and what it asks of caches.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

/// The block along the last dimension is the whole extent or a multiple of `size`.
static bool hasLastBlocksOf(BlockAttr encoding, int64_t size) {
  int64_t block = encoding.getBlock().empty() ? 1 : encoding.getBlock().back();
  return ShapedType::isDynamic(block) || block % size == 0;
}

bool qtensor::canPackCodes(BlockAttr encoding) {
  return encoding.getCodec().getBits() <= 4 && hasLastBlocksOf(encoding, kPackedRun * 2);
}

int64_t qtensor::getPackedExtent(int64_t extent) { return llvm::divideCeil(extent, kPackedRun * 2) * kPackedRun; }

bool qtensor::canSumIntegers(std::optional<BlockAttr> encoding, int64_t extent) {
  if (!encoding || encoding->getZero() || encoding->getOffset() || extent < 0 || extent % kPackedRun)
    return false;
  CodecAttr codec = encoding->getCodec();
  return codec.getKind() == CodecKind::Int && codec.getIntStyle() == IntStyle::Signed && codec.getBits() <= 8 &&
         hasLastBlocksOf(*encoding, kPackedRun);
}

static bool disagree(int64_t a, int64_t b) {
  return !ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) && a != b;
}

static SmallVector<int64_t> dimsOf(std::optional<ArrayRef<int64_t>> order) {
  return order ? SmallVector<int64_t>(*order) : SmallVector<int64_t>{0, 1, 2, 3};
}

SmallVector<int64_t> AttentionOp::getKeyDims() { return dimsOf(getKeyOrder()); }
SmallVector<int64_t> AttentionOp::getValueDims() { return dimsOf(getValueOrder()); }

/// The components of a cache, the codes packed or not. `first` is the shape of the codes' operand.
static LogicalResult verifyCache(AttentionOp op, StringRef side, OperandRange group, std::optional<BlockAttr> encoding,
                                 bool packed, int64_t depth) {
  if (packed && (!encoding || !canPackCodes(*encoding)))
    return op.emitOpError() << "clause T5: packed codes have at most 4 bits and blocks of a multiple of 32, or of the "
                            << "whole extent, along the last dimension; " << side << " has other ones";
  if (packed && ShapedType::isDynamic(depth))
    return op.emitOpError() << "clause T5: the last extent of packed codes is known; that of " << side << " is open";
  auto codes = cast<ShapedType>(group[0].getType());
  SmallVector<int64_t> shape(codes.getShape());
  if (packed && shape.back() != getPackedExtent(depth))
    return op.emitOpError() << "clause T5: " << depth << " packed codes take " << getPackedExtent(depth)
                            << " bytes, the operand of " << side << " has " << shape.back();
  if (packed)
    shape.back() = depth;
  SmallVector<Component> components;
  if (encoding)
    encoding->getComponents(shape, op.getContext(), components);
  if (group.size() != (encoding ? components.size() : 1))
    return op.emitOpError() << "clause T3: " << side << " has " << (encoding ? components.size() : 1)
                            << " operands for its encoding, got " << group.size();
  for (auto [index, component] : llvm::enumerate(components)) {
    auto type = cast<ShapedType>(group[index].getType());
    bool bytes = packed && index == 0;
    if (type.getElementType() != component.type.getElementType() ||
        (!bytes && failed(verifyCompatibleShape(type.getShape(), component.type.getShape()))))
      return op.emitOpError() << "clause T3: " << side << " component '" << component.name << "' is " << component.type
                              << ", got " << type;
  }
  return success();
}

static LogicalResult verifyAttentionExtents(AttentionOp op, ArrayRef<int64_t> keyDims, ArrayRef<int64_t> valueDims) {
  auto query = cast<ShapedType>(op.getQuery().getType()), output = cast<ShapedType>(op.getOutput().getType());
  auto key = cast<ShapedType>(op.getKey()[0].getType()), value = cast<ShapedType>(op.getValue()[0].getType());
  bool keyDepth = !op.getKeyPacked() && disagree(query.getDimSize(3), key.getDimSize(keyDims[3]));
  bool valueDepth = !op.getValuePacked() && disagree(output.getDimSize(3), value.getDimSize(valueDims[3]));
  if (keyDepth || valueDepth || disagree(key.getDimSize(keyDims[2]), value.getDimSize(valueDims[2])) ||
      disagree(key.getDimSize(keyDims[1]), value.getDimSize(valueDims[1])) ||
      disagree(output.getDimSize(2), query.getDimSize(2)))
    return op.emitOpError() << "clause T2: query [B,H,S,D], key [B,G,T,D], value [B,G,T,E], output [B,H,S,E]";
  int64_t heads = query.getDimSize(1), groups = key.getDimSize(keyDims[1]);
  if (!ShapedType::isDynamic(heads) && !ShapedType::isDynamic(groups) && (groups == 0 || heads % groups != 0))
    return op.emitOpError() << "clause T2: " << heads << " query heads are not a multiple of " << groups << " key heads";
  return success();
}

LogicalResult AttentionOp::verify() {
  auto query = cast<ShapedType>(getQuery().getType()), output = cast<ShapedType>(getOutput().getType());
  if (getKey().empty() || getValue().empty())
    return emitOpError() << "clause T1: key and value have operands";
  for (ShapedType type : {query, cast<ShapedType>(getKey()[0].getType()), cast<ShapedType>(getValue()[0].getType()), output})
    if (type.getRank() != 4)
      return emitOpError() << "clause T1: query, key, value and output have rank 4, got " << type;
  SmallVector<int64_t> keyDims = getKeyDims(), valueDims = getValueDims();
  for (ArrayRef<int64_t> dims : {ArrayRef(keyDims), ArrayRef(valueDims)})
    if (dims.size() != 4 || !isPermutationVector(dims) || dims[3] != 3)
      return emitOpError() << "clause T4: an order is a permutation of 4 dimensions that leaves the last one last";
  if (failed(verifyAttentionExtents(*this, keyDims, valueDims)) ||
      failed(verifyCache(*this, "key", getKey(), getKeyEncoding(), getKeyPacked(), query.getDimSize(3))) ||
      failed(verifyCache(*this, "value", getValue(), getValueEncoding(), getValuePacked(), output.getDimSize(3))))
    return failure();
  if (isInteger() && (!canSumIntegers(getKeyEncoding(), query.getDimSize(3)) ||
                      !canSumIntegers(getValueEncoding(), output.getDimSize(3))))
    return emitOpError() << "clause T6: the integer strategy needs keys and values of signed integers of at most 8 bits "
                         << "with scales alone, in blocks of a multiple of 16 along the last dimension, whose extent is one "
                         << "too; use float";
  return success();
}
