// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What selection decided, for people: `quant-opt --explain`, `quant-compile --explain`.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include <string>
#include <vector>

namespace mlir::qtensor {

/// Attribute of a module: row counts (i64) for which kernels print, when they are made, what their costs predict.
inline constexpr llvm::StringLiteral kExplainRows = "qtensor.explain_rows";

/// One decision about one op of a selected module (C3).
struct ReportLine {
  enum Kind {
    Fused,  ///< A contraction that decodes in registers.
    Decoded, ///< A decoded tensor in memory; the reason is in `text`.
    Plain,  ///< A contraction without encoded operands.
  } kind;
  std::string layer; ///< Source name, or the op's name where it has none.
  std::string text;  ///< What was decided, and why nothing better. Never empty.
  bool explained;    ///< False when a reason is missing, which a contract clause (C3.3, C3.4) forbids.
};

/// The decisions in `module`, in order.
std::vector<ReportLine> collectReport(ModuleOp module);

/// One line for each decision, and a sum.
void printReport(ModuleOp module, llvm::raw_ostream &os);

} // namespace mlir::qtensor
