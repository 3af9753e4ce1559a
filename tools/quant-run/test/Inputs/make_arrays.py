# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Writes .npy files of four floats: <file> <number>, which is repeated.
import struct
import sys

for path, number in zip(sys.argv[1::2], sys.argv[2::2]):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }".ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack("<4f", *[float(number)] * 4))
