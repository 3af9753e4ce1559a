// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The JSON manifest of an artifact: what is in it and where it came from. The same model gives the same bytes.
#pragma once
#include "lib/Emit/Interface.h"
#include "lib/Emit/WeightsFile.h"
#include "qtensor/Artifact.h"

namespace mlir::qtensor {

std::string makeManifest(ModuleOp planned, const ModelInterface &model, const WeightsFile &weights,
                         const ArtifactOptions &options);

} // namespace mlir::qtensor
