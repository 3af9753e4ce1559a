# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""floats.py <folder>: a program of every operation on floats that small processors lack, floats.mlir, and three inputs of bits,
among them those of borders, as x.npy for quant-run and input0.bin for boards. The result is a number for each row."""
import pathlib
import random
import struct
import sys

ROWS, COLUMNS = 8, 96
BINARY = ["arith.addf %a, %b", "arith.subf %a, %b", "arith.mulf %a, %b", "arith.divf %a, %b", "arith.subf %c, %a"]
PREDICATES = ["oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule", "une", "uno"]
EXPONENTS = [0, 1, 2, 23, 64, 103, 126, 127, 128, 149, 150, 157, 158, 159, 189, 190, 191, 252, 253, 254, 255]
MANTISSAS = [0, 1, 2, 0x3fffff, 0x400000, 0x400001, 0x7ffffe, 0x7fffff]


class Body:
    """Lines of MLIR that fold values into one."""

    def __init__(self):
        self.lines, self.count, self.state = [], 0, "%acc"

    def value(self, text):
        self.count += 1
        self.lines.append(f"    %v{self.count} = {text}")
        return f"%v{self.count}"

    def mix(self, value):
        """A number of 32 bits joins the result."""
        product = self.value(f"arith.muli {self.state}, %prime : i32")
        self.state = self.value(f"arith.xori {product}, {value} : i32")

    def mix_float(self, value):
        """By its bits, but what is no number has many."""
        bits = self.value(f"arith.bitcast {value} : f32 to i32")
        ordered = self.value(f"arith.cmpf ord, {value}, {value} : f32")
        self.mix(self.value(f"arith.select {ordered}, {bits}, %prime : i32"))

    def mix_wide(self, value):
        high = self.value(f"arith.shrui {value}, %c32 : i64")
        for half in (value, high):
            self.mix(self.value(f"arith.trunci {half} : i64 to i32"))


def operations(body):
    for operation in BINARY:
        body.mix_float(body.value(operation + " : f32"))
    body.mix_float(body.value("math.fma %a, %b, %c : f32"))
    for predicate in PREDICATES:
        body.mix(body.value(f"arith.extui {body.value(f'arith.cmpf {predicate}, %a, %b : f32')} : i1 to i32"))
    for sign in "su":
        body.mix_float(body.value(f"arith.{sign}itofp %x : i32 to f32"))
        body.mix_float(body.value(f"arith.{sign}itofp %wide : i64 to f32"))
        low = "%zero" if sign == "u" else None
        for bits, limit in ((32, "%limit32"), (64, "%limit64")):
            magnitude = body.value("math.absf %a : f32")
            fits = body.value(f"arith.cmpf olt, {magnitude}, {limit} : f32")
            inside = body.value(f"arith.select {fits}, {magnitude if low else '%a'}, %zero : f32")
            whole = body.value(f"arith.fpto{sign}i {inside} : f32 to i{bits}")
            (body.mix if bits == 32 else body.mix_wide)(whole)


def program():
    body = Body()
    operations(body)
    kinds = '["parallel", "reduction"]'
    data = f"tensor<{ROWS}x{COLUMNS}xi32>"
    maps = ", ".join(["affine_map<(i, j) -> (i, j)>"] * 3 + ["affine_map<(i, j) -> (i)>"])
    return f"""func.func @main(%in0: {data} {{qtensor.name = "x"}}, %in1: {data} {{qtensor.name = "y"}}, %in2: {data} {{qtensor.name = "z"}}) -> (tensor<{ROWS}xi32> {{qtensor.name = "r"}}) {{
  %empty = tensor.empty() : tensor<{ROWS}xi32>
  %seed = arith.constant 1 : i32
  %start = linalg.fill ins(%seed : i32) outs(%empty : tensor<{ROWS}xi32>) -> tensor<{ROWS}xi32>
  %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = {kinds}}}
      ins(%in0, %in1, %in2 : {data}, {data}, {data}) outs(%start : tensor<{ROWS}xi32>) {{
  ^bb0(%x: i32, %y: i32, %z: i32, %acc: i32):
    %prime = arith.constant 16777619 : i32
    %c32 = arith.constant 32 : i64
    %zero = arith.constant 0.0 : f32
    %limit32 = arith.constant 2147483648.0 : f32
    %limit64 = arith.constant 9223372036854775808.0 : f32
    %a = arith.bitcast %x : i32 to f32
    %b = arith.bitcast %y : i32 to f32
    %c = arith.bitcast %z : i32 to f32
    %high = arith.extui %x : i32 to i64
    %shifted = arith.shli %high, %c32 : i64
    %low = arith.extui %y : i32 to i64
    %wide = arith.ori %shifted, %low : i64
{chr(10).join(body.lines)}
    linalg.yield {body.state} : i32
  }} -> tensor<{ROWS}xi32>
  return %r : tensor<{ROWS}xi32>
}}
"""


def number(source):
    sign = source.getrandbits(1) << 31
    if source.random() < 0.6:
        return sign | source.choice(EXPONENTS) << 23 | source.choice(MANTISSAS)
    return sign | source.randrange(120, 136) << 23 | source.getrandbits(23)


def main():
    folder = pathlib.Path(sys.argv[1])
    (folder / "floats.mlir").write_text(program())
    source = random.Random(5)
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({ROWS}, {COLUMNS}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    for place, name in enumerate("xyz"):
        data = struct.pack(f"<{ROWS * COLUMNS}I", *(number(source) for _ in range(ROWS * COLUMNS)))
        (folder / f"input{place}.bin").write_bytes(data)
        (folder / f"{name}.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


if __name__ == "__main__":
    main()
