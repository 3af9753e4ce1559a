// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A generator whose numbers are the same on every machine and standard library.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/xxhash.h"
#include <cstdint>

namespace mlir::qtensor::conformance {

class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  /// A stream of its own for each text.
  Random(uint64_t seed, llvm::StringRef text) : state(seed ^ llvm::xxh3_64bits(text)) {}

  uint64_t next() { // splitmix64
    uint64_t z = state += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t bound) { return next() % bound; }
  bool oneIn(uint64_t n) { return below(n) == 0; }
  /// Uniform in [low, high).
  double real(double low, double high) { return low + (high - low) * double(next() >> 11) * 0x1p-53; }
  template <typename T> T pick(llvm::ArrayRef<T> list) { return list[below(list.size())]; }

  /// Long runs of the first and of the last entry, instead of any: what saturates a narrow sum.
  template <typename T> T pickExtreme(llvm::ArrayRef<T> ascending) {
    if (oneIn(96))
      high = !high;
    return high ? ascending.back() : ascending.front();
  }

private:
  uint64_t state;
  bool high = true;
};

} // namespace mlir::qtensor::conformance
