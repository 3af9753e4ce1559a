// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cells as modules of phase C2.
#pragma once
#include "Cells.h"
#include "RandomEncoding.h"

namespace mlir::qtensor::conformance {

/// A cell with its numbers.
struct CellData {
  Cell cell;
  BlockAttr weightEncoding;
  BlockAttr inputEncoding; ///< Null for a plain activation.
  std::vector<RandomComponent> weight;
  std::vector<char> input; ///< f32, or i32 rows of a gather.
  std::vector<char> bias;  ///< f32, empty without.
};

/// Draws the numbers of a cell. One diagnostic when the registry does not take its format.
FailureOr<CellData> makeData(MLIRContext *context, const Cell &cell);

/// One @main with an input x<i> and a result y<i> for each cell.
std::string writeModule(ArrayRef<CellData> cells);

/// The same op of one cell on plain tensors: @main(%x, %w) with |bias| behind it. With the magnitudes of the decoded
/// operands as arguments its result bounds every sum of products, in any order.
std::string writeMagnitudeModule(const CellData &data);

} // namespace mlir::qtensor::conformance
