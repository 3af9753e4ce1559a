// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The function where a model starts, in modules of other front ends.
#include "lib/Transforms/Normalize/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_FINDENTRY
#include "lib/Transforms/Normalize/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

namespace {
struct FindEntry : mlir::qtensor::impl::FindEntryBase<FindEntry> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (auto main = module.lookupSymbol<func::FuncOp>("main"))
      return takeEntry(main);
    SmallVector<func::FuncOp> candidates;
    for (auto function : module.getOps<func::FuncOp>())
      if (function.isPublic() && !function.isExternal())
        candidates.push_back(function);
    if (candidates.size() != 1) {
      InFlightDiagnostic error = module.emitError("a model starts at its function @main, or at its only public one; ");
      if (candidates.empty())
        error << "this module has no public function with a body";
      else
        error << "this module has " << candidates.size() << ": rename one of them, or make the others private";
      for (func::FuncOp function : candidates)
        error.attachNote(function.getLoc()) << "@" << function.getSymName();
      return signalPassFailure();
    }
    if (failed(SymbolTable(module).rename(candidates.front(), "main")))
      signalPassFailure();
  }

private:
  void takeEntry(func::FuncOp main) {
    for (Type type : llvm::concat<const Type>(main.getArgumentTypes(), main.getResultTypes()))
      if (isa<BaseMemRefType>(type)) {
        main.emitError() << "a model computes on tensors, but @main takes or gives " << type << "; give it as it was before bufferization";
        return signalPassFailure();
      }
    // What takes nothing is no model: it may give samples to calibrate with.
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function != main && function.getNumArguments() > 0)
        function.setPrivate();
  }
};
} // namespace
