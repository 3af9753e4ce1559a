// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The folder that a firmware engineer gets: object, library, header, build fragments, report, example program.
#pragma once
#include "lib/Emit/Firmware/CompileFirmware.h"
#include "lib/Emit/Firmware/ObjectFacts.h"
#include "qtensor/Firmware.h"
#include <optional>

namespace mlir::qtensor {

/// Instructions that were counted in an emulator.
struct InstructionCount {
  uint64_t raw = 0;
  uint64_t weighted = 0; ///< Each instruction by what it moves or computes: lib/Measure/README.md has the rule.
};

/// What an emulator saw of one run.
struct FirmwareMeasurement {
  std::string board;
  InstructionCount total;
  std::vector<std::optional<InstructionCount>> layers; ///< As FirmwareObject::layers; none: no function of its own.
  uint64_t stackBytes = 0; ///< From the stack pointer at the call to the lowest access.
  std::vector<uint64_t> arenaBytes; ///< As FirmwareObject::arenas: to the end of the highest access.
  uint64_t loads = 0, stores = 0;
};

/// All that files of a bundle are written from.
struct Bundle {
  FirmwareObject object;
  const Target *target = nullptr;
  std::string sourceFile;
  std::vector<std::pair<std::string, std::string>> settings; ///< What the user chose, for the report.
  ObjectFacts facts;
  uint64_t stackBytes = 0; ///< Deepest stack below the stack pointer at the call of the run function.
  uint64_t stackLengths = 0; ///< For each byte that vector registers are longer than assumed, it may grow by so many.
  const FirmwareBoard *board = nullptr; ///< The first that the example program fits on. Null: none.
  std::string noBoard;                  ///< Why: by how many bytes, and what takes them.
  std::optional<FirmwareMeasurement> measurement;

  uint64_t flashBytes() const { return facts.codeBytes + facts.constantBytes; }
  int64_t arenaBytes() const; ///< Of all arenas together.
  int64_t copiedBytes() const; ///< Of constants that start-up copies to RAM.
};

/// Reads from the object what it needs. Fails if it needs more than flash, arena and
/// stack, or if its stack has no bound.
llvm::Expected<Bundle> makeBundle(FirmwareObject object, const ArtifactOptions &options);

/// Writes a folder, which is created: <model>.o, lib<model>.a, <model>.h, <model>.cmake, <model>.mk, README.md, the
/// report as <model>.json and <model>.md, and example/ if there is a board for it.
llvm::Error writeBundle(const Bundle &bundle, StringRef folder);

/// Writes only the report.
llvm::Error writeReport(const Bundle &bundle, StringRef folder);

/// The type of C and the bytes of an element.
struct ElementInfo {
  StringRef type;
  unsigned bytes;
};
ElementInfo elementInfo(int32_t dtype);

/// Elements of a tensor of static extents.
int64_t countElements(const TensorInterface &tensor);

} // namespace mlir::qtensor
