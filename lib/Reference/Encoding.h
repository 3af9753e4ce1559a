// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Block encodings on reference tensors: value = scale * (code - zero) + offset, every step rounded to f32. Written from
// that sentence, independently of lib/Formats. Internal to the reference.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Reference/Tensor.h"

namespace mlir::qtensor::reference {

using EmitError = function_ref<InFlightDiagnostic()>;

/// A parameter of an encoding over the grid of blocks: one f32 value per block, or one constant for all.
struct Parameter {
  bool present = false;
  std::optional<double> constant;
  Tensor values; // f32, of the grid's shape

  double get(int64_t block) const { return constant ? *constant : values.getReal(block); }
};

/// The decoded parameters of a tensor of some shape, and which block each of its elements is in.
class Parameters {
public:
  Parameter scale, zero, offset;

  /// Decodes the parameter components (all but the codes) for a tensor of `shape`.
  static FailureOr<Parameters> decode(BlockAttr encoding, ArrayRef<int64_t> shape, ArrayRef<Tensor> components,
                                      EmitError emitError);
  /// The row-major position in the grid of the block that holds the element at a row-major position.
  int64_t getBlock(int64_t position) const;
  int64_t getNumBlocks() const { return *countElements(grid); }

private:
  SmallVector<int64_t> shape, grid, block;
};

/// The plain component types of an encoded tensor of `shape`.
SmallVector<Component> getComponentTypes(BlockAttr encoding, ArrayRef<int64_t> shape);

/// How many elements of the whole tensor one element of each component spans, per dimension: 1 for the codes, the block
/// for a parameter, the product of both blocks for a parameter of a parameter.
SmallVector<SmallVector<int64_t>> getComponentSteps(BlockAttr encoding, ArrayRef<int64_t> shape);

/// The values of an encoded tensor, rounded to `elementType`.
FailureOr<Tensor> decodeTensor(BlockAttr encoding, ArrayRef<int64_t> shape, Type elementType,
                               ArrayRef<Tensor> components, EmitError emitError);

/// The components of `values` under the encoding: codes under the parameters `given`, or, when that is empty, under
/// parameters computed by the absmax rule. There the largest finite magnitude of a block becomes the codec's amax; with
/// a zero point or an offset per block the smallest and largest finite value become the ends of the codec's range, and
/// with a zero point that range includes 0. A parameter that several blocks share must be given.
FailureOr<SmallVector<Tensor>> encodeTensor(BlockAttr encoding, const Tensor &values, ArrayRef<Tensor> given,
                                            EmitError emitError);

} // namespace mlir::qtensor::reference
