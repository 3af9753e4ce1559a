// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Pack/Pack.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Parallel.h"
#include <cstring>

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// Packs one panel of rows; everything derived from the layout is computed once.
class PanelPacker {
public:
  PanelPacker(qtile::LayoutAttr layout, const PackSource &source)
      : source(source), rows(layout.getRows()), block(layout.getBlock()), paddedBlock(layout.getPaddedBlock()),
        chunk(layout.getChunk()), chunkBytes(layout.getChunkBytes()), blocks(layout.getNumBlocks(source.k)),
        blockBytes(layout.getBlockBytes()), integer(layout.hasIntegerCodes()),
        codeBytes(integer ? 1 : layout.getCodes().getIntOrFloatBitWidth() / 8), radix(layout.getRadix()),
        digits(layout.getDigits()) {
    unsigned from = layout.getStoredBits();
    for (unsigned width : integer ? layout.getPieces() : SmallVector<unsigned, 3>()) {
      from -= width;
      pieces.push_back(makePiece(width, from));
    }
    int64_t behind = layout.getCodeBytes();
    addParameter(parameters, source.scale, layout.getScale(), behind);
    addParameter(parameters, source.zero, layout.getZero(), behind + layout.getZeroOffset());
    addParameter(parameters, source.offset, layout.getOffset(), behind + layout.getOffsetOffset());
    addParameter(outer, source.scaleScale, layout.getScaleScale(), 0);
    addParameter(outer, source.scaleShift, layout.getScaleShift(), layout.getScaleShiftOffset());
    addParameter(outer, source.offsetScale, layout.getOffsetScale(), layout.getOffsetScaleOffset());
    groups = layout.getNumGroups(source.k);
    groupBytes = layout.getGroupBytes();
    perGroup = layout.getGroup() ? layout.getGroup() : blocks;
  }

  /// `out` is the panel's bytes.
  void pack(int64_t panel, uint8_t *out) const {
    int64_t valid = std::min(rows, source.n - panel * rows);
    if (!integer || valid < rows) // else every byte is written
      std::memset(out, 0, blocks * blockBytes + groups * groupBytes);
    for (int64_t b = 0; b < blocks; ++b) {
      if (groups && b % perGroup == 0)
        for (const Parameter &parameter : outer)
          copyParameter(parameter, panel * rows * groups + b / perGroup, groups, valid, out + getOffset(b) - groupBytes);
      for (const Parameter &parameter : parameters)
        copyParameter(parameter, panel * rows * blocks + b, blocks, valid, out + getOffset(b));
    }
    const uint8_t *codes = source.codes.data() + panel * rows * source.k * codeBytes;
    if (integer)
      return packCodes(codes, valid, out);
    for (int64_t b = 0; b < blocks; ++b)
      for (int64_t k = 0, length = std::min(block, source.k - b * block); k < length; ++k) {
        const uint8_t *from = codes + (b * block + k) * codeBytes;
        uint8_t *to = out + getOffset(b) + k * rows * codeBytes;
        codeBytes == 2 ? gather<uint16_t>(from, source.k, valid, to) : gather<uint32_t>(from, source.k, valid, to);
      }
  }

private:
  struct Parameter {
    llvm::ArrayRef<uint8_t> data;
    int64_t bytes, offset;
  };

  using Parameters = SmallVector<Parameter, 3>;

  static void addParameter(Parameters &to, llvm::ArrayRef<uint8_t> data, Type type, int64_t offset) {
    if (type)
      to.push_back({data, type.getIntOrFloatBitWidth() / 8, offset});
  }

  /// One element of each row, from elements `from`, `from` + `stride` ...
  static void copyParameter(const Parameter &parameter, int64_t from, int64_t stride, int64_t valid, uint8_t *out) {
    const uint8_t *data = parameter.data.data() + from * parameter.bytes;
    out += parameter.offset;
    switch (parameter.bytes) {
    case 1:
      return gather<uint8_t>(data, stride, valid, out);
    case 2:
      return gather<uint16_t>(data, stride, valid, out);
    default:
      return gather<uint32_t>(data, stride, valid, out);
    }
  }

  template <typename T>
  static void gather(const uint8_t *data, int64_t stride, int64_t count, uint8_t *out) {
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(out + i * sizeof(T), data + i * stride * sizeof(T), sizeof(T));
  }

  /// Bits [from, from + width) of codes, as masks on words of four codes.
  struct Piece {
    unsigned width, from;
    uint32_t kept, flip; ///< What of a shifted word is kept; what is flipped in a word of the result.
  };

