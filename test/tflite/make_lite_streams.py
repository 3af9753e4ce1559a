#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes LSTM layers, random inputs of several calls, and the outputs of LiteRT's reference kernels: lite-streams.tar.xz.

usage: make_lite_streams.py <archive> [<number of random layers>]
needs the Python packages of make_streams.py and ai-edge-litert
"""
import sys

import numpy as np
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import make_streams
from archive import archive
from make_streams import CALLS, F32, I8, I16, I32, OP, Maker, inputs_of, integers, schema, svdf

random = make_streams.random = np.random.default_rng(20261124)


def scale(low, high):
    return float(np.float32(random.uniform(low, high)))


def lstm(batch=1, steps=4, inputs=5, cells=6, outputs=None, coupled=False, peepholes=False, norm=False, projection_bias=True,
         cell_power=-12, cell_clip=0.0, proj_clip=0.0, time_major=False, real=False, hidden_zero=0, zero=-3):
    """`outputs`: a projection to as many. Weights are large enough for gates that saturate."""
    maker = Maker()
    graph = maker.graph()
    code, cell = (F32, F32) if real else (I8, I16)
    out = outputs or cells
    shape = (steps, batch) if time_major else (batch, steps)
    x_scale, h_scale, cell_scale = scale(.01, .04), scale(.005, .01), 2.0 ** cell_power
    hidden_scale = scale(.005, .01) if outputs else h_scale
    hidden_zero = hidden_zero if outputs else zero

    def made(name, extents, kind, of, zero=0, data=None, variable=False):
        return maker.tensor(graph, name, extents, F32 if real else kind, None if real else of, 0 if real else zero, data, variable)

    def constant(name, extents, kind, of, most):
        if real:
            return made(name, extents, F32, None, 0, random.normal(0, .6, extents).astype(np.float32))
        return made(name, extents, kind, of, 0, integers(extents, -most, most + 1, kind))
    x = made("x", (*shape, inputs), code, x_scale, int(random.integers(-40, 40)))
    operands = [x] + [-1] * 23
    gates = [0.0] * 4
    for gate in range(1 if coupled else 0, 4):
        w, r = scale(.004, .03), scale(.004, .03)
        operands[1 + gate] = constant(f"w{gate}", (cells, inputs), I8, w, 127)
        operands[5 + gate] = constant(f"r{gate}", (cells, out), I8, r, 127)
        gates[gate] = scale(.0002, .002)
        bias = np.float32(x_scale) * np.float32(w)
        if norm:
            weight = scale(.00003, .0001)
            operands[20 + gate] = constant(f"n{gate}", (cells,), I16, weight, 32767)
            bias = weight / 1024
        operands[12 + gate] = constant(f"b{gate}", (cells,), I32, bias, 400000 if norm else 6000)
        if peepholes and gate != 2:
            operands[9 + (2 if gate == 3 else gate)] = constant(f"p{gate}", (cells,), I16, scale(.00001, .0001), 32767)
    if outputs:
        projection = scale(.004, .02)
        operands[16] = constant("projection", (out, cells), I8, projection, 127)
        if projection_bias:
            operands[17] = constant("projection bias", (out,), I32, projection * hidden_scale, 3000)
    operands[18] = made("h", (batch, out), code, h_scale, zero, variable=True)
    operands[19] = made("c", (batch, cells), cell, cell_scale, variable=True)
    middle = [] if real else [maker.tensor(graph, f"m{i}", (0,), I16, gates[i] or 2.0 ** -12) for i in range(4)]
    if not real:
        middle.append(maker.tensor(graph, "m4", (0,), I8, hidden_scale, hidden_zero))
    y = made("y", (*shape, out), code, h_scale, zero)
    fields = {"fusedActivationFunction": tflite.ActivationFunctionType.TANH, "cellClip": cell_clip, "projClip": proj_clip,
              "timeMajor": time_major}
    maker.operator(graph, OP.UNIDIRECTIONAL_SEQUENCE_LSTM, operands, [y], ("UnidirectionalSequenceLSTMOptions", fields), middle)
    graph.inputs, graph.outputs = [x], [y]
    return maker


def floats(maker, graph, name, extents, data=True, variable=False):
    values = random.normal(0, .6, extents).astype(np.float32) if data else None
    return maker.tensor(graph, name, extents, F32, None, 0, values, variable)


def weights(maker, graph, tag, inputs, cells, outputs, coupled, peepholes, projected):
    """Inputs 1 to 17 of a layer of LSTM cells."""
    made = []

    def add(wanted, *extents):
        made.append(floats(maker, graph, f"{tag}{len(made)}", extents) if wanted else -1)
    for gate in range(4):
        add(gate or not coupled, cells, inputs)
    for gate in range(4):
        add(gate or not coupled, cells, outputs)
    for gate in (0, 1, 3):
        add(peepholes and (gate or not coupled), cells)
    for gate in range(4):
        add(gate or not coupled, cells)
    add(projected, outputs, cells)
    add(projected, outputs)
    return made


def two_ways(batch=2, steps=4, inputs=5, cells=(6, 6), coupled=False, peepholes=False, outputs=None, merges=True, time_major=True,
             auxiliary=False, clip=0.0):
    maker = Maker()
    graph = maker.graph()
    shape, projected = (steps, batch) if time_major else (batch, steps), outputs is not None
    outs = outputs or cells
    x = floats(maker, graph, "x", (*shape, inputs), data=False)
    operands = [x]
    for tag, count, out in zip("fb", cells, outs):
        operands += weights(maker, graph, tag, inputs, count, out, coupled, peepholes, projected)
    for tag, count, out in zip("fb", cells, outs):
        operands += [floats(maker, graph, f"{tag}-{name}", (batch, extent), data=False, variable=True)
                     for name, extent in (("h", out), ("c", count))]
    operands += [x if auxiliary else -1] + [-1] * 8
    extents = [sum(outs)] if merges else outs
    made = [floats(maker, graph, f"y{i}", (*shape, extent), data=False) for i, extent in enumerate(extents)]
    fields = {"fusedActivationFunction": tflite.ActivationFunctionType.TANH, "cellClip": clip, "mergeOutputs": merges, "timeMajor": time_major}
    maker.operator(graph, OP.BIDIRECTIONAL_SEQUENCE_LSTM, operands, made, ("BidirectionalSequenceLSTMOptions", fields))
    # One output is enough for the others to be computed.
    graph.inputs, graph.outputs = [x], made[-1:]
    return maker


def step(batch=2, inputs=5, cells=6, outputs=None, coupled=False, peepholes=False, clip=0.0):
    maker = Maker()
    graph = maker.graph()
    out = outputs or cells
    x, y = floats(maker, graph, "x", (batch, inputs), data=False), floats(maker, graph, "y", (batch, out), data=False)
    operands = [x] + weights(maker, graph, "w", inputs, cells, out, coupled, peepholes, outputs is not None)
    operands += [floats(maker, graph, name, (batch, extent), data=False, variable=True) for name, extent in (("h", out), ("c", cells))]
    maker.operator(graph, OP.LSTM, operands, [y], ("LSTMOptions", {"fusedActivationFunction": tflite.ActivationFunctionType.TANH, "cellClip": clip}))
    graph.inputs, graph.outputs = [x], [y]
    return maker


def basic(batch=1, inputs=5, cells=6):
    """All weights in one matrix."""
    maker = Maker()
    graph = maker.graph()
    x = floats(maker, graph, "x", (batch, inputs), data=False)
    h, c = (floats(maker, graph, name, (batch, cells), data=False, variable=True) for name in "hc")
    operands = [x, h, floats(maker, graph, "w", (4 * cells, inputs + cells)), floats(maker, graph, "b", (4 * cells,)), c]
    made = [floats(maker, graph, f"y{i}", (batch, extent), data=False) for i, extent in enumerate((cells, cells, inputs + cells, 4 * cells))]
    y = floats(maker, graph, "y", (batch, cells), data=False)
    maker.operator(graph, OP.LSTM, operands, made, ("LSTMOptions", {"fusedActivationFunction": tflite.ActivationFunctionType.TANH, "kernelType": 1}))
    maker.operator(graph, OP.ADD, made[:2], [y], ("AddOptions", {}))
    graph.inputs, graph.outputs = [x], [y]
    return maker


def plain(batch=2, inputs=5, units=6, steps=None, time_major=False, activation=4, wrong=0):
    """With weights for more inputs than it has, if `wrong`."""
    maker = Maker()
    graph = maker.graph()
    shape = (batch,) if steps is None else (steps, batch) if time_major else (batch, steps)
    x, y = floats(maker, graph, "x", (*shape, inputs), data=False), floats(maker, graph, "y", (*shape, units), data=False)
    operands = [x, floats(maker, graph, "w", (units, inputs + wrong)), floats(maker, graph, "r", (units, units)), floats(maker, graph, "b", (units,)),
                floats(maker, graph, "h", (batch, units), data=False, variable=True)]
    if steps is None:
        maker.operator(graph, OP.RNN, operands, [y], ("RNNOptions", {"fusedActivationFunction": activation}))
    else:
        maker.operator(graph, OP.UNIDIRECTIONAL_SEQUENCE_RNN, operands, [y],
                       ("SequenceRNNOptions", {"fusedActivationFunction": activation, "timeMajor": time_major}))
    graph.inputs, graph.outputs = [x], [y]
    return maker


def plain_two_ways(batch=2, steps=4, inputs=5, units=(6, 3), merges=True, time_major=True, auxiliary=False):
    maker = Maker()
    graph = maker.graph()
    shape = (steps, batch) if time_major else (batch, steps)
    operands = [floats(maker, graph, "x", (*shape, inputs), data=False)]
    for tag, count in zip("fb", units):
        operands += [floats(maker, graph, tag + "w", (count, inputs)), floats(maker, graph, tag + "r", (count, count)),
                     floats(maker, graph, tag + "b", (count,)), floats(maker, graph, tag + "h", (batch, count), data=False, variable=True)]
    operands += [operands[0] if auxiliary else -1, -1, -1]
    made = [floats(maker, graph, f"y{i}", (*shape, extent), data=False) for i, extent in enumerate([sum(units)] if merges else units)]
    maker.operator(graph, OP.BIDIRECTIONAL_SEQUENCE_RNN, operands, made, ("BidirectionalSequenceRNNOptions", {
        "fusedActivationFunction": tflite.ActivationFunctionType.TANH, "timeMajor": time_major, "mergeOutputs": merges}))
    graph.inputs, graph.outputs = operands[:1], made[-1:]
    return maker


# Matrices and peepholes among the inputs.
CELLS = [*range(1, 12), 16]
MATRICES = {OP.UNIDIRECTIONAL_SEQUENCE_LSTM: CELLS, OP.LSTM: CELLS, OP.BIDIRECTIONAL_SEQUENCE_LSTM: CELLS + [i + 17 for i in CELLS],
            OP.RNN: [1, 2], OP.UNIDIRECTIONAL_SEQUENCE_RNN: [1, 2], OP.BIDIRECTIONAL_SEQUENCE_RNN: [1, 2, 5, 6], OP.SVDF: [1, 2]}


def hybrid(maker, asymmetric=False):
    """The layer of a model of floats with codes for matrices."""
    graph = maker.model.subgraphs[0]
    layer = graph.operators[0]
    for i in MATRICES[maker.model.operatorCodes[layer.opcodeIndex].builtinCode]:
        if layer.inputs[i] < 0:
            continue
        weights = graph.tensors[layer.inputs[i]]
        stored = maker.model.buffers[weights.buffer]
        values = np.frombuffer(stored.data.tobytes(), np.float32)
        step = np.float32(np.abs(values).max() / 127)
        stored.data = np.round(values / step).astype(np.int8).view(np.uint8)
        weights.type, weights.quantization = I8, schema.QuantizationParametersT()
        weights.quantization.scale, weights.quantization.zeroPoint = [float(step)], [0]
    layer.builtinOptions.asymmetricQuantizeInputs = asymmetric
    return maker


def softmax16():
    """Of so many codes some lie where the tables of the runtimes differ."""
    maker = Maker()
    graph = maker.graph()
    graph.inputs = [maker.tensor(graph, "x", (150, 20), I16, 0.0002)]
    graph.outputs = [maker.tensor(graph, "y", (150, 20), I16, 2.0 ** -15)]
    maker.operator(graph, OP.SOFTMAX, graph.inputs, graph.outputs, ("SoftmaxOptions", {"beta": 1.0}))
    return maker


def unary(code, options=None, kind=I8, zeros=(87, -85)):
    """Codes of 8 bits whose products lie between two codes if the ratio of the scales is computed in f32."""
    maker = Maker()
    graph = maker.graph()
    graph.inputs = [maker.tensor(graph, "x", (1, 256), kind, 1 / 256, zeros[0])]
    graph.outputs = [maker.tensor(graph, "y", (1, 256), kind, 0.05, zeros[1])]
    maker.operator(graph, code, graph.inputs, graph.outputs, options)
    return maker


def models():
    yield "plain", lstm()
    yield "fine-cells", lstm(cell_power=-15, cells=3)
    yield "coarse-cells", lstm(cell_power=-9, cell_clip=1.7, steps=9)
    yield "coupled", lstm(coupled=True, batch=2)
    yield "peepholes", lstm(peepholes=True, cells=9)
    yield "projection", lstm(outputs=4, cells=11, hidden_zero=-7, proj_clip=.3)
    yield "projection-plain", lstm(outputs=9, cells=5, projection_bias=False)
    yield "norm", lstm(norm=True, cells=13)
    yield "all", lstm(coupled=True, peepholes=True, norm=True, outputs=16, cells=16, batch=2, time_major=True, hidden_zero=5)
    yield "all-open", lstm(norm=True, outputs=5, cells=7, steps=7, cell_clip=2.0)
    for name, parts in (("plain", {}), ("coupled", {"coupled": True}), ("peepholes", {"peepholes": True}), ("norm", {"norm": True}),
                        ("projection", {"outputs": 4, "proj_clip": .5}),
                        ("all", {"coupled": True, "peepholes": True, "norm": True, "outputs": 3, "time_major": True})):
        yield f"{name}-f32", lstm(real=True, batch=2, **parts)
    yield "two-ways-f32", two_ways()
    yield "two-ways-apart-f32", two_ways(merges=False, time_major=False, coupled=True, clip=.7)
    yield "two-ways-all-f32", two_ways(peepholes=True, outputs=(4, 4), auxiliary=True)
    yield "step-f32", step()
    yield "step-all-f32", step(coupled=True, peepholes=True, outputs=4, clip=.6)
    yield "basic-f32", basic()
    yield "rnn-f32", plain()
    yield "rnn-sequence-f32", plain(steps=4, activation=1)
    yield "rnn-time-major-f32", plain(steps=3, time_major=True)
    yield "softmax-16", softmax16()
    for kind, tag, zeros in ((I8, "", (87, -85)), (I16, "-16", (0, 0))):
        yield f"abs{tag}", unary(OP.ABS, None, kind, zeros)
        yield f"relu{tag}", unary(OP.RELU, None, kind, zeros)
        yield f"leaky-relu{tag}", unary(OP.LEAKY_RELU, ("LeakyReluOptions", {"alpha": -.2}), kind, zeros)
    yield "rnn-two-ways-f32", plain_two_ways()
    yield "rnn-two-ways-apart-f32", plain_two_ways(merges=False, time_major=False, auxiliary=True)
    for asymmetric in (False, True):
        def made(name, maker):
            return f"{name}-hybrid-{int(asymmetric)}-f32", hybrid(maker, asymmetric)
        yield made("plain", lstm(real=True, batch=2))
        yield made("all", lstm(real=True, batch=2, coupled=True, peepholes=True, norm=True, outputs=3, time_major=True))
        yield made("two-ways", two_ways())
        yield made("two-ways-apart", two_ways(merges=False, time_major=False, coupled=True, clip=.7))
        yield made("two-ways-all", two_ways(peepholes=True, outputs=(4, 4), auxiliary=True))
        yield made("step", step(peepholes=True, outputs=6))
        yield made("rnn", plain())
        yield made("rnn-sequence", plain(steps=4, activation=1))
        # Beside codes the runtime runs other sequences than batch by batch several times.
        yield made("rnn-two-ways", plain_two_ways(time_major=False))
        yield made("svdf", svdf(real=True))


def random_models(count):
    def flip():
        return bool(random.integers(2))
    for i in range(count):
        cells, peepholes = int(random.integers(1, 24)), flip()
        # With peepholes and fewer outputs than cells, the runtime weighs the wrong cells.
        outputs = cells if peepholes else int(random.integers(1, 12))
        yield f"random-{i}", lstm(
            batch=int(random.integers(1, 4)), steps=int(random.integers(1, 9)), inputs=int(random.integers(1, 20)), cells=cells,
            outputs=outputs if flip() else None, coupled=flip(), peepholes=peepholes, norm=flip(), projection_bias=flip(), cell_power=int(random.integers(-15, -8)),
            cell_clip=float(random.uniform(.1, 3)) if flip() else 0.0, proj_clip=float(random.uniform(.1, 1)) if flip() else 0.0,
            time_major=flip(), hidden_zero=int(random.integers(-30, 30)), zero=int(random.integers(-30, 30)))


def main():
    with archive(sys.argv[1]) as write:
        for name, maker in random_models(int(sys.argv[2])) if len(sys.argv) > 2 else models():
            data = maker.bytes()
            write(f"{name}/model.tflite", data)
            interpreter = Interpreter(model_content=data, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
            interpreter.allocate_tensors()
            tensor = maker.model.subgraphs[0].tensors[maker.model.subgraphs[0].inputs[0]]
            for call in range(CALLS):
                x = inputs_of(tensor)
                interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
                interpreter.invoke()
                write(f"{name}/in{call}.npy", x)
                write(f"{name}/out{call}.npy", interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


if __name__ == "__main__":
    main()
