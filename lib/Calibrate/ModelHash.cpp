// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One number for a model: its text without locations and resources, and the bytes of its resources.
#include "lib/Calibrate/Statistics.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/SHA1.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// Hashes what is printed.
class HashStream : public llvm::raw_ostream {
public:
  HashStream() : raw_ostream(/*unbuffered=*/false) {}
  ~HashStream() override { flush(); }
  llvm::SHA1 hash;

private:
  void write_impl(const char *data, size_t size) override {
    hash.update(StringRef(data, size));
    written += size;
  }
  uint64_t current_pos() const override { return written; }
  uint64_t written = 0;
};
} // namespace

std::string qtensor::hashModel(ModuleOp module) {
  HashStream stream;
  OpPrintingFlags flags;
  flags.elideLargeResourceString(0).printGenericOpForm();
  module.print(stream, flags);
  module.walk([&](arith::ConstantOp op) {
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(op.getValue()))
      if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
        stream << StringRef(blob->getData().data(), blob->getData().size());
  });
  stream.flush();
  return llvm::toHex(stream.hash.final(), /*LowerCase=*/true);
}
