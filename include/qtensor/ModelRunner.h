// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How calibration runs a model. Pipelines passes the runner in: the reference in tests, compiled code for real data.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <vector>

namespace mlir::qtensor {

/// A dense value handed to a model.
struct TensorData {
  RankedTensorType type;   ///< Plain, of static shape.
  std::vector<char> bytes; ///< Row-major, little endian, packed.
};

/// What a model takes in one run: one value for each argument of @main.
using Sample = std::vector<TensorData>;

class ModelRunner {
public:
  virtual ~ModelRunner() = default;

  /// Sees all elements of an observed value, as f32, row-major; called once each time a calib.observe is reached.
  using Observer = llvm::function_ref<void(llvm::StringRef key, llvm::ArrayRef<float> values)>;

  /// Runs @main of `module` on each of `samples`, which have one tensor for each argument. The runner may change the
  /// module: it is a copy. A failure has been reported as a diagnostic.
  virtual LogicalResult run(ModuleOp module, llvm::ArrayRef<Sample> samples, Observer observe) = 0;
};

} // namespace mlir::qtensor
