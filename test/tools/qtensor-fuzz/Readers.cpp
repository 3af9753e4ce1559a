// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/tools/qtensor-fuzz/Readers.h"
#include "lib/Import/Npy/Npy.h"
#include "lib/Import/ONNX/ONNXImport.h"
#include "lib/Import/Safetensors/Safetensors.h"
#include "lib/Import/TFLite/TFLiteImport.h"
#include "mlir/IR/Diagnostics.h"
#include "qtensor/Import.h"
#include "llvm/ADT/STLExtras.h"

namespace mlir::qtensor {
namespace {
constexpr llvm::StringRef kReaders[] = {"onnx", "tflite", "safetensors", "npy", "mlir"};

/// The complaint for a reader that returned `good` after `errors` errors.
std::string judge(bool good, unsigned errors, unsigned most) {
  if (good && errors)
    return "a result together with " + std::to_string(errors) + " errors";
  if (!good && (errors < 1 || errors > most))
    return "no result, but " + std::to_string(errors) + " errors";
  return "";
}

/// Errors of llvm::Expected say one thing by construction; the text must not be empty.
template <typename T> std::string judgeExpected(llvm::Expected<T> result) {
  if (result)
    return "";
  return llvm::toString(result.takeError()).empty() ? "an error without a text" : "";
}
} // namespace

bool isReader(llvm::StringRef reader) { return llvm::is_contained(kReaders, reader); }

std::string readUntrusted(llvm::StringRef reader, llvm::StringRef bytes, MLIRContext &context, bool &crashed) {
  if (reader == "safetensors")
    return judgeExpected(parseSafetensors(bytes, "fuzz.safetensors"));
  if (reader == "npy")
    return judgeExpected(parseNpy(bytes, "fuzz.npy"));
  unsigned errors = 0;
  ScopedDiagnosticHandler count(&context, [&](Diagnostic &diagnostic) {
    errors += diagnostic.getSeverity() == DiagnosticSeverity::Error;
    crashed |= llvm::StringRef(diagnostic.str()).contains("parser of MLIR crashed");
    return success();
  });
  if (reader == "onnx")
    return judge(static_cast<bool>(importONNX("fuzz.onnx", bytes, &context)), errors, 1);
  if (reader == "tflite")
    return judge(static_cast<bool>(importTFLite("fuzz.tflite", bytes, &context)), errors, 1);
  return judge(static_cast<bool>(readIR(llvm::MemoryBuffer::getMemBufferCopy(bytes, "fuzz.mlir"), &context)), errors, ~0u);
}

} // namespace mlir::qtensor
