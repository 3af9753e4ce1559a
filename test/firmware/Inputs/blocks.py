# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""blocks.py residual|inverted|gated|branches|grouped|coded <model.onnx> <samples>: a small float network of such blocks, and inputs to calibrate it with;
or a residual one that comes quantized (QuantizeLinear, DequantizeLinear)."""
import math
import os
import random
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../lib/Import/ONNX/test/Inputs"))
from onnx_file import *


class Network:
    def __init__(self, seed):
        self.random, self.nodes, self.constants, self.count = random.Random(seed), [], [], 0

    def constant(self, dims, values):
        self.count += 1
        self.constants.append(floats(f"c{self.count}", dims, values))
        return f"c{self.count}"

    def noise(self, dims, spread, middle=0.0):
        return self.constant(dims, [self.random.gauss(middle, spread) for _ in range(math.prod(dims))])

    def add(self, op, inputs, **attributes):
        self.count += 1
        self.nodes.append(node(op, inputs, [f"{op}{self.count}"], **attributes))
        return f"{op}{self.count}"

    def convolution(self, x, filters, channels, kernel, stride=1, group=1):
        """With the batch normalization behind it."""
        inner = channels // group
        weights = self.noise([filters, inner, kernel, kernel], 1.4 / math.sqrt(inner * kernel * kernel))
        pad = kernel // 2
        x = self.add("Conv", [x, weights], kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[pad] * 4, group=group)
        variance = self.constant([filters], [self.random.uniform(0.5, 1.5) for _ in range(filters)])
        return self.add("BatchNormalization", [x, self.noise([filters], 0.1, 1.0), self.noise([filters], 0.2),
                                               self.noise([filters], 0.2), variance])

    def numbers(self, values):
        self.count += 1
        self.constants.append(ints(f"c{self.count}", values))
        return f"c{self.count}"

    def split(self, x, *sizes):
        parts = [f"{x}_{i}" for i in range(len(sizes))]
        self.nodes.append(node("Split", [x, self.numbers(sizes)], parts, axis=1))
        return parts

    def relu(self, x):
        return self.add("Relu", [x])

    def relu6(self, x):
        return self.add("Clip", [x, self.constant([], [0.0]), self.constant([], [6.0])])


def residual(net):
    x = net.relu(net.convolution("x", 8, 3, 3))
    y = net.relu(net.convolution(x, 8, 8, 3))
    x = net.relu(net.add("Add", [net.convolution(y, 8, 8, 3), x]))
    y = net.relu(net.convolution(x, 16, 8, 3, stride=2))
    y = net.convolution(y, 16, 16, 3)
    x = net.relu(net.add("Add", [y, net.convolution(x, 16, 8, 1, stride=2)]))
    x = net.add("Flatten", [net.add("GlobalAveragePool", [x])])
    return net.add("Gemm", [x, net.noise([10, 16], 0.4), net.noise([10], 0.5)], transB=1)


def inverted(net):
    x = net.relu6(net.convolution("x", 8, 3, 3, stride=2))
    x = net.convolution(net.relu6(net.convolution(x, 8, 8, 3, group=8)), 8, 8, 1)
    y = net.relu6(net.convolution(x, 24, 8, 1))
    y = net.convolution(net.relu6(net.convolution(y, 24, 24, 3, group=24)), 8, 24, 1)
    x = net.add("Add", [x, y])
    x = net.add("AveragePool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = net.relu6(net.convolution(x, 16, 8, 1))
    x = net.add("ReduceMean", [x], axes=[2, 3], keepdims=0)
    return net.add("Add", [net.add("MatMul", [x, net.noise([16, 10], 0.4)]), net.constant([], [0.25])])


def gated(net):
    x = net.convolution("x", 8, 3, 3, stride=2)
    x = net.add("Mul", [x, net.add("HardSigmoid", [x], alpha=1 / 6, beta=0.5)])
    y = net.convolution(x, 16, 8, 1)
    y = net.add("Mul", [y, net.add("Sigmoid", [y])])
    y = net.add("LeakyRelu", [net.convolution(y, 16, 16, 3, group=16)], alpha=0.1)
    gate = net.add("GlobalAveragePool", [y])
    gate = net.relu(net.add("Conv", [gate, net.noise([4, 16, 1, 1], 0.4), net.noise([4], 0.2)]))
    gate = net.add("Sigmoid", [net.add("Conv", [gate, net.noise([16, 4, 1, 1], 0.7), net.noise([16], 0.2)])])
    x = net.add("Add", [x, net.convolution(net.add("Mul", [y, gate]), 8, 16, 1)])
    x = net.add("Flatten", [net.add("GlobalAveragePool", [net.add("Tanh", [x])])])
    x = net.add("Gemm", [x, net.noise([10, 8], 0.8), net.noise([10], 0.5)], transB=1)
    return net.add("Softmax", [x], axis=1)


def branches(net):
    """Parts of tensors, tensors of parts, repeated and mirrored pixels, sums of three."""
    x = net.relu(net.convolution("x", 8, 3, 3))
    left, right = net.split(x, 3, 5)
    y = net.add("Concat", [net.relu(net.convolution(left, 8, 3, 3)), right, net.convolution(x, 4, 8, 1)], axis=1)
    y = net.relu(net.convolution(y, 12, 17, 3, stride=2))
    low = net.add("MaxPool", [y], kernel_shape=[2, 2], strides=[2, 2])
    low = net.add("HardSwish", [net.convolution(low, 12, 12, 1)])
    up = net.add("Resize", [low, "", net.constant([4], [1.0, 1.0, 2.0, 2.0])], mode="nearest",
                 coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    x = net.relu(net.add("Sum", [up, y, net.convolution(y, 12, 12, 3, group=12)]))
    x = net.add("Pad", [x, net.numbers([0, 0, 1, 1, 0, 0, 1, 0])], mode="reflect")
    x = net.add("Slice", [net.convolution(x, 8, 12, 3), net.numbers([1]), net.numbers([9]), net.numbers([2]), net.numbers([2])])
    x = net.add("ReduceMean", [net.relu(x)], axes=[2, 3], keepdims=0)
    return net.add("Gemm", [x, net.noise([10, 8], 0.4), net.noise([10], 0.5)], transB=1)


def shuffle(net, x, channels, groups, side):
    """Neighbouring channels come from different groups."""
    x = net.add("Reshape", [x, net.numbers([1, groups, channels // groups, side, side])])
    return net.add("Reshape", [net.add("Transpose", [x], perm=[0, 2, 1, 3, 4]), net.numbers([1, channels, side, side])])


def grouped(net):
    """Convolutions in groups of channels: with a channel shuffle behind them, in a residual block, with stride."""
    x = net.relu(net.convolution("x", 24, 3, 3, stride=2))
    y = shuffle(net, net.relu(net.convolution(x, 24, 24, 1, group=3)), 24, 3, 8)
    y = net.convolution(net.convolution(y, 24, 24, 3, group=24), 24, 24, 1, group=3)
    x = net.relu(net.add("Add", [x, y]))
    # Without a bias in between: rounded while the groups are apart.
    y = net.add("Conv", [x, net.noise([24, 6, 1, 1], 0.5)], kernel_shape=[1, 1], group=4)
    y = net.relu(net.convolution(shuffle(net, y, 24, 4, 8), 20, 24, 3, stride=2, group=4))
    x = net.add("Flatten", [net.add("GlobalAveragePool", [net.relu(net.convolution(y, 20, 20, 3, group=2))])])
    return net.add("Gemm", [x, net.noise([10, 20], 0.4), net.noise([10], 0.5)], transB=1)


class Coded(Network):
    """A network of codes: what layers make is rounded and read again."""

    def codes(self, kind, dims, values):
        self.count += 1
        letter = {INT8: "b", INT32: "i"}[kind]
        self.constants.append(tensor(f"c{self.count}", kind, dims, struct.pack(f"<{len(values)}{letter}", *values)))
        return f"c{self.count}"

    def round(self, x, scale, zero):
        parameters = [self.constant([], [scale]), self.codes(INT8, [], [zero])]
        return self.add("DequantizeLinear", [self.add("QuantizeLinear", [x] + parameters)] + parameters)

    def weight(self, dims, zeros):
        """One scale a filter, with zero points that are a vector of zeros, one zero, or absent."""
        spread = 0.02 / math.sqrt(math.prod(dims[1:]))
        codes = self.codes(INT8, dims, [self.random.randint(-127, 127) for _ in range(math.prod(dims))])
        scales = [self.random.uniform(0.8, 1.2) * spread for _ in range(dims[0])]
        inputs = [codes, self.constant([dims[0]], scales)]
        if zeros is not None:
            inputs.append(self.codes(INT8, [dims[0]] if zeros else [], [0] * (dims[0] if zeros else 1)))
        return self.add("DequantizeLinear", inputs, axis=0), scales

    def layer(self, x, scale, filters, channels, kernel, stride=1, zeros=None):
        weights, scales = self.weight([filters, channels, kernel, kernel], zeros)
        codes = self.codes(INT32, [filters], [self.random.randint(-2000, 2000) for _ in range(filters)])
        bias = self.add("DequantizeLinear", [codes, self.constant([filters], [scale * s for s in scales])], axis=0)
        pad = kernel // 2
        return self.add("Conv", [x, weights, bias], kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[pad] * 4)


def coded(net):
    x = net.round("x", 0.015, -2)
    x = net.round(net.relu(net.layer(x, 0.015, 8, 3, 3, zeros=True)), 0.01, -128)
    y = net.round(net.relu(net.layer(x, 0.01, 8, 8, 3, zeros=False)), 0.008, -128)
    y = net.round(net.layer(y, 0.008, 8, 8, 3), 0.02, 7)
    x = net.round(net.relu(net.add("Add", [y, x])), 0.018, -128)
    x = net.round(net.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), 0.018, -128)
    x = net.round(net.add("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2]), 0.018, -128)
    x = net.round(net.add("GlobalAveragePool", [x]), 0.009, -128)
    weights, _ = net.weight([10, 8], True)
    x = net.add("MatMul", [net.add("Flatten", [x]), net.add("Transpose", [weights], perm=[1, 0])])
    return net.round(net.add("Add", [x, net.constant([], [0.25])]), 0.012, -20)


def write_npy(path, shape, values, kind="<f4"):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack("<%d%s" % (len(values), "f" if kind == "<f4" else "b"), *values))


def main():
    kind, model_file, samples = sys.argv[1:4]
    net = (Coded if kind == "coded" else Network)(7)
    result = {"residual": residual, "inverted": inverted, "gated": gated, "branches": branches, "grouped": grouped, "coded": coded}[kind](net)
    shape = [1, 3, 16, 16]
    with open(model_file, "wb") as file:
        file.write(model(net.nodes, [value("x", FLOAT, shape)], [value(result, FLOAT, [1, 10])], net.constants, opset=14))
    os.makedirs(samples, exist_ok=True)
    for i in range(8):
        slope = [net.random.gauss(0, 0.2) for _ in range(6)]
        image = [math.sin(slope[c] * h + slope[3 + c] * w) + net.random.gauss(0, 0.3)
                 for c in range(3) for h in range(16) for w in range(16)]
        write_npy(f"{samples}/{i}.npy", shape, image)


if __name__ == "__main__":
    main()
