// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constants that the compiler made, in memory as long as they are few, then in files.
#pragma once
#include "mlir/IR/AsmState.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace mlir::qtensor {

class ScratchSpace {
public:
  /// `memory`: bytes of blobs that stay in memory.
  explicit ScratchSpace(size_t memory) : left(memory) {}

  /// Room for the bytes of the next blob, with any content.
  MutableArrayRef<uint8_t> open(size_t size);
  /// A blob of the bytes that were opened, at a multiple of 64. Without room in memory it is a mapping of a file without a
  /// name in the folder for temporary files (TMPDIR): pages that the system may drop and read again. The file is gone when
  /// the blob is. An error names the folder and what to do, for example when the disk is full.
  llvm::Expected<AsmResourceBlob> close();

private:
  size_t left;
  AsmResourceBlob blob;            ///< What is open, where there is room in memory.
  std::unique_ptr<uint8_t[]> page; ///< What is open otherwise; kept, so that its memory is not asked for again.
  size_t size = 0, capacity = 0;
};

} // namespace mlir::qtensor
