// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/Ops/Interpolation.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <map>

namespace mlir::qtensor::onnx {
namespace {
double sourcePosition(const ResizeRule &rule, double x, double input, double output, double scale,
                      std::pair<double, double> roi) {
  double exactOutput = scale * input;
  switch (rule.coordinates) {
  case Coordinates::HalfPixel:
    return (x + 0.5) / scale - 0.5;
  case Coordinates::HalfPixelSymmetric:
    return input / 2 * (1 - output / exactOutput) + (x + 0.5) / scale - 0.5;
  case Coordinates::PytorchHalfPixel:
    return exactOutput == 1 ? -0.5 : (x + 0.5) / scale - 0.5;
  case Coordinates::AlignCorners:
    return exactOutput == 1 ? 0 : x * (input - 1) / (exactOutput - 1);
  case Coordinates::Asymmetric:
    return x / scale;
  case Coordinates::TfHalfPixelForNN:
    return (x + 0.5) / scale;
  case Coordinates::TfCropAndResize:
    break;
  }
  double width = (roi.second - roi.first) * (input - 1);
  return roi.first * (input - 1) + (exactOutput == 1 ? width / 2 : x * width / (exactOutput - 1));
}

double cubicKernel(double x, double a) {
  x = std::fabs(x);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

std::vector<double> antialiased(const ResizeRule &rule, double ratio, double scale) {
  scale = std::min(scale, 1.0);
  double support = rule.mode == ResizeMode::Cubic ? 2 : 1;
  auto first = static_cast<int64_t>(std::floor(-support / scale)) + 1;
  std::vector<double> weights;
  double sum = 0;
  for (int64_t i = first; i < 2 - first; ++i) {
    double x = (static_cast<double>(i) - ratio) * scale;
    weights.push_back(rule.mode == ResizeMode::Cubic ? cubicKernel(x, rule.cubicA) : std::max(0.0, 1 - std::fabs(x)));
    sum += weights.back();
  }
  for (double &weight : weights)
    weight /= sum;
  return weights;
}

/// Weights of the neighbours, the first of which is left of the source position; `ratio` is in (0, 1].
std::vector<double> neighbourWeights(const ResizeRule &rule, double ratio, double scale) {
  if (rule.mode == ResizeMode::Nearest) {
    bool right = ratio == 1 || rule.nearest == NearestMode::Ceil ||
                 (rule.nearest == NearestMode::RoundPreferFloor && ratio > 0.5) ||
                 (rule.nearest == NearestMode::RoundPreferCeil && ratio >= 0.5);
    return right ? std::vector<double>{0, 1} : std::vector<double>{1, 0};
  }
  if (rule.antialias)
    return antialiased(rule, ratio, scale);
  if (rule.mode == ResizeMode::Linear)
    return {1 - ratio, ratio};
  return {cubicKernel(1 + ratio, rule.cubicA), cubicKernel(ratio, rule.cubicA), cubicKernel(1 - ratio, rule.cubicA),
          cubicKernel(2 - ratio, rule.cubicA)};
}
} // namespace

Taps resizeTaps(const ResizeRule &rule, int64_t position, int64_t input, int64_t output, double scale,
                std::pair<double, double> roi) {
  double source = sourcePosition(rule, static_cast<double>(position), static_cast<double>(input),
                                 static_cast<double>(output), scale, roi);
  Taps taps;
  double last = static_cast<double>(input - 1);
  if (rule.coordinates == Coordinates::TfCropAndResize && (source < 0 || source > last)) {
    taps.outside = true;
    return taps;
  }
  source = std::clamp(source, -4.0 * static_cast<double>(input), 4.0 * static_cast<double>(input));
  double left = std::ceil(source) - 1; // an integer position prefers the pixel on its left, with ratio 1
  std::vector<double> weights = neighbourWeights(rule, source - left, scale);
  int64_t first = static_cast<int64_t>(left) - (static_cast<int64_t>(weights.size()) / 2 - 1);
  double sum = 0;
  std::map<int64_t, double> merged;
  for (auto [i, weight] : llvm::enumerate(weights)) {
    int64_t index = first + static_cast<int64_t>(i);
    if (rule.excludeOutside && (index < 0 || index >= input))
      continue;
    sum += weight;
    merged[std::clamp<int64_t>(index, 0, input - 1)] += weight;
  }
  for (auto [index, weight] : merged) {
    if (weight == 0)
      continue;
    taps.indices.push_back(index);
    taps.weights.push_back(rule.excludeOutside ? weight / sum : weight);
  }
  return taps;
}

} // namespace mlir::qtensor::onnx
