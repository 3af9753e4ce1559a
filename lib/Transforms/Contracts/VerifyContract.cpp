// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contracts by phase.
#include "lib/Transforms/Contracts/Clauses.h"
#include "lib/Transforms/Contracts/Contracts.h"

using namespace mlir;
using namespace mlir::qtensor;

LogicalResult qtensor::verifyContract(ModuleOp module, Phase phase) {
  switch (phase) {
  case Phase::Imported:
    return failure(failed(verifyImportedClauses(module)) || failed(verifyEncodingClauses(module)));
  case Phase::Observed:
    return success();
  case Phase::Quantized:
    return verifyEncodingClauses(module);
  case Phase::Selected:
    return verifySelectedClauses(module);
  case Phase::Tiled:
    return verifyTiledClauses(module);
  case Phase::Planned:
    return verifyPlannedClauses(module);
  case Phase::Native:
    return verifyNativeClauses(module);
  }
}

/// What the way to a phase establishes at some point and keeps from there on. What holds at the end of
/// a phase only (C4.2 to C4.4, C5.2, C6.1) is checked there.
static LogicalResult verifyOnTheWay(Operation *root, std::optional<Phase> phase) {
  switch (phase.value_or(Phase::Observed)) {
  case Phase::Imported:
  case Phase::Observed:
  case Phase::Quantized:
    return success();
  case Phase::Selected:
  case Phase::Tiled:
    return verifySelectedClauses(root);
  case Phase::Planned:
  case Phase::Native:
    return verifyBufferClauses(root);
  }
}

HeldClauses qtensor::findHeldClauses(Operation *root, std::optional<Phase> phase) {
  ClauseScope question("");
  return {succeeded(verifyEncodingClauses(root)), succeeded(verifyOnTheWay(root, phase))};
}

LogicalResult qtensor::verifyHeldClauses(Operation *root, std::optional<Phase> phase, HeldClauses held,
                                         StringRef pass) {
  ClauseScope blame(pass);
  return failure((held.encodings && failed(verifyEncodingClauses(root))) ||
                 (held.phase && failed(verifyOnTheWay(root, phase))));
}
