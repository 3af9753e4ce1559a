# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operators whose inputs have to agree in extents that only the run knows, and one whose extents are known to agree.
Written to the file given; with a second argument, operators with loops of their own."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from onnx_file import *

inputs = [value("x", FLOAT, ["a", 4]), value("y", FLOAT, ["b", 4]), value("p", FLOAT, ["m", "k"]),
          value("q", FLOAT, ["l", "n"])]
nodes = [
    node("Add", ["x", "x"], ["twice"]),
    node("Add", ["twice", "y"], ["sum"]),
    node("MatMul", ["p", "q"], ["product"]),
    node("Concat", ["x", "p"], ["joined"], axis=1),
    node("Reshape", ["q", "six"], ["fixed"]),
]
outputs = [value("sum", FLOAT, ["a", 4]), value("product", FLOAT, ["m", "n"]), value("joined", FLOAT, ["a", "j"]),
           value("fixed", FLOAT, [2, 3])]
if len(sys.argv) > 2:
    inputs = [value("x", FLOAT, ["a", 4]), value("ids", INT64, ["b", 4]), value("new", FLOAT, ["c", 4]),
              value("rows", INT64, ["d", 1]),
              value("image", FLOAT, [1, "e", 5]), value("w", FLOAT, [6, 2, 3])]
    nodes = [
        node("GatherElements", ["x", "ids"], ["picked"], axis=1),
        node("ScatterElements", ["x", "ids", "new"], ["placed"], axis=0),
        node("ScatterND", ["x", "rows", "new"], ["written"]),
        node("Einsum", ["x", "new"], ["dot"], equation="ij,ij->j"),
        node("Conv", ["image", "w"], ["seen"]),
    ]
    outputs = [value("picked", FLOAT, ["b", 4]), value("placed", FLOAT, ["a", 4]), value("written", FLOAT, ["a", 4]),
               value("dot", FLOAT, [4]), value("seen", FLOAT, [1, 6, 3])]
with open(sys.argv[1], "wb") as file:
    file.write(model(nodes, inputs, outputs, [ints("six", [2, 3])]))
