// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a scalar program over the iteration space of a structured op. Internal to the reference.
#pragma once
#include "lib/Reference/Program.h"
#include "mlir/IR/AffineMap.h"

namespace mlir::qtensor::reference {

/// How one operand is addressed by the loops: a constant stride per loop when its map is linear, else the map itself.
class Access {
public:
  /// The access of `tensor` through `map` from loops of `extents`. Fails, with the reason in `reason`, when some point
  /// would fall outside the tensor. Maps that are not linear are checked point by point instead.
  static FailureOr<Access> get(const Tensor &tensor, AffineMap map, ArrayRef<int64_t> extents, std::string &reason);

  bool isLinear() const { return linear; }
  int64_t getOffset() const { return offset; }
  int64_t getStride(size_t loop) const { return strides[loop]; }
  /// The element at a point of the loops, or nothing when it is outside the tensor.
  std::optional<int64_t> getPosition(ArrayRef<int64_t> point) const;

private:
  bool linear = true;
  int64_t offset = 0;
  SmallVector<int64_t> strides; // per loop, in elements
  AffineMap map;
  SmallVector<int64_t> shape;
};

/// Loops of `extents` around a program with one access per argument. The last `outputs.size()` operands are the
/// outputs; each is read as an argument and written with the program's result. Every output element sees its reduction
/// in ascending lexicographic order of the loops, whatever the lanes.
struct LoopNest {
  SmallVector<int64_t> extents;
  SmallVector<Tensor> inputs;
  SmallVector<Tensor *> outputs;
  SmallVector<Access> accesses; // inputs, then outputs

  /// Runs the program. On failure `reason` says why.
  LogicalResult run(const Program &program, std::string &reason);
};

} // namespace mlir::qtensor::reference
