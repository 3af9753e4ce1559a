// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contract of C0.
#include "lib/Transforms/Contracts/Clauses.h"
#include "lib/Transforms/Contracts/Contracts.h"
#include "lib/Transforms/Contracts/Passes.h"
#include "lib/Transforms/Plan/States.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_VERIFYIMPORTED
#include "lib/Transforms/Contracts/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

static constexpr StringLiteral kDialects[] = {"builtin", "func", "linalg", "arith",  "math",
                                              "tensor",  "scf",  "affine", "qtensor"};

static LogicalResult verifyMain(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !main.isPublic())
    return emitClause(module, "C0.1") << "there is one public function @main with a body";
  for (Type type : llvm::concat<const Type>(main.getArgumentTypes(), main.getResultTypes()))
    if (!isa<RankedTensorType>(type))
      return emitClause(main, "C0.1") << "inputs and results of @main are ranked tensors, got " << type;
  auto checkNames = [&](ArrayAttr attributes, StringRef what) -> LogicalResult {
    llvm::StringSet<> names;
    for (Attribute entry : attributes ? attributes : ArrayAttr::get(module.getContext(), {})) {
      auto name = cast<DictionaryAttr>(entry).getAs<StringAttr>("qtensor.name");
      if (name && (name.empty() || !names.insert(name.getValue()).second))
        return emitClause(main, "C0.3") << "names of " << what << " are not empty and differ, got '" << name.getValue()
                                        << "'";
    }
    return success();
  };
  return failure(failed(checkNames(main.getArgAttrsAttr(), "inputs")) ||
                 failed(checkNames(main.getResAttrsAttr(), "results")) ||
                 failed(verifyStates(main, [&] { return emitClause(main, "C0.5"); })));
}

/// Whether the elements of a static shape are fewer than an address space has bytes.
static bool isAddressable(RankedTensorType type) {
  int64_t count = 1;
  return !type.hasStaticShape() || llvm::is_contained(type.getShape(), 0) ||
         llvm::none_of(type.getShape(), [&](int64_t extent) {
           return llvm::MulOverflow(count, extent, count) || count >= int64_t(1) << 47;
         });
}

LogicalResult qtensor::verifySizes(ModuleOp module) {
  return walkTypes(module, [](Operation *op, Type type) -> LogicalResult {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || isAddressable(tensor))
      return success();
    return emitClause(op, "C0.6") << "a tensor has fewer than 2^47 elements, got " << type;
  });
}

LogicalResult qtensor::verifyImportedClauses(ModuleOp module) {
  auto checkOp = [](Operation *op) -> LogicalResult {
    if (llvm::is_contained(kDialects, op->getName().getDialectNamespace()) || isa<cf::AssertOp>(op))
      return success();
    return emitClause(op, "C0.2") << "'" << op->getName() << "' is of none of the dialects of an imported model";
  };
  auto checkType = [](Operation *op, Type type) -> LogicalResult {
    if (!isa<UnrankedTensorType>(type))
      return success();
    return emitClause(op, "C0.4") << "no tensor is unranked, got " << type;
  };
  return failure(failed(verifyMain(module)) || failed(walkOps(module, checkOp)) ||
                 failed(walkTypes(module, checkType)) || failed(verifySizes(module)));
}

namespace {
struct VerifyImported : mlir::qtensor::impl::VerifyImportedBase<VerifyImported> {
  void runOnOperation() override {
    if (failed(verifyImportedClauses(getOperation())))
      signalPassFailure();
  }
};
} // namespace
