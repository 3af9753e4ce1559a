// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cells: every format that is registered, times every op, times every way to store the activation.
#pragma once
#include "mlir/Support/LLVM.h"
#include "qtensor/Format.h"
#include <string>
#include <vector>

namespace mlir::qtensor::conformance {

/// What a cell computes from an activation x and an encoded weight w.
enum class CellOp { MatmulNK, MatmulKN, Batched, BatchedNK, Conv1x1, Conv3x3, Grouped, Depthwise, Elementwise, Gather };

struct Cell {
  std::string format; ///< Spelling of the weight's encoding.
  CellOp op;
  /// "none"; int8 with a scale in the type ("static"), per row ("token"), per block of the weight ("block"); uint8 with
  /// scale and zero in the type ("shifted"); nf4 per row ("codebook").
  std::string activation;
  bool forceFloat; ///< Overrule the choice of strategy.
  bool bias;       ///< An elementwise op behind, which becomes the epilogue.
  uint64_t seed;
  int64_t batch, rows, features, depth; ///< B, M, N, K; a convolution has rows x rows pixels, depth channels, B groups.
  int64_t stride, dilation;
  bool dynamicRows; ///< M is not in the types.
  bool extremes;    ///< Codes of both operands are long runs of the largest and of the smallest value.

  /// `int4/32:matmul_nk:block:auto:M5N17K96`, unique and stable: it picks the numbers too.
  std::string getName() const;
  bool isBatched() const;
  SmallVector<int64_t> getWeightShape() const;
  /// Axes of the weight that the op reduces over, as parseFormatSpelling wants them.
  SmallVector<int64_t> getWeightAxes() const;
  SmallVector<int64_t> getInputShape() const;
  SmallVector<int64_t> getInputAxes() const;
  SmallVector<int64_t> getResultShape() const;
  int64_t getProducts() const; ///< Summed for one result.
  bool isContraction() const { return op != CellOp::Elementwise && op != CellOp::Gather; }
};

StringRef getOpName(CellOp op);

struct CellSelection {
  uint64_t seed = 1;
  /// 0: every format with every op and activation; else each format at least once and this many of the others.
  unsigned sample = 0;
  bool extremes = false; ///< Of all cells.
};

/// All cells, or a sample in the same order.
std::vector<Cell> enumerateCells(MLIRContext *context, const CellSelection &selection);

/// What `--weights` may name: a spelling for every registered codec of at most 8 bits and every registered format.
std::vector<std::string> enumerateFormats(MLIRContext *context);

} // namespace mlir::qtensor::conformance
