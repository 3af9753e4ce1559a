// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LLVM modules to object files.
#pragma once
#include "qtensor/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm

namespace mlir::qtensor {

/// The bytes of one object file.
using ObjectBytes = llvm::SmallVector<char, 0>;

/// A target machine for position-independent code. Fails if LLVM was built without the target.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const Target &target, StringRef cpu,
                                                                        StringRef features);

/// Optimises and compiles. Optional `assembly` receives the text of the same code. `vectorize`: scalar loops too.
llvm::Expected<ObjectBytes> compileModule(llvm::Module &module, llvm::TargetMachine &machine,
                                          std::string *assembly = nullptr, bool vectorize = true);

/// Translates a module in LLVM dialect and gives its functions the processor and features of the level. All but the
/// `entries` become internal. Null after a diagnostic.
std::unique_ptr<llvm::Module> translateModule(ModuleOp module, const TargetLevel &level, ArrayRef<std::string> entries,
                                              llvm::LLVMContext &context);

} // namespace mlir::qtensor
