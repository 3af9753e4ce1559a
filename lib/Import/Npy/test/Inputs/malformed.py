# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes one good and several malformed .npy files to the folder given."""
import pathlib
import struct
import sys

folder = pathlib.Path(sys.argv[1])


def npy(descr="<f4", order="False", shape="(4,)", data=struct.pack("<4f", 1, 2, 3, 5), version=1, length=None):
    header = ("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, order, shape)).encode()
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", length or len(header)) + header + data


files = {
    "empty": b"", "magic": b"PK\x03\x04" * 20, "version": npy(version=9), "header": npy(length=60000),
    "short": npy(data=b"\0" * 4), "huge": npy(shape="(4294967296, 4294967296, 4294967296)"), "fortran": npy(order="True"),
    "big-endian": npy(descr=">f4"), "dtype": npy(descr="<i4"), "shape": npy(shape="(3,)", data=b"\0" * 12),
    "good": npy(), "other": npy(data=struct.pack("<4f", 1, 2, 4, 5)),
}
for name, data in files.items():
    (folder / (name + ".npy")).write_bytes(data)
