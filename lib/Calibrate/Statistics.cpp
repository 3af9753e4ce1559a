// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums up values.
#include "lib/Calibrate/Statistics.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;

static int binOf(double magnitude) {
  if (!(magnitude > 0))
    return 0;
  double bin = std::floor((std::log2(magnitude) - ValueStatistics::kLowestExponent) * ValueStatistics::kBinsPerOctave);
  return static_cast<int>(std::clamp(bin, 0.0, double(ValueStatistics::kBins - 1)));
}

void ValueStatistics::add(ArrayRef<float> values) {
  count += values.size();
  for (float value : values) {
    if (!std::isfinite(value))
      continue;
    min = finite ? std::min(min, double(value)) : value;
    max = finite ? std::max(max, double(value)) : value;
    ++finite;
    ++histogram[binOf(std::fabs(double(value)))];
  }
}

double ValueStatistics::getMagnitude(double fraction) const {
  double largest = std::max(std::fabs(min), std::fabs(max));
  double wanted = fraction * finite, seen = 0;
  for (int bin = 0; bin < kBins; ++bin) {
    seen += histogram[bin];
    if (seen >= wanted)
      return std::min(largest, std::exp2(double(bin + 1) / kBinsPerOctave + kLowestExponent));
  }
  return largest;
}

ValueStatistics ValueStatistics::clipped(double fraction) const {
  ValueStatistics result = *this;
  double limit = getMagnitude(fraction);
  result.min = std::max(min, -limit);
  result.max = std::min(max, limit);
  return result;
}

const ValueStatistics *Statistics::lookup(StringRef key) const {
  auto it = values.find(key.str());
  return it == values.end() ? nullptr : &it->second;
}
