# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""accuracy.py <folder>: runs every approximated function on many values and compares with the C library's doubles."""
import array
import math
import pathlib
import struct
import subprocess
import sys

folder = pathlib.Path(sys.argv[1])
# Function, reference, where it is measured, bound in units of the last place, bound as absolute error. A value passes if
# it meets either bound: near a zero of the function only the absolute one makes sense.
EVERYWHERE = lambda x: True
FUNCTIONS = {
    "exp": (math.exp, lambda x: -87 < x < 88.7, 1, 0),
    "expm1": (math.expm1, lambda x: -87 < x < 88.7, 2, 1e-7),
    "tanh": (math.tanh, EVERYWHERE, 4, 1e-7),
    "erf": (math.erf, EVERYWHERE, 4, 1e-7),
    "log": (math.log, lambda x: x >= 1.18e-38, 1, 1e-7),
    "log1p": (math.log1p, lambda x: -0.99 < x < 1e30, 2, 1e-7),
    "log2": (math.log2, lambda x: x >= 1.18e-38, 1, 1e-7),
}


def values():
    bits = [i << 16 for i in range(65536)]
    floats = [struct.unpack("<f", struct.pack("<I", b))[0] for b in bits]
    return [x if math.isfinite(x) else i / 65536 - 0.5 for i, x in enumerate(floats)]


def write_npy(path, data):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }" % len(data)
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + array.array("f", data).tobytes())


def read_npy(path):
    data = path.read_bytes()
    return array.array("f", data[10 + struct.unpack_from("<H", data, 8)[0]:])


def module():
    body = "".join("""
  %%%(f)s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
    ins(%%x : tensor<65536xf32>) outs(%%e : tensor<65536xf32>) {
  ^bb0(%%a: f32, %%o: f32):
    %%r = math.%(f)s %%a : f32
    linalg.yield %%r : f32
  } -> tensor<65536xf32>""" % {"f": f} for f in FUNCTIONS)
    types = ", ".join('tensor<65536xf32> {qtensor.name = "%s"}' % f for f in FUNCTIONS)
    return """#id = affine_map<(i) -> (i)>
func.func @main(%%x: tensor<65536xf32>) -> (%s) {
  %%e = tensor.empty() : tensor<65536xf32>%s
  return %s : %s
}
""" % (types, body, ", ".join("%" + f for f in FUNCTIONS), ", ".join(["tensor<65536xf32>"] * len(FUNCTIONS)))


def last_place(value):
    return math.ldexp(1.0, max(math.frexp(value)[1], -125) - 24)


inputs = array.array("f", values())
write_npy(folder / "x.npy", inputs)
(folder / "model.mlir").write_text(module())
command = ["quant-run", str(folder / "model.mlir"), "--input", str(folder / "x.npy")]
for f in FUNCTIONS:
    command += ["--output", "%s=%s" % (f, folder / (f + ".npy"))]
subprocess.run(command, check=True)
bad = 0
for f, (reference, domain, bound, absolute) in FUNCTIONS.items():
    worst, where, largest = 0.0, 0.0, 0.0
    for x, y in zip(inputs, read_npy(folder / (f + ".npy"))):
        if not domain(x):
            continue
        want = reference(x)
        gap = abs(y - want)
        ulps = gap / last_place(want) if math.isfinite(y) else math.inf
        largest = max(largest, gap if abs(want) < 2 else 0)
        if gap > absolute and ulps > worst:
            worst, where = ulps, x
    print("%-6s %6.2f ulp (at %g), absolute error below two %.2e" % (f, worst, where, largest))
    bad += worst > bound
print("outside their bounds: %d" % bad if bad else "all within their bounds")
sys.exit(bad != 0)
