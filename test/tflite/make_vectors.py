#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes models of one operator, random inputs, and TFLite Micro's outputs: vectors.tar.xz, which vectors.test runs.

usage: make_vectors.py <archive>     needs the Python packages numpy, flatbuffers, tflite and tflite-micro
"""
import sys

import flatbuffers
import numpy as np
import tflite
from tflite_micro.python.tflite_micro import runtime

from archive import archive

I8, I16, I32 = tflite.TensorType.INT8, tflite.TensorType.INT16, tflite.TensorType.INT32
BOOL, F32 = tflite.TensorType.BOOL, tflite.TensorType.FLOAT32
NUMPY = {I8: np.int8, I16: np.int16, I32: np.int32, BOOL: np.bool_, F32: np.float32}
OP, OPTIONS = tflite.BuiltinOperator, tflite.BuiltinOptions
random = np.random.default_rng(20261122)


def vector(builder, start, values, kind):
    start(builder, len(values))
    for value in reversed(values):
        getattr(builder, "Prepend" + kind)(value)
    return builder.EndVector()


def tensor(name, shape, kind, scale=None, zero=0, data=None, axis=0):
    return {"name": name, "shape": shape, "type": kind, "scale": scale, "zero": zero, "data": data, "axis": axis}


def write_buffer(builder, data):
    if data is None:
        tflite.BufferStart(builder)
        return tflite.BufferEnd(builder)
    raw = data.tobytes()
    tflite.BufferStartDataVector(builder, len(raw))
    builder.head -= len(raw)
    builder.Bytes[builder.head:builder.head + len(raw)] = raw
    stored = builder.EndVector()
    tflite.BufferStart(builder)
    tflite.BufferAddData(builder, stored)
    return tflite.BufferEnd(builder)


def write_tensor(builder, number, entry):
    name = builder.CreateString(entry["name"])
    shape = vector(builder, tflite.TensorStartShapeVector, entry["shape"], "Int32")
    quantization = None
    if entry["scale"] is not None:
        scales = [float(scale) for scale in np.atleast_1d(entry["scale"])]
        zeros = [int(zero) for zero in np.atleast_1d(entry["zero"])]
        scale = vector(builder, tflite.QuantizationParametersStartScaleVector, scales, "Float32")
        zero = vector(builder, tflite.QuantizationParametersStartZeroPointVector, zeros, "Int64")
        tflite.QuantizationParametersStart(builder)
        tflite.QuantizationParametersAddScale(builder, scale)
        tflite.QuantizationParametersAddZeroPoint(builder, zero)
        tflite.QuantizationParametersAddQuantizedDimension(builder, entry["axis"])
        quantization = tflite.QuantizationParametersEnd(builder)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, entry["type"])
    tflite.TensorAddBuffer(builder, number + 1)
    tflite.TensorAddName(builder, name)
    if quantization is not None:
        tflite.TensorAddQuantization(builder, quantization)
    return tflite.TensorEnd(builder)


def write_model(tensors, inputs, output, code, operands, options):
    builder = flatbuffers.Builder(1024)
    buffers = [write_buffer(builder, None)] + [write_buffer(builder, entry["data"]) for entry in tensors]
    entries = [write_tensor(builder, number, entry) for number, entry in enumerate(tensors)]
    table = None
    if options:
        kind, fields = options
        getattr(tflite, kind + "Start")(builder)
        for field, value in fields.items():
            getattr(tflite, kind + "Add" + field)(builder, value)
        table = getattr(tflite, kind + "End")(builder)
    used = vector(builder, tflite.OperatorStartInputsVector, operands, "Int32")
    made = vector(builder, tflite.OperatorStartOutputsVector, [output], "Int32")
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, 0)
    tflite.OperatorAddInputs(builder, used)
    tflite.OperatorAddOutputs(builder, made)
    if table is not None:
        tflite.OperatorAddBuiltinOptionsType(builder, getattr(OPTIONS, options[0]))
        tflite.OperatorAddBuiltinOptions(builder, table)
    operator = tflite.OperatorEnd(builder)
    parts = [vector(builder, tflite.SubGraphStartTensorsVector, entries, "UOffsetTRelative"),
             vector(builder, tflite.SubGraphStartInputsVector, inputs, "Int32"),
             vector(builder, tflite.SubGraphStartOutputsVector, [output], "Int32"),
             vector(builder, tflite.SubGraphStartOperatorsVector, [operator], "UOffsetTRelative")]
    tflite.SubGraphStart(builder)
    for add, part in zip((tflite.SubGraphAddTensors, tflite.SubGraphAddInputs, tflite.SubGraphAddOutputs,
                          tflite.SubGraphAddOperators), parts):
        add(builder, part)
    graphs = vector(builder, tflite.ModelStartSubgraphsVector, [tflite.SubGraphEnd(builder)], "UOffsetTRelative")
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(code, 127))
    tflite.OperatorCodeAddBuiltinCode(builder, code)
    tflite.OperatorCodeAddVersion(builder, 1)
    codes = vector(builder, tflite.ModelStartOperatorCodesVector, [tflite.OperatorCodeEnd(builder)], "UOffsetTRelative")
    stored = vector(builder, tflite.ModelStartBuffersVector, buffers, "UOffsetTRelative")
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, codes)
    tflite.ModelAddSubgraphs(builder, graphs)
    tflite.ModelAddBuffers(builder, stored)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def integers(shape, low, high, kind):
    return random.integers(low, high, shape).astype(NUMPY[kind])


def unary(name, code, x, y, options=None, shape=(1, 256)):
    return name, [tensor("x", shape, *x), tensor("y", shape, *y)], [0], 1, code, [0], options


def binary(name, code, a, b, y, options, second=(1, 16, 16)):
    shape = (1, 16, 16)
    return (name, [tensor("a", shape, *a), tensor("b", second, *b), tensor("y", shape, *y)], [0, 1], 2, code, [0, 1],
            options)


def with_constant(name, code, x, values, y, options):
    return (name, [x, tensor("c", [len(values)], I32, data=np.array(values, np.int32)), y], [0], 2, code, [0, 1], options)


def filters(outputs, kernel, channels, scale):
    weights = integers((outputs, kernel, kernel, channels), -127, 128, I8)
    scales = random.uniform(.002, .01, outputs).astype(np.float32)
    return (tensor("w", weights.shape, I8, scales, [0] * outputs, weights),
            tensor("b", [outputs], I32, scales * np.float32(scale), [0] * outputs, integers(outputs, -5000, 5000, I32)))


def cases():
    fine, coarse, out = (I8, 0.0213, 40), (I8, 0.0471, -13), (I8, 0.0625, 7)
    wide, wider = (I16, 0.00071, 0), (I16, 0.00113, 0)
    probability, unit = (I8, 1 / 256, -128), (I8, 1 / 128, 0)
    yield unary("logistic", OP.LOGISTIC, coarse, probability)
    yield unary("tanh", OP.TANH, coarse, unit)
    yield unary("hard-swish", OP.HARD_SWISH, coarse, out, ("HardSwishOptions", {}))
    yield unary("leaky-relu", OP.LEAKY_RELU, coarse, out, ("LeakyReluOptions", {"Alpha": 0.3}))
    yield unary("leaky-relu-16", OP.LEAKY_RELU, wide, wider, ("LeakyReluOptions", {"Alpha": 0.3}))
    yield unary("relu", OP.RELU, coarse, out)
    yield unary("relu6", OP.RELU6, coarse, coarse)
    yield unary("quantize", OP.QUANTIZE, coarse, (I8, 0.0325, 7))
    yield unary("softmax", OP.SOFTMAX, coarse, probability, ("SoftmaxOptions", {"Beta": 1.0}), (16, 16))
    for activation in (0, 1, 3):
        yield binary(f"add-{activation}", OP.ADD, coarse, fine, out, ("AddOptions", {"FusedActivationFunction": activation}))
    yield binary("add-16", OP.ADD, wide, wider, wider, ("AddOptions", {}))
    yield binary("sub", OP.SUB, coarse, fine, out, ("SubOptions", {}))
    yield binary("sub-16", OP.SUB, wide, wider, wider, ("SubOptions", {}))
    yield binary("mul", OP.MUL, coarse, fine, out, ("MulOptions", {}))
    yield binary("mul-16", OP.MUL, wide, wider, (I16, 0.001, 0), ("MulOptions", {}))
    for keep, shape in ((False, (1, 8)), (True, (1, 1, 1, 8))):
        yield with_constant(f"mean-{int(keep)}", OP.MEAN, tensor("x", (1, 7, 5, 8), *coarse), [1, 2],
                            tensor("y", shape, *out), ("ReducerOptions", {"KeepDims": keep}))
    pool = {"Padding": 0, "StrideW": 2, "StrideH": 2, "FilterWidth": 2, "FilterHeight": 3}
    for name, code, activation in (("average", OP.AVERAGE_POOL_2D, 0), ("max", OP.MAX_POOL_2D, 1)):
        yield (f"{name}-pool", [tensor("x", (1, 7, 5, 3), *coarse), tensor("y", (1, 4, 3, 3), *coarse)], [0], 1, code, [0],
               ("Pool2DOptions", dict(pool, FusedActivationFunction=activation)))
    for half, corners in ((False, False), (True, False), (False, True)):
        fields = {"HalfPixelCenters": half, "AlignCorners": corners}
        for name, code, kind in (("nearest", OP.RESIZE_NEAREST_NEIGHBOR, "ResizeNearestNeighborOptions"),
                                 ("bilinear", OP.RESIZE_BILINEAR, "ResizeBilinearOptions")):
            yield with_constant(f"{name}-{int(half)}{int(corners)}", code, tensor("x", (1, 4, 5, 3), *coarse), [7, 11],
                                tensor("y", (1, 7, 11, 3), *coarse), (kind, fields))
    for padding, stride, kernel, extent in ((0, 2, 3, 8), (1, 2, 3, 9), (0, 1, 3, 4), (1, 3, 2, 11)):
        weights, bias = filters(5, kernel, 3, 0.0471)
        shape = tensor("s", [4], I32, data=np.array([1, extent, extent, 5], np.int32))
        yield (f"transpose-conv-{padding}{stride}{kernel}",
               [shape, weights, tensor("x", (1, 4, 4, 3), *coarse), bias, tensor("y", (1, extent, extent, 5), *out)], [2], 4,
               OP.TRANSPOSE_CONV, [0, 1, 2, 3],
               ("TransposeConvOptions", {"Padding": padding, "StrideW": stride, "StrideH": stride}))
    for padding, stride, kernel, dilation, channels in ((0, 2, 3, 1, 3), (1, 1, 3, 2, 4), (0, 1, 1, 1, 7), (0, 1, 5, 1, 1)):
        weights, bias = filters(5, kernel, channels, 0.0471)
        extent = -(-9 // stride) if padding == 0 else (9 - (kernel - 1) * dilation - 1) // stride + 1
        yield (f"conv-{padding}{stride}{kernel}{dilation}",
               [tensor("x", (1, 9, 9, channels), *coarse), weights, bias, tensor("y", (1, extent, extent, 5), *out)], [0], 3,
               OP.CONV_2D, [0, 1, 2], ("Conv2DOptions", {"Padding": padding, "StrideW": stride, "StrideH": stride,
                                                         "DilationWFactor": dilation, "DilationHFactor": dilation}))
    weights, bias = filters(5, 1, 3, 0.0471)
    weights.update(scale=0.0037, zero=0)
    bias.update(scale=np.float32(0.0037) * np.float32(0.0471), zero=0)
    yield ("conv-one-scale", [tensor("x", (1, 4, 4, 3), *coarse), weights, bias, tensor("y", (1, 4, 4, 5), *out)], [0], 3,
           OP.CONV_2D, [0, 1, 2], ("Conv2DOptions", {"Padding": 0, "StrideW": 1, "StrideH": 1}))
    # Of one channel, with as many results, and one result for each of five channels.
    for channels in (1, 5):
        weights, bias = filters(5, 3, 1, 0.0471)
        weights.update(shape=(1, 3, 3, 5), data=weights["data"].transpose(3, 1, 2, 0), axis=3)
        yield (f"depthwise-{channels}", [tensor("x", (1, 9, 9, channels), *coarse), weights, bias, tensor("y", (1, 5, 5, 5), *out)],
               [0], 3, OP.DEPTHWISE_CONV_2D, [0, 1, 2],
               ("DepthwiseConv2DOptions", {"Padding": 0, "StrideW": 2, "StrideH": 2, "DepthMultiplier": 5 // channels,
                                           "FusedActivationFunction": 3}))


def moves():
    """Codes that only move."""
    coarse = (I8, 0.0471, -13)
    image = tensor("x", (1, 4, 6, 8), *coarse)

    def constant(name, values):
        return tensor(name, list(np.shape(values)), I32, data=np.array(values, np.int32))

    def moved(name, code, shape, second, options=None, x=image):
        return (name, [x, second, tensor("y", shape, *coarse)], [0], 2, code, [0, 1], options)
    for name, kind, shape in (("DEPTH_TO_SPACE", "DepthToSpaceOptions", (1, 8, 12, 2)),
                              ("SPACE_TO_DEPTH", "SpaceToDepthOptions", (1, 2, 3, 32))):
        yield (name.lower().replace("_", "-"), [image, tensor("y", shape, *coarse)], [0], 1, getattr(OP, name), [0],
               (kind, {"BlockSize": 2}))
    for name, code, x, sides, margins, y in (
            ("space-to-batch", OP.SPACE_TO_BATCH_ND, (2, 4, 6, 3), [2, 2], [[0, 0], [0, 0]], (8, 2, 3, 3)),
            ("batch-to-space", OP.BATCH_TO_SPACE_ND, (12, 2, 4, 3), [3, 2], [[1, 1], [0, 2]], (2, 4, 6, 3))):
        # TFLite Micro does not say what it pads with.
        yield (name, [tensor("x", x, I8, 0.05), constant("s", sides), constant("m", margins), tensor("y", y, I8, 0.05)], [0], 3,
               code, [0, 1, 2], None)
    yield moved("gather", OP.GATHER, (1, 4, 3, 8), constant("i", [5, 0, 3]), ("GatherOptions", {"Axis": 2}))
    yield (moved("gather-batch", OP.GATHER, (3, 2, 5), constant("i", [[1, 0], [3, 2], [0, 0]]),
                 ("GatherOptions", {"Axis": 1, "BatchDims": 1}), tensor("x", (3, 4, 5), *coarse)))
    for mode in (0, 1):
        yield moved(f"mirror-pad-{mode}", OP.MIRROR_PAD, (1, 7, 11, 8), constant("p", [[0, 0], [2, 1], [1, 4], [0, 0]]),
                    ("MirrorPadOptions", {"Mode": mode}))
    yield moved("pad", OP.PAD, (1, 7, 11, 8), constant("p", [[0, 0], [2, 1], [1, 4], [0, 0]]))
    yield ("concatenation", [tensor("a", (1, 4, 3, 5), *coarse), tensor("b", (1, 4, 2, 5), *coarse), tensor("y", (1, 4, 5, 5), *coarse)],
           [0, 1], 2, OP.CONCATENATION, [0, 1], ("ConcatenationOptions", {"Axis": 2}))
    yield moved("reverse", OP.REVERSE_V2, (1, 4, 6, 8), constant("a", [2]))
    yield moved("broadcast-to", OP.BROADCAST_TO, (5, 4, 6, 8), constant("s", [5, 4, 6, 8]))


def logic():
    """Comparisons, choices and positions."""
    coarse, fine = (I8, 0.0471, -13), (I8, 0.0213, 40)
    for name in ("LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL"):
        for scales, tag in (((coarse, fine), ""), (((I8, 0.0011, 3), (I8, 0.0015, 0)), "-fine")):
            yield binary(f"{name.lower()}{tag}".replace("_", "-"), getattr(OP, name), *scales, (BOOL,), None)
    for name in ("MAXIMUM", "MINIMUM"):
        yield binary(name.lower(), getattr(OP, name), coarse, coarse, coarse, ("MaximumMinimumOptions", {}), (1, 1, 16))
    shape = (1, 16, 16)
    yield ("select", [tensor("c", shape, BOOL)] + [tensor(name, shape, *coarse) for name in "aby"], [0, 1, 2], 3, OP.SELECT_V2,
           [0, 1, 2], None)
    for name in ("ARG_MAX", "ARG_MIN"):
        yield with_constant(name.lower().replace("_", "-"), getattr(OP, name), tensor("x", (1, 7, 5, 8), *coarse), [2],
                            tensor("y", (1, 7, 8), I32), (name.title().replace("_", "") + "Options", {"OutputType": I32}))
    for name in ("LOGICAL_AND", "LOGICAL_OR"):
        yield binary(name.lower().replace("_", "-"), getattr(OP, name), (BOOL,), (BOOL,), (BOOL,), None)


def arithmetic():
    """Operators with rules of their own, and sums of 16-bit codes whose biases have 64 bits."""
    coarse, fine, out = (I8, 0.0471, -13), (I8, 0.0213, 40), (I8, 0.0625, 7)
    wide, wider = (I16, 0.00071, 0), (I16, 0.00113, 0)
    yield unary("abs", OP.ABS, coarse, out)
    yield unary("abs-16", OP.ABS, wide, wider)
    yield unary("rsqrt", OP.RSQRT, (I8, 0.05, -128), (I8, 0.02, -128))
    yield unary("elu", OP.ELU, coarse, out)
    for name, x, y in (("softmax-16", wide, (I16, 1 / 32768, 0)), ("softmax-8-16", coarse, (I16, 1 / 65536, -32768))):
        yield unary(name, OP.SOFTMAX, x, y, ("SoftmaxOptions", {"Beta": 1.0}), (16, 16))
    for tag, x, slope, y in (("-row", coarse, (1, 1, 16), out), ("-column", coarse, (1, 16, 1), out)):
        yield binary(f"prelu{tag}", OP.PRELU, x, (I8, 0.01, 3), y, None, slope)
    yield binary("squared-difference", OP.SQUARED_DIFFERENCE, coarse, fine, (I8, 0.2, -128), None)
    yield binary("squared-difference-16", OP.SQUARED_DIFFERENCE, wide, wider, (I16, 0.2, 0), None)
    for name, code, x, y in (("sum", OP.SUM, coarse, (I8, 0.9, 3)), ("sum-16", OP.SUM, wide, (I16, 0.009, 0)),
                             ("mean-16", OP.MEAN, wide, wider), ("reduce-max", OP.REDUCE_MAX, coarse, coarse),
                             ("reduce-min", OP.REDUCE_MIN, coarse, coarse)):
        yield with_constant(name, code, tensor("x", (1, 7, 5, 8), *x), [1, 2], tensor("y", (1, 8), *y),
                            ("ReducerOptions", {"KeepDims": False}))
    for name, a, b, y in (("batch-matmul", coarse, fine, (I8, 0.2, 3)), ("batch-matmul-16", wide, wider, (I16, 0.05, 0))):
        yield (name, [tensor("a", (2, 5, 7), *a), tensor("b", (2, 7, 4), *b), tensor("y", (2, 5, 4), *y)], [0, 1], 2,
               OP.BATCH_MATMUL, [0, 1], ("BatchMatMulOptions", {}))
    weights, bias = filters(5, 3, 3, 0.00071)
    bias.update(type=tflite.TensorType.INT64, data=bias["data"].astype(np.int64))
    yield ("conv-16", [tensor("x", (1, 9, 9, 3), *wide), weights, bias, tensor("y", (1, 9, 9, 5), I16, 0.004, 0)], [0], 3,
           OP.CONV_2D, [0, 1, 2], ("Conv2DOptions", {"Padding": 0, "StrideW": 1, "StrideH": 1}))
    yield unary("quantize-16-8", OP.QUANTIZE, wide, out)
    yield unary("quantize-8-16", OP.QUANTIZE, coarse, wide)


def sums():
    """Rules of TFLite Micro alone, or with a rule of their own there."""
    coarse, fine, out = (I8, 0.0471, -13), (I8, 0.0213, 40), (I8, 0.0625, 7)
    shape = (1, 16, 16)
    yield ("add-n", [tensor(name, shape, *coarse) for name in "abc"] + [tensor("y", shape, I8, 0.11, 7)], [0, 1, 2], 3, OP.ADD_N,
           [0, 1, 2], ("AddNOptions", {}))
    for axis, exclusive, reverse in ((0, False, False), (1, True, False), (2, False, True), (1, True, True)):
        yield with_constant(f"cumsum-{axis}{int(exclusive)}{int(reverse)}", OP.CUMSUM, tensor("x", (3, 7, 5), *coarse), [axis],
                            tensor("y", (3, 7, 5), I8, 0.12, 7), ("CumsumOptions", {"Exclusive": exclusive, "Reverse": reverse}))
    # With scales that leave the published kernel's shifts in 32 bits.
    for name, x, by, y, second, activation in (("div", coarse, (I8, 0.0213, -128), (I8, 0.03, 3), shape, 0),
                                               ("div-row", coarse, (I8, 0.0213, -128), (I8, 0.03, 3), (1, 1, 16), 0),
                                               ("div-signs", fine, (I8, 0.0213, 17), (I8, 0.015, 3), shape, 1)):
        made = binary(name, OP.DIV, x, by, y, ("DivOptions", {"FusedActivationFunction": activation}), second)
        made[1][1]["divides"] = True
        yield made
    yield unary("l2-normalization", OP.L2_NORMALIZATION, coarse, (I8, 1 / 128, 0), ("L2NormOptions", {}), (2, 3, 7))
    yield unary("l2-normalization-wide", OP.L2_NORMALIZATION, fine, (I8, 1 / 128, 0), ("L2NormOptions", {}), (2, 300))
    for scale in (0.0471, 0.3, 0.0005):
        yield unary(f"log-softmax-{scale}", OP.LOG_SOFTMAX, (I8, scale, -13), (I8, 16 / 256, 127), ("LogSoftmaxOptions", {}), (16, 16))
    yield ("gather-nd", [tensor("x", (3, 4, 5), *coarse), tensor("i", [2, 3, 2], I32, data=np.array(
        [[[0, 1], [2, 3], [1, 0]], [[2, 2], [0, 0], [1, 3]]], np.int32)), tensor("y", (2, 3, 5), *coarse)], [0], 2, OP.GATHER_ND,
           [0, 1], ("GatherNdOptions", {}))
    yield ("update-slice", [tensor("x", (4, 6), *coarse), tensor("u", (2, 3), *coarse),
                            tensor("s", [2], I32, data=np.array([1, 5], np.int32)), tensor("y", (4, 6), *coarse)], [0, 1], 3,
           OP.DYNAMIC_UPDATE_SLICE, [0, 1, 2], ("DynamicUpdateSliceOptions", {}))


def reals():
    """Floats whose results have no sum of an order of its own."""
    shape = (1, 16, 16)
    for name in ("FLOOR_DIV", "FLOOR_MOD"):
        yield binary(name.lower().replace("_", "-"), getattr(OP, name), (F32,), (F32,), (F32,), None, (1, 1, 16))
    yield unary("l2-normalization-f32", OP.L2_NORMALIZATION, (F32,), (F32,), ("L2NormOptions", {}), (5, 2))
    yield with_constant("cumsum-f32", OP.CUMSUM, tensor("x", (3, 7, 5), F32), [1], tensor("y", (3, 7, 5), F32),
                        ("CumsumOptions", {"Exclusive": False, "Reverse": False}))
    pool = {"Padding": 0, "StrideW": 2, "StrideH": 1, "FilterWidth": 2, "FilterHeight": 1}
    yield ("l2-pool", [tensor("x", (1, 7, 5, 3), F32), tensor("y", (1, 7, 3, 3), F32)], [0], 1, OP.L2_POOL_2D, [0],
           ("Pool2DOptions", pool))
    yield with_constant("reduce-all", OP.REDUCE_ALL, tensor("x", (3, 2, 5), BOOL), [1], tensor("y", (3, 5), BOOL),
                        ("ReducerOptions", {"KeepDims": False}))


def narrowing():
    """Ratios of scales whose products are rounded twice."""
    for ratio in (2.34, 9.1):
        yield unary(f"quantize-by-{ratio}", OP.QUANTIZE, (I8, 0.0271, 127), (I8, 0.0271 * ratio, 6))


def several():
    """Filters that see a part of the input's channels, and slices that run backwards."""
    coarse, out = (I8, 0.0471, -13), (I8, 0.0625, 7)
    same = {"Padding": 0, "StrideW": 1, "StrideH": 1}
    for multiplier, bits in ((3, 8), (2, 16)):
        weights, bias = filters(4 * multiplier, 3, 1, 0.0471 if bits == 8 else 0.00071)
        weights.update(shape=(1, 3, 3, 4 * multiplier), data=weights["data"].transpose(3, 1, 2, 0), axis=3)
        if bits == 16:
            bias.update(type=tflite.TensorType.INT64, data=bias["data"].astype(np.int64))
        yield (f"depthwise-{bits}-times-{multiplier}",
               [tensor("x", (1, 9, 9, 4), *(coarse if bits == 8 else (I16, 0.00071, 0))), weights, bias,
                tensor("y", (1, 9, 9, 4 * multiplier), *(out if bits == 8 else (I16, 0.002, 0)))], [0], 3, OP.DEPTHWISE_CONV_2D,
               [0, 1, 2], ("DepthwiseConv2DOptions", dict(same, DepthMultiplier=multiplier, FusedActivationFunction=1)))
    for groups, channels in ((2, 3), (3, 1)):
        weights, bias = filters(6, 3, channels, 0.0471)
        yield (f"conv-groups-{groups}", [tensor("x", (1, 9, 9, groups * channels), *coarse), weights, bias,
                                         tensor("y", (1, 9, 9, 6), *out)], [0], 3, OP.CONV_2D, [0, 1, 2], ("Conv2DOptions", same))
    # Rows 7, 4 and 1; columns from the last one to column 2; of the channels the last.
    numbers = [tensor(name, [4], I32, data=np.array(values, np.int32))
               for name, values in (("b", [0, 7, 0, -1]), ("e", [1, -100, 1, 0]), ("s", [1, -3, -1, 1]))]
    yield ("slice-backwards", [tensor("x", (1, 9, 8, 5), *coarse)] + numbers + [tensor("y", (1, 3, 6), *coarse)], [0], 4,
           OP.STRIDED_SLICE, [0, 1, 2, 3], ("StridedSliceOptions", {"BeginMask": 4, "ShrinkAxisMask": 8}))


