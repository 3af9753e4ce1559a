// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How much room of their own kernels may have.
#pragma once
#include "lib/Transforms/Firmware/KernelTable.h"
#include "lib/Transforms/Plan/TensorBuffers.h"

namespace mlir::qtensor::firmware {

/// What matters more where a kernel has a twin that wants less memory: instructions, bytes, or both, that is, instructions
/// as long as the arena stays within a limit.
enum class Preference { Both, Speed, Memory };

/// Decides for the layers of one function, whose kernels are not chosen yet.
class ScratchLimit {
public:
  /// `arenaBytes`: what the arena may have; no layer has a reason to give way below it. `interface`: inputs and outputs are
  /// in the arena.
  ScratchLimit(func::FuncOp function, Preference preference, int64_t arenaBytes, bool interface);

  /// Whether the layer may be computed by a kernel that wants this.
  bool allows(qnn::LayerOpInterface op, const LayerMemory &memory) const;

private:
  Preference preference;
  int64_t arenaBytes;
  TensorBuffers tensors;
  llvm::DenseMap<Operation *, unsigned> steps;
};

} // namespace mlir::qtensor::firmware
