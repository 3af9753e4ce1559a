// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions that code generation calls by name, with which a model brings its own.
#include "lib/Emit/Firmware/HelperCode.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;

/// The function and all that it calls.
static void collect(Function *function, SmallPtrSetImpl<Function *> &wanted) {
  if (!wanted.insert(function).second)
    return;
  for (BasicBlock &block : *function)
    for (Instruction &instruction : block)
      if (auto *call = dyn_cast<CallBase>(&instruction); call && call->getCalledFunction())
        collect(call->getCalledFunction(), wanted);
}

Expected<size_t> mlir::qtensor::addHelpers(Module &code, StringRef text, ArrayRef<std::string> names,
                                           Function &like) {
  SMDiagnostic problem;
  std::unique_ptr<Module> helpers = parseAssemblyString(text, problem, code.getContext());
  if (!helpers)
    return createStringError("the target's helper functions cannot be read: line " + Twine(problem.getLineNo()) + ": " +
                             problem.getMessage());
  SmallPtrSet<Function *, 8> wanted;
  size_t found = 0;
  for (const std::string &name : names)
    if (Function *function = helpers->getFunction(name); function && !function->isDeclaration()) {
      collect(function, wanted);
      ++found;
    }
  std::vector<std::string> added;
  for (Function &function : make_early_inc_range(*helpers)) {
    if (wanted.contains(&function))
      added.push_back(function.getName().str());
    else
      function.dropAllReferences();
  }
  for (Function &function : make_early_inc_range(*helpers))
    if (!wanted.contains(&function))
      function.eraseFromParent();
  helpers->setTargetTriple(code.getTargetTriple());
  helpers->setDataLayout(code.getDataLayout());
  if (Linker::linkModules(code, std::move(helpers)))
    return createStringError("the target's helper functions have the name of something else");
  for (const std::string &name : added) {
    Function *function = code.getFunction(name);
    function->setLinkage(GlobalValue::InternalLinkage);
    for (StringRef kind : {"target-cpu", "target-features", "no-builtins"})
      if (like.hasFnAttribute(kind))
        function->addFnAttr(like.getFnAttribute(kind));
    // Calls to it appear when instructions are chosen, after everything that looks for its users.
    appendToCompilerUsed(code, {function});
  }
  return found;
}
