// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the inputs of one output pixel lie one behind the other: in the input itself, or in a copy of the rows that one
// row of the output reads.
#pragma once
#include "lib/Targets/CortexM/Mve.h"
#include "lib/Transforms/Firmware/WindowRows.h"

namespace mlir::qtensor::cortexm {

/// The copy holds columns, each [kernel height][channels]: a window of adjacent columns is then one run of bytes for
/// any number of channels, and windows that overlap share it. Dilated windows are copied one by one. What lies outside
/// of the input is written as its zero point.
class MvePatches {
public:
  explicit MvePatches(const ConvLayer &layer) : MvePatches(layer, layer.in.channels) {}
  /// Of so many adjacent channels only. Codes of 16 bits have the zero point 0.
  MvePatches(const ConvLayer &layer, int64_t channels);

  int64_t rows() const { return outRows; } ///< Of one image.
  int64_t images() const { return imageCount; }
  int64_t pixels() const { return outPixels; } ///< Of one row.
  int64_t depth() const { return kernelHeight * kernelWidth * channels; } ///< Codes that an output pixel reads.
  int64_t pitch() const { return pixelPitch; } ///< Bytes from one pixel's inputs to the next one's.
  /// Whether 16 bytes may be read wherever one of a pixel's inputs lies.
  bool mayReadBeyond() const { return !direct; }
  int64_t scratchBytes() const { return direct ? 0 : bufferBytes + 16; }
  /// How far outputs of `outChannels` may run into the input, in steps of `pixels` (an odd row ends with a step that
  /// begins one pixel earlier) or, where there is a copy, of rows. `readsFirst`: a step reads all inputs before it
  /// writes.
  int64_t outputDistance(int64_t outChannels, int64_t pixels, bool readsFirst = false) const;
  bool isDirect() const { return direct; } ///< There is no copy.
  /// The weight that meets input `i` of a pixel; where that weight is; the factor of its group.
  int32_t weight(const ConvLayer &layer, const ConvConstants &constants, int64_t channel, int64_t i) const;
  firmware::WindowRows::Place placeOf(int64_t i) const;
  int32_t factor(const ConvLayer &layer, const ConvConstants &constants, int64_t channel, int64_t i) const;
  /// Inputs of one channel, which lie `channels` codes apart.
  int64_t taps() const { return kernelHeight * kernelWidth; }

  /// Once, before all rows.
  void emitStart(Mve &m, Value scratch) const;
  /// The address of the first pixel's inputs, for a row of the output.
  Value emitRow(Mve &m, Value input, Value scratch, Value image, Value row) const;
  /// All rows of all images, in tiles of `step` adjacent pixels: `body` gets where the first one's inputs and outputs
  /// begin, and the codes of a sum's second input. The last tile of a row begins early enough to be a whole one, unless
  /// the row is shorter.
  void emitTiles(Mve &m, const ConvLayer &layer, const firmware::LayerPointers &at, int64_t step,
                 llvm::function_ref<void(Value inputs, Value outputs, Value second)> body) const;

private:
  /// Pieces of `pieceBytes` from one row of the input into the copy.
  struct Run {
    int64_t from, fromPitch, to, toPitch, count;
  };
  void copyRun(Mve &m, const Run &run, Value from, Value to) const;
  void copyNarrowPieces(Mve &m, const Run &run, Value from, Value to) const;
  void fillRun(Mve &m, const Run &run, Value to) const;
  std::vector<Run> runs() const;

  bool direct = false, transposed = false, dilated = false;
  int64_t imageCount, outRows, outPixels, inHeight, inWidth, channels, codeBytes, pieceBytes, pixelBytes, kernelHeight,
      kernelWidth;
  int64_t strideHeight, strideWidth, dilationHeight, dilationWidth, padTop, padLeft, zero;
  bool rowsMayLeave = false;
  int64_t columnBytes, pixelPitch, columns = 0, bufferBytes = 0;
};

} // namespace mlir::qtensor::cortexm
