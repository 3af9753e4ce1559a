// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The names of the phases and what each promises.
#include "qtensor/Phase.h"

using namespace mlir::qtensor;

static constexpr PhaseInfo phases[] = {
    {Phase::Imported, "C0", "imported", "Linalg on tensors in one function @main, normalised; every op carries its source name."},
    {Phase::Observed, "C1", "observed", "Statistics of values, from runs on real data, are attached for the quantizer."},
    {Phase::Quantized, "C2", "quantized", "Tensor types carry encodings; rounding happens in qtensor ops only."},
    {Phase::Selected, "C3", "selected", "Contractions on encoded operands are qtensor.contract on components; no encoded type is left."},
    {Phase::Tiled, "C4", "tiled", "Weights are packed for the target and elementwise chains are fused."},
    {Phase::Planned, "C5", "planned", "Buffers only: results are arguments, large constants lie in %weights, all temporaries in one %scratch."},
    {Phase::Native, "C6", "native", "LLVM dialect, once per processor level of the target."},
};

llvm::ArrayRef<PhaseInfo> mlir::qtensor::getPhases() { return phases; }

const PhaseInfo &mlir::qtensor::getPhaseInfo(Phase phase) { return phases[static_cast<unsigned>(phase)]; }

std::optional<Phase> mlir::qtensor::parsePhase(llvm::StringRef text) {
  for (const PhaseInfo &info : phases)
    if (text == info.id || text == info.name)
      return info.phase;
  return std::nullopt;
}
