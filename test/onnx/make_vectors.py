# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes the test vectors of com.microsoft operators, which the ONNX backend suite lacks, with ONNX Runtime.

usage: make_vectors.py ARCHIVE   (needs the packages numpy, onnx and onnxruntime)
Each test is a folder in the layout of the suite: model.onnx, test_data_set_0/{input,output}_N.pb.
"""
import io
import sys
import tarfile

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MS = "com.microsoft"
random = numpy.random.default_rng(7)
archive = tarfile.open(sys.argv[1], "w:xz", preset=9)


def add(path, proto):
    data = proto.SerializeToString()
    info = tarfile.TarInfo(path)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def save(name, nodes, inputs, outputs, constants):
    """Runs the graph in ONNX Runtime without optimisations and writes model, inputs and outputs."""
    infos = [helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
             for key, array in inputs.items()]
    results = [helper.make_tensor_value_info(key, kind, None) for key, kind in outputs.items()]
    graph = helper.make_graph(nodes, name, infos, results,
                              [numpy_helper.from_array(array, key) for key, array in constants.items()])
    model = helper.make_model(graph, ir_version=8,
                              opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(MS, 1)])
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    values = session.run(None, inputs)
    add(f"test_ms_{name}/model.onnx", model)
    for kind, arrays in ("input", inputs.values()), ("output", values):
        for index, array in enumerate(arrays):
            add(f"test_ms_{name}/test_data_set_0/{kind}_{index}.pb", numpy_helper.from_array(numpy.asarray(array)))


def pack(codes, bits):
    """Codes along the last axis, packed from the low end of each byte."""
    per_byte = 8 // bits
    grouped = codes.reshape(codes.shape[:-1] + (-1, per_byte)).astype(numpy.uint16)
    shifts = numpy.arange(per_byte, dtype=numpy.uint16) * bits
    return (grouped << shifts).sum(axis=-1).astype(numpy.uint8)


def matmul_nbits(name, shape, n, block, bits, zeros=None, bias=False):
    k = shape[-1]
    blocks = -(-k // block)
    codes = random.integers(0, 2**bits, (n, blocks, block), dtype=numpy.uint8)
    inputs = {"a": random.standard_normal(shape, dtype=numpy.float32)}
    constants = {"b": pack(codes, bits), "s": random.uniform(0.01, 0.1, n * blocks).astype(numpy.float32)}
    names = ["a", "b", "s"]
    if zeros == "packed":
        points = random.integers(0, 2**bits, (n, blocks), dtype=numpy.uint8)
        padding = -blocks % (8 // bits)
        constants["z"] = pack(numpy.pad(points, ((0, 0), (0, padding))), bits).reshape(-1)
        names.append("z")
    elif zeros == "float":
        constants["z"] = random.uniform(4, 12, n * blocks).astype(numpy.float32)
        names.append("z")
    if bias:
        constants["bias"] = random.standard_normal(n, dtype=numpy.float32)
        names += [""] * (5 - len(names)) + ["bias"]
    node = helper.make_node("MatMulNBits", names, ["y"], domain=MS, K=k, N=n, bits=bits, block_size=block)
    save("matmulnbits_" + name, [node], inputs, {"y": TensorProto.FLOAT}, constants)


matmul_nbits("int4_block32", (3, 64), 8, 32, 4)
matmul_nbits("int4_block16_tail", (2, 40), 5, 16, 4)
matmul_nbits("int4_batched", (2, 3, 64), 4, 32, 4)
matmul_nbits("uint4_zeros", (3, 96), 6, 32, 4, zeros="packed")
matmul_nbits("uint4_zeros_tail", (3, 80), 6, 32, 4, zeros="packed")
matmul_nbits("int4_float_zeros", (3, 64), 6, 32, 4, zeros="float")
matmul_nbits("int4_bias", (3, 64), 6, 32, 4, bias=True)
matmul_nbits("int8_block32", (3, 64), 6, 32, 8)


def codes(kind, *shape):
    info = numpy.iinfo(kind)
    return random.integers(info.min, info.max + 1, shape, dtype=kind)


def qlinear(op, name, kind, shapes, **attributes):
    """An operator with (tensor, scale, zero) inputs and then the output's scale and zero point."""
    info = numpy.iinfo(kind)
    middle = (info.max + info.min + 1) // 2
    inputs, constants, names = {}, {}, []
    for index, shape in enumerate(shapes):
        inputs[f"x{index}"] = codes(kind, *shape)
        constants[f"s{index}"] = numpy.float32(0.013 + 0.007 * index)
        constants[f"z{index}"] = kind(middle + 5 - 9 * index)
        names += [f"x{index}", f"s{index}", f"z{index}"]
    constants["sy"], constants["zy"] = numpy.float32(0.0371), kind(middle - 3)
    if op == "QLinearSoftmax":
        constants["sy"], constants["zy"] = numpy.float32(1 / 256), kind(info.min)
    names = ["sy", "zy"] + names if op == "QLinearConcat" else names + ["sy", "zy"]
    node = helper.make_node(op, names, ["y"], domain=MS, **attributes)
    save(name, [node], inputs, {"y": helper.np_dtype_to_tensor_dtype(numpy.dtype(kind))}, constants)


