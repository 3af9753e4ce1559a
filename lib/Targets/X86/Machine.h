// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Capability rows: what a level can do inside a kernel. Private to this folder.
#pragma once
#include "lib/Transforms/Kernel/KernelSpec.h"
#include "llvm/ADT/ArrayRef.h"

namespace mlir::qtensor::x86 {

/// How four byte products are summed.
enum class Dot { Generic, Pairs, Vnni };

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
  llvm::ArrayRef<TileShape> tiles;
  llvm::ArrayRef<CoreModel> cores; ///< Processors of the level that tiles are chosen for.
};

/// All rows, in the order of the target's levels.
llvm::ArrayRef<MachineRow> getMachineRows();
/// The row of a level, or null.
const MachineRow *lookupMachineRow(llvm::StringRef level);
/// The part of a row that the emitter asks for.
TileMachine getTileMachine(const MachineRow &row);

} // namespace mlir::qtensor::x86
