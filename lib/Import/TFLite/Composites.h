// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "lib/Import/TFLite/Model.h"

namespace mlir::qtensor::tflite {

/// Puts the decompositions of composites of the entry graph in their places. False after one call of `report`: a composite
/// without a decomposition of its inputs and outputs, or within itself.
bool inlineComposites(Model &model, ReportFn report);

} // namespace mlir::qtensor::tflite