for kind in numpy.uint8, numpy.int8:
    suffix = "_" + numpy.dtype(kind).name
    qlinear("QLinearAdd", "qlinearadd" + suffix, kind, [(3, 4), (3, 4)])
    qlinear("QLinearAdd", "qlinearadd_broadcast" + suffix, kind, [(2, 3, 4), (4,)])
    qlinear("QLinearMul", "qlinearmul" + suffix, kind, [(3, 4), (3, 4)])
    qlinear("QLinearSigmoid", "qlinearsigmoid" + suffix, kind, [(3, 4)])
    qlinear("QLinearLeakyRelu", "qlinearleakyrelu" + suffix, kind, [(3, 4)], alpha=0.1)
    qlinear("QLinearAveragePool", "qlinearaveragepool" + suffix, kind, [(1, 2, 6, 6)], kernel_shape=[3, 3],
            pads=[1, 1, 0, 0], strides=[2, 2])
    qlinear("QLinearGlobalAveragePool", "qlinearglobalaveragepool" + suffix, kind, [(1, 3, 4, 4)])
    qlinear("QLinearConcat", "qlinearconcat" + suffix, kind, [(2, 3), (2, 4)], axis=1)
    qlinear("QLinearSoftmax", "qlinearsoftmax" + suffix, kind, [(3, 5)], axis=-1, opset=13)


def qgemm(name, kind, transposed, columns, scaled, alpha=1.0):
    """[3, 16] x [16, 8] with one scale for the weight or one a column, with an i32 addend; real or quantized result."""
    n = 8
    inputs = {"a": codes(numpy.uint8, 3, 16)}
    constants = {
        "sa": numpy.float32(0.02), "za": numpy.uint8(117), "b": codes(kind, *((n, 16) if transposed else (16, n))),
        "sb": random.uniform(0.01, 0.03, n).astype(numpy.float32) if columns else numpy.float32(0.015),
        "zb": numpy.zeros(n, kind) if columns else kind(3), "c": random.integers(-900, 900, n, dtype=numpy.int32),
        "sy": numpy.float32(0.09), "zy": numpy.uint8(131)}
    names = ["a", "sa", "za", "b", "sb", "zb", "c"] + (["sy", "zy"] if scaled else [])
    node = helper.make_node("QGemm", names, ["y"], domain=MS, transB=int(transposed), alpha=alpha)
    save("qgemm_" + name, [node], inputs, {"y": TensorProto.UINT8 if scaled else TensorProto.FLOAT},
         {key: constants[key] for key in names[1:]})


qgemm("int8", numpy.int8, False, False, True)
qgemm("int8_transposed_columns", numpy.int8, True, True, True)
qgemm("uint8_float_result", numpy.uint8, False, False, False, alpha=0.5)
archive.close()
