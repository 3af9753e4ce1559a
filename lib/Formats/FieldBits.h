// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One field of a layout at work: which bits of which bytes are an element's code.
#pragma once
#include "lib/Formats/MapProgram.h"
#include "dialects/QTensor/IR/QTensorDialect.h"
#include <vector>

namespace mlir::qtensor {
/// Where one piece of one element is.
struct BitPlace {
  int64_t address = 0;             ///< First bit; of a digit, its byte.
  uint8_t bits = 0, shift = 0;     ///< Bits in the bytes, and where they go in the code.
  uint8_t radix = 0, digits = 0, place = 0;
};

class FieldBits {
public:
  /// `codec` is the component's; `extents` its shape (the shape of one record's part for records); `blockSize` is the
  /// last symbol of maps that have one more than there are extents.
  FieldBits(FieldAttr field, CodecAttr codec, ArrayRef<int64_t> extents, int64_t blockSize);

  /// Checks that every piece's map fits the component's rank, and that all pieces of `element` make the codec's bits.
  LogicalResult verify(function_ref<InFlightDiagnostic()> emitError) const;

  /// The places of an element, from its low bits up.
  void getPlaces(int64_t element, SmallVectorImpl<BitPlace> &places) const;

  /// Bytes that hold the last bit of any of `places`; -1 for a negative address.
  static int64_t getEnd(ArrayRef<BitPlace> places);

  /// The code of an element; its places lie inside `bytes`.
  uint32_t read(ArrayRef<BitPlace> places, const char *bytes) const;

  /// Writes a code into zeroed bytes. Digits are left as numbers less than radix^digits: see finishDigits.
  void write(ArrayRef<BitPlace> places, uint32_t code, char *bytes) const;

  /// Turns the numbers of the digit bytes of these places into what is stored.
  static void finishDigits(ArrayRef<BitPlace> places, std::vector<bool> &done, char *bytes);

  FieldAttr getField() const { return field; }
  CodecAttr getCodec() const { return codec; }
  int64_t getNumElements() const { return numElements; }

private:
  struct Piece {
    PieceAttr attr;
    std::vector<MapProgram> programs;
  };
  FieldAttr field;
  CodecAttr codec;
  SmallVector<int64_t> extents, symbols;
  std::vector<Piece> pieces;
  int64_t numElements = 1;
};
} // namespace mlir::qtensor
