// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parts of this folder that the compiler carries with it.
#pragma once
#include <cstddef>

namespace mlir::qtensor {

/// LLVM bitcode of the whole runtime, for the machine that the compiler was built on.
extern const unsigned char runtimeBitcode[];
extern const size_t runtimeBitcodeSize;

/// The text of qtensor_abi.h.
extern const unsigned char runtimeAbiHeader[];
extern const size_t runtimeAbiHeaderSize;

} // namespace mlir::qtensor
