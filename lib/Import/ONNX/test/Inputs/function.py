# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model with a function of its own, external data, and safetensors files with other weights, in the folder given."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from onnx_file import *


def write(name, data):
    with open(os.path.join(sys.argv[1], name), "wb") as file:
        file.write(data)


def safetensors(name, key, values):
    header = json.dumps({key: {"dtype": "F32", "shape": [len(values)], "data_offsets": [0, 4 * len(values)]}}).encode()
    write(name, struct.pack("<Q", len(header)) + header + struct.pack("<%df" % len(values), *values))


body = [node("Add", ["a", "a"], ["doubled"]), node("Mul", ["doubled", "b"], ["c"])]
write("model.onnx", model([node("Twice", ["x", "w"], ["y"], domain="local")], [value("x", FLOAT, [2, 3])],
                          [value("y", FLOAT, [2, 3])], [external("w", FLOAT, [3], location="w.bin", offset=4, length=12)],
                          functions=[function("local", "Twice", ["a", "b"], ["c"], body)], domains=["local"]))
write("w.bin", struct.pack("<5f", 0, 1, 2, 3, 4))
safetensors("good.safetensors", "w", [7, 8, 9])
safetensors("other.safetensors", "v", [7, 8, 9])
safetensors("shape.safetensors", "w", [7, 8])
