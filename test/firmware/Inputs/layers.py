# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers of the qnn dialect with random constants, and a C program that compares what they compute with oracle.h.

    layers.py <goals|narrow|others|words|odd|peers|peer-<network>|shapes|all-shapes|groups|parts|products|words-shapes|stacks|placed|placed-words> <folder> [seed]

Sets `others` and `peer-others` are layers that have no goals; peers have no weights in groups. `words`, `peer-words` and
`words-shapes` have codes of 16 bits.

Writes model<i>.mlir (phase C3, entry model<i>_run) and program.c, which run-layers links with a bundle's example. Its last line of
output is "layers <n> wrong <n>"; set `goals` also prints
"layer <name> units <n>" for each layer: what the next region that lib/Measure/Plugin/count.c counts is. Set `peers` is the same layers, computed by another
library (benchmarks/mcu/peer.h), and `peer-ic`, -kws, -vww and -ad layers as the networks of MLPerf Tiny have them, without pooling. Of the
set `placed`, and of `placed-words` with codes of 16 bits, inputs and outputs lie in the arena, where the plan has them: an output mostly over its input.
"""
import os
import random
import sys

from words import word_layer, words, words_shapes

NONE = (0, 0, 0, 0)
SAME = (1, 1, 1, 1)


def high_mul(a, b):
    return min((a * b + (1 << 30)) >> 31, (1 << 31) - 1)


def divide(x, bits):
    return (x - (x < 0) + (1 << (bits - 1))) >> bits


def exp_on_negative(a):
    """exp(a) in Q0.31 of a <= 0 in Q5.26."""
    if a == 0:
        return (1 << 31) - 1
    quarter = 1 << 24
    inside = (a & (quarter - 1)) - quarter
    x = (inside << 5) + (1 << 28)
    x2 = high_mul(x, x)
    tail = divide(high_mul(divide(high_mul(x2, x2), 2) + high_mul(x2, x), 715827883) + x2, 1)
    y = 1895147668 + high_mul(1895147668, x + tail)
    for i, factor in enumerate((1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)):
        if (inside - a) >> (24 + i) & 1:
            y = high_mul(y, factor)
    return y


def tensor(shape, element):
    return f"tensor<{'x'.join(map(str, shape))}x{element}>"


def dense(shape, values):
    if len(shape) == 1:
        return "[" + ", ".join(map(str, values)) + "]"
    step = len(values) // shape[0]
    return "[" + ", ".join(dense(shape[1:], values[i * step:(i + 1) * step]) for i in range(shape[0])) + "]"


def product(shape):
    result = 1
    for extent in shape:
        result *= extent
    return result


class Layer:
    """One op with its inputs, and the call of the oracle that gives the right codes."""

    def __init__(self, name, op, inputs, out, unit):
        self.name, self.op, self.inputs, self.out, self.unit = name, op, inputs, out, unit
        self.weights, self.attributes, self.oracle = [], {}, ""
        self.codes, self.bits, self.element = [], 8, "i8"

    def code_bytes(self):
        return 1 if self.element == "i8" else 2

    def attribute_text(self):
        return ", ".join(name if value is None else f"{name} = {value}" for name, value in self.attributes.items())

    def mlir(self, arguments, prefix):
        lines = []
        for i, (shape, element, values) in enumerate(self.weights):
            lines.append(f"  %{prefix}w{i} = arith.constant dense<{dense(shape, values)}> : {tensor(shape, element)}")
        out = tensor(self.out, self.element)
        types = ", ".join(tensor(shape, self.element) for shape in self.inputs)
        weights = ""
        if self.weights:
            names = ", ".join(f"%{prefix}w{i}" for i in range(len(self.weights)))
            weights = f" weights({names} : {', '.join(tensor(s, e) for s, e, _ in self.weights)})"
        lines.append(f"  %{prefix}e = tensor.empty() : {out}")
        lines.append(f"  %{prefix} = {self.op} ins({', '.join(arguments)} : {types}){weights} outs(%{prefix}e : {out}) "
                     f"<{{{self.attribute_text()}}}> -> {out}")
        return "\n".join(lines)


class SumLayer(Layer):
    """A convolution and a sum of its codes with another tensor: `first` says which operand the convolution is."""

    def __init__(self, conv, add, first):
        super().__init__(conv.name, "", conv.inputs + [conv.out], conv.out, conv.unit)
        self.conv, self.add, self.first = conv, add, first
        self.weights, self.codes = conv.weights, conv.codes + add.codes[:1]
        numbers = list(add.oracle[1])
        if first == 1:  # the oracle takes the convolution first
            for a, b in ((1, 2), (4, 5), (7, 8)):
                numbers[a], numbers[b] = numbers[b], numbers[a]
        self.oracle = ("conv_sum", conv.oracle[1] + numbers)

    def mlir(self, arguments, prefix):
        out = tensor(self.out, "i8")
        operands = [f"%{prefix}c", arguments[1]][::1 if self.first == 0 else -1]
        return self.conv.mlir(arguments[:1], prefix + "c") + (
            f"\n  %{prefix}e = tensor.empty() : {out}\n  %{prefix} = qnn.add ins({', '.join(operands)} : {out}, {out}) "
            f"outs(%{prefix}e : {out}) <{{{self.add.attribute_text()}}}> -> {out}")


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def codes(self, count, extreme=False):
        return [self.random.choice((-128, 127)) if extreme else self.random.randint(-128, 127) for _ in range(count)]

    def maps(self, channels, kind):
        """Multipliers and shifts: usual ones, the same for all, a flushed one, all shifts to the right, with a shift to the left."""
        multipliers = [self.random.randrange(1 << 30, 1 << 31) for _ in range(channels)]
        shifts = [-self.random.randrange(6, 12) for _ in range(channels)]
        if kind == "uniform":
            multipliers, shifts = multipliers[:1] * channels, shifts[:1] * channels
        elif kind == "flushed":
            multipliers[0] = shifts[0] = 0
        elif kind == "deep":
            shifts = [-self.random.choice((1, 2, 8, 9, 20, 31)) for _ in range(channels)]
        elif kind == "left":
            shifts = [self.random.choice((0, 1, -1, -7)) for _ in range(channels)]
        elif kind == "large":
            shifts = [-self.random.choice((24, 26, 31)) for _ in range(channels)]
        elif kind == "pruned":
            shifts = [-self.random.choice((22, 24, 31)) if o % 2 else shift for o, shift in enumerate(shifts)]
        return multipliers, shifts

    def conv(self, name, image, channels, kernel=(1, 1), stride=1, dilation=1, pad=NONE, op="conv2d", batch=1, bits=8,
             mode="double", clamp=(-128, 127), zero=7, out_zero=-3, kind="", most=None, extreme=False,
             widest=False):
        height, width, depth = image
        depthwise = op == "depthwise_conv2d"
        rows = (height + pad[0] + pad[2] - (kernel[0] - 1) * dilation - 1) // stride + 1
        columns = (width + pad[1] + pad[3] - (kernel[1] - 1) * dilation - 1) // stride + 1
        most = most or {8: 127, 4: 7, 2: 1}[bits]
        low = -most if bits == 8 and not widest else -most - 1
        shape = (*kernel, channels) if depthwise else (channels, *kernel, depth)
        inputs, out = (batch, height, width, depth), (batch, rows, columns, channels)
        if op == "fully_connected":
            shape, inputs, out = (channels, depth), (batch * width, depth), (batch * width, channels)
        layer = Layer(name, "qnn." + op, [inputs], out, product(out) * product(kernel) * (1 if depthwise else depth))
        weights = [self.random.choice((low, most)) if extreme else self.random.randint(low, most) for _ in range(product(shape))]
        biases = [self.random.randint(-1000, 1000) for _ in range(channels)]
        if kind == "large":
            biases = [self.random.choice((1, -1)) * self.random.randint(1 << 28, 1 << 30) for _ in range(channels)]
        if kind == "pruned":  # every other channel: no weights, and a bias that fast maps do not take
            place = (lambda i: i % channels) if depthwise else (lambda i: i // (len(weights) // channels))
            weights = [0 if place(i) % 2 else w for i, w in enumerate(weights)]
            biases = [self.random.randint(1 << 28, 1 << 30) if o % 2 else b for o, b in enumerate(biases)]
        multipliers, shifts = self.maps(channels, kind)
        layer.weights = [(shape, "i8", weights)] + [((channels,), "i32", v) for v in (biases, multipliers, shifts)]
        layer.codes = [self.codes(product(inputs), extreme)]
        if op != "fully_connected":
            layer.attributes = self.window(kernel, stride, dilation, pad)
        layer.attributes.update(input_zero=zero, output_zero=out_zero, low=clamp[0], high=clamp[1])
        if bits != 8:
            layer.attributes["weight_bits"] = f"{bits} : i64"
            layer.bits = bits
        layer.attributes["map"] = f"#qtensor.final<fixed<{mode}>>"
        layer.oracle = ("conv", [batch, height, width, depth, channels, *kernel, stride, dilation, pad[0], pad[1], rows, columns,
                                 int(depthwise), int(mode == "single"), *clamp, zero, out_zero])
        return layer

    def parts(self, name, image, channels, parts, **shape):
        """A convolution whose inputs and outputs are so many groups of channels."""
        height, width, depth = image
        layer = self.conv(name, (height, width, depth // parts), channels, **shape)
        layer.inputs = [(*layer.inputs[0][:3], depth)]
        layer.codes = [self.codes(product(layer.inputs[0]), shape.get("extreme", False))]
        layer.attributes["channel_groups"] = f"{parts} : i64"
        numbers = layer.oracle[1]
        layer.oracle = ("parts", [parts] + numbers[:3] + [depth] + numbers[4:])
        return layer

    def groups(self, name, image, channels, size, most=4095, flip=False, **shape):
        """A layer whose weights are in groups of `size`, as a float model's are: along the channels of the input, where these are
        fewer along the window. `most`: of the factors."""
        mode, clamp = shape.pop("mode", "double"), shape.get("clamp", (-128, 127))
        layer = self.conv(name, image, channels, **shape)
        kernel = shape.get("kernel", (1, 1))
        deep = min(size, image[2])
        across = min(max(size // image[2], 1), kernel[1])
        high = min(max(size // image[2] // kernel[1], 1), kernel[0]) if across == kernel[1] else 1
        counts = [-(-extent // block) for extent, block in zip((*kernel, image[2]), (high, across, deep))]
        factors = [self.random.randint(most // 4, most) for _ in range(channels * product(counts))]
        if flip:  # some negative, some 0
            factors = [self.random.choice((1, 1, -1, 0)) * factor for factor in factors]
        dense = shape.get("op") == "fully_connected"
        layer.weights.append(((channels, counts[2]) if dense else (channels, *counts), "i32", factors))
        depth = product(kernel) * image[2]
        place = (most * {8: 127, 4: 7, 2: 1}[layer.bits] * 40).bit_length() + depth.bit_length() // 2 - 7
        layer.weights[3] = ((channels,), "i32", [-self.random.randint(max(place - 2, 0), place + 1) for _ in range(channels)])
        layer.attributes["groups"] = f"array<i64: {deep if dense else f'{high}, {across}, {deep}'}>"
        layer.attributes["map"] = "#qtensor.final<fixed<x16>>"
        numbers = layer.oracle[1]
        layer.oracle = ("groups", numbers[:13] + [high, across, deep] + [*clamp] + numbers[-2:])
        return layer

    def extents(self, kernel, dilation):
        return tuple(self.random.randint((k - 1) * dilation + 1, 9) for k in kernel)

    @staticmethod
    def window(kernel, stride, dilation, pad):
        lists = {"window": kernel, "strides": (stride,) * 2, "dilations": (dilation,) * 2, "pads": pad}
        return {name: f"array<i64: {', '.join(map(str, values))}>" for name, values in lists.items()}

    def pool(self, name, image, kernel, stride=1, pad=NONE, largest=False, clamp=(-128, 127)):
        height, width, channels = image
        rows = (height + pad[0] + pad[2] - kernel[0]) // stride + 1
        columns = (width + pad[1] + pad[3] - kernel[1]) // stride + 1
        layer = Layer(name, "qnn.pool2d", [(1, *image)], (1, rows, columns, channels), product(image))
        layer.codes = [self.codes(product(image))]
        layer.attributes = self.window(kernel, stride, 1, pad)
        layer.attributes.update(low=clamp[0], high=clamp[1])
        if largest:
            layer.attributes["max"] = None
        layer.oracle = ("pool", [*image, *kernel, stride, pad[0], pad[1], rows, columns, int(largest), *clamp])
        return layer

    def mean(self, name, image, kernel, stride=1, pad=NONE, multiple=0, zero=7, out_zero=-3, multiplier=0x5A82799A, shift=None,
             mode="double", clamp=(-128, 127)):
        """A pooling whose sums take a final map. Without a shift of its own averages keep about the scale of the codes."""
        layer = self.pool(name, image, kernel, stride, pad, clamp=clamp)
        if shift is None:
            shift = -(multiple or product(kernel)).bit_length() + 1
        values = dict(input_zero=zero, multiple=multiple, multiplier=multiplier, shift=shift, output_zero=out_zero,
                      map=f"<fixed<{mode}>>")
        layer.attributes["mean"] = f"#qnn.mean<{', '.join(f'{name} = {number}' for name, number in values.items())}>"
        layer.oracle = ("mean", layer.oracle[1][:-3] + [multiple, multiplier, shift, int(mode == "single"), *clamp, zero, out_zero])
        return layer

    def add(self, name, count, zeros=(-7, -5), out_zero=-3, multipliers=(1 << 30, 1200000000, 1500000000), shifts=(0, -1, -18),
            mode="double", subtract=False, clamp=(-128, 127)):
        layer = Layer(name, "qnn.add", [(1, count)] * 2, (1, count), count)
        layer.codes = [self.codes(count), self.codes(count)]
        lists = {"zeros": zeros, "multipliers": multipliers, "shifts": shifts}
        layer.attributes = {n: f"array<i64: {', '.join(map(str, v))}>" for n, v in lists.items()}
        layer.attributes.update(left_shift=20, output_zero=out_zero, low=clamp[0], high=clamp[1],
                                map=f"#qtensor.final<fixed<{mode}>>")
        if subtract:
            layer.attributes["subtract"] = None
        layer.oracle = ("add", [count, *zeros, out_zero, *multipliers, *shifts, int(mode == "single"), int(subtract), *clamp])
        return layer

    def mul(self, name, image, factors=None, zeros=(-7, -5), out_zero=-3, multiplier=1500000000, shift=-7, mode="double",
            clamp=(-128, 127), extreme=False):
        """Products with a tensor of the shape `factors`, without one of the image's own shape."""
        factors = factors or image
        layer = Layer(name, "qnn.mul", [image, factors], image, product(image))
        layer.codes = [self.codes(product(image), extreme), self.codes(product(factors), extreme)]
        layer.attributes = dict(zeros=f"array<i64: {zeros[0]}, {zeros[1]}>", multiplier=multiplier, shift=shift, output_zero=out_zero,
                                low=clamp[0], high=clamp[1], map=f"#qtensor.final<fixed<{mode}>>")
        same = 0  # Last dimensions that both have.
        while same < len(factors) and factors[-1 - same] == image[-1 - same]:
            same += 1
        length = product(factors[len(factors) - same:])
        batch = product(factors) // length
        layer.oracle = ("mul", [batch, product(image) // length // batch, length, *zeros, out_zero, multiplier, shift,
                                int(mode == "single"), *clamp])
        return layer

    def softmax(self, name, rows, length, same=False):
        layer = Layer(name, "qnn.softmax", [(rows, length)], (rows, length), rows * length)
        terms = [exp_on_negative(high_mul(-distance << 23, 1 << 30)) if distance <= 248 else 0 for distance in range(256)]
        layer.weights = [((256,), "i32", terms)]
        layer.codes = [[5] * (rows * length) if same else self.codes(rows * length)]
        layer.attributes = {"low": -128, "high": 127}
        layer.oracle = ("softmax", [rows, length])
        return layer


