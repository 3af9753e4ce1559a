#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes layers of float activations and int8 weights, random inputs, and the outputs of LiteRT's reference kernels; and activations
of codes that other runtimes do not have: lite-vectors.tar.xz.

usage: make_lite_vectors.py <archive> [<number of random layers>]
needs the Python packages of make_streams.py and ai-edge-litert
"""
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from archive import archive
from make_streams import F32, I8, OP, Maker

random = np.random.default_rng(20261125)


class Layer(Maker):
    """One operator on one float tensor, with int8 weights whose channels lie along `axis`, and a float bias."""

    def __init__(self, code, x, weights, axis, y, scales, options, bias=True):
        super().__init__()
        graph = self.graph()
        values = random.integers(-127, 128, weights).astype(np.int8)
        channels = weights[axis]
        operands = [self.tensor(graph, "x", x, F32), self.tensor(graph, "w", weights, I8, 1.0, 0, values), -1]
        quantization = graph.tensors[operands[1]].quantization
        steps = random.uniform(.002, .01, channels if scales == "different" else 1).astype(np.float32)
        steps = np.repeat(steps, channels) if scales == "equal" else steps
        quantization.scale, quantization.zeroPoint = steps.tolist(), [0] * len(steps)
        quantization.quantizedDimension = axis
        if bias:
            operands[2] = self.tensor(graph, "b", (channels,), F32, None, 0, random.normal(0, .5, channels).astype(np.float32))
        made = self.tensor(graph, "y", y, F32)
        self.operator(graph, code, operands, [made], options)
        graph.inputs, graph.outputs, self.shape = operands[:1], [made], x

    def input(self, i):
        x = random.normal(random.uniform(-1, 1), random.uniform(.1, 4), self.shape).astype(np.float32)
        if i % 7 == 3:
            x[0] = 0
        return np.abs(x) if i % 7 == 5 else x


class Activation(Maker):
    """From codes to codes of another scale."""

    def __init__(self, code, scales=(0.0713, 0.0271), zeros=(-13, -120)):
        super().__init__()
        graph = self.graph()
        graph.inputs = [self.tensor(graph, "x", (1, 256), I8, scales[0], zeros[0])]
        graph.outputs = [self.tensor(graph, "y", (1, 256), I8, scales[1], zeros[1])]
        self.operator(graph, code, graph.inputs, graph.outputs)

    def input(self, i):
        return np.arange(-128, 128, dtype=np.int8)[None]


def extent(given, kernel, stride, dilation, valid):
    return (given - (kernel - 1) * dilation - 1) // stride + 1 if valid else -(-given // stride)


def window(stride, valid, activation, dilation):
    return {"strideW": stride, "strideH": stride, "padding": int(valid), "fusedActivationFunction": activation,
            "dilationWFactor": dilation, "dilationHFactor": dilation}


def conv(batch=1, height=7, width=6, channels=3, filters=5, kernel=3, stride=1, dilation=1, valid=False, activation=0,
         scales="one"):
    y = (batch, *(extent(n, kernel, stride, dilation, valid) for n in (height, width)), filters)
    return Layer(OP.CONV_2D, (batch, height, width, channels), (filters, kernel, kernel, channels), 0, y, scales,
                 ("Conv2DOptions", window(stride, valid, activation, dilation)))


def depthwise(batch=1, height=7, width=6, channels=3, multiplier=1, kernel=3, stride=1, dilation=1, valid=False, activation=0):
    outputs = channels * multiplier
    y = (batch, *(extent(n, kernel, stride, dilation, valid) for n in (height, width)), outputs)
    return Layer(OP.DEPTHWISE_CONV_2D, (batch, height, width, channels), (1, kernel, kernel, outputs), 3, y, "different",
                 ("DepthwiseConv2DOptions", dict(window(stride, valid, activation, dilation), depthMultiplier=multiplier)))


def dense(rows=3, inputs=17, outputs=9, activation=0, scales="one", asymmetric=False, bias=True):
    return Layer(OP.FULLY_CONNECTED, (rows, inputs), (outputs, inputs), 0, (rows, outputs), scales,
                 ("FullyConnectedOptions", {"fusedActivationFunction": activation, "asymmetricQuantizeInputs": asymmetric}), bias)


def models():
    for scales in ("one", "equal", "different"):
        yield f"conv-{scales}", conv(scales=scales)
        yield f"conv-{scales}-wide", conv(scales=scales, batch=2, channels=16, filters=8, kernel=1, activation=1)
        yield f"conv-{scales}-stride", conv(scales=scales, batch=2, stride=2, valid=True, height=9, activation=3)
        yield f"conv-{scales}-dilation", conv(scales=scales, dilation=2)
        for asymmetric in (False, True):
            yield f"dense-{scales}-{int(asymmetric)}", dense(scales=scales, asymmetric=asymmetric)
            yield f"dense-{scales}-{int(asymmetric)}-wide", dense(5, 64, 32, 1, scales, asymmetric, bias=False)
    yield "depthwise", depthwise(batch=2)
    yield "depthwise-stride", depthwise(stride=2, channels=8, activation=3, valid=True)
    yield "depthwise-dilation", depthwise(dilation=2)
    yield "depthwise-several", depthwise(multiplier=2, channels=4)
    yield "depthwise-one", depthwise(multiplier=6, channels=1)
    for name in ("RELU6", "RELU_N1_TO_1", "RELU_0_TO_1"):
        yield name.lower().replace("_", "-"), Activation(getattr(OP, name))
        # Of such a ratio the last bits count: products lie between two codes.
        yield name.lower().replace("_", "-") + "-ties", Activation(getattr(OP, name), (1 / 256, 0.05), (-120, -13))


def random_models(count):
    def flip():
        return bool(random.integers(2))
    for i in range(count):
        scales, activation, batch = ("one", "equal", "different")[random.integers(3)], (0, 1, 3)[random.integers(3)], int(random.integers(1, 4))
        sizes = {"height": int(random.integers(5, 12)), "width": int(random.integers(5, 12)), "kernel": int(random.integers(1, 4)),
                 "channels": int(random.integers(1, 20)), "stride": int(random.integers(1, 3)), "valid": flip(),
                 "batch": batch, "activation": activation, "dilation": int(random.integers(1, 3))}
        kind = random.integers(3)
        if kind == 0:
            yield f"conv-{i}", conv(filters=int(random.integers(1, 20)), scales=scales, **sizes)
        elif kind == 1:
            yield f"depthwise-{i}", depthwise(multiplier=int(random.integers(1, 4)), **sizes)
        else:
            yield f"dense-{i}", dense(batch, int(random.integers(1, 200)), int(random.integers(1, 40)), activation, scales, flip(), flip())


def main():
    with archive(sys.argv[1]) as write:
        for i, (name, layer) in enumerate(random_models(int(sys.argv[2])) if len(sys.argv) > 2 else models()):
            data = layer.bytes()
            # Other kernels multiply the scales in another order, and the delegate that is used by default rounds otherwise.
            interpreter = Interpreter(model_content=data, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
            interpreter.allocate_tensors()
            x = layer.input(i)
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
            interpreter.invoke()
            write(f"{name}/model.tflite", data)
            write(f"{name}/in0.npy", x)
            write(f"{name}/out.npy", interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


if __name__ == "__main__":
    main()
