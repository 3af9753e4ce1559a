// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers of integer-only networks on codes. No instruction set is named here.
#ifndef QNN_TD
#define QNN_TD

include "dialects/QTensor/IR/QTensorAttrs.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def QNN_Dialect : Dialect {
  let name = "qnn";
  let cppNamespace = "::mlir::qnn";
  let summary = "layers of integer-only networks: everything is a code, every parameter a constant";
  let description = [{
    One operation is what a processor without much memory runs as one loop nest: sums of products of codes, the final map
    to codes, and its clamps. Shapes are static, activations lie channels-last, all arithmetic is exact and named. The
    rationale is in this folder's README.md.
  }];
  let dependentDialects = ["::mlir::qtensor::QTensorDialect"];
  let useDefaultAttributePrinterParser = 1;
}

def QNN_SumAttr : AttrDef<QNN_Dialect, "Sum"> {
  let mnemonic = "sum";
  let summary = "a sum with another tensor behind a layer";
  let description = [{
    What `qnn.add` does with a layer's codes, its first operand, and those of a tensor of the same shape: parameters as there.
  }];
  let parameters = (ins "::mlir::DenseI64ArrayAttr":$zeros, "int64_t":$left_shift, "::mlir::DenseI64ArrayAttr":$multipliers,
                        "::mlir::DenseI64ArrayAttr":$shifts, "bool":$subtract, "int64_t":$output_zero, "int64_t":$low,
                        "int64_t":$high, "::mlir::qtensor::FinalMapAttr":$map);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def QNN_MeanAttr : AttrDef<QNN_Dialect, "Mean"> {
  let mnemonic = "mean";
  let summary = "the final map of sums of windows";
  let description = [{
    What `qnn.pool2d` makes of the sum of a window's codes: `map(sum of (code - input_zero); multiplier, shift) + output_zero`.
    With `multiple` other than 0 the sum is multiplied before by `multiple / n`, a whole number for each number n of codes that
    some window has inside of the input.
  }];
  let parameters = (ins "int64_t":$input_zero, "int64_t":$multiple, "int64_t":$multiplier, "int64_t":$shift,
                        "int64_t":$output_zero, "::mlir::qtensor::FinalMapAttr":$map);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def QNN_LayerInterface : OpInterface<"LayerOpInterface"> {
  let cppNamespace = "::mlir::qnn";
  let description = [{
    What passes know of every layer. Before packing its constants are operands or attributes; `qtensor-pack-layers` gives
    it a `kernel` and moves what that reads to the operand `constants`, bytes in the kernel's own order.
  }];
  let methods = [
    InterfaceMethod<"The kernel that computes the layer; empty before packing.", "::llvm::StringRef", "getKernelName", (ins), [{
      return $_op.getKernel().value_or("");
    }]>,
    InterfaceMethod<"", "void", "setKernelName", (ins "::llvm::StringRef":$name), [{ $_op.setKernel(name); }]>,
    InterfaceMethod<"What the kernel reads; null where there is nothing.", "::mlir::Value", "getPackedConstants", (ins), [{
      return $_op.getConstants();
    }]>,
    InterfaceMethod<"", "::mlir::MutableOperandRange", "getPackedConstantsMutable", (ins), [{
      return $_op.getConstantsMutable();
    }]>,
    InterfaceMethod<"The constants before packing.", "::mlir::OperandRange", "getWeightOperands", (ins), [{
      return $_op.getWeights();
    }]>,
    InterfaceMethod<"", "::mlir::MutableOperandRange", "getWeightOperandsMutable", (ins), [{
      return $_op.getWeightsMutable();
    }]>,
    InterfaceMethod<"What the layer reads, constants aside.", "::mlir::OperandRange", "getLayerInputs", (ins), [{
      return $_op.getInputs();
    }]>,
    InterfaceMethod<"What it writes.", "::mlir::OpOperand &", "getDestination", (ins), [{
      return $_op.getInitMutable();
    }]>,
    InterfaceMethod<"Room of the kernel's own; null where it needs none.", "::mlir::Value", "getScratchBuffer", (ins), [{
      return $_op.getScratch();
    }]>,
    InterfaceMethod<"", "::mlir::MutableOperandRange", "getScratchBufferMutable", (ins), [{
      return $_op.getScratchMutable();
    }]>,
    InterfaceMethod<"Multiplications and additions of codes, padding included; elements where there are none.",
                    "int64_t", "countMultiplications">,
    InterfaceMethod<[{Whether an element of the output depends on the same elements of the inputs alone, so that it may lie
                      in their place. Kernels of such layers read an element before they write it.}],
                    "bool", "mayOverwriteInputs", (ins), "", [{ return false; }]>];
}

class QNN_LayerOp<string mnemonic> : Op<QNN_Dialect, mnemonic, [
    AttrSizedOperandSegments, DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<QNN_LayerInterface, ["countMultiplications"]>]> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasVerifier = 1;
  let assemblyFormat = [{
    `ins` `(` $inputs `:` type($inputs) `)` (`weights` `(` $weights^ `:` type($weights) `)`)?
    (`constants` `(` $constants^ `:` type($constants) `)`)? (`scratch` `(` $scratch^ `:` type($scratch) `)`)?
    `outs` `(` $init `:` type($init) `)` prop-dict attr-dict (`->` type($results)^)?
  }];
  code common = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// Types of what the layer reads and makes, whether tensors or buffers.
    ::mlir::ShapedType getInputType(unsigned i = 0) { return ::llvm::cast<::mlir::ShapedType>(getInputs()[i].getType()); }
    ::mlir::ShapedType getOutputType() { return ::llvm::cast<::mlir::ShapedType>(getInit().getType()); }
  }];
  let extraClassDeclaration = common;
}

