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
      : source(source), rows(layout.getRows()), block(layout.getBlock()),
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

  /// `out` is the panel's bytes, all zero.
  void pack(int64_t panel, uint8_t *out) const {
    int64_t valid = std::min(rows, source.n - panel * rows);
    for (int64_t b = 0; b < blocks; ++b, out += blockBytes) {
      if (groups && b % perGroup == 0) {
        for (int64_t r = 0; r < valid; ++r)
          copyParameters(outer, (panel * rows + r) * groups + b / perGroup, r, out);
        out += groupBytes;
      }
      for (int64_t r = 0; r < valid; ++r) {
        int64_t row = panel * rows + r;
        copyParameters(parameters, row * blocks + b, r, out);
        int64_t length = std::min(block, source.k - b * block);
        const uint8_t *codes = source.codes.data() + (row * source.k + b * block) * codeBytes;
        if (integer)
          packCodes(codes, length, r, out + codesOffset);
        else
          for (int64_t k = 0; k < length; ++k)
            std::memcpy(out + codesOffset + (k * rows + r) * codeBytes, codes + k * codeBytes, codeBytes);
      }
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

  static void copyParameters(const Parameters &parameters, int64_t from, int64_t row, uint8_t *out) {
    for (const Parameter &parameter : parameters)
      std::memcpy(out + parameter.offset + row * parameter.bytes, parameter.data.data() + from * parameter.bytes,
                  parameter.bytes);
  }

  /// Spreads the pieces of one row's codes over the vectors of its chunks.
  void packCodes(const uint8_t *codes, int64_t valid, int64_t row, uint8_t *out) const {
    int64_t vectorBytes = 4 * rows, groups = chunk / 4;
    for (int64_t k = 0; k < valid; ++k) {
      uint8_t *vector = out + k / chunk * chunkBytes;
      int64_t group = k % chunk / 4, byte = row * 4 + k % 4;
      unsigned from = 0;
      for (unsigned width : pieces) {
        unsigned perVector = 8 / width;
        unsigned bits = (codes[k] >> from) & ((1u << width) - 1);
        vector[group / perVector * vectorBytes + byte] |= bits << (group % perVector * width);
        vector += groups / perVector * vectorBytes;
        from += width;
      }
    }
  }

  const PackSource &source;
  int64_t rows, block, chunk, chunkBytes, blocks, blockBytes, codesOffset;
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
    uint8_t *bytes = out.data() + panel * panelBytes;
    std::memset(bytes, 0, panelBytes);
    packer.pack(panel, bytes);
  });
  return success();
}
