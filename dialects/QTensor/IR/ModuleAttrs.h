// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attributes of operations that describe an artifact, from planning on. The dialect verifies their form, so that whoever
// reads them finds what is said here.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

namespace mlir::qtensor {

/// Of the module: arrays of {name: string, type: ranked tensor type, dims: array, scale: float, zero: i64, unsigned},
/// the last four where there are any.
constexpr llvm::StringLiteral kInputsAttr = "qtensor.inputs";
constexpr llvm::StringLiteral kOutputsAttr = "qtensor.outputs";
constexpr llvm::StringLiteral kStatesAttr = "qtensor.states"; ///< Absent: the model keeps nothing between calls.

/// Of the module: an array of {name: string, offset: i64, size: i64, value: elements, format: string}, the last one where
/// the type does not say it all.
constexpr llvm::StringLiteral kWeightsAttr = "qtensor.weights";

/// Of the module: a dictionary of numbers, i64. That of a target without an operating system (isFirmwarePlan) has
/// `regions`, an array of {base: i64, bytes: i64, name: string}, and may have `constants`, the same with copied: bool, and
/// `places`, an array of {region: i64, offset: i64}.
constexpr llvm::StringLiteral kPlanAttr = "qtensor.plan";

/// Of the module: the texts of what a run checks, where the entry returns numbers (0: all is well; text i: i + 1).
constexpr llvm::StringLiteral kChecksAttr = "qtensor.checks";

/// Of layers once memory is planned: bytes that are live while one runs.
constexpr llvm::StringLiteral kLiveAttr = "qtensor.live";

/// Of layers on buffers: which operand may be written over which one that is read for the last time, as arrays of {operand
/// written, operand read, distance, multiple}, the latter two in bytes as ArenaOverlap has them.
constexpr llvm::StringLiteral kOverlapsAttr = "qtensor.overlaps";

/// Of @main: bytes of the arena that TFLite Micro's planner would make of its tensors.
constexpr llvm::StringLiteral kGreedyAttr = "qtensor.greedy";

/// Of a module from a .tflite file: how its sums round.
constexpr llvm::StringLiteral kRoundingAttr = "qtensor.rounding";

/// Integer-only arithmetic with TFLite's two roundings of a product or with one. `real` is none of it.
inline bool isIntegerRounding(llvm::StringRef mode) { return mode == "double" || mode == "single"; }
inline bool isRounding(llvm::StringRef mode) { return isIntegerRounding(mode) || mode == "real"; }

/// Whether a plan is of memories (qtensor-plan-regions), not of one arena whose size a run asks for (qtensor-plan-memory).
bool isFirmwarePlan(DictionaryAttr plan);

/// An error at `op` where `mode` is no rounding.
LogicalResult verifyRounding(Operation *op, llvm::StringRef mode);

/// Checks the form of an attribute that is listed here; others pass.
LogicalResult verifyModuleAttribute(Operation *op, NamedAttribute attribute);

} // namespace mlir::qtensor
