// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder.
#pragma once
#include "mlir/IR/DialectRegistry.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace mlir::qtensor {

enum class ProbeResult { Returns, Crashes, Endless };

/// What MLIR's reader does with this bytecode, tried in a process of its own with bounded time and memory: it believes
/// the counts in its input, and a wrong one makes it reserve or fill any amount of memory. Whether the bytecode is right
/// is another question.
ProbeResult probeBytecode(llvm::MemoryBufferRef bytes, const DialectRegistry &registry);

} // namespace mlir::qtensor
