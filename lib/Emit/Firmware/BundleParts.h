// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files of a bundle, one function each.
#pragma once
#include "lib/Emit/Firmware/Bundle.h"

namespace mlir::qtensor {

/// Bytes behind each buffer of the example program that nobody may touch: an access beyond an end is never in the next one.
constexpr uint64_t kGuardBytes = 32;

/// A pointer that the run function takes before the arena, in order.
struct BundleArgument {
  StringRef kind;   ///< "input", "state" or "output".
  std::string name; ///< "input0".
  bool written;
  const TensorInterface *tensor;
  const FirmwarePlace *place; ///< Where it may lie in an arena; null: in a buffer of the caller's.
};
SmallVector<BundleArgument> listArguments(const FirmwareObject &object);

/// The lines of C that call the run function, each behind `indent`.
std::string usageText(const Bundle &bundle, StringRef indent);

void printBundleHeader(const Bundle &bundle, llvm::raw_ostream &os);
void printMakeFragment(const Bundle &bundle, llvm::raw_ostream &os);
void printCMakeFragment(const Bundle &bundle, llvm::raw_ostream &os);
void printBundleReadme(const Bundle &bundle, llvm::raw_ostream &os);
/// The code as C, if it was asked for.
void printBundleSource(const Bundle &bundle, llvm::raw_ostream &os);
/// How a compiler makes an object of it.
std::string sourceCommand(const Bundle &bundle, const FirmwareCompiler &compiler);
/// "const int8_t *input0, int8_t *output0, void *arena".
std::string parameterList(const Bundle &bundle);
void printReportJson(const Bundle &bundle, llvm::raw_ostream &os);
void printReportTable(const Bundle &bundle, llvm::raw_ostream &os);

/// What the bytes of stack that are stated depend on, in brackets behind a blank; empty: nothing.
std::string stackRemark(const Bundle &bundle);

/// What the return type of the run function is.
StringRef resultType(const Bundle &bundle);

/// What the example prints before the status where a model does not take its inputs.
constexpr llvm::StringLiteral kRefusal = "the model refuses its inputs; status";

/// A program that reads inputs, runs the model once and prints the outputs, on bundle.board. Into a folder of its own.
llvm::Error writeExample(const Bundle &bundle, StringRef folder);

/// Bytes of the stack that the example program gives the model: what it needs and what its caller may.
uint64_t exampleStack(const Bundle &bundle);

/// Bytes of stack that the caller of the run function may need for its arguments.
uint64_t callerStack(const Bundle &bundle);

/// The command that runs a program, whose path comes last, in the board's emulator.
std::vector<std::string> emulatorCommand(const FirmwareBoard &board);

/// Flags for the example's sources besides those of the processor.
ArrayRef<StringRef> exampleFlags();
/// And for linking them, besides the linker script.
ArrayRef<StringRef> exampleLinkFlags();

} // namespace mlir::qtensor
