#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Hashes of every activation of the MLPerf Tiny networks, against those of TFLite Micro's arithmetic.

usage: golden.py <models> <scratch> <network>... [--rounding=double,single] [--patterns=0,1]

The hashes are FNV-1a of the int8 outputs of all operators in their order, found with an implementation of the published
formulas that agrees with CMSIS-NN bit for bit. Inputs: pattern 0 is ((37 i + 11) mod 256) - 128, pattern 1 the high bytes
of a linear congruential generator (seed 12345).
"""
import pathlib
import re
import struct
import subprocess
import sys

# (network, pattern): hashes of (the output, all activations) for two roundings and for one.
GOLDEN = {
    ("ad", 0): (("d9ca9345", "5faebf54"), ("e78ded55", "c450d4e8")),
    ("ad", 1): (("1fd3ed06", "736ef456"), ("30fcf77d", "406072e3")),
    ("kws", 0): (("0724c0b8", "d14158f9"), ("0724c0b8", "4e57bb1c")),
    ("kws", 1): (("f0b57151", "a9c43f10"), ("f0b57151", "c85c84b0")),
    ("ic", 0): (("1f85f783", "fac27853"), ("538ee062", "2410a216")),
    ("ic", 1): (("e5b25901", "99ab5487"), ("32dd29ad", "03bc74d3")),
    ("vww", 0): (("3a5f7f09", "8de829f2"), ("3a5f7f09", "4abd6a6d")),
    ("vww", 1): (("6962079d", "5c0f55df"), ("6962079d", "724835a0")),
    ("sww", 0): (("bb19f336", "0b0465a0"), ("bb19f336", "1aa22d16")),
    ("sww", 1): (("bb19f336", "66d0d5c2"), ("bb19f336", "b5f24fd5")),
}


def fnv(data):
    value = 2166136261
    for byte in data:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return f"{value:08x}"


def pattern(number, count):
    if number == 0:
        return bytes((37 * i + 11) % 256 - 128 & 0xFF for i in range(count))
    state, out = 12345, bytearray()
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    return bytes(out)


def write_npy(path, shape, data):
    header = f"{{'descr': '|i1', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def read_npy(path):
    data = path.read_bytes()
    return data[10 + struct.unpack("<H", data[8:10])[0]:]


def main():
    args = [arg for arg in sys.argv[1:] if not arg.startswith("--")]
    options = dict(arg[2:].split("=", 1) for arg in sys.argv[1:] if arg.startswith("--"))
    models, scratch, networks = pathlib.Path(args[0]), pathlib.Path(args[1]), args[2:]
    scratch.mkdir(parents=True, exist_ok=True)
    wrong = 0
    for network in networks:
        for rounding in options.get("rounding", "double,single").split(","):
            module = scratch / f"{network}.mlir"
            subprocess.run(["quant-import", models / f"{network}.tflite", f"--rounding={rounding}", "--output=*",
                            "-o", module], check=True)
            text = re.search(r"func\.func @main\((.*?)tensor<([0-9x]+)xi8>(.*)", module.read_text())
            shape = tuple(map(int, text.group(2).split("x")))
            results = text.group(3).split("->", 1)[1].count("qtensor.name")
            count = 1
            for extent in shape:
                count *= extent
            for number in map(int, options.get("patterns", "0,1").split(",")):
                write_npy(scratch / "x.npy", shape, pattern(number, count))
                files = [scratch / f"{i}.npy" for i in range(results)]
                subprocess.run(["quant-run", module, f"--input={scratch / 'x.npy'}", *(f"--output={f}" for f in files)],
                               check=True, stdout=subprocess.DEVNULL)
                outputs = [read_npy(file) for file in files]
                got = fnv(outputs[-1]), fnv(b"".join(outputs))
                want = GOLDEN[network, number][rounding == "single"]
                wrong += got != want
                verdict = "as published" if got == want else f"WRONG: want {want[0]} {want[1]}"
                print(f"{network} {rounding} pattern {number}: {got[0]} {got[1]} {verdict}", flush=True)
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
