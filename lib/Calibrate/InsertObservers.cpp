// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Observers behind the values that contractions with a constant side multiply, that are added up, and of results.
#include "dialects/Calib/IR/Calib.h"
#include "lib/Calibrate/Calibrate.h"
#include "lib/Calibrate/Passes.h"
#include "lib/Calibrate/ValueNames.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_INSERTOBSERVERS
#include "lib/Calibrate/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

void qtensor::insertObservers(ModuleOp module) {
  OpBuilder builder(module.getContext());
  for (auto &[value, key] : nameRoundedInputs(module)) {
    builder.setInsertionPointAfterValue(value);
    calib::ObserveOp::create(builder, value.getLoc(), value, key);
  }
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    return;
  for (OpOperand &result : main.front().getTerminator()->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(result.get().getType());
    if (!type || !type.getElementType().isF32())
      continue;
    builder.setInsertionPoint(result.getOwner());
    calib::ObserveOp::create(builder, main.getLoc(), result.get(), nameOfResult(main, result.getOperandNumber()));
  }
}

namespace {
struct InsertObservers : mlir::qtensor::impl::InsertObserversBase<InsertObservers> {
  void runOnOperation() override { insertObservers(getOperation()); }
};
} // namespace
