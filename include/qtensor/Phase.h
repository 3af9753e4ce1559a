// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The road of a model: its phases, by name. A phase is a promise about the IR; see getPhases() for the sentences.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace mlir::qtensor {

enum class Phase { Imported, Observed, Quantized, Selected, Tiled, Planned, Native };

struct PhaseInfo {
  Phase phase;
  llvm::StringLiteral id;      ///< "C0" ... "C6".
  llvm::StringLiteral name;    ///< As in `--phase-to=<name>`.
  llvm::StringLiteral promise; ///< One sentence: what holds for the IR when the phase is over.
};

/// All phases, in order.
llvm::ArrayRef<PhaseInfo> getPhases();

const PhaseInfo &getPhaseInfo(Phase phase);

/// The phase with this id or name, e.g. "C4" or "tiled".
std::optional<Phase> parsePhase(llvm::StringRef text);

} // namespace mlir::qtensor
