# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""x + 0, x + 1, ... x + 99 one behind the other. Written to the folder given: model.onnx, and x.npy and y.npy of x = [[0, 1]]."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from onnx_file import *

PARTS = 100
nodes = [node("Add", ["x", f"c{i}"], [f"part{i}"]) for i in range(PARTS)]
nodes.append(node("Concat", [f"part{i}" for i in range(PARTS)], ["y"], axis=1))
constants = [floats(f"c{i}", [1, 1], [i]) for i in range(PARTS)]
folder = sys.argv[1]
with open(f"{folder}/model.onnx", "wb") as file:
    file.write(model(nodes, [value("x", FLOAT, [1, 2])], [value("y", FLOAT, [1, 2 * PARTS])], constants))
write = f"{sys.executable} {os.path.dirname(os.path.abspath(__file__))}/write_npy.py {folder}"
os.system(f"{write}/x.npy f4 1x2 0 1")
os.system(f"{write}/y.npy f4 1x{2 * PARTS} " + " ".join(f"{i} {i + 1}" for i in range(PARTS)))
