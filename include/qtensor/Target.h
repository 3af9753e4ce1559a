// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the rest of the compiler may know of a target. A target is one folder under lib/Targets: it fills one record and
// registers it; nothing outside the folder names it.
#pragma once
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace mlir::qtensor {
namespace firmware {
struct LayerKernels;
}

/// One question that an artifact asks the processor when it is opened. The runtime reads word `word` of the
/// identification leaf (`leaf`, `subleaf`) and wants every bit of `bits` set. Leaf `kEnabledState` is the mask of
/// register state that the operating system saves (word 0: low half). What the bits mean is the target's business.
struct FeatureProbe {
  static constexpr uint32_t kEnabledState = 0xFFFFFFFFu;
  uint32_t leaf, subleaf, word, bits;
};

/// Processors of a level that run other kernels than the rest of it.
struct TargetCore {
  llvm::StringRef name;                ///< For people.
  llvm::ArrayRef<FeatureProbe> probes; ///< All must hold.
};

/// One generation of processors that gets its own copy of all compute code. Every level of a target reads the same
/// packed weights, and gives the same bits.
struct TargetLevel {
  llvm::StringRef name;                  ///< Symbol suffix and override value, [a-z0-9_]+.
  llvm::StringRef cpu;                   ///< LLVM's target-cpu.
  llvm::StringRef features;              ///< LLVM's target-features ("+a,+b"), beyond those of `cpu`.
  unsigned vectorBits;                   ///< Register width that the loops outside of kernels are tiled for.
  unsigned vectorRegisters;              ///< How many of these there are: bounds the register tile.
  llvm::ArrayRef<FeatureProbe> probes;   ///< All must hold for the level to be chosen; empty for the lowest level.
  bool fusedMultiply = true;             ///< f32 fused multiply-adds in hardware; else they are expanded, in vectors.
  llvm::ArrayRef<TargetCore> cores = {}; ///< The first one whose probes hold is what `qtile.core` says, counted from 1.
};

struct FirmwareRecord;

/// The record of a target. All text and arrays have static storage duration.
struct Target {
  llvm::StringRef name;        ///< As in `--target=<name>`.
  llvm::StringRef description; ///< One line for `--list-targets`.
  llvm::StringRef triple;      ///< LLVM triple of the artifact.
  llvm::ArrayRef<TargetLevel> levels; ///< Ascending: the last one whose probes hold is chosen at open.

  /// C3 -> C4, on tensors: packs the constant components of qtensor.contract. May be null.
  void (*addPackPasses)(mlir::OpPassManager &pm) = nullptr;
  /// C5 -> C6, on buffers, once per level: lowers qtensor and qtile ops to vector, LLVM and the target's own dialects.
  /// Runs before the common lowering of linalg, scf, vector and memref. May be null.
  void (*addNativePasses)(mlir::OpPassManager &pm, const TargetLevel &level) = nullptr;

  /// Its kernels for the layers of integer-only networks (lib/Transforms/Firmware). Null: such networks are compiled like
  /// others, element by element.
  const firmware::LayerKernels &(*layerKernels)() = nullptr;
  /// How to make firmware for it (qtensor/Firmware.h). Such a target has one level, and its artifact is a bundle. Null: the
  /// target has an operating system.
  const FirmwareRecord *firmware = nullptr;
};

/// Adds a target; called once per folder by registerAll(). A second record of the same name is ignored.
void registerTarget(const Target &target);

/// All targets, sorted by name.
llvm::ArrayRef<const Target *> getTargets();

/// What is compiled for when nobody says: the first target that has an operating system.
const Target *getDefaultTarget();

/// The target called `name`, or null.
const Target *lookupTarget(llvm::StringRef name);

} // namespace mlir::qtensor
