// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What convolutions by pairs of 16-bit products have in common.
#pragma once
#include "lib/Targets/CortexM/Dsp.h"
#include "lib/Transforms/Firmware/WindowConv.h"

namespace mlir::qtensor::cortexm {

/// Lanes are codes of 16 bits, a word holds two. Where pixels have whole words of codes, the bytes (0, 1, 2, 3) of one
/// lie as (0, 2), (1, 3): that is what two SXTB16 make of it. Weights have the same order.
class DspConv : public firmware::WindowConv {
public:
  static Shape tile(int64_t pixels, int64_t channels) {
    return {pixels, channels, /*laneBytes=*/2, /*depthUnit=*/4};
  }
  static Shape row(int64_t channels, bool oneMap = false) {
    Shape shape = tile(1, channels);
    shape.onePixel = true;
    shape.oneMap = oneMap;
    return shape;
  }
  /// A row whose codes are widened wherever they are read: no scratch, and two instructions more for four codes.
  static Shape directRow(int64_t channels, bool oneMap = false) {
    Shape shape = row(channels, oneMap);
    shape.laneBytes = 1;
    shape.onlyInPlace = true;
    return shape;
  }
  static Shape exact(int64_t pixels, int64_t channels) {
    Shape shape = tile(pixels, channels);
    shape.exact = true;
    return shape;
  }
  /// For weights in groups: sums of 32 bits, or of 64.
  static Shape inGroups(Shape shape, bool wide) {
    shape.groups = true;
    shape.exact = wide;
    return shape;
  }
  /// `frugal`: the kernel of the same tile with a direct row.
  explicit DspConv(StringRef name, Shape shape, const DspConv *frugal = nullptr)
      : WindowConv(name, shape), frugal(frugal) {}
  const firmware::ConvKernel *getFrugalTwin() const override { return frugal; }

protected:
  void copyCodes(firmware::KernelBuilder &k, Value from, Value to, int64_t count) const override;
  Value sumCodes(firmware::KernelBuilder &k, Value from, int64_t lanes) const override;

  /// The lane of a window that lies at place `i` of the buffer.
  static int64_t laneAt(const Group &group, int64_t i) {
    static constexpr int64_t order[] = {0, 2, 1, 3};
    return group.inWords ? i / 4 * 4 + order[i % 4] : i;
  }

  /// The sums after `step` has run for every four lanes. It gets the function that loads a word of two codes of a
  /// pixel, the address of their weights (`weightBytes` of them) and the sums so far. A turn of the loop makes at most
  /// `longest` steps.
  using Word = llvm::function_ref<Value(int64_t half, int64_t pixel)>;
  using Step = llvm::function_ref<void(Word word, Value weights, MutableArrayRef<Value> sums)>;
  SmallVector<Value> sumWords(firmware::KernelBuilder &k, Tile &tile, int64_t weightBytes, SmallVector<Value> start,
                              Step step, int64_t longest = 4) const;
  /// The words of all pixels.
  static SmallVector<Value> loadAll(Word word, int64_t half, int64_t pixels) {
    SmallVector<Value> words;
    for (int64_t p = 0; p < pixels; ++p)
      words.push_back(word(half, p));
    return words;
  }

private:
  bool isDirect() const { return shape.laneBytes == 1; }
  /// Two codes of the four lanes at `from`.
  Value loadHalf(firmware::KernelBuilder &k, Value from, int64_t half) const;

  const DspConv *frugal;
};

/// Kernels of weights of 4 and 2 bits whose channels have two sums for three.
void addDspTriples(firmware::LayerKernels &kernels);
/// Kernels of weights of 4 and 2 bits, best first; those of weights in groups with sums of 32 bits, or of 64.
void addDspDigits(firmware::LayerKernels &kernels);
void addDspDigitGroups(firmware::LayerKernels &kernels, bool wide);

} // namespace mlir::qtensor::cortexm
