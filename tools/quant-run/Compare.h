// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Comparison of an output with a reference.
#pragma once
#include "lib/Import/Npy/Npy.h"

namespace mlir::qtensor::tools {

/// Prints the largest absolute and relative difference and where they are. False if the shapes differ or some element
/// differs by more than `absolute` + `relative` * |reference|. NaN equals NaN only.
bool compareArrays(llvm::StringRef name, const NpyArray &got, const NpyArray &want, double absolute, double relative,
                   llvm::raw_ostream &os);

} // namespace mlir::qtensor::tools