def QNN_Shaped : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef]>;
defvar QNN_Operands = (ins Variadic<QNN_Shaped>:$inputs, Variadic<QNN_Shaped>:$weights, Optional<QNN_Shaped>:$constants,
                           Optional<QNN_Shaped>:$scratch, QNN_Shaped:$init, OptionalAttr<StrAttr>:$kernel);
/// code = clamp(map(sum) + output_zero, low, high)
defvar QNN_FinalMap = (ins I64Attr:$output_zero, I64Attr:$low, I64Attr:$high, QTensor_FinalMapAttr:$map);
/// [height, width]; pads: [top, left, bottom, right], of zero points.
defvar QNN_Window = (ins DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads);

def QNN_Conv2DOp : QNN_LayerOp<"conv2d"> {
  let summary = "convolution, bias, final map";
  let description = [{
    `sum[n, y, x, o] = bias[o] + sum over (ky, kx, c) of (input[n, y*s+ky*d-top, x*s+kx*d-left, c] - input_zero) * w[o, ky, kx, c]`;
    outside of the input the difference is 0. Weights are [O, KH, KW, C]; bias, multiplier and shift have one element or
    one per channel. Sums are i32 for codes of 8 bits, i64 (and the map `fixed<x16>`) for inputs of 16 and for weights in groups.

    `groups` = [height, width, channels] says which weights of an output share a factor: a fifth operand, i32
    [O, ceil(KH / height), ceil(KW / width), ceil(C / channels)], takes the place of `w` by `w * factor[o, ky / height,
    kx / width, c / channels]`. That is how scales of groups stay integers.
    ```
    %y = qnn.conv2d ins(%x : tensor<1x49x10x1xi8>) weights(%w, %b, %m, %s : tensor<64x10x4x1xi8>, tensor<64xi32>, tensor<64xi32>, tensor<64xi32>)
           outs(%0 : tensor<1x25x5x64xi8>) <{window = array<i64: 10, 4>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
           pads = array<i64: 4, 1, 5, 1>, input_zero = 83, output_zero = -128, low = -128, high = 127, map = #qtensor.final<fixed<double>>}>
           -> tensor<1x25x5x64xi8>
    ```
    With `channel_groups` = G inputs and outputs are G groups of neighbouring channels, and an output reads the inputs of its own
    group: `c` counts these, and weights are [O, KH, KW, C / G]. Such a layer has no `groups` and no `sum`.

    With `sum` there is a second input of the output's shape: the codes above are its first operand, and their sum with that
    input is the result.
  }];
  let arguments = !con(QNN_Operands, QNN_Window, (ins I64Attr:$input_zero, DefaultValuedAttr<I64Attr, "8">:$weight_bits,
                       DefaultValuedAttr<I64Attr, "1">:$channel_groups, OptionalAttr<DenseI64ArrayAttr>:$groups), QNN_FinalMap,
                       (ins OptionalAttr<QNN_SumAttr>:$sum));
}

