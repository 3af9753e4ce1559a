// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The same for libFuzzer: qtensor-fuzz-ir <folder with a corpus>.
#include "Hostile.h"
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static std::unique_ptr<mlir::MLIRContext> context = mlir::qtensor::hostile::makeContext();
  std::string message;
  mlir::StringRef input(reinterpret_cast<const char *>(data), size);
  if (mlir::qtensor::hostile::process(*context, input, message) == mlir::qtensor::hostile::Outcome::Silent)
    abort();
  return 0;
}
