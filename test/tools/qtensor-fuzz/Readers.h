// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The readers of untrusted files under one signature.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include <string>

namespace mlir::qtensor {

/// Reads `bytes` with the reader of that name (onnx, tflite, safetensors, npy, mlir). Returns a complaint if it broke the rule
/// "a result, or exactly one error"; for mlir, whose parser is upstream's, "a result, or at least one error".
/// `crashed` tells that MLIR's parser did and was caught: the context must not be used, nor destroyed.
std::string readUntrusted(llvm::StringRef reader, llvm::StringRef bytes, MLIRContext &context, bool &crashed);

/// True for the names above.
bool isReader(llvm::StringRef reader);

} // namespace mlir::qtensor
