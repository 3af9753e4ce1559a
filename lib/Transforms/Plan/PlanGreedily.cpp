// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arena that a well known planner would make of a model, to compare ours with.
#include "lib/Transforms/Plan/Passes.h"
#include "lib/Transforms/Plan/TensorBuffers.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_PLANGREEDILY
#include "lib/Transforms/Plan/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct PlanGreedily : mlir::qtensor::impl::PlanGreedilyBase<PlanGreedily> {
  using PlanGreedilyBase::PlanGreedilyBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || function.getName() != "main")
      return;
    TensorBuffers tensors(function, placesInterface);
    function->setAttr(kGreedyAttr, Builder(&getContext()).getI64IntegerAttr(planGreedily(tensors.getBuffers(), alignment)));
  }
};
} // namespace
