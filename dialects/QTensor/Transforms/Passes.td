// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_TRANSFORMS_PASSES
#define QTENSOR_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def FromQuant : Pass<"qtensor-from-quant", "ModuleOp"> {
  let summary = "Upstream's quantized types become encodings";
  let description = [{
    Tensors of `!quant.uniform` (per tensor, per axis, sub-channel) become tensors of the expressed type with a block
    encoding. A scale of the whole tensor stays in the type; scales of an axis or of blocks move out to constants,
    rounded to f32. Storage ranges are those of a codec, full or narrow. Clause U1.

    ```mlir
    %q = quant.qcast %x : tensor<4x2xf32> to tensor<4x2x!quant.uniform<i8:f32:1, {0.5, 0.25:3}>>
    %y = quant.dcast %q : tensor<4x2x!quant.uniform<i8:f32:1, {0.5, 0.25:3}>> to tensor<4x2xf32>
    // =>
    %s = arith.constant dense<[[0.5, 0.25]]> : tensor<1x2xf32>
    %z = arith.constant dense<[[0, 3]]> : tensor<1x2xi8>
    %q = qtensor.quantize %x params(%s, %z : tensor<1x2xf32>, tensor<1x2xi8>) : tensor<4x2xf32>
           -> tensor<4x2xf32, #qtensor.block<int8, [?, 1], scale = f32, zero = int8>>
    %y = qtensor.dequantize %q : ... -> tensor<4x2xf32>
    ```
    `quant.scast` becomes qtensor.assemble or qtensor.component, with a sign or zero extension of codes that are
    narrower than their component.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::qtensor::QTensorDialect"];
}

def ToQuant : Pass<"qtensor-to-quant", "ModuleOp"> {
  let summary = "Encodings become upstream's quantized types";
  let description = [{
    The inverse, where upstream can say it: integer codecs without an offset, scales and zero points that are scalars of
    the type or constants of the op that makes the tensor. Anything else is an error that says what stands in the way.
    Clause U2.

    ```mlir
    %q = qtensor.quantize %x : tensor<4xf32> -> tensor<4xf32, #qtensor.block<int8, [?], scale = 0.5, zero = 3.0>>
    // =>
    %q = quant.qcast %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 0.5:3>>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::quant::QuantDialect"];
}

#endif // QTENSOR_TRANSFORMS_PASSES