def ties():
    """Multipliers of one half, whose products lie between two codes."""
    yield unary("abs-ties", OP.ABS, (I8, 0.05, -13), (I8, 0.1, 7))
    yield unary("elu-ties", OP.ELU, (I8, 0.05, -13), (I8, 0.1, 7))
    yield unary("abs-ties-16", OP.ABS, (I16, 0.05, 0), (I16, 0.1, 0))
    for tag, alpha, step in (("", .25, .05), ("-negative", -.25, .05), ("-opposite", -1.0, .1)):
        options = ("LeakyReluOptions", {"Alpha": alpha})
        yield unary(f"leaky-ties{tag}", OP.LEAKY_RELU, (I8, 0.05, -13), (I8, step, 7), options)
        yield unary(f"leaky-ties{tag}-16", OP.LEAKY_RELU, (I16, 0.05, 0), (I16, step, 0), options)


def short_biases():
    """Sums of 16-bit codes in transposed convolutions, whose biases may have 16 bits."""
    for kind, numpy in ((I16, np.int16), (tflite.TensorType.INT64, np.int64)):
        weights, bias = filters(5, 2, 3, 0.00071)
        bias.update(type=kind, data=bias["data"].astype(numpy))
        shape = tensor("s", [4], I32, data=np.array([1, 8, 8, 5], np.int32))
        yield (f"transpose-conv-16-{8 * bias['data'].itemsize}",
               [shape, weights, tensor("x", (1, 4, 4, 3), I16, 0.00071, 0), bias, tensor("y", (1, 8, 8, 5), I16, 0.002, 0)], [2], 4,
               OP.TRANSPOSE_CONV, [0, 1, 2, 3], ("TransposeConvOptions", {"Padding": 0, "StrideW": 2, "StrideH": 2}))