def goals(make):
    """The layers that are counted (issue: firmware, point 10)."""
    depthwise = dict(op="depthwise_conv2d", kernel=(3, 3), pad=SAME)
    return [make.conv("fc-int8", (1, 1, 256), 256, op="fully_connected", kind="uniform"),
            make.conv("fc-int4", (1, 1, 256), 256, op="fully_connected", bits=4, kind="uniform"),
            make.conv("conv-16", (16, 16, 16), 16, kernel=(3, 3), pad=SAME),
            make.conv("conv-64", (8, 8, 64), 64, kernel=(3, 3), pad=SAME),
            make.conv("depthwise-16", (16, 16, 16), 16, **depthwise),
            make.softmax("softmax", 16, 64), make.add("add", 4096)]


def odd(make):
    """Shapes that no network of the goals has: windows with gaps and long ones, few channels."""
    depthwise = dict(op="depthwise_conv2d")
    return [make.conv("conv-16-dilated", (12, 12, 16), 16, kernel=(3, 3), pad=(2, 2, 2, 2), dilation=2),
            make.conv("depthwise-16-dilated", (12, 12, 16), 16, kernel=(3, 3), pad=(2, 2, 2, 2), dilation=2, **depthwise),
            make.conv("fc-to-1", (1, 1, 400), 1, op="fully_connected"), make.conv("fc-to-5", (1, 1, 67), 5, op="fully_connected"),
            make.conv("conv-16-to-1", (12, 12, 16), 1, kernel=(3, 3), pad=SAME),
            make.conv("depthwise-5x5", (10, 10, 16), 16, kernel=(5, 5), pad=(2, 2, 2, 2), **depthwise),
            make.conv("depthwise-7x7", (10, 10, 12), 12, kernel=(7, 7), pad=(3, 3, 3, 3), **depthwise)]


