// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Defects of kernels: planted behind the target's own passes, while loops and guards are still to be seen.
#include "Mutants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
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

/// Lets the loop over the rows of a unit's outputs end a tile later.
unsigned conformance::storeAllRows(ModuleOp module) {
  unsigned count = 0;
  module.walk([&](Operation *store) {
    auto kernel = store->getParentOfType<func::FuncOp>();
    if (!isa<vector::StoreOp, vector::MaskedStoreOp>(store) || !kernel.getName().contains("_unit"))
      return;
    auto columns = store->getParentOfType<scf::ForOp>();
    auto rows = columns ? columns->getParentOfType<scf::ForOp>() : scf::ForOp();
    if (!rows)
      return;
    OpBuilder builder(rows);
    Value tile = arith::ConstantIndexOp::create(builder, rows.getLoc(), 12);
    rows.getUpperBoundMutable().assign(arith::AddIOp::create(builder, rows.getLoc(), rows.getUpperBound(), tile));
    ++count;
  });
  return count;
}
