# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""strip_names.py <model.tflite> <out.tflite> <name>...: the tensors of these names have none in the copy."""
import struct
import sys

data = open(sys.argv[1], "rb").read()
for name in sys.argv[3:]:
    text = struct.pack("<I", len(name)) + name.encode() + b"\0"
    assert data.count(text) == 1, name
    data = data.replace(text, bytes(len(text)))
open(sys.argv[2], "wb").write(data)
