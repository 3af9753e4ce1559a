# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make_layer.py <layer.mlir> <out.mlir>: appends the weights w[k][n] = ((7 k + 3 n) mod 17 - 8) / 64, b[n] = n / 32."""
import struct
import sys


def blob(values):
    return '"0x40000000' + struct.pack("<%df" % len(values), *values).hex() + '"'


text = open(sys.argv[1]).read()
w = [((7 * k + 3 * n) % 17 - 8) / 64 for k in range(40) for n in range(24)]
b = [n / 32 for n in range(24)]
open(sys.argv[2], "w").write(
    text + "{-# dialect_resources: { builtin: { w: %s, b: %s } } #-}\n" % (blob(w), blob(b)))
