// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the import function of an operator sees: one node with its inputs, attributes and outputs.
#pragma once
#include "lib/Import/Graph/Emit.h"
#include "lib/Import/ONNX/Model.h"

namespace mlir::qtensor::onnx {

class NodeContext {
public:
  NodeContext(Emit &emit, const Node &node, int64_t opset, SmallVector<Val *> inputs,
              llvm::function_ref<void(const Twine &)> report)
      : e(emit), node(node), opset(opset), inputs(std::move(inputs)), outputs(node.outputs.size()), report(report) {}

  Emit &e;
  const Node &node;
  /// Version of the node's domain.
  const int64_t opset;

  unsigned numInputs() const { return inputs.size(); }
  bool has(unsigned i) const { return i < inputs.size() && inputs[i]; }
  /// Input `i`, which must be present (the registry checks required ones).
  const Val &in(unsigned i) const { return *inputs[i]; }
  SmallVector<Val> allInputs() const;
  unsigned numOutputs() const { return outputs.size(); }
  bool wants(unsigned i) const { return i < outputs.size() && !node.outputs[i].empty(); }

  /// Makes the name of output `i` the location of the ops that follow.
  void locateOutput(unsigned i) const;
  /// Sets an output and returns success.
  LogicalResult set(unsigned i, Val value);
  const std::optional<Val> &output(unsigned i) const { return outputs[i]; }
  /// Reports "node 'x' (Op): what" and returns failure.
  LogicalResult fail(const Twine &what) const;

  bool hasAttr(StringRef name) const { return node.attributes.count(name.str()); }
  int64_t attrInt(StringRef name, int64_t otherwise) const;
  double attrFloat(StringRef name, double otherwise) const;
  StringRef attrString(StringRef name, StringRef otherwise) const;
  SmallVector<int64_t> attrInts(StringRef name) const;
  SmallVector<double> attrFloats(StringRef name) const;

  /// The elements of an integer input as extents; a failure if they are only known when the model runs.
  FailureOr<Dims> extents(unsigned i, StringRef what) const;
  /// As above, for numbers only.
  FailureOr<SmallVector<int64_t>> numbers(unsigned i, StringRef what) const;
  /// The elements of a constant input as doubles.
  FailureOr<SmallVector<double>> reals(unsigned i, StringRef what) const;
  /// From attribute `name` (older versions) or else from input `i` (newer ones); nothing if neither is present.
  FailureOr<std::optional<SmallVector<int64_t>>> numbersFrom(StringRef name, unsigned i) const;

  /// An axis in [0, rank), from one that may count from the end.
  FailureOr<int64_t> axis(int64_t axis, int64_t rank) const;
  /// Sorted distinct axes in [0, rank).
  FailureOr<SmallVector<int64_t>> axes(ArrayRef<int64_t> axes, int64_t rank) const;
  LogicalResult requireRank(unsigned i, int64_t min, int64_t max) const;
  LogicalResult requireFloat(unsigned i) const;
  LogicalResult requireSame(unsigned i, unsigned j) const;
  /// Fails where the values' shapes don't broadcast.
  LogicalResult requireBroadcast(ArrayRef<Val> values) const;

  /// The attribute that was found with another kind of value than the operator asked for; null if none was.
  const std::string *mistyped() const { return mistypedName; }

private:
  const NodeAttribute *attr(StringRef name, NodeAttribute::Kind kind) const;

  SmallVector<Val *> inputs;
  SmallVector<std::optional<Val>> outputs;
  llvm::function_ref<void(const Twine &)> report;
  mutable const std::string *mistypedName = nullptr;
};

} // namespace mlir::qtensor::onnx
