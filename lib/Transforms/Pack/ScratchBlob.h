// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constants that the compiler made, in memory as long as they are few, then in files.
#pragma once
#include "mlir/IR/AsmState.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace mlir::qtensor {

class ScratchSpace {
public:
  /// `memory`: bytes of blobs that stay in memory.
  explicit ScratchSpace(size_t memory) : left(memory) {}

  /// A blob of these bytes at a multiple of 64. Without room in memory it is a mapping of a file without a name in the
  /// folder for temporary files (TMPDIR): pages that the system may drop and read again. The file is gone when the blob
  /// is. An error names the folder and what to do, for example when the disk is full.
  llvm::Expected<AsmResourceBlob> makeBlob(ArrayRef<uint8_t> bytes);

private:
  size_t left;
};

} // namespace mlir::qtensor
