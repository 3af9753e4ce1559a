// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/Overlap.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

int64_t WindowWalk::firstByte(int64_t pixel) const {
  int64_t x = pixel % out.width, y = pixel / out.width % out.height, n = pixel / out.width / out.height;
  int64_t row = std::clamp<int64_t>(y * window.strideHeight - window.padTop, 0, in.height - 1);
  int64_t column = std::clamp<int64_t>(x * window.strideWidth - window.padLeft, 0, in.width - 1);
  return ((n * in.height + row) * in.width + column) * in.channels * bytes;
}

int64_t firmware::distanceOfSteps(int64_t steps, bool readsFirst, llvm::function_ref<int64_t(int64_t step)> readsFrom,
                                  llvm::function_ref<int64_t(int64_t step)> writtenTo) {
  // Where all is read before anything is written, every place will do: one that is so far behind is behind the input.
  int64_t distance = std::numeric_limits<int32_t>::min(), needed = std::numeric_limits<int64_t>::max();
  for (int64_t step = steps - 1; step >= 0; --step) {
    // What is needed from the next step on, and in this one.
    int64_t later = needed;
    needed = std::min(needed, readsFrom(step));
    int64_t from = readsFirst ? later : needed;
    if (from != std::numeric_limits<int64_t>::max())
      distance = std::max(distance, writtenTo(step) - from);
  }
  return distance;
}

Overlap firmware::overlapByPixels(const WindowWalk &walk, int64_t pixels, bool readsFirst) {
  int64_t all = walk.pixels(), steps = llvm::divideCeil(all, pixels);
  return {distanceOfSteps(
      steps, readsFirst,
      [&](int64_t step) {
        int64_t first = std::numeric_limits<int64_t>::max();
        for (int64_t pixel = step * pixels; pixel < std::min(all, (step + 1) * pixels); ++pixel)
          first = std::min(first, walk.firstByte(pixel));
        return first;
      },
      [&](int64_t step) { return std::min(all, (step + 1) * pixels) * walk.pixelBytes(); })};
}

Overlap firmware::overlapByRows(const WindowWalk &walk) {
  // The first column of a row is where any of its windows may begin to read.
  WindowWalk rows = walk;
  rows.window.strideWidth = rows.window.padLeft = 0;
  return overlapByPixels(rows, walk.out.width, /*readsFirst=*/true);
}
