# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers with codes of 16 bits for layers.py, whose Maker is `make`: those that are counted, and random ones."""
import math


def word_layer(make, name, image, channels, kind="", **shape):
    """A layer with codes of 16 bits. `kind`: as of maps, and "wide" and
    "wide uniform": biases that make sums leave 32 bits."""
    extreme, clamp = shape.get("extreme", False), shape.pop("clamp", (-32768, 32767))
    layer = make.conv(name, image, channels, clamp=clamp, zero=0, out_zero=0, kind="" if kind == "wide" else kind.split()[-1] if kind else "", **shape)
    layer.element = "i16"
    count = len(layer.codes[0])
    layer.codes = [[make.random.choice((-32768, 32767)) if extreme else make.random.randint(-32768, 32767) for _ in range(count)]]
    depth = layer.unit // math.prod(layer.out)
    biases = [make.random.randint(-1 << 20, 1 << 20) for _ in range(channels)]
    if "wide" in kind:
        biases = [make.random.choice((1, -1)) * make.random.randint(1 << 31, 1 << 36) for _ in range(channels)]
    if kind in ("large", "pruned"):
        biases = layer.weights[1][2]
    layer.weights[1] = ((channels,), "i64", biases)
    if kind in ("", "uniform", "wide", "wide uniform"):
        usual = 5 + depth.bit_length() // 2 + (8 if "wide" in kind else 0)
        shifts = [-usual - make.random.randint(0, 2) for _ in range(channels)]
        layer.weights[3] = ((channels,), "i32", shifts[:1] * channels if "uniform" in kind else shifts)
    layer.attributes["map"] = "#qtensor.final<fixed<x16>>"
    numbers = layer.oracle[1]
    layer.oracle = ("words", numbers[:14] + [*clamp])
    return layer


def words(make):
    """Codes of 16 bits."""
    depthwise = dict(op="depthwise_conv2d", kernel=(3, 3), pad=(1, 1, 1, 1))
    return [word_layer(make, "fc-16x8", (1, 1, 256), 256, op="fully_connected", kind="uniform"),
            word_layer(make, "conv-16-16x8", (16, 16, 16), 16, kernel=(3, 3), pad=(1, 1, 1, 1)),
            word_layer(make, "conv-64-16x8", (8, 8, 64), 64, kernel=(3, 3), pad=(1, 1, 1, 1)),
            word_layer(make, "point-64-16x8", (8, 8, 64), 64),
            word_layer(make, "depthwise-16-16x8", (16, 16, 16), 16, **depthwise),
            word_layer(make, "conv-64-wide-16x8", (4, 4, 64), 64, kernel=(3, 3), pad=(1, 1, 1, 1), kind="wide"),
            word_layer(make, "fc-wide-16x8", (1, 1, 256), 64, op="fully_connected", kind="wide uniform")]


def words_shapes(make, count):
    """Codes of 16 bits: windows as random_windows has them, products, sums of 32 and of 64 bits."""
    pick, number = make.random.choice, make.random.randint
    layers = [word_layer(make, f"words product {kind}", (1, 1, 37), 19, op="fully_connected", kind=kind) for kind in ("", "uniform", "wide")]
    layers += [word_layer(make, f"words conv {kind}", (4, 5, 12), 9, kernel=(3, 3), pad=(1, 1, 1, 1), kind=kind) for kind in ("", "wide")]
    layers += [word_layer(make, "words column", (30, 1, 16), 16, kernel=(3, 1), pad=(1, 0, 1, 0)),
               word_layer(make, "words column depthwise", (30, 1, 24), 24, kernel=(3, 1), pad=(1, 0, 1, 0), op="depthwise_conv2d"),
               word_layer(make, "words long product", (1, 1, 700), 10, op="fully_connected", kind="wide"),
               word_layer(make, "words first layer", (12, 10, 1), 20, kernel=(5, 4), stride=2, pad=(2, 1, 2, 1))]
    for i in range(count):
        kernel, dilation = (number(1, 4), number(1, 4)), pick((1, 1, 1, 2))
        common = dict(kernel=kernel, stride=number(1, 2), dilation=dilation, pad=tuple(number(0, 2) for _ in range(4)),
                      batch=pick((1, 1, 2)), extreme=make.random.random() < .3, clamp=pick(((-32768, 32767), (0, 32767), (-900, 20000))))
        image, channels = make.extents(kernel, dilation), pick((1, 2, 7, 8, 9, 16, 20, 33))
        kinds = ("", "", "uniform", "flushed", "wide", "large", "left", "pruned")
        layers += [word_layer(make, f"words conv {i}", (*image, pick((1, 2, 3, 4, 5, 16, 17, 31))), channels, bits=pick((8, 8, 4)), kind=pick(kinds),
                              widest=pick((False, True)), **common),
                   word_layer(make, f"words depthwise {i}", (*image, channels), channels * pick((1, 1, 1, 2, 3)), op="depthwise_conv2d",
                              kind=pick(kinds), **common),
                   word_layer(make, f"words product {i}", (1, pick((1, 1, 3)), pick((1, 2, 5, 8, 31, 64, 200))), pick((1, 2, 7, 8, 16, 33)),
                              op="fully_connected", kind=pick(kinds), widest=pick((False, True)), extreme=common["extreme"]),
                   word_layer(make, f"words pixels {i}", (number(1, 5), number(1, 5), pick((1, 3, 4, 6, 8, 24))), number(1, 20), kind=pick(kinds))]
    return layers
