// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From tensors to one arena: the entry point, the weights, the buffers.
#pragma once
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {

/// Arguments of @main before the inputs, once qtensor-make-entry has run. Behind the inputs are the states, then the
/// outputs.
enum EntryArgument : unsigned { kContextArgument, kWeightsArgument, kScratchArgument, kFirstTensorArgument };

/// Offsets in the weights file and in the arena are multiples of this, and the caller's scratch pointer too.
constexpr int64_t kBufferAlignment = 64;

/// The same for firmware, where no vector is wider and no byte is free.
constexpr int64_t kFirmwareAlignment = 16;

/// Attributes of the module that describe the artifact.
constexpr llvm::StringLiteral kInputsAttr = "qtensor.inputs";
constexpr llvm::StringLiteral kOutputsAttr = "qtensor.outputs";
constexpr llvm::StringLiteral kStatesAttr = "qtensor.states"; ///< Absent: the model keeps nothing between calls.
constexpr llvm::StringLiteral kWeightsAttr = "qtensor.weights";
constexpr llvm::StringLiteral kPlanAttr = "qtensor.plan";

/// Attribute of the module: the texts of what a run checks, where the entry returns numbers (0: all is well; text i: i + 1).
constexpr llvm::StringLiteral kChecksAttr = "qtensor.checks";

/// Attribute of layers once memory is planned: bytes that are live while one runs.
constexpr llvm::StringLiteral kLiveAttr = "qtensor.live";

/// Attribute of @main: bytes of the arena that TFLite Micro's planner would make of its tensors.
constexpr llvm::StringLiteral kGreedyAttr = "qtensor.greedy";

/// Attribute of layers on buffers: which operand may be written over which one that is read for the last time, as arrays
/// of {operand written, operand read, distance, multiple}, the latter two in bytes as ArenaOverlap has them.
constexpr llvm::StringLiteral kOverlapsAttr = "qtensor.overlaps";

/// Attribute of arguments and results of @main that are a state: its name.
constexpr llvm::StringLiteral kStateAttr = "qtensor.state";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Plan/Passes.h.inc"

} // namespace mlir::qtensor
