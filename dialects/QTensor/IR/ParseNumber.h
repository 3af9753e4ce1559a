// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Internal to the dialect's spellings.
#pragma once
#include "mlir/IR/OpImplementation.h"

namespace mlir::qtensor {
/// A number, whole or not, as f64: a printed value parses back to the same bits.
inline ParseResult parseNumber(AsmParser &parser, double &value) {
  bool negative = succeeded(parser.parseOptionalMinus());
  APInt integer;
  if (OptionalParseResult result = parser.parseOptionalInteger(integer); result.has_value()) {
    if (*result)
      return failure();
    value = integer.signedRoundToDouble();
  } else if (parser.parseFloat(value)) {
    return failure();
  }
  value = negative ? -value : value;
  return success();
}
} // namespace mlir::qtensor
