// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One reader as a libFuzzer target.
#include "mlir/IR/DialectRegistry.h"
#include "qtensor/InitAll.h"
#include "test/tools/qtensor-fuzz/Readers.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static DialectRegistry registry = [] {
    DialectRegistry all;
    qtensor::registerAll(all);
    return all;
  }();
  // Making a context takes longer than reading; contexts keep what was read into them.
  static std::unique_ptr<MLIRContext> context;
  static unsigned runs = 0;
  if (!context || runs++ % 64 == 0)
    context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  bool crashed = false;
  llvm::StringRef bytes(reinterpret_cast<const char *>(data), size);
  std::string complaint = qtensor::readUntrusted(QTENSOR_FUZZ_READER, bytes, *context, crashed);
  if (crashed) // in MLIR's parser: nothing can be said of the context any more
    (void)context.release();
  if (complaint.empty())
    return 0;
  llvm::errs() << QTENSOR_FUZZ_READER << ": " << complaint << "\n";
  abort();
}

/// LLVM's arenas poison memory in headers, which are instrumented here, and unpoison it in the packaged library, which
/// is not.
extern "C" const char *__asan_default_options() { return "allow_user_poisoning=0"; }
