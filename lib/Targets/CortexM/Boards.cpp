// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory maps as QEMU's machines have them. The processors of the boards with TrustZone start in the secure state, which sees
// its memory at the secure alias.
#include "lib/Targets/CortexM/Boards.h"

using namespace mlir::qtensor;
using llvm::StringRef;

static constexpr uint64_t KiB = 1024, MiB = 1024 * KiB;

static const StringRef microbit[] = {"qemu-system-arm", "-M", "microbit"};
static const StringRef an385[] = {"qemu-system-arm", "-M", "mps2-an385"};
static const StringRef an386[] = {"qemu-system-arm", "-M", "mps2-an386"};
static const StringRef an500[] = {"qemu-system-arm", "-M", "mps2-an500"};
static const StringRef an505[] = {"qemu-system-arm", "-M", "mps2-an505"};
static const StringRef an547[] = {"qemu-system-arm", "-M", "mps3-an547"};

static const MemoryRegion nrf51[] = {{"FLASH", 0, 256 * KiB, true}, {"RAM", 0x20000000, 16 * KiB, false}};
static const MemoryRegion mps2[] = {{"FLASH", 0, 4 * MiB, true}, {"RAM", 0x20000000, 4 * MiB, false}};
static const MemoryRegion iotkit[] = {{"FLASH", 0x10000000, 4 * MiB, true}, {"RAM", 0x38000000, 4 * MiB, false}};
// Tightly coupled memory for code and for data.
static const MemoryRegion sse300[] = {{"FLASH", 0x10000000, 512 * KiB, true}, {"RAM", 0x30000000, 512 * KiB, false}};
// The same board's flash chip and larger RAM; it starts from the memory for code.
static const MemoryRegion sse300Large[] = {
    {"FLASH", 0x38000000, 8 * MiB, true}, {"RAM", 0x31000000, 4 * MiB, false}, {"BOOT", 0x10000000, 512 * KiB, true}};

static constexpr StringRef kLarger = "a Cortex-M3, which executes all of Armv6-M: for models that do not fit the microbit";
static constexpr StringRef kPlus = "a Cortex-M0: the same instructions";

static const FirmwareBoard m0[] = {{"microbit", microbit, nrf51, ""}, {"mps2-an385", an385, mps2, kLarger}};
static const FirmwareBoard m0plus[] = {{"microbit", microbit, nrf51, kPlus}, {"mps2-an385", an385, mps2, kLarger}};
static const FirmwareBoard m3[] = {{"mps2-an385", an385, mps2, ""}};
static const FirmwareBoard m4[] = {{"mps2-an386", an386, mps2, ""}};
static const FirmwareBoard m7[] = {{"mps2-an500", an500, mps2, ""}};
static const FirmwareBoard m33[] = {{"mps2-an505", an505, iotkit, ""}};
static constexpr StringRef kLargeMemories = "code and constants in the board's flash chip, data in its larger RAM: for models that do not fit the "
                                            "memories beside the processor";
static constexpr StringRef kM55 = "a Cortex-M55: pointer authentication and branch targets are no-ops there";
static const FirmwareBoard m55[] = {{"mps3-an547", an547, sse300, ""}, {"mps3-an547", an547, sse300Large, kLargeMemories}};
static const FirmwareBoard m85[] = {{"mps3-an547", an547, sse300, kM55}, {"mps3-an547", an547, sse300Large, kM55}};

llvm::ArrayRef<FirmwareBoard> cortexm::m0Boards() { return m0; }
llvm::ArrayRef<FirmwareBoard> cortexm::m0plusBoards() { return m0plus; }
llvm::ArrayRef<FirmwareBoard> cortexm::m3Boards() { return m3; }
llvm::ArrayRef<FirmwareBoard> cortexm::m4Boards() { return m4; }
llvm::ArrayRef<FirmwareBoard> cortexm::m7Boards() { return m7; }
llvm::ArrayRef<FirmwareBoard> cortexm::m33Boards() { return m33; }
llvm::ArrayRef<FirmwareBoard> cortexm::m55Boards() { return m55; }
llvm::ArrayRef<FirmwareBoard> cortexm::m85Boards() { return m85; }
