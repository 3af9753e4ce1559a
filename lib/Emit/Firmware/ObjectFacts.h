// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a relocatable object says about itself: sizes, frames, who calls whom.
#pragma once
#include "qtensor/Firmware.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mlir::qtensor {

/// One function of an object. All sizes in bytes.
struct FunctionFacts {
  uint64_t size = 0;
  std::optional<uint64_t> frame; ///< From .stack_sizes, and assumed vector registers; none: the compiler did not say.
  uint64_t vectorLengths = 0;    ///< In the frame: what it grows by for each byte that these are longer.
  std::set<std::string> calls;   ///< Functions of the object and undefined ones that its code refers to.
};

struct ObjectFacts {
  llvm::StringMap<FunctionFacts> functions;
  std::vector<std::string> undefined; ///< Names that the linker must find elsewhere, sorted.
  uint64_t codeBytes = 0;             ///< Executed sections, each rounded up to its alignment.
  uint64_t constantBytes = 0;         ///< Sections that are only read.
  uint64_t writtenBytes = 0;          ///< Sections that would need RAM of their own.
};

/// Reads an ELF object in memory. `scaled`: the target's.
llvm::Expected<ObjectFacts> readObjectFacts(llvm::StringRef bytes, const ScaledFrames &scaled = {});

/// The deepest stack of a call of `function`: its frame and that of the deepest callee. A function that is not in the
/// object counts `helperBytes`. Fails on recursion and on functions without a frame size.
llvm::Expected<uint64_t> deepestStack(const ObjectFacts &facts, llvm::StringRef function, uint64_t helperBytes);

/// The most vector lengths that frames hold on the way to a deepest callee.
llvm::Expected<uint64_t> mostVectorLengths(const ObjectFacts &facts, llvm::StringRef function);

} // namespace mlir::qtensor