def grouped(make):
    """Weights in groups."""
    return [make.groups("fc-int4-groups", (1, 1, 256), 256, 32, op="fully_connected", bits=4),
            make.groups("conv-64-int4-groups", (8, 8, 64), 64, 32, kernel=(3, 3), pad=SAME, bits=4)]


def muls(make):
    """A unit is an output."""
    return [make.mul("mul", (1, 4096)), make.mul("mul-channels", (1, 16, 16, 16), (1, 1, 1, 16))]


def mul_shapes(make, count):
    """Products of tensors of one shape and with factors of channels: tails, batches, zero points at the ends, every kind of map."""
    pick, number = make.random.choice, make.random.randint
    layers = [make.mul("mul of extremes", (1, 100), zeros=(127, -128), multiplier=(1 << 31) - 1, shift=-9, extreme=True),
              make.mul("mul to the left", (1, 37), multiplier=1 << 30, shift=2), make.mul("mul without shift", (1, 9), shift=0),
              make.mul("mul flushed", (2, 19), multiplier=0, shift=0), make.mul("mul to nothing", (1, 21), shift=-31),
              make.mul("mul by [C]", (1, 3, 3, 10), (10,)), make.mul("mul by [H, W, C]", (3, 2, 2, 3), (2, 2, 3))]
    for i in range(count):
        batch, channels = pick((1, 1, 2, 3)), pick((1, 2, 3, 5, 7, 8, 9, 16, 17, 33, 40))
        image = (batch, number(1, 5), number(1, 7), channels)
        for factors in (None, (batch, 1, 1, channels)):
            multiplier, shift = pick(((make.random.randrange(1 << 30, 1 << 31), -number(4, 9)), (1 << 30, -number(1, 9)),
                                      (make.random.randrange(1 << 30, 1 << 31), -number(1, 31))))
            layers.append(make.mul(f"mul {i}", image, factors, (pick((-128, 0, 13, 127)), pick((-128, 0, 4, 127))),
                                   pick((-128, 0, 4, 127)), multiplier, shift, pick(("double", "single")),
                                   pick(((-128, 127), (-128, 127), (-20, 30))), pick((False, False, True))))
    return layers


