// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Compare.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir::qtensor;

static std::string shapeText(const NpyArray &array) {
  return "[" + llvm::join(llvm::map_range(array.shape, [](int64_t extent) { return std::to_string(extent); }), ", ") + "]";
}

/// Infinity where one is NaN and the other is not, or infinities differ.
static double difference(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b)))
    return 0;
  double gap = std::fabs(a - b);
  return std::isfinite(gap) ? gap : INFINITY;
}

bool tools::compareArrays(llvm::StringRef name, const NpyArray &got, const NpyArray &want, double absolute, double relative,
                          llvm::raw_ostream &os) {
  if (got.shape != want.shape) {
    os << name << ": shape " << shapeText(got) << ", the reference has " << shapeText(want) << "\n";
    return false;
  }
  double largest = 0, largestRelative = 0;
  int64_t wrong = 0, first = -1;
  for (int64_t i = 0, e = got.elementCount(); i < e; ++i) {
    double a = npyElement(got, i), b = npyElement(want, i), gap = difference(a, b);
    largest = std::max(largest, gap);
    if (gap > 0)
      largestRelative = std::max(largestRelative, b == 0 ? double(INFINITY) : gap / std::fabs(b));
    if (gap > absolute + relative * std::fabs(b) && !wrong++)
      first = i;
  }
  os << llvm::formatv("{0}: max abs error {1}, max rel error {2}", name, llvm::formatv("{0:e3}", largest),
                      llvm::formatv("{0:e3}", largestRelative));
  if (wrong)
    os << llvm::formatv("; {0} of {1} elements differ too much, the first at {2}: {3}, the reference has {4}", wrong,
                        got.elementCount(), first, npyElement(got, first), npyElement(want, first));
  os << "\n";
  return wrong == 0;
}
