# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A class token repeated for each item of the batch, as torch exports `expand(batch, -1, -1)`: -1 stands for an extent of the
input, and is replaced by comparing the wanted shape with -1. Written to the file given."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from onnx_file import *

nodes = [
    node("Shape", ["x"], ["shape"]),
    node("Gather", ["shape", "zero"], ["batch"]),
    node("Unsqueeze", ["batch", "axis"], ["batch1"]),
    node("Concat", ["batch1", "minus", "minus"], ["wanted"], axis=0),
    node("Mul", ["ones", "minus"], ["open"]),
    node("Equal", ["wanted", "open"], ["kept"]),
    node("Where", ["kept", "ones", "wanted"], ["target"]),
    node("Expand", ["token", "target"], ["tokens"]),
    node("Concat", ["tokens", "x"], ["out"], axis=1),
]
constants = [ints("zero", [0], []), ints("axis", [0]), ints("minus", [-1]), ints("ones", [1, 1, 1]),
             floats("token", [1, 1, 8], [0.5] * 8)]
with open(sys.argv[1], "wb") as file:
    file.write(model(nodes, [value("x", FLOAT, ["batch", 4, 8])], [value("out", FLOAT, ["batch", 5, 8])], constants))
