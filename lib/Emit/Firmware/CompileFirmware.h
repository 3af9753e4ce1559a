// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a planned module to one object file without a runtime.
#pragma once
#include "lib/Emit/Interface.h"
#include "lib/Emit/NativeCode.h"
#include "qtensor/Artifact.h"
#include <optional>

namespace mlir::qtensor {

/// A layer of the model, in the order in which it runs: one of the qnn dialect, or the loops that another operator became.
struct FirmwareLayer {
  std::string source;   ///< Name in the model's file.
  std::string kind;     ///< "conv2d"; of loops what most of them do: "product", "map".
  std::string kernel;   ///< "dsp.conv"; "loops".
  std::string function; ///< Symbol that computes it; layers that are the same share one. Empty: inside of the entry.
  int64_t macs = 0;     ///< Multiplications that are added up; elements where there are none.
  int64_t constantBytes = 0, scratchBytes = 0;
  int64_t liveBytes = 0; ///< Bytes of the arena that are live while it runs.
};

/// A stretch of memory that the model works in, an argument of its entry.
struct FirmwareArena {
  std::string name;  ///< As the user called the memory; "arena" where there is one of no size.
  int64_t bytes = 0; ///< From a multiple of 16 on.
};

/// A stretch of constants, a symbol and a section of the object.
struct FirmwareConstants {
  std::string memory;  ///< As the user called it; empty: the only one, of any size.
  std::string symbol;  ///< `<model>_weights` or `<model>_weights_<memory>`.
  std::string section; ///< `.rodata.<symbol>`, or `.data.<symbol>` for what start-up copies.
  int64_t bytes = 0;
  bool copied = false; ///< Into RAM, before the model runs.
};

/// Where an input or output may lie in the arenas.
struct FirmwarePlace {
  unsigned arena = 0;
  int64_t offset = 0;
};

struct FirmwareObject {
  ModelInterface model;
  ObjectBytes object;   ///< Relocatable ELF: `<model>_run`, its functions, the constants in sections of their own.
  std::string assembly; ///< Only with keepAssembly.
  std::string source;   ///< The same code as C; only with emitC.
  std::vector<FirmwareArena> arenas;
  std::vector<FirmwarePlace> inputs, outputs; ///< Empty where the caller has buffers for them.
  int64_t arenaBound = 0; ///< What the neediest layer cannot do without: no plan needs less.
  std::optional<int64_t> greedyArena; ///< What TFLite Micro's planner would need, if it is known.
  int64_t constantBytes = 0;
  std::vector<FirmwareConstants> constants;
  std::vector<FirmwareLayer> layers;
  std::vector<std::string> checks; ///< Rules for values of inputs. The entry returns 0, or the number of one, from 1 on.
};

/// Compiles a module at phase C5 for a target without an operating system.
FailureOr<FirmwareObject> compileFirmware(ModuleOp planned, const ArtifactOptions &options);

} // namespace mlir::qtensor
