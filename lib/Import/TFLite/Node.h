// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the import function of an operator sees: one operator with its tensors and options.
#pragma once
#include "lib/Import/Graph/Contract.h"
#include "lib/Import/Graph/Encodings.h"
#include "lib/Import/TFLite/Model.h"
#include "qtensor/Import.h"

namespace mlir::qtensor::tflite {

using namespace graph;

/// The element type of a value; Undefined for strings and resources.
Elem elemOf(ElemType type);
/// True for integer codes with a scale.
bool isQuantized(const Tensor &tensor);

/// Output channels [first, first + count) of all.
struct Channels {
  int64_t first, count, all;
};

class Node {
public:
  Node(Emit &emit, const Model &model, const Graph &graph, const Operator &op, unsigned number, MutableArrayRef<Val> values,
       const ImportOptions &options, ReportFn report)
      : e(emit), op(op), model(model), graph(graph), number(number), values(values), options(options), report(report) {}

  Emit &e;
  const Operator &op;

  unsigned numInputs() const { return op.inputs.size(); }
  bool has(unsigned i) const { return i < op.inputs.size() && op.inputs[i] >= 0; }
  /// Input `i` as it is stored: codes where it is quantized. It must be present.
  const Val &in(unsigned i) const { return values[op.inputs[i]]; }
  const Tensor &inTensor(unsigned i) const { return graph.tensors[op.inputs[i]]; }
  const Tensor &outTensor(unsigned i = 0) const { return graph.tensors[op.outputs[i]]; }
  const Tensor *intermediate(unsigned i) const;
  Val &value(int32_t tensor) const { return values[tensor]; }
  /// The extents of all inputs broadcast; a failure where they do not.
  FailureOr<Dims> broadcast() const;
  /// The real value of input `i` in f32: decoded where it is quantized, read from its encoded tensor.
  FailureOr<Val> real(unsigned i) const;
  /// As above, with its elements in other extents.
  FailureOr<Val> realAs(unsigned i, ArrayRef<OpFoldResult> dims) const;
  /// Reals of which `codes` are those of input `i` moved to other places.
  FailureOr<Val> realFrom(unsigned i, const Val &codes) const;
  /// The encoded tensor of a quantized input; a bias of 64 bits becomes one of 32.
  FailureOr<Value> encoded(unsigned i) const;
  /// A quantized filter in the given extents, its output channels along `axis`. Signed ones have a scale for each
  /// channel even where the file has one for all: then input and filter scale are multiplied in f64, as TFLite does.
  FailureOr<Value> filter(unsigned i, ArrayRef<int64_t> shape, int64_t axis) const;
  /// As above for a filter of which `codes` are rearranged; a plain one is only converted to f32.
  FailureOr<Value> filterFrom(unsigned i, const Val &codes, int64_t axis) const;
  /// The filter of some output channels, which lie along axis 0.
  FailureOr<Value> filterPart(unsigned i, const Channels &of) const;

  /// Fails where input and output are quantized differently: codes then cannot just be moved.
  LogicalResult requireSameScale(unsigned input = 0, unsigned output = 0) const;
  bool singleRounding() const { return options.rounding == "single"; }
  /// Where runtimes differ, as LiteRT's kernels and not as TFLite Micro's.
  bool likeLiteRT() const { return options.runtime == "litert"; }

  int64_t option(StringRef name) const;
  double realOption(StringRef name) const;
  /// Elements of a constant integer input.
  FailureOr<SmallVector<int64_t>> numbers(unsigned i, StringRef what) const;

