// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order of all passes. A target's record adds those of its own where it is asked here (include/qtensor/Target.h).
#pragma once
#include "qtensor/Phase.h"
#include "qtensor/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace mlir::qtensor {

/// What the user chose; every field has a meaning for one phase and is ignored by the others.
struct PipelineOptions {
  const Target *target = nullptr;
  /// Formats of what the plan does not name; "none" leaves it as it is.
  std::string weights = "none", tables = "none", activations = "none", caches = "none";
  /// Bytes of a constant from which its rounding waits for the packer, which then streams it.
  int64_t lateFrom = int64_t(1) << 20;
  std::string planFile;          ///< Patterns and formats; may be empty.
  std::string statisticsFile;    ///< What calibration wrote; may be empty.
  std::string strategy = "auto"; ///< auto, float or integer, where the plan does not say.
  std::string rounding;          ///< Integer-only arithmetic: double, single or real; empty: as the model says, or none.
  /// Memories of a target without an operating system, "name:bytes:cost"; none: one of any size.
  std::vector<std::string> memories;
  std::string prefer = "both";   ///< Where layers could do with less memory: speed, memory, or both (qtensor-pack-layers).
  bool placesInterface = true;   ///< Inputs and outputs lie in these memories; false: the caller has other places.
  /// A float model that becomes integer-only takes and gives codes.
  bool interfaceOfCodes = false;
  bool checkExtents = false;     ///< The model came as IR: nothing in it says yet which extents have to agree.
  bool explain = false;          ///< Print what selection decided, on stderr.
  std::vector<int64_t> explainRows; ///< With it what the costs of kernels predict for so many rows.
};

/// Adds the passes that lead from the phase before `phase` to it. Phase::Native is per level: see below.
void addPhasePasses(OpPassManager &pm, Phase phase, const PipelineOptions &options);

/// Adds the passes from C5 to LLVM dialect for one level. The two entry functions are called
/// `<prefix>_run_<level>` and `<prefix>_shapes_<level>`.
void addNativePasses(OpPassManager &pm, const Target &target, const TargetLevel &level, StringRef prefix);

/// Adds the passes from C5 to LLVM dialect for a target without an operating system. The entry is `<prefix>_run`, the
/// constants are `<prefix>_weights`. Fused multiply-adds stay what they are: objects bring a function for them. `asSource`: not in C,
/// whose library may have none or one that rounds twice.
void addFirmwarePasses(OpPassManager &pm, const Target &target, StringRef prefix, bool asSource);

/// Makes pipelines available to quant-opt by name.
void registerPipelines(DialectRegistry &registry);

} // namespace mlir::qtensor
