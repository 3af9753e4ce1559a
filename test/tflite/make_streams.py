#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes models that keep state, random inputs of several calls, and TFLite Micro's outputs: streams.tar.xz.

usage: make_streams.py <archive>     needs the Python packages numpy, flatbuffers, tflite and tflite-micro
"""
import sys

import flatbuffers
import numpy as np
import tflite
from tflite_micro.python.tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from archive import archive

F32, I8, I16, I32 = tflite.TensorType.FLOAT32, tflite.TensorType.INT8, tflite.TensorType.INT16, tflite.TensorType.INT32
I64, BOOL = tflite.TensorType.INT64, tflite.TensorType.BOOL
RESOURCE = tflite.TensorType.RESOURCE
NUMPY = {F32: np.float32, I8: np.int8, I16: np.int16, I32: np.int32, I64: np.int64, BOOL: np.bool_}
OP, OPTIONS = tflite.BuiltinOperator, tflite.BuiltinOptions
random = np.random.default_rng(20261123)
CALLS = 3
WIDE = np.arange(-32768, 32768, 5).astype(np.int16)


class Maker:
    """One model: graphs of tensors and operators."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version, self.model.buffers = 3, [schema.BufferT()]
        self.model.operatorCodes, self.model.subgraphs = [], []

    def graph(self):
        made = schema.SubGraphT()
        made.tensors, made.operators, made.inputs, made.outputs = [], [], [], []
        self.model.subgraphs.append(made)
        return made

    def tensor(self, graph, name, shape, kind, scale=None, zero=0, data=None, variable=False):
        made = schema.TensorT()
        made.name, made.shape, made.type, made.isVariable = name, list(shape), kind, variable
        if scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [float(np.float32(scale))], [zero]
        if data is not None:
            stored = schema.BufferT()
            stored.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(stored)
            made.buffer = len(self.model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(self, graph, code, inputs, outputs, options=None, intermediates=()):
        kind = schema.OperatorCodeT()
        kind.builtinCode, kind.deprecatedBuiltinCode, kind.version = code, min(code, 127), 1
        self.model.operatorCodes.append(kind)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = len(self.model.operatorCodes) - 1, inputs, outputs
        made.intermediates = list(intermediates)
        if options is not None:
            name, fields = options
            made.builtinOptionsType, made.builtinOptions = getattr(OPTIONS, name), getattr(schema, name + "T")()
            for field, value in fields.items():
                setattr(made.builtinOptions, field, value)
        graph.operators.append(made)

    def bytes(self):
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def integers(shape, low, high, kind):
    return random.integers(low, high, shape).astype(NUMPY[kind])


def lstm(batch=1, steps=5, inputs=7, cells=6, hidden=(0.0078, 0), cell_power=-12, clip=0.0, time_major=False, real=False,
         wide=False):
    """`wide`: activations of 16 bits, biases of 64."""
    maker = Maker()
    graph = maker.graph()
    code, state = (F32, F32) if real else (I16 if wide else I8, I16)
    x_scale, h_scale = (None, None) if real else (0.021 / 256 if wide else 0.021, hidden[0])
    shape = (steps, batch) if time_major else (batch, steps)
    x = maker.tensor(graph, "x", (*shape, inputs), code, x_scale, 0 if wide else -11)
    operands = [x] + [-1] * 23

    def weights(first, width):
        for gate in range(4):
            scale = None if real else random.uniform(.008, .02)
            values = (random.normal(0, .6, (cells, width)).astype(np.float32) if real
                      else integers((cells, width), -127, 128, I8))
            operands[first + gate] = maker.tensor(graph, f"w{first + gate}", (cells, width), F32 if real else I8, scale, 0, values)
    weights(1, inputs)
    weights(5, cells)
    for gate in range(4):
        values = random.normal(0, .5, cells).astype(np.float32) if real else integers(cells, -3000, 3000, I64 if wide else I32)
        values = values * 256 if wide else values
        scale = None if real else np.float32(x_scale) * graph.tensors[operands[1 + gate]].quantization.scale[0]
        operands[12 + gate] = maker.tensor(graph, f"b{gate}", (cells,), F32 if real else I64 if wide else I32, scale, 0, values)
    operands[18] = maker.tensor(graph, "h", (batch, cells), code, h_scale, hidden[1], variable=True)
    operands[19] = maker.tensor(graph, "c", (batch, cells), state, None if real else 2.0 ** cell_power, 0, variable=True)
    middle = [] if real else [maker.tensor(graph, f"m{i}", (0,), code, h_scale, hidden[1]) for i in range(5)]
    y = maker.tensor(graph, "y", (*shape, cells), code, h_scale, hidden[1])
    fields = {"fusedActivationFunction": tflite.ActivationFunctionType.TANH, "cellClip": clip, "timeMajor": time_major}
    maker.operator(graph, OP.UNIDIRECTIONAL_SEQUENCE_LSTM, operands, [y], ("UnidirectionalSequenceLSTMOptions", fields), middle)
    graph.inputs, graph.outputs = [x], [y]
    return maker


def svdf(batch=2, inputs=5, units=4, rank=2, steps=7, state=I16, zero=0, relu=True, real=False):
    """Filters over a window of steps. In int8 the state may have a zero point."""
    maker = Maker()
    graph = maker.graph()
    code, past = (F32, F32) if real else (I8, state)
    filters, y_zero = units * rank, -128 if relu else 5
    scales = (None,) * 5 if real else (0.021, 0.013, 0.0007 if state == I16 else 0.08, 0.00004 if state == I16 else 0.011, 0.06)

    def made(name, shape, kind, scale, zero=0, low=None, high=None):
        values = None
        if low is not None:
            values = random.normal(0, .5, shape).astype(np.float32) if real else integers(shape, low, high, kind)
        return maker.tensor(graph, name, shape, kind, scale, zero, values)
    x = made("x", (batch, inputs), code, scales[0], -11)
    features = made("features", (filters, inputs), code, scales[1], 0, -127, 128)
    times = made("times", (filters, steps), past, scales[3], 0, *((-32767, 32768) if state == I16 else (-127, 128)))
    b = made("bias", (units,), F32 if real else I32, None if real else scales[2] * scales[3], 0, -4000, 4000)
    kept = maker.tensor(graph, "state", (batch, filters * steps), past, scales[2], zero, variable=True)
    y = made("y", (batch, units), code, scales[4], y_zero)
    activation = tflite.ActivationFunctionType.RELU if relu else tflite.ActivationFunctionType.NONE
    maker.operator(graph, OP.SVDF, [x, features, times, b, kept], [y],
                   ("SVDFOptions", {"rank": rank, "fusedActivationFunction": activation}))
    graph.inputs, graph.outputs = [x], [y]
    return maker


def unary16(code, scale):
    """Codes of 16 bits from end to end."""
    maker = Maker()
    graph = maker.graph()
    graph.inputs = [maker.tensor(graph, "x", (1, len(WIDE)), I16, scale)]
    graph.outputs = [maker.tensor(graph, "y", (1, len(WIDE)), I16, 2.0 ** -15)]
    maker.operator(graph, code, graph.inputs, graph.outputs)
    return maker


def variable(zero, kind=I8, start=None):
    """A running sum behind handles: a subgraph that runs once sets it to zero, or to what it starts as."""
    maker = Maker()
    main, once = maker.graph(), maker.graph()
    scale = None if kind == F32 else 0.05
    fields = ("VarHandleOptions", {"container": "", "sharedName": "sum"})

    def handle(graph):
        made = maker.tensor(graph, "handle", (), RESOURCE)
        maker.operator(graph, OP.VAR_HANDLE, [], [made], fields)
        return made
    first = np.full((1, 40), zero, NUMPY[kind]) if start is None else start.astype(NUMPY[kind])
    zeros = maker.tensor(once, "zeros", (1, 40), kind, scale, zero, first)
    maker.operator(once, OP.ASSIGN_VARIABLE, [handle(once), zeros], [], ("AssignVariableOptions", {}))
    maker.operator(main, OP.CALL_ONCE, [], [], ("CallOnceOptions", {"initSubgraphIndex": 1}))
    x, old, y = (maker.tensor(main, name, (1, 40), kind, scale, zero) for name in ("x", "old", "y"))
    maker.operator(main, OP.READ_VARIABLE, [handle(main)], [old], ("ReadVariableOptions", {}))
    maker.operator(main, OP.ADD, [x, old], [y], ("AddOptions", {}))
    maker.operator(main, OP.ASSIGN_VARIABLE, [handle(main), y], [], ("AssignVariableOptions", {}))
    main.inputs, main.outputs = [x], [y]
    return maker


def models():
    yield "variable", variable(0)
    yield "variable-zero", variable(3)
    yield "variable-f32", variable(0, F32)
    yield "lstm", lstm()
    yield "lstm-zero", lstm(hidden=(0.0061, -9), cell_power=-11)
    yield "lstm-clip", lstm(clip=1.5, cell_power=-9, steps=9)
    yield "lstm-fine-cells", lstm(cell_power=-14, inputs=1, cells=1)
    yield "lstm-batch", lstm(batch=3, cells=17, inputs=16)
    yield "lstm-time-major", lstm(batch=2, time_major=True, hidden=(0.0075, 4))
    yield "lstm-f32", lstm(real=True, batch=2)
    yield "lstm-f32-clip", lstm(real=True, clip=0.25, time_major=True)
    yield "svdf", svdf()
    yield "svdf-one", svdf(batch=1, rank=1, steps=1, relu=False)
    yield "svdf-8", svdf(state=I8)
    yield "svdf-8-zero", svdf(state=I8, zero=9, steps=12, units=3)
    yield "svdf-f32", svdf(real=True)
    for scale in (2.0 ** -12, 2.0 ** -11, 2.0 ** -13, 0.00071):
        yield f"logistic-16-{scale:.6f}", unary16(OP.LOGISTIC, scale)
        yield f"tanh-16-{scale:.6f}", unary16(OP.TANH, scale)
    yield "variable-start", variable(3, start=np.arange(-20, 20).reshape(1, 40))
    yield "variable-start-f32", variable(0, F32, np.linspace(-1, 1, 40).reshape(1, 40))
    narrow = (2.0 ** -15, 0)
    yield "lstm-16", lstm(wide=True, hidden=narrow)
    yield "lstm-16-batch", lstm(wide=True, hidden=(0.00004, 0), batch=3, cells=17, inputs=33, cell_power=-11, time_major=True)
    yield "lstm-16-clip", lstm(wide=True, hidden=narrow, clip=0.7, steps=9)
    # Sums of so many products may leave 32 bits.
    yield "lstm-16-long", lstm(wide=True, hidden=narrow, inputs=530, cells=2, steps=3)


def inputs_of(tensor):
    if tensor.shape[-1] == len(WIDE):
        return WIDE.reshape(tensor.shape)
    if tensor.type == F32:
        return random.normal(0, 1, tensor.shape).astype(np.float32)
    most = 32768 if tensor.type == I16 else 128
    return integers(tensor.shape, -most, most, tensor.type)


def main():
    with archive(sys.argv[1]) as write:
        for name, maker in models():
            data = maker.bytes()
            write(f"{name}/model.tflite", data)
            interpreter = runtime.Interpreter.from_bytes(data, arena_size=1 << 22)
            tensor = maker.model.subgraphs[0].tensors[maker.model.subgraphs[0].inputs[0]]
            for call in range(1 if tensor.shape[-1] == len(WIDE) else CALLS):
                x = inputs_of(tensor)
                interpreter.set_input(x, 0)
                interpreter.invoke()
                write(f"{name}/in{call}.npy", x)
                write(f"{name}/out{call}.npy", interpreter.get_output(0))


if __name__ == "__main__":
    main()
