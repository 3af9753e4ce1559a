// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a kernel may know of a layer: numbers only, taken from an op of the qnn dialect.
#pragma once
#include "dialects/QNN/IR/QNN.h"
#include <optional>
#include <variant>
#include <vector>

namespace mlir::qtensor::firmware {

/// How sums become codes: code = clamp(map(sum, multiplier, shift) + zero, low, high), the map exact as in lib/Reference.
struct FinalMap {
  FixedMode mode = FixedMode::Double;
  int64_t zero = 0, low = -128, high = 127;

  /// map(sum, multiplier, shift), of a sum of 32 bits: without zero point and clamps.
  int64_t apply(int64_t sum, int32_t multiplier, int32_t shift) const;
};

/// NHWC extents, of whole batches.
struct Extents {
  int64_t batch = 1, height = 1, width = 1, channels = 1;
  int64_t pitch =
      0; ///< Channels from one pixel to the next, where these are a part of an image's; 0: there are no others.
  int64_t count() const { return batch * height * width * channels; }
  int64_t pixel() const { return pitch ? pitch : channels; }
};

/// Windows of `kernel` extents; output (y, x) begins at (y * stride - padTop, x * stride - padLeft).
struct Window {
  int64_t kernelHeight = 1, kernelWidth = 1, strideHeight = 1, strideWidth = 1, dilationHeight = 1, dilationWidth = 1;
  int64_t padTop = 0, padLeft = 0;
  int64_t taps() const { return kernelHeight * kernelWidth; }
  /// Whether some window leaves the input.
  bool leaves(const Extents &in, const Extents &out) const;
};

/// The weights of an output channel that share a factor; none where `channels` is 0.
struct WeightGroups {
  int64_t height = 1, width = 1, channels = 0;
  explicit operator bool() const { return channels != 0; }
};

/// Elementwise: `count` pairs.
struct AddLayer {
  int64_t count = 0, zeros[2] = {0, 0}, leftShift = 20, multipliers[3] = {}, shifts[3] = {};
  bool subtract = false;
  unsigned bits = 8;
  FinalMap map;

  /// What input `i` (0 or 1) brings to the sum for `code`: the mapped and shifted difference to its zero point.
  int32_t term(unsigned i, int64_t code) const;
};
struct AddConstants {};

/// Products of `batch` times `rows` times `length` codes with as many, or with `batch` times `length` that all rows share.
struct MulLayer {
  int64_t batch = 1, rows = 1, length = 0, zeros[2] = {0, 0};
  int32_t multiplier = 0, shift = 0;
  unsigned bits = 8;
  FinalMap map;

  /// Of |(a - zeros[0]) * (b - zeros[1])|.
  int64_t bound() const;
};
struct MulConstants {};

/// A convolution; a fully connected layer is one of 1 x 1 over an image of one row, a pixel for each row of its input.
struct ConvLayer {
  Extents in, out;
  Window window;
  bool depthwise = false;
  int64_t inputZero = 0;
  unsigned inputBits = 8, weightBits = 8; ///< Inputs and outputs are signed, of 8 or 16 bits; weights of 2, 4 or 8.
  FinalMap map;
  WeightGroups groups; ///< Never of depthwise layers.
  int64_t channelGroups = 1; ///< An output reads the inputs of its own group of channels.
  /// A bound of |sum|, bias with the folded zero point included, on the way and at the end. Known to accept() and
  /// pack() alone: a kernel that needs it has a name of its own.
  int64_t sumBound = 0;
  bool preferSpeed = false; ///< Rather than few constants. Known to accept() alone.

  /// What is done with each code and that of the second input before it is stored.
  std::optional<AddLayer> sum;

  int64_t inputs() const { return depthwise ? 1 : in.channels / channelGroups; } ///< Channels that an output reads.
  int64_t depth() const { return window.taps() * inputs(); }                     ///< Products in a sum.
  /// One of the groups of channels, as a layer on parts of images.
  ConvLayer ofGroup() const;
  bool hasPadding() const { return window.leaves(in, out); }
  /// Whether codes have 16 bits, no zero points and a map of `fixed<x16>`.
  bool hasWords() const;
};

/// The constants of a convolution, channel by channel (lists of one element are repeated).
struct ConvConstants {
  std::vector<int32_t> weights; ///< [O][KH][KW][C / channelGroups]; depthwise: [KH][KW][O].
  std::vector<int64_t> bias;    ///< As the model has it: the zero point is not folded.
  std::vector<int32_t> multiplier, shift;
  std::vector<int32_t> factors; ///< Of groups: [O][rows of groups][columns][channels]; else empty.

  /// bias - input_zero * (sum of the channel's weights): right where padding reads as the zero point.
  std::vector<int64_t> foldedBias(const ConvLayer &layer) const;
  int32_t weight(const ConvLayer &layer, int64_t o, int64_t ky, int64_t kx, int64_t c) const;
  /// Those of one of the layer's groups of channels.
  ConvConstants ofGroup(const ConvLayer &layer, int64_t group) const;
  /// The factor of a weight; 1 without groups.
  int32_t factor(const ConvLayer &layer, int64_t o, int64_t ky, int64_t kx, int64_t c) const;
};

/// How the sum of a window's codes becomes a code of another scale.
struct MeanMap {
  int64_t inputZero = 0, multiple = 0;
  int32_t multiplier = 0, shift = 0;
  FinalMap map;

  /// What the sum of `count` codes is multiplied by in front of the map.
  int64_t factor(int64_t count) const { return multiple ? multiple / count : 1; }
  /// The code of the sum of `count` codes.
  int64_t apply(int64_t codes, int64_t count) const;
};

struct PoolLayer {
  Extents in, out;
  Window window;
  bool max = false;
  int64_t low = -128, high = 127;
  unsigned bits = 8;
  std::optional<MeanMap> mean;

  bool hasPadding() const { return window.leaves(in, out); }
  /// Of the numbers that the map of a mean gets.
  int64_t meanBound() const;
};
struct PoolConstants {};

struct SoftmaxLayer {
  int64_t rows = 1, length = 1, low = -128, high = 127;
};
struct SoftmaxConstants {
  std::vector<int32_t> terms; ///< 256, by the distance to the row's largest code. Q0.31.
};

using Layer = std::variant<ConvLayer, PoolLayer, AddLayer, MulLayer, SoftmaxLayer>;

/// The layer of an op, with or without kernel. Nothing where codes have widths that no kernel takes.
std::optional<Layer> describeLayer(qnn::LayerOpInterface op);

} // namespace mlir::qtensor::firmware
