// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions on floats in C that are the object's own (Helpers): sines, remainders, floats of 16 bits.
#pragma once
#include "qtensor/Firmware.h"
#include <string>

namespace mlir::qtensor {

/// What every target spells with them. Floats of 16 bits are for CExpressions.
const CLibrary &floatLibrary();

/// The definitions: the library's text, with the helpers that it includes.
std::string floatDefinitions();

} // namespace mlir::qtensor
