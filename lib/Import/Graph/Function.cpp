// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Graph/Function.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::qtensor::graph {

void registerDialects(DialectRegistry &registry) {
  registry.insert<QTensorDialect, arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect, linalg::LinalgDialect,
                  math::MathDialect, scf::SCFDialect, tensor::TensorDialect>();
}

OwningOpRef<ModuleOp>
importWith(MLIRContext *context,
           llvm::function_ref<OwningOpRef<ModuleOp>(llvm::function_ref<void(const Twine &)> report)> import) {
  DialectRegistry registry;
  registerDialects(registry);
  context->appendDialectRegistry(registry);
  context->loadAllAvailableDialects();
  bool reported = false;
  return import([&](const Twine &what) {
    if (!std::exchange(reported, true))
      emitError(UnknownLoc::get(context)) << what;
  });
}

DictionaryAttr borderAttrs(OpBuilder &builder, StringRef name, Elem elem) {
  NamedAttrList attributes;
  attributes.append("qtensor.name", builder.getStringAttr(name));
  if (isUnsigned(elem)) {
    auto type = IntegerType::get(builder.getContext(), bitWidth(elem), IntegerType::Unsigned);
    attributes.append("qtensor.dtype", TypeAttr::get(type));
  }
  return attributes.getDictionary(builder.getContext());
}

void eraseDeadOps(func::FuncOp function) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
}

std::string verifyQuietly(ModuleOp module) {
  std::string problem;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    if (problem.empty())
      llvm::raw_string_ostream(problem) << diagnostic.getLocation() << ": " << diagnostic.str();
    return success();
  });
  bool valid = succeeded(verify(module));
  return valid ? "" : problem.empty() ? "an unknown place" : problem;
}

} // namespace mlir::qtensor::graph
