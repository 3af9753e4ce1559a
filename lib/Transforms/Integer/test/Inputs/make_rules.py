# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a module in which every rule meets every 8-bit code (or many 16-bit ones), in both roundings.

usage: make_rules.py <file>
"""
import random
import sys

random.seed(7)
ENCODINGS = {
    "in": "#qtensor.block<int8, [{}], scale = 0.0471, zero = -13.0>",
    "other": "#qtensor.block<int8, [{}], scale = 0.0213, zero = 40.0>",
    "out": "#qtensor.block<int8, [{}], scale = 0.0625, zero = 7.0>",
    "unsigned": "#qtensor.block<uint8, [{}], scale = 0.031, zero = 119.0>",
    "wide": "#qtensor.block<int16, [{}], scale = 0.00071>",
    "wideout": "#qtensor.block<int16, [{}], scale = 0.00113>",
    # Twice the steps, between whose codes half of all products lie.
    "double": "#qtensor.block<int8, [{}], scale = 0.0942, zero = 7.0>",
    "widedouble": "#qtensor.block<int16, [{}], scale = 0.00142>",
    "probability": "#qtensor.block<int8, [{}], scale = 0.00390625, zero = -128.0>",
    "uprobability": "#qtensor.block<uint8, [{}], scale = 0.00390625>",
    "coarse": "#qtensor.block<int8, [{}], scale = 0.7, zero = 5.0>",
    "logarithm": "#qtensor.block<int8, [{}], scale = 0.0625, zero = 127.0>",
    "signedunit": "#qtensor.block<int8, [{}], scale = 0.0078125>",
}
# rule, inputs (encoding, shape), output (encoding, shape), parameters
CASES = [
    ("tflite.add", [("in", (16, 16)), ("other", (16, 16))], ("out", (16, 16)), ""),
    ("tflite.add", [("in", (2, 8, 16)), ("other", (1, 16))], ("out", (2, 8, 16)), "activation = 1 : i64"),
    ("tflite.add", [("unsigned", (16, 16)), ("unsigned", (16, 16))], ("unsigned", (16, 16)), "activation = 3 : i64"),
    ("tflite.add", [("wide", (16, 16)), ("wide", (16, 16))], ("wideout", (16, 16)), ""),
    ("tflite.sub", [("in", (16, 16)), ("other", (16, 16))], ("out", (16, 16)), "activation = 2 : i64"),
    ("tflite.sub", [("wide", (16, 16)), ("wide", (16, 1))], ("wideout", (16, 16)), ""),
    ("tflite.logistic", [("in", (256,))], ("probability", (256,)), ""),
    ("tflite.tanh", [("in", (256,))], ("signedunit", (256,)), ""),
    ("tflite.hard_swish", [("in", (256,))], ("out", (256,)), ""),
    ("tflite.rsqrt", [("in", (256,))], ("out", (256,)), ""),
    ("tflite.leaky_relu", [("in", (256,))], ("out", (256,)), "alpha = 0.3 : f64"),
    ("tflite.leaky_relu", [("wide", (256,))], ("wideout", (256,)), "alpha = 0.3 : f64"),
    ("tflite.leaky_relu", [("in", (256,))], ("double", (256,)), "alpha = -0.5 : f64"),
    ("tflite.leaky_relu", [("wide", (256,))], ("widedouble", (256,)), "alpha = -0.5 : f64"),
    ("litert.leaky_relu", [("in", (256,))], ("out", (256,)), "alpha = -0.3 : f64"),
    ("litert.leaky_relu", [("wide", (256,))], ("wideout", (256,)), "alpha = -0.3 : f64"),
    ("litert.abs", [("wide", (256,))], ("wideout", (256,)), ""),
    ("litert.relu", [("in", (256,))], ("other", (256,)), "low = -1.0 : f64, high = 1.0 : f64"),
    ("litert.relu", [("wide", (256,))], ("wideout", (256,)), "low = 0.0 : f64"),
    ("tflite.abs", [("in", (256,))], ("double", (256,)), ""),
    ("tflite.abs", [("wide", (256,))], ("widedouble", (256,)), ""),
    ("tflite.average_pool_2d", [("in", (1, 8, 8, 4))], ("in", (1, 8, 8, 4)),
     "kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>, padding = array<i64: 1, 1>"),
    ("tflite.average_pool_2d", [("unsigned", (1, 8, 8, 4))], ("unsigned", (1, 4, 4, 4)),
     "kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0>, activation = 1 : i64"),
    ("tflite.average_pool_2d", [("in", (1, 7, 5, 3))], ("in", (1, 4, 3, 3)),
     "kernel = array<i64: 3, 2>, strides = array<i64: 2, 2>, padding = array<i64: 1, 0>"),
    ("tflite.mean", [("in", (1, 7, 7, 8))], ("out", (1, 8)), "axes = array<i64: 1, 2>"),
    ("tflite.mean", [("unsigned", (4, 5, 8))], ("unsigned", (4, 1, 8)), "axes = array<i64: 1>, keep_dims = 1 : i64"),
    ("tflite.resize_bilinear", [("in", (1, 4, 8, 3))], ("in", (1, 7, 11, 3)), "half_pixel_centers = 1 : i64"),
    ("tflite.resize_bilinear", [("wide", (1, 5, 4, 2))], ("wide", (1, 9, 9, 2)), "align_corners = 1 : i64"),
    ("tflite.softmax", [("in", (16, 16))], ("probability", (16, 16)), "beta = 1.0 : f64"),
    ("tflite.softmax", [("out", (4, 1))], ("probability", (4, 1)), "beta = 1.0 : f64"),
    ("tflite.softmax", [("unsigned", (2, 8, 16))], ("uprobability", (2, 8, 16)), "beta = 2.5 : f64"),
    ("tflite.add_n", [("in", (16, 16)), ("in", (16, 16)), ("in", (16, 16))], ("other", (16, 16)), ""),
    ("tflite.cumsum", [("in", (4, 8, 8))], ("out", (4, 8, 8)), "axis = 1 : i64"),
    ("tflite.cumsum", [("unsigned", (16, 16))], ("unsigned", (16, 16)), "axis = 0 : i64, exclusive = 1 : i64, reverse = 1 : i64"),
    ("tflite.div", [("in", (16, 16)), ("other", (16, 16))], ("signedunit", (16, 16)), ""),
    ("tflite.div", [("unsigned", (16, 16)), ("unsigned", (16, 1))], ("uprobability", (16, 16)), "activation = 3 : i64"),
    ("tflite.l2_normalization", [("in", (2, 8, 16))], ("signedunit", (2, 8, 16)), ""),
    ("tflite.l2_normalization", [("other", (128, 2))], ("signedunit", (128, 2)), ""),
    ("tflite.log_softmax", [("in", (16, 16))], ("logarithm", (16, 16)), "beta = 1.0 : f64"),
    ("tflite.log_softmax", [("coarse", (2, 2, 64))], ("logarithm", (2, 2, 64)), "beta = 1.0 : f64"),
]


def codes(name, count):
    if name.startswith("wide"):
        values = [random.randint(-32768, 32767) for _ in range(count - 4)] + [-32768, 32767, 0, -1]
    else:
        low = 0 if name.startswith("u") else -128
        values = [low + i % 256 for i in range(count)]
    random.shuffle(values)
    return values


def tensor(name, shape):
    return f"tensor<{'x'.join(map(str, shape))}xf32, {ENCODINGS[name].format(', '.join('?' * len(shape)))}>"


def nested(values, shape):
    if not shape:
        return str(values[0])
    step = len(values) // shape[0]
    return "[" + ", ".join(nested(values[i * step:(i + 1) * step], shape[1:]) for i in range(shape[0])) + "]"


def function(number, rounding, rule, inputs, output, parameters):
    lines, operands, types = [], [], []
    for i, (name, shape) in enumerate(inputs):
        count = 1
        for extent in shape:
            count *= extent
        element = "i16" if name.startswith("wide") else "i8"
        plain = f"tensor<{'x'.join(map(str, shape))}x{element}>"
        values = codes(name, count)
        if element == "i8":
            values = [(value + 128) % 256 - 128 for value in values]
        lines.append(f"  %c{i} = arith.constant dense<{nested(values, shape)}> : {plain}")
        lines.append(f"  %x{i} = qtensor.assemble %c{i} : {plain} -> {tensor(name, shape)}")
        operands.append(f"%x{i}")
        types.append(tensor(name, shape))
    name, shape = output
    result = tensor(name, shape)
    plain = f"tensor<{'x'.join(map(str, shape))}x{'i16' if name.startswith('wide') else 'i8'}>"
    attributes = ", ".join(filter(None, [parameters, f'rounding = "{rounding}"']))
    # The body is not what runs: a rule of the registry has its own definition.
    body = (f"  ^bb0({', '.join(f'%a{i}: {t}' for i, t in enumerate(types))}):\n"
            f"    %e = arith.constant dense<0.0> : tensor<{'x'.join(map(str, shape))}xf32>\n"
            f"    %z = qtensor.quantize %e : tensor<{'x'.join(map(str, shape))}xf32> -> {result}\n"
            f"    qtensor.yield %z : {result}\n")
    lines.append(f'  %y = qtensor.as "{rule}" ({", ".join(operands)}) {{{attributes}}} : ({", ".join(types)}) -> {result} {{\n{body}  }}')
    lines.append(f'  %codes = qtensor.component %y "codes" : {result} -> {plain}')
    lines.append(f"  return %codes : {plain}")
    text = "\n".join(lines)
    return f"func.func @f{number}_{rounding}() -> {plain} {{\n{text}\n}}\n"


with open(sys.argv[1], "w") as file:
    for number, case in enumerate(CASES):
        for rounding in ("double", "single"):
            file.write(function(number, rounding, *case))
