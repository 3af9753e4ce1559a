// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::qtensor::reference;

std::optional<int64_t> mlir::qtensor::reference::countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  bool empty = llvm::is_contained(shape, 0);
  for (int64_t extent : shape)
    if (extent < 0 || (!empty && llvm::MulOverflow(count, extent, count)))
      return std::nullopt;
  return empty ? 0 : count;
}

FailureOr<Tensor> Tensor::zeros(Type elementType, ArrayRef<int64_t> shape, int64_t maxElements) {
  std::optional<NumericFormat> format = NumericFormat::get(elementType);
  std::optional<int64_t> count = countElements(shape);
  if (!format || !count || *count > maxElements)
    return failure();
  Tensor tensor;
  tensor.format = *format;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.storage = std::make_shared<std::vector<char>>(*count * format->getBytes());
  return tensor;
}

Tensor Tensor::scalar(const NumericFormat &format, double value) {
  Tensor tensor;
  tensor.format = format;
  tensor.storage = std::make_shared<std::vector<char>>(format.getBytes());
  tensor.setReal(0, value);
  return tensor;
}

Tensor Tensor::integer(const NumericFormat &format, int64_t value) {
  Tensor tensor;
  tensor.format = format;
  tensor.storage = std::make_shared<std::vector<char>>(format.getBytes());
  tensor.setInteger(0, value);
  return tensor;
}

int64_t Tensor::getNumElements() const { return *countElements(shape); }

SmallVector<int64_t> Tensor::getStrides() const {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t dim = int64_t(shape.size()) - 2; dim >= 0; --dim)
    strides[dim] = strides[dim + 1] * shape[dim + 1];
  return strides;
}

MutableArrayRef<char> Tensor::getMutableBytes() {
  if (storage.use_count() > 1)
    storage = std::make_shared<std::vector<char>>(*storage);
  components.reset();
  return *storage;
}

Tensor Tensor::reshaped(ArrayRef<int64_t> newShape) const {
  Tensor tensor = withoutComponents();
  tensor.shape.assign(newShape.begin(), newShape.end());
  return tensor;
}

Tensor Tensor::bitcast(const NumericFormat &newFormat) const {
  Tensor tensor = withoutComponents();
  tensor.format = newFormat;
  return tensor;
}

ArrayRef<Tensor> Tensor::getComponents() const {
  return components ? ArrayRef<Tensor>(*components) : ArrayRef<Tensor>();
}

Tensor Tensor::withComponents(ArrayRef<Tensor> parts) const {
  Tensor tensor = *this;
  tensor.components = std::make_shared<const std::vector<Tensor>>(parts.begin(), parts.end());
  return tensor;
}

Tensor Tensor::withoutComponents() const {
  Tensor tensor = *this;
  tensor.components.reset();
  return tensor;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Fills `tensor` from a dense attribute; whole bytes are copied at once, narrow elements one by one.
static void fillDense(Tensor &tensor, DenseIntOrFPElementsAttr attribute) {
  const NumericFormat &format = tensor.getFormat();
  if (!attribute.isSplat() && format.getWidth() == format.getBytes() * 8) {
    ArrayRef<char> raw = attribute.getRawData();
    MutableArrayRef<char> bytes = tensor.getMutableBytes();
    std::memcpy(bytes.data(), raw.data(), std::min(raw.size(), bytes.size()));
    return;
  }
  int64_t position = 0;
  if (format.isFloat()) {
    for (const APFloat &value : attribute.getValues<APFloat>())
      tensor.setBits(position++, value.bitcastToAPInt().getZExtValue());
  } else {
    for (const APInt &value : attribute.getValues<APInt>())
      tensor.setBits(position++, value.getZExtValue());
  }
}

static LogicalResult fillResource(Tensor &tensor, DenseResourceElementsAttr attribute,
                                  function_ref<InFlightDiagnostic()> emitError) {
  AsmResourceBlob *blob = attribute.getRawHandle().getBlob();
  if (!blob)
    return emitError() << "resource '" << attribute.getRawHandle().getKey() << "' has no data";
  MutableArrayRef<char> bytes = tensor.getMutableBytes();
  ArrayRef<char> data = blob->getData();
  if (data.size() == bytes.size()) {
    std::memcpy(bytes.data(), data.data(), bytes.size());
    return success();
  }
  return emitError() << "resource '" << attribute.getRawHandle().getKey() << "' has " << data.size()
                     << " bytes, its type " << attribute.getType() << " needs " << bytes.size();
}

FailureOr<Tensor> Tensor::fromAttribute(TypedAttr attribute, function_ref<InFlightDiagnostic()> emitError) {
  auto shaped = dyn_cast<ShapedType>(attribute.getType());
  Type elementType = shaped ? shaped.getElementType() : attribute.getType();
  ArrayRef<int64_t> shape = shaped ? shaped.getShape() : ArrayRef<int64_t>();
  FailureOr<Tensor> tensor = zeros(elementType, shape);
  if (failed(tensor))
    return emitError() << "the reference has no values of type " << attribute.getType();
  if (auto value = dyn_cast<FloatAttr>(attribute))
    tensor->setBits(0, value.getValue().bitcastToAPInt().getZExtValue());
  else if (auto value = dyn_cast<IntegerAttr>(attribute))
    tensor->setBits(0, value.getValue().getZExtValue());
  else if (auto dense = dyn_cast<DenseIntOrFPElementsAttr>(attribute))
    fillDense(*tensor, dense);
  else if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    if (failed(fillResource(*tensor, resource, emitError)))
      return failure();
  } else {
    return emitError() << "the reference cannot read this kind of constant of type " << attribute.getType();
  }
  return tensor;
}

void Tensor::print(raw_ostream &os, int64_t limit) const {
  for (int64_t extent : shape)
    os << extent << "x";
  os << getElementType() << " [";
  int64_t count = getNumElements();
  for (int64_t position = 0; position < std::min(count, limit); ++position) {
    os << (position ? ", " : "");
    if (format.isFloat())
      os << llvm::format("%.9g", getReal(position));
    else if (format.isUnsigned() || format.getWidth() == 1)
      os << getBits(position);
    else
      os << getInteger(position);
  }
  os << (count > limit ? ", ...]" : "]");
}