  /// Input `i` as reals, one for each of these channels; of 64 or 16 bits, as biases beside 16-bit activations have, only
  /// constants whose codes fit 32.
  FailureOr<Val> realBias(unsigned i, const Channels &of) const;
  /// Sets output `i` from codes or from plain values.
  LogicalResult set(Val value, unsigned i = 0) const;
  /// Sets output `i` from reals: rounds them where the output is quantized. `dims` (empty: those of the reals) are the
  /// extents of the output, which has the same elements.
  LogicalResult setReal(const Val &real, unsigned i = 0, ArrayRef<OpFoldResult> dims = {}) const;
  /// Sets the output to the fused activation of sums + bias; input `bias` may be absent. `dims` as above.
  LogicalResult setSum(const Val &sums, unsigned bias, ArrayRef<OpFoldResult> dims = {}) const;
  /// What setSum sets, for some channels of a quantized output.
  FailureOr<Val> roundedSum(const Val &sums, unsigned bias, const Channels &of) const;
  /// Sets the output by a published integer algorithm: `rule` names it, `meaning` emits the real operation on the decoded
  /// inputs. `inputs` are quantized; the output is. The rounding mode joins the parameters.
  LogicalResult setByRule(StringRef rule, ArrayRef<unsigned> inputs, ArrayRef<NamedAttribute> parameters,
                          llvm::function_ref<Val(Emit &, ArrayRef<Val>)> meaning) const;

  /// As above for a layer that keeps state: `meaning` returns the output and then the new values of the inputs `states`, which
  /// are variables of the model and become these.
  LogicalResult setByRule(StringRef rule, ArrayRef<unsigned> inputs, ArrayRef<unsigned> states,
                          ArrayRef<NamedAttribute> parameters,
                          llvm::function_ref<SmallVector<Val>(Emit &, ArrayRef<Val>)> meaning) const;

  /// The fused activation of option "activation", applied to a scalar.
  FailureOr<int64_t> activation() const;
  Value activate(Scalar &s, Value x, int64_t activation) const;

  NamedAttribute param(StringRef name, int64_t value) const { return {e.b.getStringAttr(name), e.b.getI64IntegerAttr(value)}; }
  NamedAttribute param(StringRef name, double value) const { return {e.b.getStringAttr(name), e.b.getF64FloatAttr(value)}; }
  NamedAttribute param(StringRef name, ArrayRef<int64_t> values) const {
    return {e.b.getStringAttr(name), e.b.getDenseI64ArrayAttr(values)};
  }

  /// "operator 3 (CONV_2D): ".
  std::string place() const;
  /// Reports the place and what is wrong there, and returns failure.
  LogicalResult fail(const Twine &what) const;

private:
  LogicalResult checkRule(StringRef rule, DictionaryAttr parameters, TypeRange inputs, TypeRange outputs) const;
  FailureOr<BlockAttr> staticEncoding(const Tensor &tensor) const;
  FailureOr<Value> assembleFilter(const Tensor &tensor, const Val &codes, int64_t axis) const;
  FailureOr<Value> narrowBias(unsigned i, const Channels &of) const;
  LogicalResult checkSumType(unsigned bias) const;
  FailureOr<Val> activatedSum(const Val &sums, unsigned bias, const Channels &of) const;
  FailureOr<Val> rounded(const Val &real, const Tensor &tensor) const;
  FailureOr<Value> assemble(const Tensor &tensor, const Val &codes, int64_t axis, bool perChannel = false) const;

  const Model &model;
  const Graph &graph;
  unsigned number;
  MutableArrayRef<Val> values;
  const ImportOptions &options;
  ReportFn report;
};

/// A window along one axis: how it moves, how much lies around the input, and how many results it has.
struct Span {
  int64_t kernel, stride, dilation, low, high, out;
};
/// From the options "padding", "stride_<axis>" and, where it has them, "dilation_<axis>".
FailureOr<Span> readSpan(const Node &n, OpFoldResult extent, int64_t kernel, StringRef axis);

/// Strides, dilations and padding of a window over [N, H, W, C], for both spatial axes.
struct Window {
  int64_t kernel[2], strides[2], dilations[2], low[2], high[2], out[2];
};
/// From the options "padding", "stride_*" and, where it has them, "dilation_*".
FailureOr<Window> readWindow(const Node &n, const Val &x, int64_t height, int64_t width);

} // namespace mlir::qtensor::tflite
