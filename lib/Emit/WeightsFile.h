// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The weights file of a model: what lib/Runtime/weights_format.h describes.
#pragma once
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include <string>
#include <vector>

namespace mlir::qtensor {

struct WeightEntry {
  std::string name;   ///< Source name.
  std::string format; ///< Storage format, "" where the type says it all.
  std::string type;   ///< MLIR type of the constant.
  uint64_t offset, size, hash;
  ArrayRef<char> bytes; ///< Owned by the module.
};

struct WeightsFile {
  std::vector<WeightEntry> entries;
  uint64_t payloadOffset = 0, payloadBytes = 0;
  uint64_t id = 0;    ///< Hash of the index: which build the weights belong to.
  std::string prefix; ///< Header, index and names, padded up to the payload.

  uint64_t size() const { return payloadOffset + payloadBytes; }
};

/// Reads the table of weights of a module at phase C5, whose offsets are multiples of `alignment`. The bytes stay in the
/// module.
FailureOr<WeightsFile> readWeights(ModuleOp module, int64_t alignment = kBufferAlignment);

/// Writes the file in one pass.
void writeWeights(const WeightsFile &weights, llvm::raw_ostream &os);

} // namespace mlir::qtensor
