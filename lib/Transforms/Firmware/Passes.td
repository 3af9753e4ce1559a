// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_FIRMWARE_PASSES
#define QTENSOR_FIRMWARE_PASSES

include "mlir/Pass/PassBase.td"

def FormLayers : Pass<"qtensor-form-layers", "::mlir::func::FuncOp"> {
  let summary = "integer sums with their final map, and rules that are layers => qnn";
  let description = [{
    What `qtensor-integer-only` left as a linalg op on codes, a bias and a `qtensor.requantize` becomes one layer; padding
    with the zero point becomes the layer's. Sums of codes over windows or neighbouring axes with their final map are means, and
    rules of `qtensor.as` that are layers (add, sub, mul, softmax, average pooling, mean) become those. Products of two tensors, of
    which one may have factors for channels, are layers too:

        %s = linalg.generic ins(%f, %x : tensor<1x1x1x16xi8>, tensor<1x8x8x16xi8>) ... { (%in + 128) * (%in_0 - 3) }
        %q = qtensor.requantize %s multiplier(%m : tensor<1xi32>) shift(%r : tensor<1xi32>) <fixed<double>> clamp [-128, 127]
    =>
        %c = qnn.mul ins(%x, %f) outs(%0) <{zeros = array<i64: 3, -128>, multiplier = ..., shift = ..., ...}>
        %q = qtensor.assemble %c

    A convolution:

        %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] { yield %c-128_i8 }
        %s = linalg.generic ins(%p, %w : tensor<1x10x10x16xi8>, tensor<16x3x3x16xi8>) ... { %acc + (%in + 128) * %weight }
        %t = linalg.generic ins(%s, %bias : tensor<1x8x8x16xi32>, tensor<16xi32>) ... { %sum + %b }
        %q = qtensor.requantize %t multiplier(%m : tensor<16xi32>) shift(%r : tensor<16xi32>) axis 3 <fixed<double>> clamp [-128, 127]
    =>
        %c = qnn.conv2d ins(%x) weights(%w, %bias, %m, %r) outs(%0) <{pads = array<i64: 1, 1, 1, 1>, input_zero = -128, ...}>
        %q = qtensor.assemble %c

    A convolution whose groups of channels have a dimension of their own is one layer with `channel_groups`, on images with all
    channels in one dimension.

    What has another form (unsigned codes, `real` maps, weights with a zero point, sums with tensors that are broadcast) stays.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::qnn::QNNDialect", "::mlir::qtensor::QTensorDialect"];
}

def EliminateChannels : Pass<"qtensor-eliminate-channels", "::mlir::func::FuncOp"> {
  let summary = "channels that are constant or that nobody reads leave the network";
  let description = [{
    A channel has one code for every input if its weights are 0, if all channels that it reads are constant, or if its
    multiplier is 0. Layers that read it take its share into their bias; beside padding only if the code is that of the
    padding, as the share would else differ from window to window. A channel that is read with weights of 0 alone goes too.
    Layers that keep channels apart (depthwise, pooling, addition) lose them with their inputs. Layers with `channel_groups` keep
    all. Results keep their bits.

        %a = qnn.conv2d ins(%x) weights(%w0, ...) outs(%0 : tensor<1x8x8x2xi8>)   // %w0: [[0, 0], [3, 4]], code 5
        %y = qnn.conv2d ins(%a) weights(%w1, %b1, ...) outs(%1)                    // %w1: [[2, 7]], %b1: [1]
    =>
        %a = qnn.conv2d ins(%x) weights(%w0, ...) outs(%0 : tensor<1x8x8x1xi8>)   // %w0: [[3, 4]]
        %y = qnn.conv2d ins(%a) weights(%w1, %b1, ...) outs(%1)                    // %w1: [[7]], %b1: [1 + 2 * (5 - zero)]

    Errors: weights, biases or multipliers that are not constant.
  }];
  let options = [Option<"report", "report", "bool", "false", "Print what is left, on stderr">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::qnn::QNNDialect", "::mlir::tensor::TensorDialect"];
}

def FuseLayers : Pass<"qtensor-fuse-layers", "::mlir::func::FuncOp"> {
  let summary = "sums with a tensor go into the convolution before them";
  let description = [{
    A convolution whose codes are only read by a sum adds the other operand itself: no tensor of codes lies between, and the
    result may be written where that operand is. Only where the kernel that the target has for the convolution does it. The
    codes are rounded as before, so the bits are the same.

        %c = qnn.conv2d ins(%x) weights(%w, %b, %m, %s) outs(%0) <{...}>
        %y = qnn.add ins(%c, %r) outs(%1) <{zeros = array<i64: 4, -3>, ...}>
    =>
        %y = qnn.conv2d ins(%x, %r) weights(%w, %b, %m, %s) outs(%0) <{..., sum = #qnn.sum<zeros = [4, -3], ...>}>

    Errors: an unknown target; weights, biases or multipliers that are not constant.
  }];
  let options = [Option<"target", "target", "std::string", "\"\"", "Name of the target whose kernels are used">];
  let dependentDialects = ["::mlir::qnn::QNNDialect"];
}

def PackLayers : Pass<"qtensor-pack-layers", "::mlir::func::FuncOp"> {
  let summary = "layers get the target's kernels, and constants in their order";
  let description = [{
    The first kernel of the target that accepts a layer computes it. Its constants become one array of bytes. Where that
    kernel has a twin without scratch, `prefer` decides: `speed` never takes the twin, `memory` always, `both` where the layer
    would else need more than `room` bytes, or more than TFLite Micro's planner needs for the whole model
    (`qtensor-plan-greedily`). `speed` also leaves out kernels whose constants are few where others are faster.

        %y = qnn.conv2d ins(%x) weights(%w, %b, %m, %s) outs(%0) <{...}>
    =>
        %c = arith.constant dense_resource<...> : tensor<2816xi8>
        %y = qnn.conv2d ins(%x) constants(%c) outs(%0) <{kernel = "plain.conv", ...}>

    Errors: an unknown target or preference; weights, biases or multipliers that are not constant.
  }];
  let options = [Option<"target", "target", "std::string", "\"\"", "Name of the target whose kernels are used">,
                 Option<"prefer", "prefer", "std::string", "\"both\"", "What matters: speed, memory or both">,
                 Option<"room", "room", "int64_t", "std::numeric_limits<int64_t>::max()", "Bytes that the arena may have">,
                 Option<"placesInterface", "places-interface", "bool", "true", "Inputs and outputs lie in the arena">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::qnn::QNNDialect"];
}

def AttachLayerScratch : Pass<"qtensor-attach-layer-scratch", "::mlir::func::FuncOp"> {
  let summary = "layers on buffers get the room that their kernels ask for";
  let description = [{
        qnn.conv2d ins(%x) constants(%c) outs(%y) <{kernel = "k", ...}>
    =>
        %s = memref.alloc() : memref<640xi8>
        qnn.conv2d ins(%x) constants(%c) scratch(%s) outs(%y) <{kernel = "k", ...}> {qtensor.overlaps = [array<i64: 3, 0, 512, 1>]}

    `qtensor.overlaps` says which operand may be written over which one that is read for the last time: here the output (3)
    over the input (0), at least 512 bytes before it, at any multiple of 1. Operands that do not lie without gaps are copied to buffers that do.
  }];
  let options = [Option<"target", "target", "std::string", "\"\"", "Name of the target whose kernels are used">];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def OutlineSources : Pass<"qtensor-outline-sources", "::mlir::ModuleOp"> {
  let summary = "loops that an operator of the model became, layers aside => a function";
  let description = [{
    What follows one another in the entry and has the same name in the model's file becomes a function: a report knows its code,
    stack and instructions as those of layers. Addresses are made again inside, from the entry's arguments and from constants, so the
    loops stay what they were. What takes values from loops before it, or gives some to later ones, stays.

        func.func @net_run(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr) {
          %a = ... %arena ...
          linalg.fill ins(%c0) outs(%a)
          linalg.matmul ins(...) outs(%a) loc("dense")
    =>
        func.func private @op0_product(%x: !llvm.ptr, %arena: !llvm.ptr) { %a = ... %arena ... linalg.fill ... linalg.matmul ... }
        func.func @net_run(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr) {
          call @op0_product(%x, %arena) loc("dense")
  }];
  let options = [Option<"entry", "entry", "std::string", "\"model_run\"", "The function whose operations become functions">];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def LowerLayers : Pass<"qtensor-lower-layers", "::mlir::ModuleOp"> {
  let summary = "layers => a function each, which its kernel fills";
  let description = [{
    Layers that are the same but for addresses share a function.

        qnn.conv2d ins(%x) constants(%c) outs(%y) <{kernel = "plain.conv", ...}>
    =>
        func.func private @layer0_conv2d(%in: !llvm.ptr, %constants: !llvm.ptr, %out: !llvm.ptr) { scf.for ... }
        call @layer0_conv2d(%0, %1, %2)
  }];
  let options = [Option<"target", "target", "std::string", "\"\"", "Name of the target whose kernels are used">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def EmitFirmwareEntry : Pass<"qtensor-emit-firmware-entry", "::mlir::ModuleOp"> {
  let summary = "@main => a C function of plain pointers; constants => a symbol";
  let description = [{
    The function takes a pointer for each input, state and output, and the arena; the constants are the symbol
    `<prefix>_weights`, or a symbol `<prefix>_weights_<memory>` for each memory of the plan's, which the emitter of the object
    defines.

        func.func @main(%ctx, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<1x4xi8>, %y: memref<1x2xi8>)
    =>
        llvm.func @net_run(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr)

    Where the run checks its inputs (`qtensor-lower-checks{numbers}` before this pass), the function returns an i32: 0, or the
    number of a check that failed.
  }];
  let options = [Option<"prefix", "prefix", "std::string", "\"model\"", "What the names begin with">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::func::FuncDialect"];
}

#endif // QTENSOR_FIRMWARE_PASSES
