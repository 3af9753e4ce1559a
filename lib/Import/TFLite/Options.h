// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to the reader: names of operators and the layout of their options.
#pragma once
#include "lib/Import/TFLite/Model.h"

namespace mlir::qtensor::tflite {

/// A field of an options table. `kind`: b int8 or bool, i int32, f float, I list of int32, F list of floats, s string.
struct OptionField {
  const char *name;
  char kind;
  double otherwise; ///< The value that an absent field has.
};

/// The fields of an operator's options in the order of the table; an unnamed one (null) is not read.
llvm::ArrayRef<OptionField> optionFields(int32_t code);

} // namespace mlir::qtensor::tflite
