// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/QNN/IR/QNN.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qnn;

#include "dialects/QNN/IR/QNNDialect.cpp.inc"
#include "dialects/QNN/IR/QNNInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/QNN/IR/QNNAttrs.cpp.inc"

LogicalResult SumAttr::verify(function_ref<InFlightDiagnostic()> emitError, DenseI64ArrayAttr zeros, int64_t,
                              DenseI64ArrayAttr multipliers, DenseI64ArrayAttr shifts, bool, int64_t, int64_t low, int64_t high,
                              qtensor::FinalMapAttr map) {
  if (zeros.size() != 2 || multipliers.size() != 3 || shifts.size() != 3)
    return emitError() << "a sum has 2 zeros, 3 multipliers and 3 shifts";
  if (low > high || !map.getFixed())
    return emitError() << "a sum has a fixed map and clamps to a range that is not empty";
  return success();
}

LogicalResult MeanAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t inputZero, int64_t multiple,
                               int64_t multiplier, int64_t, int64_t, qtensor::FinalMapAttr map) {
  if (inputZero < -128 || inputZero > 127 || multiple < 0 || multiple >= int64_t(1) << 23)
    return emitError() << "a mean has an input_zero in [-128, 127] and a multiple in [0, 2^23)";
  if (multiplier < 0 || multiplier >= int64_t(1) << 31 || !map.getFixed() || map.getMode() == qtensor::FixedMode::X16)
    return emitError() << "a mean has a map of fixed<double> or fixed<single> and a multiplier in [0, 2^31)";
  return success();
}

void QNNDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/QNN/IR/QNNAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/QNN/IR/QNNOps.cpp.inc"
      >();
}

namespace mlir::qtensor {
void registerQNNDialect(DialectRegistry &registry) { registry.insert<QNNDialect>(); }
} // namespace mlir::qtensor
