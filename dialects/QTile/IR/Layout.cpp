// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the bytes of a packed weight are. One rule, read by the packer, the kernels and the tests' unpacker.
#include "dialects/QTile/IR/QTile.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtile;

static unsigned bitsOf(Type type) { return type ? type.getIntOrFloatBitWidth() : 0; }

/// A lone bit needs 32 codes to fill its vectors, two bits need 16.
static int64_t chunkOf(unsigned bits) { return bits % 2 ? 32 : 16; }

static int64_t codeBytes(unsigned bits, int64_t rows, int64_t block) {
  return llvm::alignTo(block, chunkOf(bits)) * rows * bits / 8;
}

bool LayoutAttr::hasIntegerCodes() const { return isa<IntegerType>(getCodes()); }

int64_t LayoutAttr::getDepth() const { return hasIntegerCodes() ? 4 : 1; }

unsigned LayoutAttr::getStoredBits() const {
  unsigned bits = bitsOf(getCodes());
  if (!hasIntegerCodes() || bits % 2 == 0)
    return bits;
  return codeBytes(bits + 1, getRows(), getBlock()) < codeBytes(bits, getRows(), getBlock()) ? bits + 1 : bits;
}

SmallVector<unsigned, 3> LayoutAttr::getPieces() const {
  SmallVector<unsigned, 3> pieces;
  if (!hasIntegerCodes())
    return {bitsOf(getCodes())};
  for (unsigned width : {1u, 2u, 4u, 8u})
    if (getStoredBits() & width)
      pieces.push_back(width);
  return pieces;
}

int64_t LayoutAttr::countDigits(int64_t radix) {
  int64_t digits = 0;
  for (int64_t values = radix; radix > 1 && values <= 256; values *= radix)
    ++digits;
  return digits;
}

int64_t LayoutAttr::getChunk() const {
  if (!hasIntegerCodes())
    return 4;
  if (getRadix())
    return 4 * getDigits();
  int64_t chunk = chunkOf(getStoredBits());
  // Long blocks are walked in steps of 32 codes; the few codes of padding cost nothing there.
  return getBlock() % 32 == 0 || getBlock() > 128 ? 32 : chunk;
}

int64_t LayoutAttr::getPaddedBlock() const { return llvm::alignTo(getBlock(), getChunk()); }

int64_t LayoutAttr::getChunkBytes() const {
  if (getRadix())
    return 4 * getRows();
  return getChunk() * getRows() * getStoredBits() / 8;
}

int64_t LayoutAttr::getParameterBytes() const {
  return getRows() * (bitsOf(getScale()) + bitsOf(getZero()) + bitsOf(getOffset())) / 8;
}

int64_t LayoutAttr::getBlockBytes() const {
  return getCodeBytes() + getParameterBytes();
}

int64_t LayoutAttr::getNumGroups(int64_t k) const {
  if (!hasGroups())
    return 0;
  return getGroup() ? llvm::divideCeil(getNumBlocks(k), getGroup()) : 1;
}

int64_t LayoutAttr::getGroupBytes() const {
  return getRows() * (bitsOf(getScaleScale()) + bitsOf(getScaleShift()) + bitsOf(getOffsetScale())) / 8;
}

int64_t LayoutAttr::getScaleShiftOffset() const { return getRows() * bitsOf(getScaleScale()) / 8; }

int64_t LayoutAttr::getOffsetScaleOffset() const {
  return getScaleShiftOffset() + getRows() * bitsOf(getScaleShift()) / 8;
}

int64_t LayoutAttr::getZeroOffset() const { return getRows() * bitsOf(getScale()) / 8; }

int64_t LayoutAttr::getOffsetOffset() const { return getZeroOffset() + getRows() * bitsOf(getZero()) / 8; }

static bool isParameter(Type type) {
  return isa<Float32Type, Float16Type, BFloat16Type, Float8E8M0FNUType, Float8E4M3FNType>(type) ||
         type.isSignlessInteger(8);
}

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rows, int64_t block, Type codes,
                                 Type scale, Type zero, Type offset, int64_t group, Type scaleScale, Type scaleShift,
                                 Type offsetScale, int64_t radix) {
  if (rows < 4 || rows > 64 || !llvm::isPowerOf2_64(rows))
    return emitError() << "layout clause W1: rows must be a power of two from 4 to 64, not " << rows;
  if (block < 1)
    return emitError() << "layout clause W2: block must be at least 1, not " << block;
  bool integer = codes.isSignlessInteger() && codes.getIntOrFloatBitWidth() >= 1 && codes.getIntOrFloatBitWidth() <= 8;
  if (!integer && !isa<Float16Type, BFloat16Type, Float32Type>(codes))
    return emitError() << "layout clause W3: codes must be i1 to i8, f16, bf16 or f32, not " << codes;
  if (scale && !isParameter(scale))
    return emitError() << "layout clause W4: scale must be f32, f16, bf16, f8E8M0FNU, f8E4M3FN or i8 (signed), not " << scale;
  if (zero && !zero.isSignlessInteger(8) && !zero.isF32())
    return emitError() << "layout clause W4: zero must be i8 (unsigned) or f32, not " << zero;
  if (offset && !isParameter(offset))
    return emitError() << "layout clause W4: offset must be f32, f16, bf16, f8E8M0FNU, f8E4M3FN or i8 (signed), not " << offset;
  if (group < 0 || (group && !scaleScale && !offsetScale))
    return emitError() << "layout clause W5: group counts the blocks behind scaleScale or offsetScale, not " << group;
  for (auto [outer, inner] : {std::pair(scaleScale, scale), std::pair(offsetScale, offset)})
    if (outer && (!inner || !isa<Float16Type, BFloat16Type, Float32Type>(outer)))
      return emitError() << "layout clause W5: scaleScale and offsetScale are f32, f16 or bf16 and multiply a parameter, not "
                         << outer;
  if (radix && (!integer || radix < 3 || radix > int64_t(1) << codes.getIntOrFloatBitWidth() ||
                countDigits(radix) * codes.getIntOrFloatBitWidth() <= 8))
    return emitError() << "layout clause W6: digits of base " << radix << " must hold codes of " << codes
                       << " in fewer bits than those";
  // Larger sums of fractions would not fit.
  if (radix && block > 1 << 13)
    return emitError() << "layout clause W6: blocks of digits have at most 8192 codes, not " << block;
  if (scaleShift && (!scaleScale || !isa<Float16Type, BFloat16Type, Float32Type>(scaleShift)))
    return emitError() << "layout clause W5: scaleShift is f32, f16 or bf16 and added behind scaleScale, not " << scaleShift;
  return success();
}
