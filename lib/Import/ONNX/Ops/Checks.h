// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values of inputs that are errors of the run.
#pragma once
#include "lib/Import/ONNX/NodeContext.h"

namespace mlir::qtensor::onnx {

/// Makes elements of `x` for which `isBad` (element, unused) says so an error of the run: "node 'x' (Op): what". Stands
/// beside the ops that use `x`, which stay free of side effects and must be memory safe for every value.
void forbid(NodeContext &n, const Val &x, Body isBad, const Twine &what);

} // namespace mlir::qtensor::onnx
