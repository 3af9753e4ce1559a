# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A head split and merge as exporters write it: shapes go through Shape, Gather and Concat. Written to the file given."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from onnx_file import *

nodes = [
    node("Shape", ["x"], ["shape"]),
    node("Gather", ["shape", "zero"], ["batch"]),
    node("Gather", ["shape", "one"], ["length"]),
    node("Unsqueeze", ["batch", "axis"], ["batch1"]),
    node("Unsqueeze", ["length", "axis"], ["length1"]),
    node("Concat", ["batch1", "length1", "heads", "minus"], ["split"], axis=0),
    node("Reshape", ["x", "split"], ["y"]),
    node("Transpose", ["y", ], ["z"], perm=[0, 2, 1, 3]),
    node("Mul", ["z", "scale"], ["scaled"]),
    node("Transpose", ["scaled"], ["back"], perm=[0, 2, 1, 3]),
    node("Mul", ["batch1", "length1"], ["rows"]),
    node("Concat", ["rows", "minus"], ["flat"], axis=0),
    node("Reshape", ["back", "flat"], ["merged"]),
    node("MatMul", ["merged", "w"], ["out"]),
]
constants = [ints("zero", [0], []), ints("one", [1], []), ints("axis", [0]), ints("heads", [4]), ints("minus", [-1]),
             floats("scale", [], [0.5]), floats("w", [32, 2], [0.25] * 64)]
with open(sys.argv[1], "wb") as file:
    file.write(model(nodes, [value("x", FLOAT, ["batch", "length", 32])], [value("out", FLOAT, ["rows", 2])], constants))
