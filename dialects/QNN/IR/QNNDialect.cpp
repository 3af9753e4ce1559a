// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/QNN/IR/QNN.h"

using namespace mlir;
using namespace mlir::qnn;

#include "dialects/QNN/IR/QNNDialect.cpp.inc"
#include "dialects/QNN/IR/QNNInterfaces.cpp.inc"

void QNNDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/QNN/IR/QNNOps.cpp.inc"
      >();
}

namespace mlir::qtensor {
void registerQNNDialect(DialectRegistry &registry) { registry.insert<QNNDialect>(); }
} // namespace mlir::qtensor
