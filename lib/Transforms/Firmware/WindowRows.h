// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A buffer in which every window of one row of outputs is one run of codes.
#pragma once
#include "lib/Transforms/Firmware/KernelBuilder.h"
#include "lib/Transforms/Firmware/Layer.h"

namespace mlir::qtensor::firmware {

/// The codes that one row of outputs reads, column by column: [column][ky][channel]. Neighbouring columns of a window
/// stand side by side, so a window is one run and needs no loops over its extents. A column that lies outside of the
/// input is written once, a row of pads when it is met. A 1x1 convolution has no rows: its pixels come in chunks. A
/// depthwise window is the same run, of which a channel reads every `channels`-th lane. Where taps of a window lie
/// `phases` columns apart, so do the columns that stand side by side, and with them the windows that share columns: a
/// row is as many rows of fewer pixels.
struct WindowRows {
  /// A lane holds a code plus `laneOffset`.
  static std::optional<WindowRows> find(const ConvLayer &layer, int64_t laneBytes, int64_t depthUnit,
                                        int64_t laneOffset = 0);

  bool chunks = false; ///< Rows are `pixels` pixels of an image of 1x1 windows; the last may be shorter.
  int64_t rows = 0, pixels = 0, allPixels = 0; ///< Rows of outputs and outputs in one; outputs in all.
  int64_t columns = 0, columnLanes = 0;        ///< In the buffer; lanes of a column (some may be without meaning).
  int64_t firstColumn = 0, lastColumn = 0;     ///< Columns of the input's order that lie in it.
  int64_t phases = 1, phaseColumns = 0;        ///< Column i stands at i % phases * phaseColumns + i / phases.
  int64_t pixelLanes = 0;                      ///< From a window to the next one.
  int64_t lanes = 0;                           ///< Of a window, rounded up to the depth unit; depthwise: of a channel.
  int64_t laneBytes = 1, laneOffset = 0;
  bool inPlace = false; ///< The input is laid out like this: there is no buffer.

  int64_t bytes() const;

  /// Copies `count` codes of the input to lanes: what differs between kernels.
  using CopyCodes = llvm::function_ref<void(Value from, Value to, int64_t count)>;
  /// The columns that no row changes.
  void fillPads(KernelBuilder &k, const ConvLayer &layer, Value buffer) const;
  /// All columns of row `row`.
  void fillRow(KernelBuilder &k, const ConvLayer &layer, Value input, Value buffer, Value row, CopyCodes copy) const;
  /// Outputs in row `row`, which has one phase.
  Value countPixels(KernelBuilder &k, Value row) const;
  int64_t phaseBytes() const { return phaseColumns * columnLanes * laneBytes; }

  /// The weight that meets lane `lane` of a window (depthwise: of the channel's lanes); nothing for lanes without meaning.
  struct Place {
    int64_t ky, kx, channel;
  };
  std::optional<Place> placeOfLane(const ConvLayer &layer, int64_t lane) const;
  /// The weight of output channel `o` that meets lane `lane` of a window (depthwise: of the channel's lanes); 0 for
  /// lanes without meaning and past the last channel.
  int32_t weightOfLane(const ConvLayer &layer, const ConvConstants &constants, int64_t o, int64_t lane) const;
  /// The factor of its group.
  int32_t factorOfLane(const ConvLayer &layer, const ConvConstants &constants, int64_t o, int64_t lane) const;

private:
  void fillLanes(KernelBuilder &k, Value to, int64_t count, int64_t code) const;
  void fillTap(KernelBuilder &k, const ConvLayer &layer, Value input, Value buffer, Value y, Value ky,
               CopyCodes copy) const;
  /// Calls `body` with the address of each column that lies in the input, and of its first code, from `from` on.
  void forColumns(KernelBuilder &k, int64_t pixelBytes, Value from, Value to,
                  llvm::function_ref<void(Value, Value)> body) const;
};

} // namespace mlir::qtensor::firmware
