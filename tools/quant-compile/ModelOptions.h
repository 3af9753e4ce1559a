// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The options of quant-compile and quant-run that lead from a model file to compiled code.
#pragma once
#include "Progress.h"
#include "lib/Pipelines/RunPhases.h"
#include "qtensor/Artifact.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/CommandLine.h"

namespace mlir::qtensor::tools {

extern llvm::cl::OptionCategory category;

/// All dialects, passes, formats, targets and importers.
void registerEverything(DialectRegistry &registry);

/// What the command line chose. Checks it: false after a message on stderr.
struct ModelOptions {
  PipelineOptions pipeline;
  PhaseRun run;
  ArtifactOptions artifact;

  /// `last`: where the way ends unless --phase-to says otherwise, and may end at most.
  bool readCommandLine(StringRef path, MLIRContext &context, Phase last = Phase::Planned);
};

/// Imports the model and runs the phases that were chosen. Null after a diagnostic.
OwningOpRef<ModuleOp> importAndRun(StringRef path, ModelOptions &options, MLIRContext &context);

/// Whether the command line asks for a list (--list-...); prints it.
bool printLists();

} // namespace mlir::qtensor::tools
