// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quantize/ConstantData.h"
#include "lib/Formats/Lanes.h"
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

FailureOr<FloatSource> FloatSource::get(arith::ConstantOp constant) {
  auto attribute = dyn_cast<ElementsAttr>(constant.getValue());
  FloatSource source;
  source.type = attribute ? attribute.getElementType() : Type();
  if (!isa_and_nonnull<Float32Type, Float16Type, BFloat16Type>(source.type))
    return constant.emitError() << "only constants of f32, f16 or bf16 can be encoded, got " << constant.getType();
  size_t size = attribute.getNumElements() * source.type.getIntOrFloatBitWidth() / 8;
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute); dense && dense.isSplat()) {
    source.splat = dense.getSplatValue<APFloat>().convertToDouble();
    return source;
  }
  source.bytes = rawBytes(attribute);
  if (source.bytes.size() != size)
    return constant.emitError() << "the constant has " << source.bytes.size() << " bytes of data, its type " << size;
  return source;
}

void FloatSource::read(int64_t first, MutableArrayRef<float> values) const {
  if (splat) {
    llvm::fill(values, *splat);
    return;
  }
  const char *from = bytes.data() + first * type.getIntOrFloatBitWidth() / 8;
  if (isa<Float16Type>(type))
    return readHalves(from, values.size(), values.data());
  if (isa<BFloat16Type>(type))
    return readBrains(from, values.size(), values.data());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = llvm::bit_cast<float>(llvm::support::endian::read32le(from + 4 * i));
}

ArrayRef<float> FloatSource::view() const {
  if (splat || !isa<Float32Type>(type) || !llvm::sys::IsLittleEndianHost ||
      !llvm::isAddrAligned(llvm::Align::Of<float>(), bytes.data()))
    return {};
  return ArrayRef(reinterpret_cast<const float *>(bytes.data()), bytes.size() / sizeof(float));
}

FailureOr<FloatData> qtensor::readFloats(arith::ConstantOp constant) {
  FailureOr<FloatSource> source = FloatSource::get(constant);
  if (failed(source))
    return failure();
  if (ArrayRef<float> view = source->view(); !view.empty())
    return FloatData(view);
  std::vector<float> values(cast<ElementsAttr>(constant.getValue()).getNumElements());
  source->read(0, values);
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

template <typename T>
std::vector<T> qtensor::transpose(ArrayRef<T> values, ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation) {
  size_t rank = shape.size();
  SmallVector<int64_t> strides(rank, 1), extents, steps;
  for (size_t dim = rank; dim-- > 1;)
    strides[dim - 1] = strides[dim] * shape[dim];
  for (int64_t dim : permutation) {
    extents.push_back(shape[dim]);
    steps.push_back(strides[dim]);
  }
  std::vector<T> result(values.size());
  SmallVector<int64_t> index(rank, 0);
  int64_t source = 0;
  for (T &element : result) {
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

template std::vector<float> qtensor::transpose(ArrayRef<float>, ArrayRef<int64_t>, ArrayRef<int64_t>);
template std::vector<char> qtensor::transpose(ArrayRef<char>, ArrayRef<int64_t>, ArrayRef<int64_t>);
