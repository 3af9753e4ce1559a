// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Results have the extents that are known where they are made.
#include "lib/Transforms/Normalize/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_REFINERESULTS
#include "lib/Transforms/Normalize/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

namespace {
struct RefineResults : mlir::qtensor::impl::RefineResultsBase<RefineResults> {
  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    // A caller would see other types.
    if (!main || !main.getBody().hasOneBlock() || !SymbolTable::symbolKnownUseEmpty(main, getOperation()))
      return;
    auto ret = cast<func::ReturnOp>(main.front().getTerminator());
    for (OpOperand &result : ret->getOpOperands())
      if (auto cast = result.get().getDefiningOp<tensor::CastOp>(); cast && tensor::canFoldIntoConsumerOp(cast))
        result.set(cast.getSource());
    main.setType(FunctionType::get(&getContext(), main.getArgumentTypes(), ret->getOperandTypes()));
  }
};
} // namespace
