// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which channels of the values of a network are constant, and which of them nobody needs.
#pragma once
#include "lib/Transforms/Firmware/LayerConstants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::qtensor::firmware {

/// A convolution or fully connected layer in numbers.
struct ProductLayer {
  ProductLayer() = default;
  ProductLayer(ConvLayer layer, ConvConstants constants);

  ConvLayer layer;
  ConvConstants constants;

  /// What a channel of constant codes adds to the sums of an output channel, in place of its products.
  int64_t contribution(int64_t output, int64_t input, int64_t code) const;
  /// Whether some weight between two channels is not 0.
  bool reads(int64_t output, int64_t input) const { return used.test(unsigned(output * inputs() + input)); }
  /// The input channels of one output.
  int64_t inputs() const { return layer.depthwise ? 1 : layer.in.channels; }

private:
  llvm::BitVector used;
};

/// Channels are the last dimension.
class DeadChannels {
public:
  /// Fails, with an error, where the constants of a layer are not constant.
  static FailureOr<DeadChannels> analyze(func::FuncOp function);

  /// The channels of a value that leave the network; empty or none set: all stay.
  const llvm::BitVector &getRemoved(Value value) const;
  /// The code that a channel has at every position, whatever the input.
  std::optional<int64_t> getConstant(Value value, int64_t channel) const;
  const ProductLayer *getProduct(Operation *op) const;
  /// Removed channels of all values.
  int64_t countRemoved() const;

private:
  using Codes = std::vector<std::optional<int64_t>>;

  LogicalResult readLayers(func::FuncOp function);
  void findConstants(Operation *op);
  void findConstants(qnn::LayerOpInterface op, const ProductLayer &product);
  std::optional<int64_t> constantOutput(const ProductLayer &product, Value input, int64_t channel) const;
  void findRemoved(func::FuncOp function);
  bool canLeave(Value value, int64_t channel) const;
  bool userCopes(OpOperand &use, int64_t channel) const;
  llvm::BitVector findFolding(const ProductLayer &product, Value input) const;
  bool productCopes(const ProductLayer &product, Value result, Value input, int64_t channel) const;
  bool producerCopes(Value value, int64_t channel) const;
  bool isRemoved(Value value, int64_t channel) const;
  void keepOneChannel();

  DenseMap<Operation *, ProductLayer> products;
  DenseMap<Operation *, llvm::BitVector>
      folding; ///< Outputs of a product whose biases have room for constant channels.
  DenseMap<Value, Codes> codes;
  llvm::MapVector<Value, llvm::BitVector> removed, pinned;
};

} // namespace mlir::qtensor::firmware
