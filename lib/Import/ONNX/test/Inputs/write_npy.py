# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes an npy file: write_npy.py FILE TYPE SHAPE NUMBER... (TYPE: f4 or i8; SHAPE: 5x4; one number fills it)."""
import struct
import sys

path, kind, shape = sys.argv[1:4]
extents = [int(extent) for extent in shape.split("x")]
count = 1
for extent in extents:
    count *= extent
values = [(float if kind == "f4" else int)(number) for number in sys.argv[4:]]
values = values * count if len(values) == 1 else values
header = "{'descr': '<%s', 'fortran_order': False, 'shape': (%s,)}" % (kind, ", ".join(map(str, extents)))
header += " " * (63 - (10 + len(header)) % 64) + "\n"
with open(path, "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    file.write(struct.pack("<%d%s" % (count, "f" if kind == "f4" else "q"), *values))
