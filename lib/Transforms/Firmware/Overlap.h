// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How far results may run into what a layer still reads.
#pragma once
#include "lib/Transforms/Firmware/Layer.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::qtensor::firmware {

/// A buffer that a kernel writes may lie over its input if it begins at least `distance` bytes before it (a negative
/// distance: at most so far behind its beginning) and `multiple` divides the difference. Kernels that take channels one
/// after the other write only bytes of channels that they have read if the multiple is a pixel.
struct Overlap {
  int64_t distance = 0, multiple = 1;
};

/// What a layer's windows read and write, whatever it computes. Elements have `bytes` bytes.
struct WindowWalk {
  Extents in, out;
  Window window;
  int64_t bytes = 1;

  explicit WindowWalk(const ConvLayer &layer)
      : in(layer.in), out(layer.out), window(layer.window), bytes(layer.inputBits / 8) {}
  explicit WindowWalk(const PoolLayer &layer)
      : in(layer.in), out(layer.out), window(layer.window), bytes(layer.bits / 8) {}

  int64_t pixels() const { return out.batch * out.height * out.width; } ///< Of the output.
  /// The first byte of the input that the window of an output pixel reads, of those of its rows and columns that exist.
  int64_t firstByte(int64_t pixel) const;
  int64_t pixelBytes() const { return out.channels * bytes; } ///< Of the output.
};

/// An output may lie exactly where an input of the same `bytes` lies, and nowhere else over it: an element is read right
/// before that of the output is written, in any order.
inline Overlap overlapInPlace(int64_t bytes) { return {0, bytes}; }

/// A walk in steps, each of which first reads all that it needs, from byte `readsFrom(step)` of the input on, and then
/// writes outputs up to byte `writtenTo(step)`. Not `readsFirst`: reads and writes of a step mix.
int64_t distanceOfSteps(int64_t steps, bool readsFirst, llvm::function_ref<int64_t(int64_t step)> readsFrom,
                        llvm::function_ref<int64_t(int64_t step)> writtenTo);

/// Steps of so many pixels of the output, in order; of whole rows.
Overlap overlapByPixels(const WindowWalk &walk, int64_t pixels, bool readsFirst);
Overlap overlapByRows(const WindowWalk &walk);

} // namespace mlir::qtensor::firmware
