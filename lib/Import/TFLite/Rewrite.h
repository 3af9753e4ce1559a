// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a file says in more than one way, said in one before it is imported.
#pragma once
#include "lib/Import/TFLite/Model.h"

namespace mlir::qtensor::tflite {

/// Puts the decompositions of composites of the entry graph in their places, and makes biases of 64 bits ones of 32. False
/// after one call of `report`: a composite without a decomposition of its inputs and outputs, or within itself; a bias beyond
/// 32 bits.
bool rewriteModel(Model &model, ReportFn report);

} // namespace mlir::qtensor::tflite
