// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The sum of two codes where what each brings stands in a table: a code has 256 values.
#pragma once
#include "lib/Transforms/Firmware/FastMap.h"

namespace mlir::qtensor::firmware {

/// Tables of 256 words of 32 bits for both operands, doubled; those of what is subtracted are negative.
class TableSum {
public:
  static constexpr int64_t kBytes = 2048;
  /// Nothing where the sum has no fast map, or other codes than of 8 bits.
  static std::optional<TableSum> find(const AddLayer &layer);

  /// The tables, by the code as it is unsigned; with `signedFirst` the first begins with code -128.
  void append(std::vector<char> &bytes, bool signedFirst) const;
  /// The code of the sum, as an i32. `second` is an unsigned code; so is `first`, unless `signedFirst`.
  Value emit(KernelBuilder &k, Value tables, Value first, Value second, bool signedFirst, bool longMultiply) const;

private:
  TableSum(const AddLayer &layer, const FastMap &map) : layer(layer), map(map) {}
  AddLayer layer;
  FastMap map;
};

} // namespace mlir::qtensor::firmware
