#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints `codec code f32-bits` for every code of every named codec of at most 8 bits, from the published definitions.

Shares nothing with lib/Formats: integers by two's complement, small floats by their formula, flint by the decoder of its
paper, dynamic maps by their construction. Only codebooks that are lists by definition are lists here.
"""
import struct
from fractions import Fraction
from statistics import NormalDist


def bits(value):
    return "nan" if value is None else struct.pack(">f", float(value)).hex()


def signed(width, code):
    return code - (1 << width) if code >> (width - 1) else code


def minifloat(exponent, mantissa, bias, code, sign=True, nan=lambda e, m: False, has_zero=True):
    """Sign, exponent and mantissa fields; exponent 0 is subnormal. None is NaN."""
    m = code & ((1 << mantissa) - 1)
    e = (code >> mantissa) & ((1 << exponent) - 1)
    if nan(e, m):
        return None
    if e == 0 and has_zero:
        value = Fraction(m, 1 << mantissa) * Fraction(2) ** (1 - bias)
    else:
        value = (1 + Fraction(m, 1 << mantissa)) * Fraction(2) ** (e - bias)
    negative = sign and (code >> (exponent + mantissa)) & 1
    return -float(value) if negative else float(value)  # -0.0 keeps its sign


def e5m2(code):
    # The upper byte of an IEEE half.
    value = struct.unpack(">e", bytes([code, 0]))[0]
    return None if value != value else value


def flint(width, code):
    """Integer view of the ANT paper: the leading one of the low bits gives the exponent."""
    low, top = code & ((1 << (width - 1)) - 1), code >> (width - 1)
    if not top:
        return low
    zeros = (width - 1) - low.bit_length()
    return (low << 1 if low else 1) << (2 * zeros)


def sign_magnitude(magnitude, width, code):
    value = float(magnitude(code & ((1 << (width - 1)) - 1)))
    return -value if code >> (width - 1) else value


def dynamic_map(is_signed):
    values = [Fraction(0), Fraction(1)]
    for i in range(7):
        count = 2 ** i if is_signed else 2 ** (i + 1)
        for j in range(count):
            value = Fraction(10) ** (i - 6) * (Fraction(1, 10) + Fraction(9, 10) * (j + Fraction(1, 2)) / count)
            values += [value, -value] if is_signed else [value]
    return sorted(values)


NF4 = [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
       -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634,
       0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0]
AF4 = [-1.0, -0.69441008, -0.51243739, -0.3736951, -0.25607552, -0.14982478, -0.04934812, 0.0, 0.04273164, 0.12934483,
       0.21961274, 0.31675666, 0.42563882, 0.55496234, 0.72424863, 1.0]
IQ4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
FP4 = [0, 0.0625, 8, 12, 4, 6, 2, 3]  # divided by 12; index is the code
FP4_GENERATED = [0, 0.125, 1, 1.5, 2, 3, 4, 6]  # divided by 6


def check_nf4():
    """The list agrees with quantiles of the normal distribution."""
    offset, normal = 1 - (1 / 32 + 1 / 30) / 2, NormalDist()
    line = lambda n: [offset + (0.5 - offset) * i / (n - 1) for i in range(n)]
    values = [normal.inv_cdf(p) for p in line(9)[:-1]] + [0.0] + [-normal.inv_cdf(p) for p in line(8)[:-1]]
    largest = max(values)
    for made, listed in zip(sorted(value / largest for value in values), NF4):
        assert abs(made - listed) < 2e-7


def codecs():
    for width in range(2, 9):
        for narrow in ("", "n"):
            yield f"int{width}{narrow}", width, lambda c, w=width: signed(w, c)
            yield f"uint{width}{narrow}", width, lambda c: c
    for width, offset in ((3, 4), (4, 8), (5, 16), (6, 32)):
        yield f"biased{width}", width, lambda c, o=offset: c - o
    yield "binary", 1, lambda c: 2 * c - 1
    yield "ternary", 2, lambda c: c - 1
    yield "trit", 2, lambda c: c - 1
    yield "e2m1", 4, lambda c: minifloat(2, 1, 1, c)
    yield "e2m3", 6, lambda c: minifloat(2, 3, 1, c)
    yield "e3m2", 6, lambda c: minifloat(3, 2, 3, c)
    yield "e3m0", 4, lambda c: minifloat(3, 0, 3, c)
    yield "e3m1_unsigned", 4, lambda c: minifloat(3, 1, 1, c, sign=False)
    yield "e4m3fn", 8, lambda c: minifloat(4, 3, 7, c, nan=lambda e, m: e == 15 and m == 7)
    yield "ue4m3", 7, lambda c: minifloat(4, 3, 7, c, sign=False, nan=lambda e, m: e == 15 and m == 7)
    yield "e5m2", 8, e5m2
    yield "e8m0", 8, lambda c: None if c == 255 else Fraction(2) ** (c - 127)
    yield "mxint8_element", 8, lambda c: Fraction(signed(8, c), 64)
    yield "flint4", 4, lambda c: sign_magnitude(lambda m: flint(3, m), 4, c)
    yield "flint4_unsigned", 4, lambda c: flint(4, c)
    yield "pot4", 4, lambda c: sign_magnitude(lambda m: 2 ** (m - 1) if m else 0, 4, c)
    yield "pot4_unsigned", 4, lambda c: 2 ** (c - 1) if c else 0
    yield "fp4", 4, lambda c: sign_magnitude(lambda m: FP4[m] / 12, 4, c)
    yield "fp4_generated", 4, lambda c: sign_magnitude(lambda m: FP4_GENERATED[m] / 6, 4, c)
    yield "nf4", 4, lambda c: NF4[c]
    yield "af4", 4, lambda c: AF4[c]
    yield "iq4", 4, lambda c: IQ4[c]
    maps = {"dynamic8": dynamic_map(True), "dynamic8_unsigned": dynamic_map(False)}
    for name, table in maps.items():
        assert len(table) == len(set(table)) == 256
        yield name, 8, lambda c, t=table: t[c]


if __name__ == "__main__":
    check_nf4()
    for name, width, decode in sorted(codecs(), key=lambda codec: codec[0]):
        for code in range(1 << width):
            print(name, code, bits(decode(code)))