  Piece makePiece(unsigned width, unsigned from) const {
    uint32_t bytes = 0x01010101u, all = (1u << width) - 1, flip = 0;
    for (unsigned j = 0; j < 8; j += width)
      flip |= (bytes * (source.flip >> from & all)) << j;
    return {width, from, bytes * (source.mask >> from & all), flip};
  }

  /// Of a block, in the panel.
  int64_t getOffset(int64_t b) const { return b * blockBytes + (groups ? (b / perGroup + 1) * groupBytes : 0); }

  /// A chunk of a row: where its codes are, how many, and where its vectors begin.
  struct Chunk {
    const uint8_t *codes;
    int64_t count;
    uint8_t *out;
  };

  /// A few chunks at a time of row after row: whole cache lines are read, and what is written stays in the first-level
  /// cache until the last row is there.
  void packCodes(const uint8_t *codes, int64_t valid, uint8_t *out) const {
    int64_t perBlock = paddedBlock / chunk, all = blocks * perBlock;
    for (int64_t first = 0; first < all; first += kStretch) {
      int64_t count = std::min(kStretch, all - first);
      Chunk chunks[kStretch];
      for (int64_t c = 0; c < count; ++c) {
        int64_t b = (first + c) / perBlock, k = (first + c) % perBlock * chunk;
        int64_t length = std::min(block, source.k - b * block) - k;
        chunks[c] = {codes + b * block + k, std::clamp<int64_t>(length, 0, chunk),
                     out + getOffset(b) + k / chunk * chunkBytes};
      }
      int64_t r = 0;
      for (; r + kQuad <= valid; r += kQuad)
        for (const Chunk &c : ArrayRef(chunks, count))
          packRows<kQuad>(c.codes + r * source.k, c.count, c.out + r * 4);
      for (; r < valid; ++r)
        for (const Chunk &c : ArrayRef(chunks, count))
          packRows<1>(c.codes + r * source.k, c.count, c.out + r * 4);
    }
  }

  /// A chunk of neighbouring rows; what it lacks becomes code 0.
  template <unsigned Rows>
  void packRows(const uint8_t *codes, int64_t count, uint8_t *out) const {
    uint8_t filled[Rows * kMaxChunk];
    int64_t stride = source.k;
    if (count < chunk) {
      std::memset(filled, source.flip, sizeof(filled));
      for (unsigned r = 0; r < Rows; ++r)
        std::memcpy(filled + r * kMaxChunk, codes + r * stride, count);
      codes = filled;
      stride = kMaxChunk;
    }
    if (radix)
      return packDigits<Rows>(codes, stride, out);
    chunk == 32 ? packPieces<Rows, 32>(codes, stride, out) : packPieces<Rows, 16>(codes, stride, out);
  }

  /// Codes k, k + 4 ... are the digits of one byte.
  template <unsigned Rows>
  void packDigits(const uint8_t *codes, int64_t stride, uint8_t *out) const {
    int64_t values = 1;
    for (int64_t d = 0; d < digits; ++d)
      values *= radix;
    for (unsigned r = 0; r < Rows; ++r)
      for (int64_t j = 0; j < 4; ++j) {
        int64_t number = 0;
        for (int64_t k = j; k < chunk; k += 4)
          number = number * radix + ((codes[r * stride + k] & source.mask) ^ source.flip);
        out[r * 4 + j] = (256 * number + values - 1) / values;
      }
  }

  template <unsigned Rows, unsigned Chunk>
  void packPieces(const uint8_t *codes, int64_t stride, uint8_t *out) const {
    for (const Piece &piece : pieces) {
      if (Rows == kQuad && piece.width == 8)
        packBytes<Chunk>(piece, codes, stride, out);
      else if (Rows == kQuad && Chunk == 32 && piece.width == 4)
        packNibbles(piece, codes, stride, out);
      else
        for (unsigned r = 0; r < Rows; ++r)
          packPiece(piece, Chunk, codes + r * stride, out + r * 4);
      out += Chunk * rows * piece.width / 8;
    }
  }

  /// Bits [from, from + width) of a row's codes. Four codes are one word, 8 / width neighbours share one of the result,
  /// which goes to the row's place in each vector.
  void packPiece(const Piece &piece, unsigned codesInChunk, const uint8_t *codes, uint8_t *out) const {
    unsigned perWord = 8 / piece.width;
    for (unsigned w = 0; w < codesInChunk / 4 / perWord; ++w, out += rows * 4) {
      uint32_t word = piece.flip;
      for (unsigned j = 0; j < perWord; ++j, codes += 4) {
        uint32_t group;
        std::memcpy(&group, codes, 4);
        word ^= (group >> piece.from & piece.kept) << (j * piece.width);
      }
      std::memcpy(out, &word, 4);
    }
  }

