// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The record of x86-64: four processor levels, and the questions that tell them apart.
#include "qtensor/Target.h"
#include "lib/Targets/X86/Machine.h"
#include "lib/Targets/X86/Passes.h"
#include "lib/Transforms/Kernel/MachineOptions.h"
#include "lib/Transforms/Pack/Passes.h"
#include "mlir/IR/Dialect.h"

using namespace mlir;
using namespace mlir::qtensor;

// Words of an identification leaf, in the order in which CPUID returns them.
enum : uint32_t { EAX, EBX, ECX, EDX };

static const FeatureProbe avx2Probes[] = {
    {1, 0, ECX, (1u << 12) | (1u << 27) | (1u << 29)},                // FMA, OSXSAVE, F16C
    {7, 0, EBX, (1u << 3) | (1u << 5) | (1u << 8)},                   // BMI1, AVX2, BMI2
    {FeatureProbe::kEnabledState, 0, EAX, 0x6},                       // xmm and ymm are saved
};
static const FeatureProbe avxVnniProbes[] = {
    {1, 0, ECX, (1u << 12) | (1u << 27) | (1u << 29)},
    {7, 0, EBX, (1u << 3) | (1u << 5) | (1u << 8)},
    {7, 1, EAX, 1u << 4},                                             // VEX-encoded VNNI
    {FeatureProbe::kEnabledState, 0, EAX, 0x6},
};
static const FeatureProbe avx512Probes[] = {
    {1, 0, ECX, (1u << 12) | (1u << 27) | (1u << 29)},
    {7, 0, EBX, (1u << 3) | (1u << 5) | (1u << 8) | (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31)}, // F, DQ, BW, VL
    {7, 0, ECX, (1u << 1) | (1u << 11)},                              // VBMI, VNNI
    {FeatureProbe::kEnabledState, 0, EAX, 0xE6},                      // and opmask and zmm
};

// Family 26: bits 20, 21 and 23 of the extended family, of which Zen 4 and Intel lack one at least.
static const FeatureProbe zen5Probes[] = {{1, 0, EAX, 0xB00000}};
static const TargetCore cores[] = {{"zen5", zen5Probes}};

static const TargetLevel levels[] = {
    {"baseline", "x86-64", "", 128, 16, {}, /*fusedMultiply=*/false},
    {"avx2", "x86-64-v3", "", 256, 16, avx2Probes, /*fusedMultiply=*/true, cores},
    {"avx2vnni", "x86-64-v3", "+avxvnni", 256, 16, avxVnniProbes, /*fusedMultiply=*/true, cores},
    {"avx512", "x86-64-v4", "+avx512vnni,+avx512vbmi,-prefer-256-bit", 512, 32, avx512Probes,
     /*fusedMultiply=*/true, cores},
};

/// One packed copy of each weight, in panels that every level can read: a vector of the widest level at least, four where
/// N allows, which one row of activations then reads as a single stream. Narrow codes of caches lie without gaps.
static void addPackPasses(OpPassManager &pm) {
  PackContractsOptions options;
  options.rows = 16;
  options.wideRows = 64;
  pm.addPass(createPackContracts(options));
  pm.addPass(createPackCaches());
}

/// Kernels for the level's register tiles; then its instructions, and the generic row for what it has none for.
static void addNativePasses(OpPassManager &pm, const TargetLevel &level) {
  const x86::MachineRow *row = x86::lookupMachineRow(level.name);
  if (!row)
    return;
  pm.addPass(createLowerComponents(describeMachines(x86::getTileMachines(*row))));
  x86::LowerTileOpsOptions instructions;
  instructions.level = level.name.str();
  pm.addPass(x86::createLowerTileOps(instructions));
  pm.addPass(createExpandTileOps());
}

static const Target record = {"x86-64", "x86-64 processors: SSE2, AVX2, AVX-VNNI, AVX-512 with VNNI and VBMI in one artifact",
                           "x86_64-unknown-linux-gnu", levels, addPackPasses, addNativePasses};

namespace mlir::qtensor {
void registerX86Target(DialectRegistry &) {
  registerTarget(record);
  x86::registerQTensorX86Passes();
}
} // namespace mlir::qtensor
