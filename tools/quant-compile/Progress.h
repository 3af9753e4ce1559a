// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a tool is doing, for people who wait.
#pragma once
#include "llvm/ADT/StringRef.h"
#include <memory>

namespace mlir::qtensor::tools {

/// On a terminal: says on stderr what is being done, once it has taken longer than a second.
class Progress {
public:
  Progress();
  ~Progress();
  void operator()(llvm::StringRef what);

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace mlir::qtensor::tools
