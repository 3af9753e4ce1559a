// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tensors of a model as buffers, before anything decides what shares memory.
#pragma once
#include "lib/Transforms/Plan/ArenaPlanner.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>
#include <vector>

namespace mlir::qtensor {

/// Every static tensor that an op of a function's body computes is a buffer; views and results that are written into
/// what another op made are that op's. An input lives from step 0 to its last use, op i computes in step i + 1, and what is
/// returned lives to the end. Constants, states and what only exists inside of a loop are no buffers.
class TensorBuffers {
public:
  /// Without `interface` inputs and results have places elsewhere.
  TensorBuffers(func::FuncOp function, bool interface);

  llvm::ArrayRef<ArenaBuffer> getBuffers() const { return buffers; }
  /// The buffer of a tensor, if it has one.
  std::optional<unsigned> find(Value tensor) const;
  static unsigned stepOf(unsigned position) { return position + 1; }

private:
  void addOp(Operation &op, unsigned step);
  void removeInterface(func::FuncOp function);

  std::vector<ArenaBuffer> buffers;
  llvm::DenseMap<Value, unsigned> indices;
};

} // namespace mlir::qtensor
