# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes safetensors files, good and malformed, into the folder given and imports a model with each."""
import json
import os
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
folder, root = sys.argv[1:]
sys.path.insert(0, os.path.join(root, "lib", "Import", "ONNX", "test", "Inputs"))
from onnx_file import *


def file(header, data, size=None):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header) if size is None else size) + header + data


def entry(**changes):
    return {"w": {**{"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}, **changes}}


files = {
    "good": file({"__metadata__": {"format": "pt"}, **entry()}, bytes(12)),
    "empty": b"",
    "size": file(entry(), bytes(12), size=1 << 60),
    "no-json": file(b"{'w': 3}", bytes(12)),
    "no-object": file(b"[1, 2]", bytes(12)),
    "deep": file(b'{"w":' + b"[" * 100000, bytes(12)),
    "no-entry": file({"w": 3}, bytes(12)),
    "dtype": file(entry(dtype="F33"), bytes(12)),
    "negative": file(entry(shape=[-3]), bytes(12)),
    "overflow": file(entry(shape=[1 << 62, 1 << 62]), bytes(12)),
    "outside": file(entry(data_offsets=[4, 16]), bytes(12)),
    "reversed": file(entry(data_offsets=[12, 0]), bytes(12)),
    "shape": file(entry(shape=[4]), bytes(12)),
    "overlap": file({**entry(), "v": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}, bytes(12)),
    "gap": file(entry(data_offsets=[4, 16]), bytes(16)),
    "rest": file(entry(), bytes(13)),
}
os.makedirs(folder, exist_ok=True)
path = os.path.join(folder, "model.onnx")
with open(path, "wb") as out:
    out.write(model([node("Add", ["x", "w"], ["y"])], [value("x", FLOAT, [3])], [value("y", FLOAT, [3])],
                    [floats("w", [3], [1.0, 2.0, 3.0])]))
for name, data in files.items():
    weights = os.path.join(folder, name + ".safetensors")
    with open(weights, "wb") as out:
        out.write(data)
    run = subprocess.run(["quant-import", path, "--weights", weights], capture_output=True, text=True)
    errors = run.stderr.replace(folder + os.sep, "").splitlines()
    print(f"{name}: exit {run.returncode}, {len(errors)} line: {' '.join(errors)}")
