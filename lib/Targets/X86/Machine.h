// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Capability rows: what a level can do inside a kernel. Private to this folder.
#pragma once
#include "lib/Transforms/Kernel/KernelSpec.h"
#include "llvm/ADT/ArrayRef.h"
#include <vector>

namespace mlir::qtensor::x86 {

/// How four byte products are summed.
enum class Dot { Generic, Pairs, Vnni };

/// Processors of a level that kernels are chosen for together.
struct CoreRow {
  llvm::StringRef core; ///< The target's name for it; empty: all of the level that have no row.
  llvm::ArrayRef<TileShape> tiles;
  llvm::ArrayRef<CoreModel> models;
  int64_t streamAhead;  ///< See TileMachine.
};

/// A level, as kernels see it. Every row reads the same packed bytes and gives the same bits.
struct MachineRow {
  llvm::StringRef level;
  int64_t lanes;
  int64_t registers;      ///< Vector registers.
  Dot dot;
  int64_t shuffleBytes;   ///< Width of an in-register byte table lookup (vpshufb, 16 entries); 0: none.
  bool byteTable64;       ///< vpermb: byte tables of up to 64 entries in one instruction.
  int64_t floatTable;     ///< Entries of a one-instruction f32 table; 0: none.
  bool halfConvert;       ///< f16 <-> f32 in hardware.
  bool pinned;            ///< Few registers: see TileMachine.
  llvm::ArrayRef<CoreRow> cores; ///< In the order of the level's cores, behind the one for the rest.
};

/// All rows, in the order of the target's levels.
llvm::ArrayRef<MachineRow> getMachineRows();
/// The row of a level, or null.
const MachineRow *lookupMachineRow(llvm::StringRef level);
/// The parts of a row that the emitter asks for.
std::vector<TileMachine> getTileMachines(const MachineRow &row);

} // namespace mlir::qtensor::x86
