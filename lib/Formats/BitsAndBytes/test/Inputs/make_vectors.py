# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the vectors of this folder. usage: make_vectors.py <folder of the bitsandbytes package> <output folder>

Everything is computed by the C functions of the package's libbitsandbytes_cpu.so (called without torch), except two
steps that the library writes in torch: the 4-bit codes are `bucketize(x * (1 / absmax), midpoints)` (backends/default/
ops.py) and the statistics are compressed after their mean is taken away (functional.py, quantize_4bit)."""
import ctypes
import fractions
import pathlib
import sys

import numpy

package, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
library = ctypes.CDLL(str(package / "libbitsandbytes_cpu.so"))
longlong = ctypes.c_longlong

NF4 = numpy.float32([-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
                     -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
                     0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
                     0.7229568362236023, 1.0])
FP4 = numpy.float32([0, 0.0052083333, 0.66666667, 1.0, 0.33333333, 0.5, 0.16666667, 0.25]) * numpy.float32(1)
FP4 = numpy.concatenate([FP4, -FP4])


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def dynamic_map():
    """functional.create_dynamic_map(signed=True): the f32 nearest to each exact number. torch.linspace, from which the
    library makes it, leaves other last bits in some entries, and not the same ones in every version of torch."""
    data = [fractions.Fraction(0), fractions.Fraction(1)]
    for i in range(7):
        for j in range(2 ** i):
            middle = fractions.Fraction(1, 10) + fractions.Fraction(9, 10) * fractions.Fraction(2 * j + 1, 2 ** (i + 1))
            data += [middle * fractions.Fraction(10) ** (i - 6), -middle * fractions.Fraction(10) ** (i - 6)]
    return numpy.float32([float(number) for number in sorted(data)])


def encode4(x, table, block):
    """Codes in pairs, the first in the high half, and the largest magnitude of each block."""
    padded = numpy.zeros(-(-x.size // block) * block, numpy.float32)
    padded[:x.size] = x
    absmax = numpy.abs(padded.reshape(-1, block)).max(axis=1)
    scaled = (padded.reshape(-1, block) * (numpy.float32(1) / absmax)[:, None]).reshape(-1)[:x.size]
    order = numpy.argsort(table, kind="stable")
    middles = (table[order][:-1] + table[order][1:]) / numpy.float32(2)
    codes = order[numpy.searchsorted(middles, numpy.clip(scaled, -1, 1), side="left")].astype(numpy.uint8)
    codes = numpy.append(codes, numpy.zeros(codes.size % 2, numpy.uint8))
    return codes[::2] << 4 | codes[1::2], absmax


def decode4(name, packed, absmax, block, rows, columns):
    values = numpy.empty((rows, columns), numpy.float32)
    function = getattr(library, f"cdequantize_blockwise_cpu_{name}_fp32")
    function(pointer(packed), pointer(absmax), pointer(values), longlong(block), longlong(rows), longlong(columns))
    return values


def compress(absmax):
    """The second quantization: codes, the scale of each 256, the mean, and what is read back."""
    mean = numpy.float32(absmax.mean(dtype=numpy.float32))
    rest, table = absmax - mean, dynamic_map()
    codes, scales = numpy.empty(rest.size, numpy.uint8), numpy.empty(-(-rest.size // 256), numpy.float32)
    library.cquantize_blockwise_cpu_fp32(pointer(table), pointer(rest), pointer(scales), pointer(codes), longlong(256),
                                         longlong(rest.size))
    back = numpy.empty(rest.size, numpy.float32)
    library.cdequantize_blockwise_cpu_fp32(pointer(table), pointer(codes), pointer(scales), pointer(back),
                                           longlong(256), longlong(rest.size))
    return codes, scales, numpy.float32([mean]), back + mean


def write(case, **arrays):
    for name, array in arrays.items():
        array.tofile(out / f"{case}.{name}.bin")


random = numpy.random.default_rng(20261122)
x = (random.standard_normal((65, 256)) * random.uniform(0.01, 0.05, (65, 1))).astype(numpy.float32)
codes, absmax = encode4(x.reshape(-1), NF4, 64)
packed, scales, mean, read = compress(absmax)
write("double", codes=codes, absmax=packed, nested_absmax=scales, nested_offset=mean,
      values=decode4("nf4", codes, read, 64, 65, 256))
x = random.standard_normal(600).astype(numpy.float32)
for case, table in (("nf4", NF4), ("fp4", FP4)):
    codes, absmax = encode4(x, table, 64)
    write(case, codes=codes, absmax=absmax, values=decode4(case, codes, absmax, 64, 1, 600), source=x)