def in_parts(make):
    """Convolutions in groups of channels."""
    return [make.parts("conv-64-parts-8", (8, 8, 64), 64, 8, kernel=(3, 3), pad=SAME),
            make.parts("point-96-parts-3", (8, 8, 96), 96, 3)]


def part_shapes(make, count):
    """Convolutions in groups of few and of many channels, whose numbers are no multiples of words: every kind of window and map."""
    pick, number = make.random.choice, make.random.randint
    layers = [make.parts("parts of extremes", (5, 5, 24), 12, 3, kernel=(3, 3), pad=SAME, extreme=True, widest=True)]
    for i in range(count):
        parts, kernel, bits = pick((2, 3, 4, 5)), (number(1, 3), number(1, 3)), pick((8, 8, 4, 2))
        stride, dilation, pad = number(1, 2), pick((1, 1, 2)), tuple(number(0, 2) for _ in range(4))
        layers.append(make.parts(f"parts {i}", (*make.extents(kernel, dilation), parts * pick((1, 2, 3, 4, 8, 12, 17))),
                                 parts * pick((1, 2, 4, 5, 8, 16, 17)), parts, kernel=kernel, stride=stride, dilation=dilation, pad=pad,
                                 bits=bits, batch=pick((1, 1, 2)), mode=pick(("double", "single")), kind=pick(KINDS),
                                 zero=pick((-128, 127, 0, 13)), out_zero=pick((-128, 127, 0, 4)), extreme=make.random.random() < .3,
                                 clamp=pick(((-128, 127), (-100, 90)))))
        layers.append(make.parts(f"parts of pixels {i}", (number(1, 4), number(1, 5), parts * pick((2, 4, 8, 16))), parts * number(1, 9),
                                 parts, kind=pick(KINDS), mode=pick(("double", "single"))))
    return layers


def grouped_shapes(make, count):
    """Groups of any size, with tails, factors that fit 32 bits in a sum and that do not."""
    pick = make.random.choice
    layers = [make.groups("groups 784", (1, 1, 784), 10, 32, op="fully_connected", bits=4),
              make.groups("groups of 16 channels", (6, 6, 16), 20, 32, kernel=(3, 3), pad=SAME, bits=4),
              make.groups("groups of 8 channels", (7, 6, 8), 9, 32, kernel=(5, 5), pad=(2, 2, 2, 2), bits=4),
              make.groups("groups of 40 channels", (5, 4, 40), 7, 32, kernel=(3, 3), bits=4)]
    for i in range(count):
        bits, size, most = pick((8, 4, 2)), pick((32, 64)), pick((3, 4095, 1 << 20))
        common = dict(bits=bits, most=most, flip=pick((False, True)), zero=pick((-128, 0, 13)), extreme=make.random.random() < .3,
                      clamp=pick(((-128, 127), (-100, 90))))
        depth = pick((1, 5, 31, 32, 33, 50, 64, 100, 128))
        layers.append(make.groups(f"groups fc {i}", (1, pick((1, 1, 3)), depth), pick((1, 2, 7, 10, 16, 33)), size,
                                  op="fully_connected", widest=pick((False, True)), **common))
        kernel = (make.random.randint(1, 3), make.random.randint(1, 3))
        pad = tuple(make.random.randint(0, k - 1) for k in kernel * 2)
        layers.append(make.groups(f"groups conv {i}", (*make.extents(kernel, 1), pick((1, 3, 8, 16, 40, 64, 96))),
                                  pick((1, 4, 7, 16)), size, kernel=kernel, pad=pad, stride=make.random.randint(1, 2),
                                  batch=pick((1, 1, 2)), **common))
    return layers


