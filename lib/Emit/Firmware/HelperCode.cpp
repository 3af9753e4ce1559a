// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/HelperCode.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;
using namespace mlir::qtensor;

namespace mlir::qtensor {
extern const unsigned char firmwareHelpers[];
extern const size_t firmwareHelpersSize;
} // namespace mlir::qtensor

/// The functions, for no machine, and the target's names for them.
Expected<std::unique_ptr<Module>> HelperCode::read(Module &code) const {
  StringRef bitcode(reinterpret_cast<const char *>(firmwareHelpers), firmwareHelpersSize);
  auto helpers = parseBitcodeFile(MemoryBufferRef(bitcode, "helpers"), code.getContext());
  if (!helpers)
    return helpers.takeError();
  // What the compiler that made them says of its own machine.
  for (StringRef about : {"llvm.module.flags", "llvm.ident"})
    if (NamedMDNode *node = (*helpers)->getNamedMetadata(about))
      node->eraseFromParent();
  (*helpers)->setTargetTriple(code.getTargetTriple());
  (*helpers)->setDataLayout(code.getDataLayout());
  for (const EmbeddedFile &file : names) {
    SMDiagnostic problem;
    std::unique_ptr<Module> text = parseAssemblyString(file.text(), problem, code.getContext());
    if (!text)
      return createStringError("the target's helper functions cannot be read: " + file.name + ", line " + Twine(problem.getLineNo()) +
                               ": " + problem.getMessage());
    text->setTargetTriple(code.getTargetTriple());
    text->setDataLayout(code.getDataLayout());
    if (Linker::linkModules(**helpers, std::move(text)))
      return createStringError("the target's helper functions have the names of others: " + file.name);
  }
  for (Function &function : **helpers) {
    bool isInlined = function.hasFnAttribute(llvm::Attribute::AlwaysInline);
    function.setAttributes({});
    function.setDoesNotThrow();
    if (isInlined)
      function.addFnAttr(llvm::Attribute::AlwaysInline);
    for (StringRef kind : {"target-cpu", "target-features", "no-builtins"})
      if (like.hasFnAttribute(kind))
        function.addFnAttr(like.getFnAttribute(kind));
  }
  return helpers;
}

Expected<bool> HelperCode::add(Module &code, ArrayRef<std::string> wanted) {
  if (names.empty() || wanted.empty())
    return false;
  auto helpers = read(code);
  if (!helpers)
    return helpers.takeError();
  bool found = false;
  for (const std::string &name : wanted)
    if (Function *function = (*helpers)->getFunction(name); function && !function->isDeclaration()) {
      called.insert(name);
      // The linker takes what the module declares. A call in the code has types of its own: floats.
      if (!code.getFunction(name))
        Function::Create(function->getFunctionType(), GlobalValue::ExternalLinkage, name, code);
      found = true;
    }
  for (Function &function : **helpers)
    if (Function *own = code.getFunction(function.getName()); !own || own->isDeclaration())
      added.insert(function.getName());
  if (found && Linker::linkModules(code, std::move(*helpers), Linker::LinkOnlyNeeded))
    return createStringError("the target's helper functions have the name of something else");
  return found;
}

void HelperCode::hide(Module &copy) const {
  for (Function &function : copy) {
    if (function.isDeclaration() || !added.contains(function.getName()))
      continue;
    function.setLinkage(GlobalValue::InternalLinkage);
    // Calls to it appear when instructions are chosen, after everything that looks for its users.
    if (called.contains(function.getName()))
      appendToCompilerUsed(copy, {&function});
  }
}