def all_cases():
    yield from cases()
    yield from moves()
    yield from logic()
    yield from arithmetic()
    yield from sums()
    yield from reals()
    yield from narrowing()
    yield from several()
    yield from ties()
    yield from short_biases()


def inputs_of(tensor):
    if tensor["type"] == BOOL:
        return random.integers(0, 2, tensor["shape"]).astype(np.bool_)
    if tensor["type"] == F32:
        return random.normal(0, 3, tensor["shape"]).astype(np.float32)
    info = np.iinfo(NUMPY[tensor["type"]])
    values = integers(tensor["shape"], info.min, info.max + 1, tensor["type"])
    if "divides" in tensor:
        values[values == tensor["zero"]] += 1
    return values


def main():
    with archive(sys.argv[1]) as write:
        for name, tensors, inputs, output, code, operands, options in all_cases():
            model = write_model(tensors, inputs, output, code, operands, options)
            interpreter = runtime.Interpreter.from_bytes(model)
            write(f"{name}/model.tflite", model)
            for i, number in enumerate(inputs):
                values = inputs_of(tensors[number])
                write(f"{name}/in{i}.npy", values)
                interpreter.set_input(values, i)
            interpreter.invoke()
            write(f"{name}/out.npy", interpreter.get_output(0))


main()
