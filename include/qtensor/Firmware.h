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
  llvm::ArrayRef<MemoryRegion> memory; ///< FLASH, RAM, and BOOT where the processor starts in other memory than FLASH.
  llvm::StringRef remark; ///< What differs from the target's own processor; may be empty.
};

/// A C compiler that makes and links programs for a target.
struct FirmwareCompiler {
  llvm::StringRef command;
  llvm::ArrayRef<llvm::StringRef> flags;       ///< Processor and calling convention, for compiling and linking.
  llvm::ArrayRef<llvm::StringRef> linkFlags;   ///< Linking without the toolchain's start-up files.
  bool takesSource = true;                     ///< It knows the intrinsics that the target's kernels have in C.
};

/// How ops are written in C.
struct CSpelling {
  /// An op of the LLVM dialect, an intrinsic or the first word of a piece of assembly, with what it must be made from:
  /// "llvm.<target>.narrow(llvm.mlir.poison, _, 0, 0, 1)", "llvm.sext<4xi32>(llvm.load<4xi8>(_))". `_` is any operand that the C
  /// code gets, `v` a vector, `x` a scalar, `*` any that it does not get; numbers are constants. Without a list: all operands.
  llvm::StringRef match;
  /// The expression: $0, $1 ... are the operands that it gets, $s0 is the same with a sign. $e0 and $er are the bits of an
  /// element of an operand and of the result, $m0 and $mr their groups of registers ("m2", "mf4") if they have no fixed
  /// length, $k0 is "v" for a vector and "x" for a scalar, $fr how many times wider the result's elements are than those of $0.
  llvm::StringRef c;
};

/// C definitions, written into a file that uses one of the spellings. They may use Q_INLINE (static inline ...) and the vector
/// types of lib/Emit/Firmware/CTypes.h.
struct CLibrary {
  EmbeddedFile text;
  llvm::ArrayRef<CSpelling> spellings;
};

/// How a target's code is written in C, beyond what every target has: scalars, and vectors of fixed length as GCC's.
struct CDialect {
  llvm::ArrayRef<CLibrary> libraries = {};
  llvm::StringRef predicate = {};      ///< Type of a vector of bits; empty: none.
  llvm::StringRef scalableVector = {}; ///< Type of a vector without fixed length: "vint$er$mr_t". Empty: none.
  unsigned scalableBits = 0;           ///< Of a register, where LLVM counts one.
};

/// Vector registers whose length only the processor knows: frames that hold some are counted with the longest that are assumed.
struct ScaledFrames {
  unsigned stackPointer = 0, vectorLength = 0; ///< DWARF's numbers of the stack pointer and of what has their length.
  unsigned assumedBytes = 0; ///< The longest vector register that the stack that is stated has room for; 0: no such registers.
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
  CDialect c = {}; ///< For emission as C.
  /// LLVM's IR: the names and conventions of the helper library's functions, made of those in lib/Emit/Firmware/Helpers, and what the
  /// processor has (processor.h there). An object brings those that it calls. Empty: none.
  llvm::ArrayRef<EmbeddedFile> helpers = {};
  /// LLVM's features for code that is no layer, which the target's kernels do not write: without vectors. Empty: the level's.
  llvm::StringRef plainFeatures = "";
  ScaledFrames scaledFrames = {};
};

} // namespace mlir::qtensor
