// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The safetensors format: a JSON header that says where each named tensor lies, then their bytes.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <map>
#include <memory>
#include <string>

namespace mlir::qtensor {

struct SafetensorsEntry {
  /// As in the file: "F32", "BF16", "I8", "U8", "BOOL", "F8_E4M3" ...; it may be one that nothing here can use.
  std::string dtype;
  llvm::SmallVector<int64_t> shape;
  /// Row-major, little endian; points into the file.
  llvm::ArrayRef<char> data;
};

struct Safetensors {
  std::map<std::string, SafetensorsEntry> tensors;
  std::map<std::string, std::string> metadata;
  /// Keeps the data alive; null when the caller holds the bytes.
  std::shared_ptr<llvm::MemoryBuffer> buffer;
};

/// Parses the bytes of a file, which must outlive the result. `name` is the file's, for messages. Checked: the header's
/// size and syntax, sizes that fit the shapes where the dtype is known, and that the tensors fill the data without
/// overlap or gap. An error names the file, the tensor or byte, and the rule.
llvm::Expected<Safetensors> parseSafetensors(llvm::StringRef bytes, llvm::StringRef name);

/// Maps a file and parses it.
llvm::Expected<Safetensors> readSafetensors(llvm::StringRef path);

} // namespace mlir::qtensor