def QNN_DepthwiseConv2DOp : QNN_LayerOp<"depthwise_conv2d"> {
  let summary = "convolution of each channel alone, bias, final map";
  let description = [{
    As `qnn.conv2d`, with weights [KH, KW, O]: output channel o reads input channel o / (O / C), C of the input.
  }];
  let arguments = !con(QNN_Operands, QNN_Window, (ins I64Attr:$input_zero, DefaultValuedAttr<I64Attr, "8">:$weight_bits), QNN_FinalMap);
}

def QNN_FullyConnectedOp : QNN_LayerOp<"fully_connected"> {
  let summary = "matrix product, bias, final map";
  let description = [{
    `sum[m, n] = bias[n] + sum over k of (input[m, k] - input_zero) * w[n, k]`, then as `qnn.conv2d`. `groups` = [channels],
    with factors of [N, ceil(K / channels)].
  }];
  let arguments = !con(QNN_Operands, (ins I64Attr:$input_zero, DefaultValuedAttr<I64Attr, "8">:$weight_bits,
                       OptionalAttr<DenseI64ArrayAttr>:$groups), QNN_FinalMap);
}

def QNN_Pool2DOp : QNN_LayerOp<"pool2d"> {
  let summary = "average, or with `max` the largest code, of each window";
  let description = [{
    Average: the sum of the codes inside of the input, plus or minus half their number, divided by it towards zero; with `mean`
    that sum through a final map, to codes of another scale. Clamped to [low, high].
  }];
  let arguments = !con(QNN_Operands, QNN_Window, (ins UnitAttr:$max, OptionalAttr<QNN_MeanAttr>:$mean, I64Attr:$low, I64Attr:$high));
}

def QNN_AddOp : QNN_LayerOp<"add"> {
  let summary = "sum of two tensors with scales of their own";
  let description = [{
    `map(map((a - zeros[0]) << left_shift; multipliers[0], shifts[0]) + map((b - zeros[1]) << left_shift; multipliers[1],
    shifts[1]); multipliers[2], shifts[2]) + output_zero`, clamped. `subtract`: the second term is taken away. Shapes are equal.
  }];
  let extraClassDeclaration = common # "bool mayOverwriteInputs() { return true; }";
  let arguments = !con(QNN_Operands, (ins DenseI64ArrayAttr:$zeros, I64Attr:$left_shift, DenseI64ArrayAttr:$multipliers,
                       DenseI64ArrayAttr:$shifts, UnitAttr:$subtract), QNN_FinalMap);
}

def QNN_MulOp : QNN_LayerOp<"mul"> {
  let summary = "product of two tensors with scales of their own";
  let description = [{
    `map((a - zeros[0]) * (b - zeros[1]); multiplier, shift) + output_zero`, clamped. The first input has the shape of the output. The
    second one has it too, or is the same along neighbouring dimensions, where it has the extent 1 or, in front, no dimension:
    factors of channels, [N, 1, 1, C] or [C].
    ```
    %y = qnn.mul ins(%x, %f : tensor<1x4x4x8xi8>, tensor<1x1x1x8xi8>) outs(%0 : tensor<1x4x4x8xi8>) <{zeros = array<i64: 3, -128>,
           multiplier = 1073741824, shift = -7, output_zero = 0, low = -128, high = 127, map = #qtensor.final<fixed<double>>}>
           -> tensor<1x4x4x8xi8>
    ```
  }];
  let extraClassDeclaration = common # [{
    bool mayOverwriteInputs() { return true; }
    /// How the second input repeats: `batch` times `rows` times `length` elements, of which it has batch times length.
    struct Repeats {
      int64_t batch = 1, rows = 1, length = 1;
    };
    /// Nothing where a second input of that shape is not one.
    static std::optional<Repeats> findRepeats(::llvm::ArrayRef<int64_t> second, ::llvm::ArrayRef<int64_t> shape);
  }];
  let arguments = !con(QNN_Operands, (ins DenseI64ArrayAttr:$zeros, I64Attr:$multiplier, I64Attr:$shift), QNN_FinalMap);
}

def QNN_SoftmaxOp : QNN_LayerOp<"softmax"> {
  let summary = "softmax of rows, by a table of exponentials";
  let description = [{
    `terms[d]` is the exponential, in Q0.31, of a code that is d below the largest of its row. The sum of the terms, each
    rounded to 2^-12, has a reciprocal by three steps of Newton; out = term * reciprocal, rounded, plus `low`
    (lib/Reference/IntegerRules). The last dimension is the row; `terms` is an operand of `weights`.
  }];
  let arguments = !con(QNN_Operands, (ins I64Attr:$low, I64Attr:$high));
}

#endif // QNN_TD
