// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// DWARF's rules of how a function's frame is found: the one place where a compiler says how much stack it takes for
// registers whose length only the processor knows.
#pragma once
#include "qtensor/Firmware.h"
#include "llvm/Support/Error.h"

namespace llvm::dwarf {
class FDE;
} // namespace llvm::dwarf

namespace mlir::qtensor {

/// What a frame takes at most: bytes, and lengths of a vector register. .stack_sizes has neither these nor what aligns
/// them.
struct FrameSize {
  uint64_t bytes = 0, lengths = 0;
};

/// The frame of a function. Fails where the rules do not say: they begin at another register than the stack pointer.
llvm::Expected<FrameSize> measureFrame(const llvm::dwarf::FDE &rules, const ScaledFrames &registers);

} // namespace mlir::qtensor
