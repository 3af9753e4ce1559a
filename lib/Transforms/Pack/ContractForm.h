// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The two questions that packing and lowering of a qtensor.contract must answer alike: is it a matrix product in
// disguise, and what do the codes of its weight mean to a kernel?
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "dialects/QTile/IR/QTile.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>
#include <string>

namespace mlir::qtensor {

/// y[rows, columns] = sum over reductions of x[rows, reductions] * w[columns, reductions], in iterators of the op.
struct ContractForm {
  SmallVector<unsigned> rows, columns, reductions; ///< Iterators, in the order of the output, slowest first.
  SmallVector<int64_t> columnExtents, reductionExtents;
  int64_t n = 1;          ///< Product of the column extents.
  int64_t runs = 1;       ///< Product of the slower reduction extents.
  int64_t runLength = 1;  ///< Product of the faster ones, along which blocks lie.
  bool wholeBlock = true; ///< No parameter changes along the reduction.
  int64_t block = 1;      ///< Products that share parameters: the whole reduction, or a stretch of a run.

  /// Codes along K as a kernel counts them: runs are cut into blocks of their own.
  int64_t getBlocks() const { return wholeBlock ? 1 : runs * ((runLength + block - 1) / block); }
  int64_t getK() const { return getBlocks() * block; }
};

/// Recognises the form, or says in `reason` what is different. `rhsShape` is the weight's logical shape.
FailureOr<ContractForm> getContractForm(ContractOp op, ArrayRef<int64_t> rhsShape, std::string &reason);

/// How the integer strategy's kernels read the codes of an activation: signed byte = code ^ flip, value = signed byte -
/// bias - zero, with the encoding's zero.
struct ActivationCodes {
  uint8_t flip = 0;
  int64_t bias = 0;
  bool hasZero = false; ///< bias + zero is not 0 everywhere.
};

/// Fails, with a reason, when a value's zero point has no byte of its own.
FailureOr<ActivationCodes> getActivationCodes(BlockAttr encoding, std::string &reason);

/// Whether kernels read this lhs.
LogicalResult checkActivation(ContractOp op, std::string &reason);

/// How an extra operand of the epilogue follows the output.
enum class Follows { Nothing, Columns, Rows, All };
/// `map` is over the output's dimensions, `type` the operand's; nothing when it is some other projection.
std::optional<Follows> classifyExtra(const ContractForm &form, AffineMap map, ShapedType type);

/// How a kernel reads the codes of a weight.
struct CodeMeaning {
  Type codes;                      ///< As in #qtile.layout: iN or a float type.
  uint32_t flip = 0;               ///< Stored code = code of the codec ^ flip.
  int64_t zero = 0, max = 255;     ///< Integer: value = unit * (unsigned value - zero); `max` of one limb.
  float unit = 1;
  SmallVector<uint8_t> bytes;      ///< Unsigned value of each stored code, or its lower limb, or empty.
  SmallVector<uint8_t> upper;      ///< Upper limb, worth 128, of each stored code; empty for one limb.
  SmallVector<float> values;       ///< Float: real value of each stored code, or empty: stored code - zero.
};

/// The meaning of a codec's codes under a strategy, or in `reason` why no kernel can read them.
FailureOr<CodeMeaning> getCodeMeaning(CodecAttr codec, StrategyKind strategy, std::string &reason);
/// The meaning of plain weights of a builtin float type.
FailureOr<CodeMeaning> getFloatMeaning(Type element, std::string &reason);

} // namespace mlir::qtensor
