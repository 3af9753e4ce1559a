// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs the phases of the road one after the other, with the doors that developers need.
#pragma once
#include "lib/Pipelines/Pipelines.h"
#include <functional>
#include <string>

namespace mlir::qtensor {

struct PhaseRun {
  std::optional<Phase> from;    ///< The phase that the module is at; none: as an importer left it, not normalised.
  Phase to = Phase::Planned;    ///< The last phase to reach, at most Planned: Native is per level.
  std::string dumpFolder;       ///< If not empty: the module after each phase, as <n>-<name>.mlir.
  std::string reproducer;       ///< If not empty: where a failing pass leaves its input and pipeline.
  bool verify = false;          ///< Check contracts around every pass and at the end of every phase.
  bool verifyRoundTrip = false; ///< Check after every phase that text and bytecode are read as they were written.
  std::function<void(StringRef)> progress; ///< Called with the name of each phase as it starts. May be null.
};

/// Runs the passes of every phase after `run.from` (with none: of every phase) up to `run.to`.
LogicalResult runPhases(ModuleOp module, const PhaseRun &run, const PipelineOptions &options);

/// Fails after an error if `module` reads differently after it was written as text or as bytecode.
LogicalResult verifyRoundTrip(ModuleOp module);

/// Prints IR for people and tests: locations kept, resources larger than a line elided unless `full`.
void printModule(ModuleOp module, llvm::raw_ostream &os, bool full);

} // namespace mlir::qtensor
