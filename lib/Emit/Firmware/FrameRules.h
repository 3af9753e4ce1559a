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

/// How many lengths of a vector register the frame of a function takes at most, beside bytes of known number. Fails
/// where the rules do not say: they begin at another register than the stack pointer.
llvm::Expected<uint64_t> countVectorLengths(const llvm::dwarf::FDE &rules, const ScaledFrames &registers);

} // namespace mlir::qtensor
