# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes malformed ONNX files, one per rule of the importer, into the folder given as argument and runs quant-import on each."""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from onnx_file import *

X, Y = value("x", FLOAT, [2, 3]), value("y", FLOAT, [2, 3])


def relu(**options):
    return model([node("Relu", ["x"], ["y"])], [X], [Y], **options)


def initialized(data):
    return model([node("Add", ["x", "w"], ["y"])], [X], [Y], [data])


def reshape(shape):
    return model([node("Reshape", ["x", "s"], ["y"])], [X], [Y], [ints("s", shape)])


recursive = function("f", "F", ["a"], ["b"], [node("F", ["a"], ["b"], domain="f")])
files = {
    "empty": b"",
    "text": b"this is no model\n" * 4,
    "truncated": relu()[:-20],
    "no-opset": relu(opset=0),
    "unsorted": model([node("Relu", ["t"], ["y"]), node("Relu", ["x"], ["t"])], [X], [Y]),
    "cycle": model([node("Add", ["x", "y"], ["y"])], [X], [Y]),
    "missing-input": model([node("Add", ["x"], ["y"])], [X], [Y]),
    "too-many-inputs": model([node("Relu", ["x", "x"], ["y"])], [X], [Y]),
    "defined-twice": model([node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"])], [X], [Y]),
    "input-twice": model([node("Relu", ["x"], ["y"])], [X, X], [Y]),
    "no-output": model([node("Relu", ["x"], ["t"])], [X], [Y]),
    "output-type": model([node("Relu", ["x"], ["y"])], [X], [value("y", INT64, [2, 3])]),
    "negative-dim": model([node("Relu", ["x"], ["y"])], [value("x", FLOAT, [-7])], [Y]),
    "huge-dim": model([node("Relu", ["x"], ["y"])], [value("x", FLOAT, [1 << 40, 1 << 40])], [Y]),
    "weight-short": initialized(tensor("w", FLOAT, [2, 3], b"1234")),
    "weight-huge": initialized(tensor("w", FLOAT, [1 << 40, 1 << 40], b"1234")),
    "weight-type": initialized(tensor("w", 99, [2, 3], b"1234")),
    "weight-twice": model([node("Add", ["x", "w"], ["y"])], [X], [Y], [floats("w", [1], [1.0])] * 2),
    "external-parent": initialized(external("w", FLOAT, [2, 3], location="../w.bin")),
    "external-absolute": initialized(external("w", FLOAT, [2, 3], location="/etc/passwd")),
    "external-missing": initialized(external("w", FLOAT, [2, 3], location="absent.bin")),
    "external-short": initialized(external("w", FLOAT, [2, 3], location="text.onnx", offset=60, length=24)),
    "external-number": initialized(external("w", FLOAT, [2, 3], location="text.onnx", offset="ten")),
    "unknown-ops": model([node("If", ["x"], ["a"]), node("Loop", ["a"], ["b"]), node("Frobnicate", ["b"], ["c"]),
                          node("If", ["c"], ["y"])], [X], [Y]),
    "unknown-attribute": model([node("Relu", ["x"], ["y"], slope=3)], [X], [Y]),
    "attribute-kind": model([node("Transpose", ["x"], ["y"], perm="ab")], [X], [Y]),
    "broadcast": initialized(floats("w", [4], [0.0] * 4)),
    "matmul-inner": model([node("MatMul", ["x", "x"], ["y"])], [X], [Y]),
    "reshape-count": reshape([5, 5]),
    "reshape-twice": reshape([-1, -1]),
    "reshape-zero": reshape([0, 0, 0]),
    "shape-overflow": model([node("ConstantOfShape", ["s"], ["y"])], [], [Y], [ints("s", [1 << 40] * 4)]),
    "transpose-twice": model([node("Transpose", ["x"], ["y"], perm=[0, 0])], [X], [Y]),
    "concat-axis": model([node("Concat", ["x", "x"], ["y"], axis=7)], [X], [Y]),
    "conv-kernel": model([node("Conv", ["x", "w"], ["y"], kernel_shape=[1, 1])], [value("x", FLOAT, [1, 1, 4, 4])], [Y],
                         [floats("w", [1, 1, 2, 2], [0.0] * 4)]),
    "conv-window": model([node("Conv", ["x", "w"], ["y"])], [value("x", FLOAT, [1, 1, 1, 1])], [Y],
                         [floats("w", [1, 1, 9, 9], [0.0] * 81)]),
    "conv-group": model([node("Conv", ["x", "w"], ["y"], group=0)], [value("x", FLOAT, [1, 1, 4, 4])], [Y],
                        [floats("w", [1, 1, 2, 2], [0.0] * 4)]),
    "pool-stride": model([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[0, 0])],
                         [value("x", FLOAT, [1, 1, 4, 4])], [Y]),
    "slice-step": model([node("Slice", ["x", "a", "b", "a", "a"], ["y"])], [X], [Y], [ints("a", [0]), ints("b", [2])]),
    "data-shape": model([node("Reshape", ["x", "s"], ["y"])], [X, value("s", INT64, [2])], [Y]),
    "quantize-scale": model([node("QuantizeLinear", ["x", "s"], ["y"], axis=1)], [X], [value("y", UINT8, [2, 3])],
                            [floats("s", [5], [1.0] * 5)]),
    "nbits-size": model([node("MatMulNBits", ["x", "w", "s"], ["y"], domain="com.microsoft", K=3, N=4, bits=4,
                              block_size=16)], [X], [Y],
                        [tensor("w", UINT8, [4, 1, 7], b"0" * 28), floats("s", [4], [1.0] * 4)],
                        domains=["com.microsoft"]),
    "function-recursion": model([node("F", ["x"], ["y"], domain="f")], [X], [Y], functions=[recursive], domains=["f"]),
    "function-twice": model([node("F", ["x"], ["y"], domain="f")], [X], [Y], functions=[recursive] * 2, domains=["f"]),
}
folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
for name, data in files.items():
    with open(os.path.join(folder, name + ".onnx"), "wb") as file:
        file.write(data)
for name in files:
    run = subprocess.run(["quant-import", os.path.join(folder, name + ".onnx")], capture_output=True, text=True)
    errors = run.stderr.replace(folder + os.sep, "").splitlines()
    print(f"{name}: exit {run.returncode}, {len(errors)} line: {' '.join(errors)}")
