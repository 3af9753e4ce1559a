# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes <folder>/model.mlir, which requantizes a matrix of i32 accumulators by every final map, and <folder>/x.npy.

Column j has multiplier j (and shift j): numbers that make ties, vanish, overflow, or are none."""
import pathlib
import struct
import sys

REALS = ["0x3F000000", "0x3E800000", "0x38D1B717", "0x3F800000", "0x2F000001", "0x34000000", "0x41200000", "0x7F800000",
         "0xFF800000", "0x7FC00000", "0x00000001", "0xBF000000", "0x3C23D70A", "0x47C35000", "0x4B000000", "0x33D6BF95",
         "0x3F7FFFFF", "0x30000000"]
FIXED = [0x40000000, 0x7FFFFFFF, 0x7FFF0000, 0x7FFEFFFF, 0x55555555, 0x40000001, -0x80000000, -0x40000000, 1, 0,
         0x60000000, 0x4CCCCCCD, 0x7FFFFFFF, -0x80000000, 0x40000000, 0x70000000, 0x5A82799A, 0x40000000]
SHIFTS = [0, -1, -5, -31, -32, -33, -62, 3, 31, 30, 1, -8, -16, 0, -9, 2, -12, 8]
SPECIAL = [0, 1, -1, 2, -2, 3, -3, 5, -5, 127, -128, 2**31 - 1, -2**31, 2**30, -2**30, 2**24 + 1, -2**24 - 1, 99999999]
ROWS, COLUMNS = 40, len(REALS)
MAPS = {"even": ("q8", "real<half_even>", "-128, 127"), "away": ("u8", "real<half_away>", "-300, 300"),
        "truncate": ("q16", "real<truncate>", "-40000, 40000"), "double": ("q8", "fixed<double>", "-128, 127"),
        "single": ("u8", "fixed<single>", "-128, 300"), "x16": ("q16", "fixed<x16>", "-40000, 40000")}


def accumulators():
    """The special numbers against every column, then pseudo-random ones of all sizes."""
    state, numbers = 1, []
    for row in range(ROWS):
        for column in range(COLUMNS):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            number = (state >> 32) - 2**31 >> (state >> 27) % 32
            numbers.append(SPECIAL[row] if row < len(SPECIAL) else number)
    return numbers


def write_npy(path, numbers):
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({ROWS}, {COLUMNS}), }}"
    header = header.ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     struct.pack(f"<{len(numbers)}i", *numbers))


def model():
    size, per = f"{ROWS}x{COLUMNS}", f"tensor<{COLUMNS}x"
    lines = ["#q8 = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5, zero = 3.0>",
             "#u8 = #qtensor.block<codec<8, int<offset 0>>, [?, ?], scale = 0.5, zero = 128.0>",
             "#q16 = #qtensor.block<codec<16, int<signed>>, [?, ?], scale = 0.5>"]
    results = ", ".join(f'tensor<{size}xf32> {{qtensor.name = "{name}"}}' for name in MAPS)
    lines += [f'func.func @main(%x: tensor<{size}xi32> {{qtensor.name = "x"}}) -> ({results}) {{',
              f"  %r = arith.constant dense<[{', '.join(REALS)}]> : {per}f32>",
              f"  %m = arith.constant dense<[{', '.join(map(str, FIXED))}]> : {per}i32>",
              f"  %s = arith.constant dense<[{', '.join(map(str, SHIFTS))}]> : {per}i32>"]
    for name, (encoding, final, clamp) in MAPS.items():
        operands = f"multiplier(%r : {per}f32>)" if "real" in final else f"multiplier(%m : {per}i32>) shift(%s : {per}i32>)"
        lines += [f"  %{name} = qtensor.requantize %x {operands} axis 1 <{final}> clamp [{clamp}] : tensor<{size}xi32> -> "
                  f"tensor<{size}xf32, #{encoding}>",
                  f"  %{name}_y = qtensor.dequantize %{name} : tensor<{size}xf32, #{encoding}> -> tensor<{size}xf32> "
                  f'loc("{name}")']
    lines += [f"  return {', '.join(f'%{name}_y' for name in MAPS)} : {', '.join([f'tensor<{size}xf32>'] * len(MAPS))}", "}"]
    return "\n".join(lines) + "\n"


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
(folder / "model.mlir").write_text(model())
write_npy(folder / "x.npy", accumulators())
