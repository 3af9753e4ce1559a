// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The value of the reference interpreter: a dense tensor of any builtin scalar type, stored exactly.
#pragma once
#include "lib/Reference/NumericFormat.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/FunctionExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <memory>
#include <vector>

namespace mlir::qtensor::reference {

/// More elements than this are refused, so that a hostile shape is a diagnostic and not an exhausted machine.
inline constexpr int64_t kMaxElements = int64_t(1) << 30;

/// A row-major tensor with value semantics; copies share storage until one of them is written. A scalar SSA value is a
/// tensor of rank 0. Elements narrower than a byte take one byte each.
class Tensor {
public:
  /// An empty value of no type; only assignment and destruction make sense for it.
  Tensor() = default;

  /// A tensor of zero bits, or failure when `elementType` has no NumericFormat, an extent is negative, or the tensor
  /// would have more than `maxElements` elements.
  static FailureOr<Tensor> zeros(Type elementType, ArrayRef<int64_t> shape, int64_t maxElements = kMaxElements);
  /// A scalar of `type` holding `value`, which is rounded for a float and wraps for an integer.
  static Tensor scalar(const NumericFormat &format, double value);
  static Tensor integer(const NumericFormat &format, int64_t value);
  /// The value of a constant: a scalar attribute, a dense or splat elements attribute, or a resource blob. `emitError`
  /// is asked for a diagnostic when the attribute is not a constant of a supported type or its blob is missing or
  /// short.
  static FailureOr<Tensor> fromAttribute(TypedAttr attribute, function_ref<InFlightDiagnostic()> emitError);

  const NumericFormat &getFormat() const { return format; }
  Type getElementType() const { return format.getType(); }
  ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getRank() const { return shape.size(); }
  int64_t getNumElements() const;
  /// Row-major strides in elements.
  SmallVector<int64_t> getStrides() const;

  ArrayRef<char> getBytes() const { return storage ? ArrayRef<char>(*storage) : ArrayRef<char>(); }
  /// The bytes for writing; storage shared with other tensors is copied first.
  MutableArrayRef<char> getMutableBytes();

  /// Element access by row-major position. Reals are for floats, integers for integers and index.
  uint64_t getBits(int64_t position) const {
    return readElement(format, storage->data() + position * format.getBytes());
  }
  double getReal(int64_t position) const { return format.decode(getBits(position)); }
  int64_t getInteger(int64_t position) const { return format.toInteger(getBits(position)); }
  /// The element as a double, whatever its type.
  double getNumber(int64_t position) const {
    return format.isFloat() ? getReal(position) : static_cast<double>(getInteger(position));
  }
  void setBits(int64_t position, uint64_t bits) {
    writeElement(format, getMutableBytes().data() + position * format.getBytes(), bits);
  }
  void setReal(int64_t position, double value) { setBits(position, format.encode(format.round(value))); }
  void setInteger(int64_t position, int64_t value) { setBits(position, uint64_t(value) & format.mask()); }

  /// The same elements under another shape with as many elements.
  Tensor reshaped(ArrayRef<int64_t> newShape) const;
  /// The same bits under another element type of the same width.
  Tensor bitcast(const NumericFormat &newFormat) const;

  /// The components of a value of encoded type, in the order of its encoding; empty for a plain value. The elements
  /// are then the decoded values. Reshaping or writing elements gives a plain tensor.
  ArrayRef<Tensor> getComponents() const;
  Tensor withComponents(ArrayRef<Tensor> parts) const;
  /// The decoded values alone.
  Tensor withoutComponents() const;

  /// Prints `2x3xf32 [1, 2, 3, 4, 5, 6]`, at most `limit` elements.
  void print(raw_ostream &os, int64_t limit = 64) const;

private:
  NumericFormat format;
  SmallVector<int64_t, 4> shape;
  std::shared_ptr<std::vector<char>> storage;
  std::shared_ptr<const std::vector<Tensor>> components;
};

/// The number of elements of `shape`, or nothing when an extent is negative or the product overflows.
std::optional<int64_t> countElements(ArrayRef<int64_t> shape);

} // namespace mlir::qtensor::reference
