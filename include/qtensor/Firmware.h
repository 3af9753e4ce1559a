// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the compiler knows of a target without an operating system: how a C compiler is asked for it, the boards that run
// its code in an emulator, and the files that a program needs to start there. All text has static storage duration.
#pragma once
#include "qtensor/Target.h"

namespace mlir::qtensor {

/// A file whose bytes were embedded in the compiler when it was built (qtensor_embed in CMake).
struct EmbeddedFile {
  llvm::StringRef name;       ///< As in a bundle's folder.
  const unsigned char *bytes;
  const size_t *size;

  llvm::StringRef text() const { return {reinterpret_cast<const char *>(bytes), *size}; }
};

/// One stretch of a board's memory. Code and weights go to the first flash region, everything written to the first other.
struct MemoryRegion {
  llvm::StringRef name;    ///< As in the linker script.
  uint64_t origin, length; ///< In bytes.
  bool flash;              ///< Read and executed, never written while the program runs.
};

/// A machine of an emulator.
struct FirmwareBoard {
  llvm::StringRef name;
  llvm::ArrayRef<llvm::StringRef> emulator; ///< Command and options of the machine; empty: no emulator is packaged.
  llvm::ArrayRef<MemoryRegion> memory;
  llvm::StringRef remark; ///< What differs from the target's own processor; may be empty.
};

/// A C compiler that makes and links programs for a target.
struct FirmwareCompiler {
  llvm::StringRef command;
  llvm::ArrayRef<llvm::StringRef> flags;       ///< Processor and calling convention, for compiling and linking.
  llvm::ArrayRef<llvm::StringRef> linkFlags;   ///< Linking without the toolchain's start-up files.
};

/// How an intrinsic of LLVM, or a piece of assembly, is written in C.
struct CIntrinsic {
  llvm::StringRef llvm;   ///< "llvm.arm.smlad"; "smlad $0, $1, $2, $3".
  llvm::StringRef c;      ///< "__smlad".
  llvm::StringRef header; ///< "arm_acle.h"; empty: none.
};

/// The part of a target's record that firmware bundles are made from.
struct FirmwareRecord {
  llvm::StringRef isa; ///< One line for people: architecture and extensions.
  llvm::StringRef linking; ///< For people: what the objects may be linked with.
  llvm::StringRef abi; ///< LLVM's name of the calling convention; empty: the triple's.
  unsigned argumentRegisters;  ///< Pointers that a call passes without touching the stack.
  unsigned stackAlignment;     ///< Bytes; of the stack pointer at a call.
  unsigned dataAlignment;      ///< Bytes; of arena, inputs, outputs and packed weights.
  unsigned helperStack;        ///< Bytes of stack that the deepest function of a compiler's helper library takes.
  llvm::ArrayRef<FirmwareCompiler> compilers; ///< In order of preference.
  llvm::ArrayRef<llvm::StringRef> helperQuery; ///< Command that prints the path of a helper library for all of them.
  llvm::ArrayRef<FirmwareBoard> boards;       ///< The first that a model fits on is used.
  llvm::ArrayRef<EmbeddedFile> startup;       ///< Sources that start a program on every one of the boards.
  llvm::StringRef plugin;                     ///< Of the emulator, with the weights of instructions (lib/Measure).
  bool relativeAddresses = false; ///< Code finds its data from where it runs, so that both may lie anywhere (LLVM: medium).
  llvm::StringRef moduleAssembly = {}; ///< Directives for every object: what it says of itself and LLVM does not.
  llvm::ArrayRef<CIntrinsic> intrinsics = {}; ///< Those that kernels use, for emission as C.
  /// LLVM's features for code that is no layer, which the target's kernels do not write: without vectors. Empty: the level's.
  llvm::StringRef plainFeatures = "";
};

} // namespace mlir::qtensor
