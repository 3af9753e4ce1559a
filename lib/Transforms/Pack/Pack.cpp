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
        blockBytes(layout.getBlockBytes()), codesOffset(layout.getCodesOffset()), integer(layout.hasIntegerCodes()),
        codeBytes(integer ? 1 : layout.getCodes().getIntOrFloatBitWidth() / 8), pieces(layout.getPieces()) {
    addParameter(parameters, source.scale, layout.getScale(), 0);
    addParameter(parameters, source.zero, layout.getZero(), layout.getZeroOffset());
    addParameter(parameters, source.offset, layout.getOffset(), layout.getOffsetOffset());
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
    for (int64_t b = 0; b < blocks; ++b, out += blockBytes) {
      if (groups && b % perGroup == 0) {
        for (const Parameter &parameter : outer)
          copyParameter(parameter, panel * rows * groups + b / perGroup, groups, valid, out);
        out += groupBytes;
      }
      for (const Parameter &parameter : parameters)
        copyParameter(parameter, panel * rows * blocks + b, blocks, valid, out);
      int64_t length = std::min(block, source.k - b * block);
      const uint8_t *codes = source.codes.data() + (panel * rows * source.k + b * block) * codeBytes;
      if (integer)
        packBlock(codes, length, valid, out + codesOffset);
      else if (codeBytes == 2)
        transpose<uint16_t>(codes, source.k, length, valid, out + codesOffset);
      else
        transpose<uint32_t>(codes, source.k, length, valid, out + codesOffset);
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

  /// Elements of `valid` rows, `stride` elements apart, to [k][rows].
  template <typename T>
  void transpose(const uint8_t *codes, int64_t stride, int64_t length, int64_t valid, uint8_t *out) const {
    for (int64_t k = 0; k < length; ++k)
      gather<T>(codes + k * sizeof(T), stride, valid, out + k * rows * sizeof(T));
  }

  /// The chunks of a block. A chunk that the block does not fill is copied and filled up.
  void packBlock(const uint8_t *codes, int64_t length, int64_t valid, uint8_t *out) const {
    uint8_t rest[kMaxRows * kMaxChunk];
    for (int64_t k = 0; k < paddedBlock; k += chunk, codes += chunk, out += chunkBytes) {
      if (k + chunk <= length) {
        packChunk(codes, source.k, valid, out);
        continue;
      }
      std::memset(rest, source.flip, valid * chunk); // becomes code 0
      for (int64_t r = 0; r < valid && k < length; ++r)
        std::memcpy(rest + r * chunk, codes + r * source.k, length - k);
      packChunk(rest, chunk, valid, out);
    }
  }

  /// The pieces of a chunk, one after the other.
  void packChunk(const uint8_t *codes, int64_t stride, int64_t valid, uint8_t *out) const {
    unsigned from = 0;
    for (unsigned width : pieces) {
      switch (width) {
      case 8:
        packPiece<8>(codes, stride, valid, from, out);
        break;
      case 4:
        packPiece<4>(codes, stride, valid, from, out);
        break;
      case 2:
        packPiece<2>(codes, stride, valid, from, out);
        break;
      default:
        packPiece<1>(codes, stride, valid, from, out);
      }
      from += width;
      out += chunk * rows * width / 8;
    }
  }

  /// Bits [from, from + Width) of a chunk's codes. Four codes of a row are one word, 8 / Width neighbours share one of the
  /// result: a row's words are put together first, then they go to the row's place in each vector.
  template <unsigned Width>
  void packPiece(const uint8_t *codes, int64_t stride, int64_t valid, unsigned from, uint8_t *out) const {
    constexpr unsigned perWord = 8 / Width;
    const uint32_t all = 0x01010101u * ((1u << Width) - 1);
    const uint32_t mask = 0x01010101u * source.mask, flip = 0x01010101u * source.flip;
    int64_t words = chunk / 4 / perWord;
    for (int64_t r = 0; r < valid; ++r)
      for (int64_t w = 0; w < words; ++w) {
        uint32_t group[perWord], word = 0;
        std::memcpy(group, codes + r * stride + w * 4 * perWord, sizeof(group));
        for (unsigned j = 0; j < perWord; ++j)
          word |= (((group[j] & mask) ^ flip) >> from & all) << (j * Width);
        std::memcpy(out + (w * rows + r) * 4, &word, 4);
      }
  }

  static constexpr int64_t kMaxRows = 64, kMaxChunk = 32;
  const PackSource &source;
  int64_t rows, block, paddedBlock, chunk, chunkBytes, blocks, blockBytes, codesOffset;
  bool integer;
  int64_t codeBytes;
  SmallVector<unsigned, 3> pieces;
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