def narrow(make):
    """Shapes with weights of 8, 4 and 2 bits: long windows and short ones, many channels and few, tails of both and of pixels."""
    layers = []
    for bits in (8, 4, 2):
        for depth, channels, kind, rows in ((64, 256, "uniform", 1), (256, 256, "uniform", 1), (640, 256, "uniform", 1), (256, 256, "", 1),
                                            (8, 10, "uniform", 1), (20, 33, "", 1), (37, 16, "uniform", 1), (78, 10, "", 1),
                                            (96, 32, "uniform", 1), (128, 64, "", 1), (256, 32, "uniform", 1), (64, 32, "", 5)):
            name = f"fc{depth}x{channels}{kind and '-uniform'}{f'-rows{rows}' if rows > 1 else ''}-int{bits}"
            layers.append(make.conv(name, (1, rows, depth), channels, op="fully_connected", bits=bits, kind=kind))
        for kernel, size, depth, channels in ((3, 16, 16, 16), (3, 8, 64, 64), (3, 6, 1, 8), (3, 6, 3, 16), (3, 6, 8, 8), (3, 6, 9, 32),
                                              (3, 5, 12, 20), (3, 6, 20, 9), (3, 6, 32, 4), (5, 7, 8, 32), (5, 7, 3, 16), (1, 8, 64, 64),
                                              (1, 8, 128, 128), (1, 4, 128, 256), (1, 6, 16, 16), (1, 6, 16, 9), (1, 6, 32, 10),
                                              (1, 5, 65, 16), (1, 6, 8, 32), (1, 5, 256, 32)):
            name = f"conv{kernel}x{kernel}-{size}x{size}x{depth}x{channels}-int{bits}"
            layers.append(make.conv(name, (size, size, depth), channels, kernel=(kernel, kernel), pad=(kernel // 2,) * 4, bits=bits))
    return layers


def others(make):
    """Layers without goals: a unit of pooling is an output."""
    layers = [make.pool("max-2", (16, 16, 16), (2, 2), 2, largest=True),
              make.pool("max-3", (16, 16, 16), (3, 3), 1, SAME, largest=True),
              make.pool("average-2", (16, 16, 16), (2, 2), 2), make.pool("average-3", (16, 16, 16), (3, 3), 1, SAME),
              make.pool("average-8", (8, 8, 64), (8, 8))]
    for layer in layers:
        layer.unit = product(layer.out)
    return layers


def means(make):
    """A unit is an output."""
    layers = [make.mean("mean-2", (16, 16, 16), (2, 2), 2), make.mean("mean-3", (16, 16, 16), (3, 3), 1, SAME, multiple=36),
              make.mean("mean-8", (8, 8, 64), (8, 8))]
    for layer in layers:
        layer.unit = product(layer.out)
    return layers


def mean_shapes(make, count):
    """Means over windows with and without pads, over whole images of up to 400 codes; every kind of map."""
    pick, number = make.random.choice, make.random.randint
    layers = [make.mean("mean of 128", (16, 8, 8), (16, 8), zero=-128), make.mean("mean of 129", (43, 3, 16), (43, 3), zero=127),
              make.mean("mean of 256", (16, 16, 12), (16, 16), zero=-128), make.mean("mean of 400", (20, 20, 9), (20, 20)),
              make.mean("mean of a channel", (1, 70, 1), (1, 70)), make.mean("mean of -128", (4, 4, 8), (4, 4), clamp=(-128, -128))]
    for i in range(count):
        kernel, padded = (number(1, 3), number(1, 3)), pick((False, True))
        pad = tuple(number(0, k - 1) for k in kernel * 2) if padded else NONE
        multiple = pick((0, 36)) if padded else 0
        multiplier, shift = pick(((make.random.randrange(1 << 30, 1 << 31), None), (1 << 30, 0), (1 << 30, 1), (0, 0),
                                  (make.random.randrange(1, 1 << 31), -number(1, 31)), (make.random.randrange(1 << 30, 1 << 31), 3)))
        layers.append(make.mean(f"mean {i}", (*make.extents(kernel, 1), pick((1, 3, 4, 8, 12, 16, 33))), kernel, number(1, 2), pad,
                                multiple, pick((-128, 0, 13, 127)), pick((-128, 0, 4, 127)), multiplier, shift,
                                pick(("double", "single")), pick(((-128, 127), (-20, 30)))))
    return layers


def same_pads(image, kernel, stride):
    """TFLite's SAME: what is odd goes to the end."""
    totals = [max((-(-n // stride) - 1) * stride + k - n, 0) for n, k in zip(image, kernel)]
    return totals[0] // 2, totals[1] // 2, totals[0] - totals[0] // 2, totals[1] - totals[1] // 2


def network(make, name):
    """The shapes of a network of MLPerf Tiny, each layer on random codes."""
    layers = []

    def conv(image, channels, kernel=(1, 1), stride=1, op="conv2d"):
        pad = same_pads(image, kernel, stride)
        layers.append(make.conv(f"{name}-{len(layers)}", image, channels, kernel=kernel, stride=stride, pad=pad, op=op))

    def product(depth, channels):
        layers.append(make.conv(f"{name}-{len(layers)}", (1, 1, depth), channels, op="fully_connected", kind="uniform"))

    def separable(height, width, depth, channels, stride=1):
        conv((height, width, depth), depth, (3, 3), stride, "depthwise_conv2d")
        conv((-(-height // stride), -(-width // stride), depth), channels)

    if name == "ic":
        conv((32, 32, 3), 16, (3, 3))
        for size, depth, channels in ((32, 16, 16), (32, 16, 32), (16, 32, 64)):
            stride = channels // depth
            conv((size, size, depth), channels, (3, 3), stride)
            conv((size // stride, size // stride, channels), channels, (3, 3))
            if stride > 1:
                conv((size, size, depth), channels, (1, 1), stride)
            layers.append(make.add(f"{name}-{len(layers)}", (size // stride) ** 2 * channels))
    elif name == "kws":
        conv((49, 10, 1), 64, (10, 4), 2)
        for _ in range(4):
            separable(25, 5, 64, 64)
    elif name == "vww":
        conv((96, 96, 3), 8, (3, 3), 2)
        for size, depth, channels, stride in ((48, 8, 16, 1), (48, 16, 32, 2), (24, 32, 32, 1), (24, 32, 64, 2), (12, 64, 64, 1),
                                              (12, 64, 128, 2), *[(6, 128, 128, 1)] * 5, (6, 128, 256, 2), (3, 256, 256, 1)):
            separable(size, size, depth, channels, stride)
    elif name == "others":
        return others(make)
    elif name == "words":
        return words(make)
    else:
        for depth, channels in ((640, 128), *[(128, 128)] * 3, (128, 8), (8, 128), *[(128, 128)] * 3, (128, 640)):
            product(depth, channels)
        return layers
    depth, channels = {"ic": (64, 10), "kws": (64, 12), "vww": (256, 2)}[name]
    product(depth, channels)
    return layers + [make.softmax(f"{name}-softmax", 1, channels)]


KINDS = ("", "", "", "uniform", "flushed", "deep", "large", "left", "pruned")


def random_windows(make, i):
    """A convolution, a depthwise one and a pooling with the same window."""
    pick = make.random.choice
    kernel = (make.random.randint(1, 4), make.random.randint(1, 4))
    stride, dilation, bits = make.random.randint(1, 2), pick((1, 1, 2)), pick((8, 8, 4, 2))
    pad = tuple(make.random.randint(0, 2) for _ in range(4))
    image = make.extents(kernel, dilation)
    common = dict(kernel=kernel, stride=stride, dilation=dilation, pad=pad)
    common.update(zero=pick((-128, 127, 0, 13)), out_zero=pick((-128, 127, 0, 4)))
    channels = pick((1, 2, 7, 8, 9, 16, 20, 33))
    conv = make.conv(f"conv {i}", (*image, pick((1, 2, 3, 5, 16, 17, 31))), channels, **common, bits=bits, batch=pick((1, 1, 2)),
                     mode=pick(("double", "single")), extreme=make.random.random() < .3, kind=pick(KINDS),
                     most=pick((None, 15, 60)) if bits == 8 else None)
    depthwise = make.conv(f"depthwise {i}", (*image, channels), channels * pick((1, 1, 1, 2, 3, 8)), op="depthwise_conv2d", **common,
                          batch=pick((1, 1, 2)), mode=pick(("double", "single")), kind=pick(KINDS), most=pick((None, 15, 60)),
                          extreme=make.random.random() < .3)
    inside = tuple(make.random.randint(0, k - 1) for k in kernel * 2)
    pool = make.pool(f"pool {i}", (*image, channels), kernel, stride, inside, largest=pick((False, True)),
                     clamp=pick(((-128, 127), (-20, 30))))
    return [conv, depthwise, pool]


def random_products(make, i):
    """A fully connected layer, a convolution of single pixels, a sum and a softmax: 1 to 256 channels."""
    pick, number = make.random.choice, make.random.randint
    bits, size = pick((8, 4, 2)), lambda: pick(((1, number(1, 256)), (number(1, 256), 1), (256, number(2, 9)), (number(2, 9), 256),
                                                (number(2, 70), number(2, 70))))
    (depth, channels), (deep, wide) = size(), size()
    clamp = pick(((-128, 127), (-3, 127), (-128, -128), (-100, 90)))
    common = dict(zero=pick((-128, 127, 0, 13)), out_zero=pick((-128, 127, 0, 4)), mode=pick(("double", "single")), clamp=clamp)
    product = make.conv(f"product {i}", (1, number(1, 5), depth), channels, op="fully_connected", bits=bits, kind=pick(KINDS),
                        extreme=make.random.random() < .3, widest=bits == 8 and make.random.random() < .2, **common)
    pixels = make.conv(f"pixels {i}", (number(1, 4), number(1, 5), deep), wide, kind=pick(KINDS), **common)
    zeros = (number(-128, 127), number(-128, 127))
    multipliers = [make.random.randrange(1 << 30, 1 << 31) for _ in range(3)]
    add = make.add(f"add {i}", number(1, 300), zeros, common["out_zero"], multipliers,
                   (-number(0, 3), -number(0, 3), -number(16, 20)), common["mode"], subtract=pick((False, True)), clamp=clamp)
    return [product, pixels, add, make.softmax(f"softmax {i}", number(1, 4), number(1, 256))]


def random_shapes(make, count):
    """Odd sizes, tails of channels, pads, strides, dilation, batches, narrow weights, extreme codes, maps and biases."""
    layers = []
    for i in range(count):
        layers += random_windows(make, i) + (random_products(make, i) if i % 2 else [])
    return layers + mean_shapes(make, count)


def stacks(make):
    """Convolutions of single channels with more taps than vector registers hold weights of; then two whose sums do not fit registers,
    the first with a frame that is aligned for the vector registers in it."""
    layers = [make.conv(f"depthwise {h} x {w}", (9, 15, 12), 12, kernel=(h, w), pad=(h // 2, w // 2) * 2, op="depthwise_conv2d", most=most)
              for h, w, most in ((5, 5, None), (7, 7, None), (7, 7, 60), (1, 15, None), (9, 2, 60))]
    layers += [word_layer(make, f"words depthwise {k} x {k}", (9, 9, 12), 12, kernel=(k, k), pad=(k // 2,) * 4, op="depthwise_conv2d") for k in (5, 7)]
    conv = make.conv("spills", (5, 6, 10), 10, stride=2)
    add = make.add("", product(conv.out), (7, -128), 5, (1 << 30, 1200000000, 1500000000), (0, -1, -18), "double", subtract=False,
                   clamp=(-128, 127))
    return layers + [SumLayer(conv, add, first=0), make.conv("spills", (7, 8, 5), 7, kernel=(1, 3), stride=2, pad=(0, 1, 1, 2), most=60)]


def products(make):
    """Matrix products and windows of one column, of many inputs and of few."""
    return [make.conv(f"product {depth} to {channels} rows {rows}", (1, rows, depth), channels, op="fully_connected")
            for depth, channels, rows in ((64, 20, 1), (20, 64, 1), (37, 5, 1), (12, 12, 7), (8, 24, 60), (24, 8, 61))] + [
                make.conv("column", (30, 1, 16), 16, kernel=(3, 1), pad=(1, 0, 1, 0)),
                make.conv("column depthwise", (30, 1, 16), 16, kernel=(3, 1), pad=(1, 0, 1, 0), op="depthwise_conv2d")]


def sums(make):
    """Convolutions whose codes are added to another tensor: tails of pixels and of channels, every shape of tile."""
    layers = []
    for i, (image, channels, kernel, pad) in enumerate((((6, 6, 8), 8, (3, 3), SAME), ((5, 7, 16), 12, (3, 3), SAME),
                                                        ((4, 5, 20), 7, (1, 1), NONE), ((3, 3, 5), 4, (2, 2), NONE),
                                                        ((2, 8, 64), 16, (1, 1), NONE), ((1, 9, 32), 32, (1, 1), NONE),
                                                        ((5, 5, 9), 6, (3, 3), SAME))):
        conv = make.conv(f"sum {i}", image, channels, kernel=kernel, pad=pad, mode=("double", "single")[i % 2],
                         bits=(8, 8, 8, 4, 8, 4, 8)[i], extreme=i == 6)  # the last has sums beyond all codes
        add = make.add("", product(conv.out), (7, -128), 5, *(((1 << 30, 1200000000, 1500000000), (0, -1, -18)),
                                                              ((1900000000, 1 << 30, 1200000000), (-3, 0, -19)))[i % 2],
                       ("double", "single")[i % 2], subtract=i == 2, clamp=((-128, 127), (-5, 90))[i % 2])
        layers.append(SumLayer(conv, add, first=i % 2 if i != 2 else 0))
    return layers


def corners(make):
    layers = []
    for mode in ("double", "single"):
        for kind in ("", "flushed", "deep", "large", "left", "pruned"):
            clamp = make.random.choice(((-128, 127), (-3, 127), (-100, 90)))
            shape = dict(mode=mode, kind=kind, clamp=clamp)
            channels = make.random.randint(1, 40)
            layers.append(make.conv(f"product {mode} {kind}", (1, 1, make.random.randint(1, 70)), make.random.randint(1, 40),
                                    op="fully_connected", **shape))
            layers.append(make.conv(f"depthwise {mode} {kind}", (5, 4, channels), channels, op="depthwise_conv2d", kernel=(3, 3),
                                    pad=SAME, **shape))
        layers += [make.add(f"add {mode}", 100, mode=mode), make.add(f"sub {mode}", 33, mode=mode, subtract=True),
                   make.add(f"add clamped {mode}", 129, mode=mode, clamp=(-3, 100), shifts=(0, -2, -19)),
                   make.add(f"add swapped {mode}", 65, (0, 127), -128, (1900000000, 1 << 30, 1200000000), (-3, 0, -19), mode)]
    depthwise = dict(op="depthwise_conv2d")
    layers += [make.conv("256 to 2", (1, 1, 256), 2, op="fully_connected"), make.conv("1 to 1", (1, 1, 1), 1, op="fully_connected"),
               make.conv("rows int4", (1, 5, 37), 19, op="fully_connected", bits=4),
               make.conv("rows int2", (1, 3, 37), 19, op="fully_connected", bits=2),
               make.conv("depthwise 256", (3, 3, 256), 256, kernel=(3, 3), pad=SAME, **depthwise),
               make.conv("depthwise 256 stride 2", (6, 6, 256), 256, kernel=(3, 3), stride=2, pad=(0, 0, 1, 1), **depthwise),
               make.conv("depthwise 1", (5, 5, 1), 1, kernel=(3, 3), pad=SAME, **depthwise),
               make.conv("depthwise 15 x 1", (15, 1, 64), 64, kernel=(15, 1), **depthwise),
               make.conv("depthwise 5 x 5", (7, 7, 24), 24, kernel=(5, 5), pad=(2, 2, 2, 2), **depthwise),
               make.conv("depthwise of -128", (4, 4, 12), 12, kernel=(3, 3), widest=True, extreme=True, **depthwise),
               make.conv("small weights", (4, 5, 12), 9, kernel=(3, 3), most=60),
               make.conv("smaller weights", (4, 5, 12), 9, kernel=(3, 3), most=30, extreme=True),
               make.conv("first layer", (12, 10, 1), 64, kernel=(10, 4), stride=2, pad=(4, 1, 5, 1)),
               make.softmax("softmax same", 2, 256, same=True), make.softmax("softmax long", 1, 300)]
    return layers + [make.softmax(f"softmax {n}", 3, n) for n in (1, 2, 3, 10, 64, 100)] + sums(make)


def write_model(path, layers):
    arguments, body, results = [], [], []
    for i, layer in enumerate(layers):
        names = [f"%in{i}_{j}" for j in range(len(layer.inputs))]
        arguments += [f'{n}: {tensor(s, layer.element)} {{qtensor.name = "x{n[3:]}"}}' for n, s in zip(names, layer.inputs)]
        body.append(layer.mlir(names, f"r{i}"))
        results.append((f"%r{i}", tensor(layer.out, layer.element)))
    types = ", ".join(f'{t} {{qtensor.name = "y{i}"}}' for i, (_, t) in enumerate(results))
    values, plain = ", ".join(n for n, _ in results), ", ".join(t for _, t in results)
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"func.func @main({', '.join(arguments)}) -> ({types}) {{\n" + "\n".join(body))
        out.write(f"\n  return {values} : {plain}\n}}\n")


def array(kind, name, values):
    return f"static const {kind} {name}[] __attribute__((aligned(16))) = {{{', '.join(map(str, values))}}};"


def placed_run(m, layers, inputs, outputs):
    """The call with inputs and outputs where the header says that they may lie in the arena."""
    sizes = [product(shape) * layer.code_bytes() for layer in layers for shape in layer.inputs]
    into = [f"MODEL{m}_INPUT{i}(oracle_arena)" for i in range(len(inputs))]
    out = [f"MODEL{m}_OUTPUT{i}(oracle_arena)" for i in range(len(outputs))]
    lines = [f"oracle_copy({place}, {name}, {size});" for place, name, size in zip(into, inputs, sizes)]
    lines.append(f"model{m}_run({', '.join(into + out)}, oracle_arena);")
    lines += [f"oracle_copy({name}, {place}, {product(layer.out) * layer.code_bytes()});" for name, place, layer in zip(outputs, out, layers)]
    return "\n  ".join(lines + [f"oracle_beyond(MODEL{m}_ARENA_BYTES);"])


def write_program(path, models, which):
    top, calls, check = ['#include "oracle.h"'], [], []
    if which == "peers":
        words_too = any(layer.element == "i16" for layers in models for layer in layers)
        top.append('#include "peer_words.h"' if words_too else '#include "peer.h"')
    for m, layers in enumerate(models):
        if which == "placed":
            top.append(f'#include "model{m}.h"')
        else:
            top.append(f"void model{m}_run({', '.join(['const void *'] * sum(len(l.inputs) for l in layers))}"
                       f"{', void *' * len(layers)}, void *);")
        inputs, outputs = [], []
        for i, layer in enumerate(layers):
            name = f"m{m}_{i}"
            for j, codes in enumerate(layer.codes):
                top.append(array("int8_t" if layer.element == "i8" else "int16_t", f"{name}_x{j}", codes))
                inputs.append(f"{name}_x{j}")
            for j, (_, element, values) in enumerate(layer.weights):
                top.append(array({"i8": "int8_t", "i32": "int32_t", "i64": "int64_t"}[element], f"{name}_w{j}", values))
            count = product(layer.out) * layer.code_bytes()
            top.append(f"static int8_t {name}_y[{count + 32}] __attribute__((aligned(16)));")
            outputs.append(f"{name}_y")
            check.append(f"  oracle_guard({name}_y, {count});")
            constants = [f"{name}_w{j}" for j in range(len(layer.weights))]
            kind, numbers = layer.oracle
            given = ", ".join(inputs[-len(layer.codes):] + constants + list(map(str, numbers)))
            check.append(("after", f'  oracle_{kind}({given});\n  oracle_compare("{layer.name}", {name}_y, {count});'))
        guards = [c for c in check if isinstance(c, str)]
        after = [c[1] for c in check if not isinstance(c, str)]
        check = []
        run = f"model{m}_run({', '.join(inputs + outputs)}, oracle_arena);"
        if which in ("goals", "narrow", "others", "words", "odd"):
            run = f"region_begin();\n  {run}\n  region_end();"
        elif which == "placed":
            run = placed_run(m, layers, inputs, outputs)
        elif which == "peers":
            run = f"peer_{kind}({given}, {layers[0].bits}, {outputs[0]});"
        if which in ("goals", "narrow", "others", "words", "odd", "peers"):
            run += f"\n  oracle_counted(\"{layers[0].name}\", {layers[0].unit});"
        calls.append("static void check%d(void) {\n%s\n}" % (m, "\n".join(guards + ["  " + run] + after)))
    main = "\n".join(f"  check{m}();" for m in range(len(models)))
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(top + calls) + f"\nint main(void) {{\n{main}\n  return oracle_result();\n}}\n")


def main():
    which, folder = sys.argv[1:3]
    make = Maker(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    os.makedirs(folder, exist_ok=True)
    name = ""
    if which.startswith("peer-"):
        which, name = "peers", which[len("peer-"):]
    if which == "placed-words":
        which, name = "placed", "placed-words"
    counted = which in ("goals", "narrow", "others", "words", "odd", "peers")
    if name == "placed-words":
        layers = words_shapes(make, 12)
    elif name:
        layers = network(make, name)
    elif counted:
        layers = {"narrow": narrow, "odd": odd, "others": others, "words": words}.get(which, goals)(make)
        if which == "others":
            layers += grouped(make) + means(make) + in_parts(make) + muls(make)
    elif which == "placed":
        layers = random_shapes(make, 10) + products(make) + sums(make) + mul_shapes(make, 3)
    elif which == "words-shapes":
        layers = words_shapes(make, 16)
    elif which == "groups":
        layers = grouped_shapes(make, 8)
    elif which == "parts":
        layers = part_shapes(make, 16)
    elif which == "products":
        layers = mul_shapes(make, 12)
    elif which == "stacks":
        layers = stacks(make)
    else:
        layers = corners(make) + random_shapes(make, 100 if which == "all-shapes" else 12)
    together = 1 if counted or which in ("placed", "stacks") else 8
    models = [layers[i:i + together] for i in range(0, len(layers), together)]
    for i, model in enumerate(models):
        if which != "peers":
            write_model(os.path.join(folder, f"model{i}.mlir"), model)
    write_program(os.path.join(folder, "program.c"), models, which)


main()
