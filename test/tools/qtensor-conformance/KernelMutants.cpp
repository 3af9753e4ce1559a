// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Defects of kernels: planted behind the target's own passes, while loops and guards are still to be seen.
#include "Mutants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::conformance;

namespace {
/// What the hook of the planted target needs to know.
struct Planted {
  const Target *target;
  const Mutant *mutant;
  std::string notMade;
};

struct PlantPass : PassWrapper<PlantPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PlantPass)
  explicit PlantPass(const Planted &planted) : planted(planted) {}
  void runOnOperation() override {
    if (planted.mutant->plant(getOperation()))
      return;
    getOperation().emitError(planted.notMade);
    signalPassFailure();
  }
  const Planted &planted;
};
} // namespace

static Planted &planted() {
  static Planted instance;
  return instance;
}

Target conformance::plantInKernels(const Target &target, const Mutant &mutant, StringRef notMade) {
  planted() = {&target, &mutant, notMade.str()};
  Target edited = target;
  edited.addNativePasses = [](OpPassManager &pm, const TargetLevel &level) {
    planted().target->addNativePasses(pm, level);
    pm.addPass(std::make_unique<PlantPass>(planted()));
  };
  return edited;
}

unsigned conformance::storeAllRows(ModuleOp module) {
  unsigned count = 0;
  module.walk([&](func::FuncOp kernel) {
    if (!kernel.getName().contains("_tile_"))
      return;
    kernel.walk([&](scf::IfOp guard) {
      OpBuilder builder(guard);
      guard.getConditionMutable().assign(arith::ConstantIntOp::create(builder, guard.getLoc(), 1, 1));
      ++count;
    });
  });
  return count;
}
