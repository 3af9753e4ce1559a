// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The records of 32-bit RISC-V microcontrollers, named by their extensions.
#include "lib/Targets/FirmwareRows.h"
#include "lib/Targets/RISCV/KernelTables.h"
#include "lib/Targets/RISCV/Spellings.h"
#include "mlir/IR/Dialect.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace mlir::qtensor {
extern const unsigned char riscvStartup[], riscvNames[];
extern const size_t riscvStartupSize, riscvNamesSize;
} // namespace mlir::qtensor

namespace {
/// What differs from row to row; static text.
struct Row {
  StringRef level, target, description, features;
  StringRef gccArch, clangArch; ///< GCC 12 knows neither CORE-V nor the packaged names of Zve32x's parts.
  unsigned vectorBits, registers;
  unsigned stackVectorBits; ///< The longest registers that the stack that is stated has room for.
  const firmware::LayerKernels &(*kernels)();
  ArrayRef<FirmwareBoard> boards;
};
} // namespace

static constexpr uint64_t MiB = 1024 * 1024;
// QEMU's `virt` has one memory; the program sees its halves as flash and RAM.
static const MemoryRegion memory[] = {{"FLASH", 0x80000000, 4 * MiB, true}, {"RAM", 0x80400000, 4 * MiB, false}};
static const StringRef scalarMachine[] = {"qemu-system-riscv32", "-M", "virt", "-bios", "none", "-m", "16M",
                                   "-cpu", "rv32,a=false,f=false,d=false"};
static const StringRef vectorMachine[] = {"qemu-system-riscv32", "-M", "virt", "-bios", "none", "-m", "16M",
                                   "-cpu", "rv32,v=true,vlen=128,elen=64,vext_spec=v1.0"};
static const FirmwareBoard scalarBoard[] = {{"virt", scalarMachine, memory, ""}};
static const FirmwareBoard zveBoard[] = {{"virt", vectorMachine, memory, "V with VLEN 128: more than Zve32x"}};
static const FirmwareBoard vectorBoard[] = {{"virt", vectorMachine, memory, "VLEN 128"}};
static const FirmwareBoard coreBoard[] = {{"none", {}, memory, "no packaged emulator executes CORE-V instructions"}};

static const Row rows[] = {
    {"rv32imc", "rv32imc", "RV32IMC: scalar", "+m,+c", "-march=rv32imc", "-march=rv32imc", 32, 28, 0,
     riscv::scalarKernels, scalarBoard},
    {"rv32imc_zve32x", "rv32imc_zve32x", "RV32IMC with Zve32x: integer vectors of any length from 64 bits",
     "+m,+c,+zve32x,+zvl64b", "-march=rv32imc_zve32x_zvl64b", "-march=rv32imc_zve32x_zvl64b", 64, 32, 128,
     riscv::vectorKernels, zveBoard},
    {"rv32imcv", "rv32imcv", "RV32IMC with V: vectors of any length from 128 bits", "+m,+c,+v", "-march=rv32imcv",
     "-march=rv32imcv", 128, 32, 128, riscv::vectorKernels,
     vectorBoard},
    {"rv32imc_xcv", "rv32imc_xcv", "RV32IMC with CORE-V: XCVsimd, XCVmac, XCVmem, XCValu",
     "+m,+c,+xcvalu,+xcvmac,+xcvmem,+xcvsimd", "", "-march=rv32imc_xcvalu_xcvmac_xcvmem_xcvsimd", 32, 28, 0,
     riscv::coreVKernels, coreBoard},
};

static const EmbeddedFile startup[] = {{"startup.S", riscvStartup, &riscvStartupSize}};
static const EmbeddedFile helpers[] = {{"names.ll", riscvNames, &riscvNamesSize}};
static const StringRef gccLink[] = {"-nostartfiles", "-nostdlib"}, clangLink[] = {"-nostdlib", "-fuse-ld=lld"};
static const StringRef query[] = {"riscv64-unknown-elf-gcc", "-march=rv32im", "-mabi=ilp32", "-print-libgcc-file-name"};

static void fill(FirmwareTarget &record, const Row &row) {
  record.gccFlags = {row.gccArch, "-misa-spec=2.2", "-mabi=ilp32", "-mcmodel=medany"};
  record.clangFlags = {"--target=riscv32-unknown-elf", row.clangArch, "-mabi=ilp32", "-mcmodel=medany"};
  if (!row.gccArch.empty())
    record.compilers.push_back({"riscv64-unknown-elf-gcc", record.gccFlags, gccLink,
                                /*takesSource=*/row.vectorBits == 32}); // GCC 12 has no vector intrinsics
  record.compilers.push_back({"clang-22", record.clangFlags, clangLink});
  record.level = {row.level, "generic-rv32", row.features, row.vectorBits, row.registers, {}, /*fusedMultiply=*/false};
  record.firmware = {row.target, "It has the calling convention ilp32.", "ilp32", /*argumentRegisters=*/8, /*stackAlignment=*/16, /*dataAlignment=*/16,
                     /*helperStack=*/64, record.compilers, query, row.boards, startup, "qtensor-watch-riscv", /*relativeAddresses=*/true};
  record.firmware.helpers = helpers;
  record.firmware.plainFeatures = "+m,+c";
  record.firmware.c = riscv::dialect();
  // DWARF numbers registers of control behind 4096: vlenb is one.
  if (row.stackVectorBits)
    record.firmware.scaledFrames = {/*stackPointer=*/2, /*vectorLength=*/4096 + 0xC22, row.stackVectorBits / 8};
  record.target = {row.target, row.description, "riscv32-unknown-elf", record.level};
  record.target.layerKernels = row.kernels;
  record.target.firmware = &record.firmware;
}

namespace mlir::qtensor {
void registerRISCVTargets(DialectRegistry &) { registerRows<Row>(rows, fill); }
} // namespace mlir::qtensor
