// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arithmetic of ONNX's Resize along one axis, done while importing.
#pragma once
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include <vector>

namespace mlir::qtensor::onnx {

enum class ResizeMode { Nearest, Linear, Cubic };
enum class NearestMode { RoundPreferFloor, RoundPreferCeil, Floor, Ceil };
enum class Coordinates {
  HalfPixel,
  HalfPixelSymmetric,
  PytorchHalfPixel,
  AlignCorners,
  Asymmetric,
  TfHalfPixelForNN,
  TfCropAndResize
};

struct ResizeRule {
  ResizeMode mode = ResizeMode::Nearest;
  NearestMode nearest = NearestMode::RoundPreferFloor;
  Coordinates coordinates = Coordinates::HalfPixel;
  bool antialias = false, excludeOutside = false;
  double cubicA = -0.75;
};

/// Which input elements make an output element, and with which weights.
struct Taps {
  std::vector<int64_t> indices;
  std::vector<double> weights;
  bool outside = false; // beyond the region of tf_crop_and_resize
};

/// The taps of output element `position`. `scale` is output extent / input extent before rounding, `roi` the region of
/// tf_crop_and_resize as fractions of the extent. Equal indices are merged and zero weights dropped.
Taps resizeTaps(const ResizeRule &rule, int64_t position, int64_t input, int64_t output, double scale,
                std::pair<double, double> roi);

} // namespace mlir::qtensor::onnx
