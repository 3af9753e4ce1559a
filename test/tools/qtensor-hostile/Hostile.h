// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the compiler does with IR that somebody broke.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include <string>
#include <vector>

namespace mlir::qtensor::hostile {

/// A context with everything registered and loaded, on one thread.
std::unique_ptr<MLIRContext> makeContext();

enum class Outcome {
  Accepted, ///< It parsed, verified and went from C2 to C3.
  Refused,  ///< With a diagnostic.
  Silent    ///< It failed without a diagnostic: a defect.
};

/// Parses text or bytecode, verifies it, and runs the passes from C2 to C3. `message` receives the first error.
Outcome process(MLIRContext &context, StringRef bytes, std::string &message);

/// The text as bytecode, or nothing when it does not parse.
std::string toBytecode(MLIRContext &context, StringRef text);

/// A broken copy of `input`; the same for the same seed. `others` are texts to borrow tokens from.
std::string mutateText(StringRef input, ArrayRef<std::string> others, uint64_t seed);
std::string mutateBytes(StringRef input, uint64_t seed);

} // namespace mlir::qtensor::hostile
