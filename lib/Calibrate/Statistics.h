// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What calibration saw of each value, and the file it is kept in.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include <array>
#include <map>
#include <string>

namespace mlir::qtensor {

/// Summary of all elements of one value over all runs. NaN and infinities are counted in `count` only.
struct ValueStatistics {
  /// Magnitudes are counted in eighths of a power of two, from 2^-32 to 2^32; smaller ones fall into the first bin.
  static constexpr int kBinsPerOctave = 8, kLowestExponent = -32, kBins = 64 * kBinsPerOctave;

  uint64_t count = 0, finite = 0;
  double min = 0, max = 0;
  std::array<uint64_t, kBins> histogram{};

  void add(ArrayRef<float> values);
  /// The upper edge of the bin below which `fraction` of the finite magnitudes lie, at most the largest magnitude.
  double getMagnitude(double fraction) const;
  /// min and max cut to getMagnitude(fraction) on both sides.
  ValueStatistics clipped(double fraction) const;
};

/// Statistics of the values of one model.
class Statistics {
public:
  /// Reads a file; an empty path gives empty statistics. Errors name the file and the rule.
  static FailureOr<Statistics> load(MLIRContext *context, StringRef path);
  static FailureOr<Statistics> parse(MLIRContext *context, StringRef text, StringRef name);
  /// Writes a file; the same statistics give the same bytes.
  LogicalResult save(MLIRContext *context, StringRef path) const;
  void print(llvm::raw_ostream &os) const;

  ValueStatistics &operator[](StringRef key) { return values[key.str()]; }
  /// The statistics of `key`, or null.
  const ValueStatistics *lookup(StringRef key) const;
  bool empty() const { return values.empty(); }

  std::string modelHash; ///< hashModel() of the module that was observed.

private:
  std::map<std::string, ValueStatistics> values;
};

/// A hash of structure, types and constant data of `module`, without locations: statistics belong to one model.
std::string hashModel(ModuleOp module);

} // namespace mlir::qtensor
