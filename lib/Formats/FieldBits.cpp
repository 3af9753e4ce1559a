// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Formats/FieldBits.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

FieldBits::FieldBits(FieldAttr field, CodecAttr codec, ArrayRef<int64_t> extents, int64_t blockSize)
    : field(field), codec(codec), extents(extents), symbols(extents) {
  symbols.push_back(blockSize);
  for (int64_t extent : extents)
    numElements *= extent;
  for (PieceAttr piece : field.getPieces()) {
    pieces.push_back({piece, {}});
    for (AffineExpr result : piece.getMap().getResults())
      pieces.back().programs.emplace_back(result);
  }
}

LogicalResult FieldBits::verify(function_ref<InFlightDiagnostic()> emitError) const {
  for (const Piece &piece : pieces) {
    AffineMap map = piece.attr.getMap();
    if (map.getNumDims() != 1 && map.getNumDims() != extents.size())
      return emitError() << "layout of " << field.getComponent() << ": a map of " << map.getNumDims()
                         << " indices does not fit a component of rank " << extents.size();
    if (map.getNumSymbols() > symbols.size())
      return emitError() << "layout of " << field.getComponent() << ": a map has " << map.getNumSymbols()
                         << " symbols, at most the extents and the block size";
  }
  SmallVector<BitPlace> places;
  if (numElements > 0)
    getPlaces(0, places);
  unsigned bits = 0;
  for (const BitPlace &place : places)
    bits += place.radix ? codec.getBits() : place.bits;
  if (numElements > 0 && bits != codec.getBits())
    return emitError() << "layout of " << field.getComponent() << ": the pieces of an element make " << bits
                       << " bits, its codec has " << codec.getBits();
  return success();
}

void FieldBits::getPlaces(int64_t element, SmallVectorImpl<BitPlace> &places) const {
  places.clear();
  SmallVector<int64_t> indices(extents.size());
  for (int64_t dim = int64_t(extents.size()) - 1, rest = element; dim >= 0; --dim) {
    indices[dim] = rest % extents[dim];
    rest /= extents[dim];
  }
  unsigned shift = 0;
  for (const Piece &piece : pieces) {
    if (piece.attr.getEnd() != 0 && (element < piece.attr.getFirst() || element >= piece.attr.getEnd()))
      continue;
    bool linear = piece.attr.getMap().getNumDims() == 1;
    ArrayRef<int64_t> dims = linear ? ArrayRef<int64_t>(element) : ArrayRef<int64_t>(indices);
    BitPlace place;
    place.address = piece.programs[0](dims, symbols);
    place.bits = uint8_t(piece.attr.getBits());
    place.shift = uint8_t(shift);
    if (piece.attr.getRadix() != 0) {
      place.radix = uint8_t(piece.attr.getRadix());
      place.digits = uint8_t(piece.attr.getDigits());
      int64_t at = piece.programs[1](dims, symbols);
      if (at < 0 || at >= place.digits)
        place.address = -1;
      place.place = uint8_t(at);
    }
    shift += place.bits;
    places.push_back(place);
  }
}

int64_t FieldBits::getEnd(ArrayRef<BitPlace> places) {
  int64_t end = 0;
  for (const BitPlace &place : places) {
    if (place.address < 0 || place.address > int64_t(1) << 48)
      return -1;
    end = std::max(end, place.radix ? place.address + 1 : int64_t(llvm::divideCeil(place.address + place.bits, 8)));
  }
  return end;
}

static uint32_t power(uint32_t radix, unsigned exponent) {
  uint32_t result = 1;
  while (exponent-- > 0)
    result *= radix;
  return result;
}

/// The digit at a place: the stored byte is a fraction of 256, and multiplying shifts digits out at the top.
static uint32_t readDigit(const BitPlace &place, uint8_t byte) {
  uint32_t fraction = byte * power(place.radix, place.place) & 0xff;
  return fraction * place.radix >> 8;
}

uint32_t FieldBits::read(ArrayRef<BitPlace> places, const char *bytes) const {
  uint64_t code = 0;
  for (const BitPlace &place : places) {
    if (place.radix) {
      code |= uint64_t(readDigit(place, uint8_t(bytes[place.address]))) << place.shift;
      continue;
    }
    uint64_t word = 0;
    int64_t first = place.address / 8, end = (place.address + place.bits + 7) / 8;
    for (int64_t i = first; i < end; ++i)
      word |= uint64_t(uint8_t(bytes[i])) << (8 * (i - first));
    code |= (word >> (place.address % 8) & llvm::maskTrailingOnes<uint64_t>(place.bits)) << place.shift;
  }
  uint64_t mask = llvm::maskTrailingOnes<uint64_t>(codec.getBits());
  return uint32_t(((code ^ uint64_t(field.getFlip())) - uint64_t(field.getPlus())) & mask);
}

void FieldBits::write(ArrayRef<BitPlace> places, uint32_t code, char *bytes) const {
  uint64_t mask = llvm::maskTrailingOnes<uint64_t>(codec.getBits());
  uint64_t stored = ((uint64_t(code) + uint64_t(field.getPlus())) & mask) ^ (uint64_t(field.getFlip()) & mask);
  for (const BitPlace &place : places) {
    if (place.radix) {
      uint32_t weight = power(place.radix, place.digits - 1 - place.place);
      bytes[place.address] = char(uint8_t(bytes[place.address]) + uint32_t(stored >> place.shift) * weight);
      continue;
    }
    uint64_t part = (stored >> place.shift & llvm::maskTrailingOnes<uint64_t>(place.bits)) << (place.address % 8);
    int64_t first = place.address / 8, end = (place.address + place.bits + 7) / 8;
    for (int64_t i = first; i < end; ++i)
      bytes[i] = char(uint8_t(bytes[i]) | uint8_t(part >> (8 * (i - first))));
  }
}

void FieldBits::finishDigits(ArrayRef<BitPlace> places, std::vector<bool> &done, char *bytes) {
  for (const BitPlace &place : places) {
    if (!place.radix || done[place.address])
      continue;
    done[place.address] = true;
    uint32_t values = power(place.radix, place.digits);
    bytes[place.address] = char(uint8_t(llvm::divideCeil(uint32_t(uint8_t(bytes[place.address])) * 256, values)));
  }
}
