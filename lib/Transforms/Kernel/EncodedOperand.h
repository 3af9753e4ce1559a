// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads single elements of an operand in component form, whatever its encoding: the generic row of every format.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor {

class EncodedOperand {
public:
  /// `components` are memrefs in the order of the encoding; with a null encoding the one operand is plain.
  EncodedOperand(ValueRange components, BlockAttr encoding);

  /// The decoded f32: scale * (code - zero) + offset, every step rounded.
  Value loadReal(ImplicitLocOpBuilder &b, ValueRange index) const;
  /// code - zero as i32, in units of getUnit(). The codec has at most 8 bits and an exact embedding.
  Value loadInteger(ImplicitLocOpBuilder &b, ValueRange index) const;
  /// `lanes` of them that follow each other in memory, as a vector; they share their parameters. Of values without an
  /// encoding and of integer codecs only.
  Value loadReals(ImplicitLocOpBuilder &b, ValueRange index, int64_t lanes) const;
  Value loadIntegers(ImplicitLocOpBuilder &b, ValueRange index, int64_t lanes) const;
  bool hasVectors() const;
  /// The decoded f32 of a code, or of each in a vector, with the parameters of the element at `index`.
  Value decodeReal(ImplicitLocOpBuilder &b, Value code, ValueRange index) const;
  /// The block's scale times the unit, or null when both are absent.
  Value loadScale(ImplicitLocOpBuilder &b, ValueRange index) const;
  /// The block's offset, or null.
  Value loadOffset(ImplicitLocOpBuilder &b, ValueRange index) const;
  /// The block's zero as f32, or null.
  Value loadZero(ImplicitLocOpBuilder &b, ValueRange index) const;

  /// Real value of one step of loadInteger().
  float getUnit() const;
  BlockAttr getEncoding() const { return encoding; }
  Value getCodes() const { return codes; }

private:
  Value subtractZero(ImplicitLocOpBuilder &b, Value value, ValueRange index) const;
  struct Parameter {
    ParamAttr attr;
    SmallVector<Value> components;
  };
  Value loadParameter(ImplicitLocOpBuilder &b, const Parameter &parameter, ValueRange cell) const;
  SmallVector<Value> cellOf(ImplicitLocOpBuilder &b, ValueRange index) const;

  Value codes;
  BlockAttr encoding;
  Parameter scale, zero, offset;
};

/// The f32 that a code of `codec` stands for.
Value emitDecodeCode(ImplicitLocOpBuilder &b, CodecAttr codec, Value code);
/// f32 from any float element.
Value emitToF32(ImplicitLocOpBuilder &b, Value value);
/// table[index] from a constant of the module; `index` is an i32 below the number of entries.
Value emitTableLookup(ImplicitLocOpBuilder &b, DenseElementsAttr table, Value index);

} // namespace mlir::qtensor
