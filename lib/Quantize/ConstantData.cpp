// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quantize/ConstantData.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/Endian.h"
#include <cstddef>

using namespace mlir;
using namespace mlir::qtensor;

/// Constants up to this size are printed in place; larger ones are resources, which printing can leave out.
static constexpr size_t kInlineBytes = 256;

arith::ConstantOp qtensor::getConstantSource(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      return constant;
    if (!isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
      return {};
    value = op->getOperand(0);
  }
  return {};
}

static float toFloat(const char *bytes, FloatType type) {
  unsigned width = type.getWidth();
  uint32_t bits = width == 32 ? llvm::support::endian::read32le(bytes) : llvm::support::endian::read16le(bytes);
  return APFloat(type.getFloatSemantics(), APInt(width, bits)).convertToDouble();
}

/// The raw bytes of a resource, or of a dense attribute that is no splat.
static ArrayRef<char> rawBytes(ElementsAttr attribute) {
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute))
    return dense.getRawData();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      return blob->getData();
  return {};
}

std::vector<char> qtensor::readBytes(ElementsAttr attribute) {
  if (attribute.getElementType().isInteger(1))
    return {};
  ArrayRef<char> raw = rawBytes(attribute);
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense || !dense.isSplat())
    return std::vector<char>(raw.begin(), raw.end());
  std::vector<char> bytes;
  for (int64_t i = 0, count = dense.getNumElements(); i < count; ++i)
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  return bytes;
}

FailureOr<FloatData> qtensor::readFloats(arith::ConstantOp constant) {
  auto attribute = dyn_cast<ElementsAttr>(constant.getValue());
  auto type = attribute ? dyn_cast<FloatType>(attribute.getElementType()) : FloatType();
  if (!isa_and_nonnull<Float32Type, Float16Type, BFloat16Type>(type))
    return constant.emitError() << "only constants of f32, f16 or bf16 can be encoded, got " << constant.getType();
  size_t count = attribute.getNumElements(), width = type.getWidth() / 8;
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute); dense && dense.isSplat())
    return FloatData(std::vector<float>(count, dense.getSplatValue<APFloat>().convertToDouble()));
  ArrayRef<char> bytes = rawBytes(attribute);
  if (bytes.size() != count * width)
    return constant.emitError() << "the constant has " << bytes.size() << " bytes of data, its type " << count * width;
  if (width == 4 && llvm::sys::IsLittleEndianHost && llvm::isAddrAligned(llvm::Align::Of<float>(), bytes.data()))
    return FloatData(ArrayRef(reinterpret_cast<const float *>(bytes.data()), count));
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = toFloat(bytes.data() + i * width, type);
  return FloatData(std::move(values));
}

/// A blob that owns the vector.
static AsmResourceBlob makeBlob(std::vector<char> bytes) {
  auto owner = std::make_shared<std::vector<char>>(std::move(bytes));
  auto release = [owner](void *, size_t, size_t) mutable { owner.reset(); };
  return AsmResourceBlob(*owner, alignof(std::max_align_t), release, /*dataIsMutable=*/false);
}

arith::ConstantOp qtensor::makeConstant(OpBuilder &builder, Location loc, RankedTensorType type,
                                        std::vector<char> bytes, StringRef name) {
  ElementsAttr attribute;
  if (bytes.size() <= kInlineBytes)
    attribute = DenseElementsAttr::getFromRawBuffer(type, bytes);
  else
    attribute = DenseResourceElementsAttr::get(type, name, makeBlob(std::move(bytes)));
  return arith::ConstantOp::create(builder, loc, cast<TypedAttr>(attribute));
}

std::vector<float> qtensor::transpose(ArrayRef<float> values, ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation) {
  size_t rank = shape.size();
  SmallVector<int64_t> strides(rank, 1), extents, steps;
  for (size_t dim = rank; dim-- > 1;)
    strides[dim - 1] = strides[dim] * shape[dim];
  for (int64_t dim : permutation) {
    extents.push_back(shape[dim]);
    steps.push_back(strides[dim]);
  }
  std::vector<float> result(values.size());
  SmallVector<int64_t> index(rank, 0);
  int64_t source = 0;
  for (float &element : result) {
    element = values[source];
    for (size_t dim = rank; dim-- > 0;) {
      source += steps[dim];
      if (++index[dim] < extents[dim])
        break;
      source -= steps[dim] * extents[dim];
      index[dim] = 0;
    }
  }
  return result;
}
