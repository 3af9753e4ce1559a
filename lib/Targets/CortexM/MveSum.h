// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The sum of two codes, four at a time. What a code brings to the sum is one of 256 numbers: a table, read by a gather.
// Of the input with the larger scale it is mostly a plain shift, and its zero point moves to the other's table.
//
// Constants: 256 words for each input that needs a table, by the code as an unsigned byte.
#pragma once
#include "lib/Targets/CortexM/Mve.h"

namespace mlir::qtensor::cortexm {
using firmware::AddLayer;

class MveSum {
public:
  explicit MveSum(const AddLayer &layer);
  static bool takes(const AddLayer &layer) { return layer.bits == 8 && layer.map.mode != FixedMode::X16; }

  int64_t bytes() const { return 1024 * ((shift[0] < 0) + (shift[1] < 0)); } ///< Of constants.
  void append(std::vector<char> &bytes) const;

  /// What four codes of an input bring to the sum: of those at an address (of the first `count`), or of the low byte of
  /// words that `map` has not clamped yet.
  Value loadTerm(Mve &m, unsigned input, Value tables, Value from, int64_t count) const;
  Value loadTerm(Mve &m, unsigned input, Value tables, Value from, Value count) const;
  Value clampToTerm(Mve &m, unsigned input, Value tables, Value codes, const FinalMap &map) const;
  /// The codes of the sum of two terms.
  Value finish(Mve &m, Value first, Value second) const;

private:
  Value gather(Mve &m, unsigned input, Value tables, Value index) const;

  AddLayer layer;
  int64_t shift[2] = {-1, -1}; ///< Of the code, where that is all; -1: a table.
  int64_t constant = 0;        ///< What the zero points of shifted inputs bring.
};

} // namespace mlir::qtensor::cortexm
