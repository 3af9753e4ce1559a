// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parts of quant-kernel: one kernel from a description, as IR, assembly or running code.
#pragma once
#include "lib/Transforms/Kernel/KernelSpec.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace llvm {
class Module;
class LLVMContext;
namespace orc {
class LLJIT;
}
} // namespace llvm

namespace mlir::qtensor::tool {

/// The kernel that the command line describes.
struct Description {
  KernelSpec spec;
  int64_t n = 0, k = 0;
  bool bias = false;
  bool lhsScales = true;
  TileMachine machine;   ///< What the kernel is chosen for.
  bool extremes = false; ///< The largest code everywhere, and rows of -128 and of 127.
};

/// A module with @kernel(ctx, x, [scales], weights, [bias], y, scratch) and @scratch_bytes(rows) for its machine.
OwningOpRef<ModuleOp> buildModule(MLIRContext *context, Description &description);

/// qtile and the rest down to the LLVM dialect, with a level's instructions.
LogicalResult lowerModule(ModuleOp module, llvm::StringRef level);

/// Optimised LLVM IR for a processor. `features` replaces the level's own when it is not empty.
llvm::Expected<std::unique_ptr<llvm::Module>> compileModule(ModuleOp module, llvm::LLVMContext &context,
                                                            llvm::StringRef level, llvm::StringRef features);
/// The module's assembly.
llvm::Expected<std::string> emitAssembly(llvm::Module &module);
/// Running code.
llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> makeJit(ModuleOp module, llvm::StringRef level, llvm::StringRef features);

/// Packs random weights, runs every row count of `rows` and compares with a plain computation in the canonical order.
/// Prints one line per count; false when a bit differs.
bool checkKernel(llvm::orc::LLJIT &jit, const Description &description, llvm::ArrayRef<int64_t> rows, bool time);

} // namespace mlir::qtensor::tool
