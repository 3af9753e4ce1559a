// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From tensors to one arena: the entry point, the weights, the buffers.
#pragma once
#include "dialects/QTensor/IR/ModuleAttrs.h"
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {

/// Arguments of @main before the inputs, once qtensor-make-entry has run. Behind the inputs are the states, then the
/// outputs.
enum EntryArgument : unsigned { kContextArgument, kWeightsArgument, kScratchArgument, kFirstTensorArgument };

/// Offsets in the weights file and in the arena are multiples of this, and the caller's scratch pointer too.
constexpr int64_t kBufferAlignment = 64;

/// The same for firmware, where no vector is wider and no byte is free.
constexpr int64_t kFirmwareAlignment = 16;

/// Attribute of arguments and results of @main that are a state: its name.
constexpr llvm::StringLiteral kStateAttr = "qtensor.state";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Plan/Passes.h.inc"

} // namespace mlir::qtensor