  // The same for four rows at once in vectors of four words, which any processor has.
  using Words = uint32_t __attribute__((vector_size(16)));
  static Words load(const uint8_t *from) {
    Words words;
    std::memcpy(&words, from, sizeof(words));
    return words;
  }

  /// Word w of rows a, b, c, d goes to vector w.
  void storeTransposed(Words a, Words b, Words c, Words d, uint8_t *out) const {
    Words ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    Words abHigh = __builtin_shufflevector(a, b, 2, 6, 3, 7), cdHigh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    Words columns[] = {__builtin_shufflevector(ab, cd, 0, 1, 4, 5), __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
                       __builtin_shufflevector(abHigh, cdHigh, 0, 1, 4, 5),
                       __builtin_shufflevector(abHigh, cdHigh, 2, 3, 6, 7)};
    for (unsigned w = 0; w < 4; ++w)
      std::memcpy(out + w * rows * 4, &columns[w], sizeof(Words));
  }

  template <unsigned Chunk>
  void packBytes(const Piece &piece, const uint8_t *codes, int64_t stride, uint8_t *out) const {
    for (unsigned at = 0; at < Chunk; at += 16, out += 4 * rows * 4) {
      Words row[kQuad];
      for (unsigned r = 0; r < kQuad; ++r)
        row[r] = (load(codes + r * stride + at) & piece.kept) ^ piece.flip;
      storeTransposed(row[0], row[1], row[2], row[3], out);
    }
  }

  void packNibbles(const Piece &piece, const uint8_t *codes, int64_t stride, uint8_t *out) const {
    Words row[kQuad];
    for (unsigned r = 0; r < kQuad; ++r) {
      Words low = load(codes + r * stride), high = load(codes + r * stride + 16);
      Words even = __builtin_shufflevector(low, high, 0, 2, 4, 6), odd = __builtin_shufflevector(low, high, 1, 3, 5, 7);
      row[r] = (even >> piece.from & piece.kept) ^ (odd >> piece.from & piece.kept) << 4 ^ piece.flip;
    }
    storeTransposed(row[0], row[1], row[2], row[3], out);
  }

  static constexpr int64_t kMaxChunk = 32, kStretch = 16;
  static constexpr unsigned kQuad = 4;
  const PackSource &source;
  int64_t rows, block, paddedBlock, chunk, chunkBytes, blocks, blockBytes;
  bool integer;
  int64_t codeBytes, radix, digits;
  SmallVector<Piece, 3> pieces;
  Parameters parameters, outer; ///< Of a block, and in front of a group of blocks.
  int64_t groups, groupBytes, perGroup;
};
} // namespace

static bool checkSize(StringRef name, llvm::ArrayRef<uint8_t> data, int64_t expected, std::string &error) {
  if (static_cast<int64_t>(data.size()) == expected)
    return true;
  error = llvm::formatv("the weight's {0} have {1} bytes, the layout needs {2}", name, data.size(), expected);
  return false;
}

LogicalResult qtensor::packWeight(qtile::LayoutAttr layout, const PackSource &source, llvm::MutableArrayRef<uint8_t> out,
                                  std::string &error) {
  int64_t blocks = layout.getNumBlocks(source.k);
  auto bytesOf = [&](Type type, int64_t count) {
    return type ? source.n * count * static_cast<int64_t>(type.getIntOrFloatBitWidth()) / 8 : 0;
  };
  int64_t groups = layout.getNumGroups(source.k);
  int64_t codeBytes = layout.hasIntegerCodes() ? 1 : layout.getCodes().getIntOrFloatBitWidth() / 8;
  if (!checkSize("codes", source.codes, source.n * source.k * codeBytes, error) ||
      !checkSize("scales", source.scale, bytesOf(layout.getScale(), blocks), error) ||
      !checkSize("zeros", source.zero, bytesOf(layout.getZero(), blocks), error) ||
      !checkSize("offsets", source.offset, bytesOf(layout.getOffset(), blocks), error) ||
      !checkSize("scales of scales", source.scaleScale, bytesOf(layout.getScaleScale(), groups), error) ||
      !checkSize("offsets of scales", source.scaleShift, bytesOf(layout.getScaleShift(), groups), error) ||
      !checkSize("scales of offsets", source.offsetScale, bytesOf(layout.getOffsetScale(), groups), error) ||
      !checkSize("packed bytes", out, layout.getBytes(source.n, source.k), error))
    return failure();
  PanelPacker packer(layout, source);
  int64_t panelBytes = layout.getPanelBytes(source.k);
  llvm::parallelFor(0, layout.getNumPanels(source.n), [&](size_t panel) {
    packer.pack(panel, out.data() + panel * panelBytes);
  });
  return success();
}
