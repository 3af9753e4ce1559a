# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes small GPTQ and AWQ matrices. usage: make_vectors.py <output folder of GPTQ> <output folder of AWQ>

The loops are those by which AutoGPTQ (QuantLinear.pack) and AutoAWQ (WQLinear_GEMM.from_linear) describe their words,
written anew: nothing here knows lib/Formats."""
import pathlib
import sys

import numpy

K, N, GROUP = 64, 24, 16
random = numpy.random.default_rng(4)


def pack_rows(codes, bits):
    """Words of 32 / bits codes along the first axis, the first in the lowest bits."""
    words = numpy.zeros((codes.shape[0] * bits // 32, codes.shape[1]), numpy.uint32)
    for row in range(codes.shape[0]):
        words[row * bits // 32] |= codes[row].astype(numpy.uint32) << numpy.uint32(row * bits % 32)
    return words


def pack_columns(codes, bits, order):
    """Words of 32 / bits codes along the second axis; place i holds the column order[i]."""
    per = 32 // bits
    words = numpy.zeros((codes.shape[0], codes.shape[1] // per), numpy.uint32)
    for column in range(words.shape[1]):
        for place in range(per):
            words[:, column] |= codes[:, column * per + order[place]].astype(numpy.uint32) << numpy.uint32(bits * place)
    return words


def write(folder, case, bits, stored_less_one, along_rows, order):
    codes = random.integers(0, 1 << bits, (K, N))
    zeros = random.integers(1, 1 << bits, (K // GROUP, N))
    scales = random.uniform(0.001, 0.02, (K // GROUP, N)).astype(numpy.float16)
    values = scales.astype(numpy.float32).repeat(GROUP, 0) * (codes - zeros.repeat(GROUP, 0)).astype(numpy.float32)
    qweight = pack_rows(codes, bits) if along_rows else pack_columns(codes, bits, order)
    qzeros = pack_columns(zeros - stored_less_one, bits, order)
    for name, array in dict(qweight=qweight, qzeros=qzeros, scales=scales, values=values).items():
        array.tofile(pathlib.Path(folder) / f"{case}.{name}.bin")


write(sys.argv[1], "gptq", 4, 1, True, range(8))
write(sys.argv[1], "gptq_v2", 4, 0, True, range(8))
write(sys.argv[1], "gptq8", 8, 1, True, range(4))
write(sys.argv[2], "awq", 4, 0, False, [0, 2, 4, 6, 1, 3, 5, 7])
