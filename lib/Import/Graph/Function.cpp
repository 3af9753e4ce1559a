// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Graph/Function.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::qtensor::graph {

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
