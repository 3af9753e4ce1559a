// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_INTEGER_PASSES
#define QTENSOR_INTEGER_PASSES

include "mlir/Pass/PassBase.td"

def IntegerOnly : Pass<"qtensor-integer-only", "::mlir::func::FuncOp"> {
  let summary = "real arithmetic between encoded inputs and a quantized result => integers and one final map, or a rule";
  let description = [{
    A contraction of statically encoded tensors (the weight's scales may be constant data), plus a bias, clamped and
    quantized, is computed on codes: sums in i32 (i64 where an input has more than 8 bits), the bias in units of the
    product of scales, and one `qtensor.requantize` that multiplies, rounds, adds the zero point and clamps. The same for
    a product of two encoded tensors and for one alone (a change of scale).

        %y = linalg.matmul ins(%x, %w : tensor<1x8xf32, #x>, tensor<8x4xf32, #w>) ...     // #x: zero = -128
        %z = linalg.generic ... { max(%y + %bias, 0.0) }
        %q = qtensor.quantize %z : tensor<1x4xf32> -> tensor<1x4xf32, #q>
    =>
        %s = linalg.generic ins(%x codes, %w codes) ... { %acc + (%xc + 128) * %wc }      // i32
        %t = linalg.generic ins(%s, %bias codes) ... { %s + %b }
        %q = qtensor.requantize %t multiplier(...) shift(...) axis 1 <fixed<double>> clamp [-128, 127]

    A convolution in groups of channels has a scale for each filter of each group, dimensions of their own of the sums; the map is of
    the channels that these are collapsed to.

    The multiplier is scale(x) * scale(w) / scale(q) in f64; where both scales are numbers of the types, their product is
    one f32 number, as the canonical accumulation has it. Weights in blocks along the reduction have scales that are, as
    every f32, integers times a power of two: those of a channel are whole multiples of one unit. Products are multiplied
    by these factors, sums are i64 and exact, and the final map is `fixed<x16>`, TFLite's for wide accumulators, whatever
    `rounding` says (`real`: sums of i32). Where a factor needs more than 31 bits, sums could leave 48 (`real`: 32), or
    the unit would leave a multiplier no bits, the layer stays real and a warning says which. A clamp to c becomes the integer bound zero + round(c / scale).
    `rounding` is double, single or real; when it is empty the module's attribute `qtensor.rounding` says it, and
    without one the pass leaves the module as it is. A bias whose scale is not that of the products within 2 % of an
    output step is an error, as in TFLite.

    The sum or difference of two encoded tensors, clamped as TFLite's activations are, becomes `qtensor.as` with the
    published rule, `tflite.add` or `tflite.sub` (of two roundings where `rounding` is real, as in a .tflite model). A sum over
    axes or windows, divided by a number, is a sum of codes and a final map; where windows have different numbers of
    elements, sums are brought to the smallest common multiple of these numbers, which is exact. Numbers that are added or
    multiplied are part of the bias and of the multiplier.

        %a = linalg.generic ... { %x + %y }              // encoded tensors
        %q = qtensor.quantize %a : tensor<1x8xf32> -> tensor<1x8xf32, #q>
    =>
        %q = qtensor.as "tflite.add"(%x, %y) {activation = 0, rounding = "double"} : ... -> tensor<1x8xf32, #q> { ... }

    A softmax of codes of at most 8 bits becomes `qtensor.as` with `tflite.softmax`: of the result's encoding where that is the
    rule's (steps of 2^-8 from 0 on), else of 16 bits, from which a final map makes the result's codes.

    What else elementwise ops compute of one encoded tensor of at most 8 bits, also of several reads of it (x * sigmoid(x)),
    becomes a table of the codes that the reference computes for every code.

    What has codes in front of it and still is none of these stays real arithmetic, with a warning. A layer that something
    else reads unrounded is computed twice, since its codes are not what that reader is meant to see, with a warning too.
  }];
  let options = [Option<"rounding", "rounding", "std::string", "\"\"", "double, single or real; empty: the module's own">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::qtensor::QTensorDialect"];
}

def HoistQuantize : Pass<"qtensor-hoist-quantize", "::mlir::func::FuncOp"> {
  let summary = "rounding moves in front of what moves values, and of maxima";
  let description = [{
    Static integer codes keep the order of values, 0.0 is a code, and -inf rounds to the lowest one: rounding behind an op
    that only moves values (padding, reshapes, transpositions, slices, concatenations, elements that are repeated or picked by
    their places) or picks the largest gives the same codes in front of it, where it can end integer arithmetic. What is
    rounded alike there already is not rounded twice. A part of a concatenation that has codes of another scale for other
    readers is not computed twice: these codes are rounded again.

        %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] { yield 0.0 }
        %q = qtensor.quantize %p : tensor<1x10x10x8xf32> -> tensor<1x10x10x8xf32, #q>
    =>
        %r = qtensor.quantize %x : tensor<1x8x8x8xf32> -> tensor<1x8x8x8xf32, #q>
        %c = qtensor.component %r "codes"
        %p = tensor.pad %c low[0, 1, 1, 0] high[0, 1, 1, 0] { yield zero }
        %q = qtensor.assemble %p

    Where `rounding` is empty (no integer-only arithmetic is asked for) the module stays as it is.
  }];
  let options = [Option<"rounding", "rounding", "std::string", "\"\"", "double, single or real; empty: nothing to do">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::qtensor::QTensorDialect"];
}

def LowerRules : Pass<"qtensor-lower-rules", "::mlir::func::FuncOp"> {
  let summary = "qtensor.as with a registered rule => the rule's integer arithmetic on codes";
  let description = [{
    A published integer algorithm becomes linalg on codes with the same bits as its reference (lib/Reference/IntegerRules).
    Functions of one code of at most 8 bits become a table that the reference fills.

        %y = qtensor.as "tflite.tanh" (%x) {rounding = "double"} : (tensor<1x4xf32, #x>) -> tensor<1x4xf32, #y> { ... }
    =>
        %t = arith.constant dense<...> : tensor<256xi8>
        %c = linalg.generic ins(%x codes) ... { tensor.extract %t[%code + 128] }
        %y = qtensor.assemble %c : tensor<1x4xi8> -> tensor<1x4xf32, #y>

    Rules that the registry lacks are left to `qtensor-decompose`, where the body is the meaning. Operands that a rule is
    not defined for are errors.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::qtensor::QTensorDialect"];
}

def LowerRequantize : Pass<"qtensor-lower-requantize"> {
  let summary = "qtensor.requantize => integer arithmetic on elements";
  let description = [{
    The final map of integer-only arithmetic, `real<...>` or `fixed<...>`, becomes integer operations on elements that have
    the bits of the reference on every machine; a float multiplier is taken apart into its significand and exponent.

        %q = qtensor.requantize %acc multiplier(%m : tensor<1xf32>) <real<half_even>> clamp [-128, 127]
               : tensor<?x16xi32> -> tensor<?x16xf32, #enc>
    =>
        %codes = linalg.generic ... ins(%acc : tensor<?x16xi32>) outs(%0 : tensor<?x16xi8>) { arith.muli ... : i64 ... }
        %q = qtensor.assemble %codes : tensor<?x16xi8> -> tensor<?x16xf32, #enc>

    Errors: i64 accumulators of other maps than `fixed<x16>`, whose products need more than 64 bits; codes of more than 16 bits; parameters that are data.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
    "::mlir::qtensor::QTensorDialect"];
}

#endif // QTENSOR_INTEGER_PASSES
