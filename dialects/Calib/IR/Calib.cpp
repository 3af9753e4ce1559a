// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Calib/IR/Calib.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::calib;

#include "dialects/Calib/IR/CalibDialect.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/Calib/IR/CalibOps.cpp.inc"

void CalibDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Calib/IR/CalibOps.cpp.inc"
      >();
}

LogicalResult ObserveOp::verify() {
  if (getKey().empty())
    return emitOpError() << "clause O1: the key is not empty";
  auto type = cast<RankedTensorType>(getSource().getType());
  if (type.getEncoding() || !isa<FloatType>(type.getElementType()))
    return emitOpError() << "clause O2: the value is a plain tensor of floats, got " << type;
  return success();
}

namespace mlir::qtensor {
void registerCalibDialect(DialectRegistry &registry) { registry.insert<calib::CalibDialect>(); }
} // namespace mlir::qtensor
