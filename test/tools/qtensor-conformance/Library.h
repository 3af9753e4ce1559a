// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A compiled module of cells, called through the C interface at one processor level after the other.
#pragma once
#include "lib/Emit/LoadedModel.h"
#include "lib/Reference/Tensor.h"

namespace mlir::qtensor::conformance {

/// The bytes of every result.
using Results = std::vector<std::vector<char>>;

class Library {
public:
  /// Compiles a module at phase C5 and loads it. One diagnostic on failure.
  static FailureOr<Library> make(ModuleOp planned, const Target &target);

  /// Whether this machine runs the level.
  bool supports(StringRef level);

  /// Runs @main. A message on failure.
  llvm::Expected<Results> run(StringRef level, ArrayRef<reference::Tensor> inputs, size_t resultCount);

private:
  qt_status open(StringRef level, LoadedModel::Handle **handle);
  std::unique_ptr<LoadedModel> model;
};

} // namespace mlir::qtensor::conformance
