// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The records of Cortex-M processors. Code is for the integer instructions alone: the same object links into programs
// with and without a floating-point unit.
#include "lib/Targets/CortexM/Boards.h"
#include "lib/Targets/CortexM/KernelTables.h"
#include "lib/Targets/CortexM/Spellings.h"
#include "lib/Targets/FirmwareRows.h"
#include "mlir/IR/Dialect.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace mlir::qtensor {
extern const unsigned char cortexMStartup[], cortexMNames[], cortexMArmv6m[], cortexMArmv7m[];
extern const size_t cortexMStartupSize, cortexMNamesSize, cortexMArmv6mSize, cortexMArmv7mSize;
} // namespace mlir::qtensor

namespace {
/// What differs from row to row; static text.
struct Row {
  StringRef level, target, description, isa, triple;
  StringRef cpu, features; ///< LLVM's.
  StringRef clangCpu;
  StringRef gccCpu;        ///< Empty: as clang's. GCC 12 lacks some processors; an architecture then.
  StringRef floats;        ///< Convention of example programs.
  unsigned vectorBits, registers;
  const firmware::LayerKernels &(*kernels)();
  ArrayRef<FirmwareBoard> (*boards)();
};
} // namespace

// Registers: what is left for values beside the stack pointer, link register and program counter.
static const Row rows[] = {
    {"m0", "cortex-m0", "Cortex-M0: scalar", "Armv6-M", "thumbv6m-unknown-none-eabi", "cortex-m0", "", "-mcpu=cortex-m0", "",
     "-mfloat-abi=soft", 32, 13, cortexm::thumb1Kernels, cortexm::m0Boards},
    {"m0plus", "cortex-m0plus", "Cortex-M0+: scalar", "Armv6-M", "thumbv6m-unknown-none-eabi", "cortex-m0plus", "",
     "-mcpu=cortex-m0plus", "", "-mfloat-abi=soft", 32, 13, cortexm::thumb1Kernels, cortexm::m0plusBoards},
    {"m3", "cortex-m3", "Cortex-M3: scalar, long multiplication", "Armv7-M", "thumbv7m-unknown-none-eabi", "cortex-m3", "",
     "-mcpu=cortex-m3", "", "-mfloat-abi=soft", 32, 13, cortexm::thumb2Kernels, cortexm::m3Boards},
    {"m4", "cortex-m4", "Cortex-M4: DSP (SMLAD)", "Armv7E-M with DSP", "thumbv7em-unknown-none-eabihf", "cortex-m4", "-fpregs,-fp16",
     "-mcpu=cortex-m4", "", "-mfloat-abi=soft", 32, 13, cortexm::dspKernels, cortexm::m4Boards},
    {"m7", "cortex-m7", "Cortex-M7: DSP (SMLAD), two instructions a cycle", "Armv7E-M with DSP",
     "thumbv7em-unknown-none-eabihf", "cortex-m7", "-fpregs,-fp16", "-mcpu=cortex-m7", "", "-mfloat-abi=soft", 32, 13,
     cortexm::dspKernels, cortexm::m7Boards},
    {"m33", "cortex-m33", "Cortex-M33: DSP (SMLAD)", "Armv8-M Mainline with DSP", "thumbv8m.main-unknown-none-eabihf",
     "cortex-m33", "-fpregs,-fp16", "-mcpu=cortex-m33", "", "-mfloat-abi=soft", 32, 13, cortexm::dspKernels,
     cortexm::m33Boards},
    {"m55", "cortex-m55", "Cortex-M55: Helium (MVE), loops without branches",
     "Armv8.1-M Mainline with DSP and integer MVE", "thumbv8.1m.main-unknown-none-eabihf", "cortex-m55",
     "-vfp2sp,-fp16,-mve.fp,+mve", "-mcpu=cortex-m55", "", "-mfloat-abi=hard", 128, 8, cortexm::heliumKernels,
     cortexm::m55Boards},
    {"m85", "cortex-m85", "Cortex-M85: Helium (MVE), loops without branches",
     "Armv8.1-M Mainline with DSP and integer MVE", "thumbv8.1m.main-unknown-none-eabihf", "cortex-m85",
     "-vfp2sp,-fp16,-mve.fp,-pacbti,+mve", "-mcpu=cortex-m85+nopacbti", "-march=armv8.1-m.main+dsp+mve.fp+fp.dp",
     "-mfloat-abi=hard", 128, 8, cortexm::heliumKernels, cortexm::m85Boards},
};

static const EmbeddedFile startup[] = {{"startup.c", cortexMStartup, &cortexMStartupSize}};
static const EmbeddedFile names = {"names.ll", cortexMNames, &cortexMNamesSize};
static const EmbeddedFile armv6mHelpers[] = {names, {"armv6m.ll", cortexMArmv6m, &cortexMArmv6mSize}};
static const EmbeddedFile armv7mHelpers[] = {names, {"armv7m.ll", cortexMArmv7m, &cortexMArmv7mSize}};
static const StringRef gccLink[] = {"-nostartfiles", "-nostdlib"}, clangLink[] = {"-nostdlib", "-fuse-ld=lld"};
static constexpr StringRef kLinking =
    "It passes nothing in floating-point registers and is marked so: programs built with -mfloat-abi=soft, softfp and hard "
    "link with it.";

// Tag_ABI_VFP_args: compatible with both calling conventions, since no function passes floating-point values.
static constexpr StringRef kConventions = ".eabi_attribute 28, 3";

static void fill(FirmwareTarget &record, const Row &row) {
  record.gccFlags = {row.gccCpu.empty() ? row.clangCpu : row.gccCpu, "-mthumb", row.floats};
  // The triple's last part says what the objects' calling convention is; programs choose their own.
  record.clangFlags = {row.floats == "-mfloat-abi=hard" ? "--target=arm-none-eabihf" : "--target=arm-none-eabi",
                       row.clangCpu, "-mthumb", row.floats};
  record.helperQuery = {"arm-none-eabi-gcc", "-print-libgcc-file-name"};
  record.helperQuery.append(record.gccFlags);
  record.compilers = {{"arm-none-eabi-gcc", record.gccFlags, gccLink},
                      {"clang-22", record.clangFlags, clangLink}};
  record.level = {row.level, row.cpu, row.features, row.vectorBits, row.registers, {}, /*fusedMultiply=*/false};
  record.firmware = {row.isa, kLinking, "", /*argumentRegisters=*/4, /*stackAlignment=*/8, /*dataAlignment=*/16, /*helperStack=*/128,
                     record.compilers, record.helperQuery, row.boards(), startup, "qtensor-watch-cortexm", /*relativeAddresses=*/false, kConventions};
  record.firmware.helpers = row.isa == "Armv6-M" ? armv6mHelpers : armv7mHelpers;
  record.firmware.c = row.vectorBits > 32 ? cortexm::heliumDialect() : cortexm::scalarDialect();
  if (row.vectorBits > 32)
    record.firmware.plainFeatures = "-fpregs,-fp-armv8d16sp,-mve.fp,-mve";
  record.target = {row.target, row.description, row.triple, record.level};
  record.target.layerKernels = row.kernels;
  record.target.firmware = &record.firmware;
}

namespace mlir::qtensor {
void registerCortexMTargets(DialectRegistry &) { registerRows<Row>(rows, fill); }
} // namespace mlir::qtensor
