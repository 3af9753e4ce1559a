# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""extremes.py <level> [value...]: runs kernels whose codes all stand for one value, against rows of -128 and of 127.

All 16 entries of a table hold the value, so the dot product of 160 codes is 160 * value * -128 or * 127; quant-kernel
compares its bits with those of wider arithmetic. By default: for every number n of products of -128 that fit in 16 bits
the largest value with n of them, and values of which not even two fit."""
import subprocess
import sys


def is_exact(level, value):
    table = ",".join(str(value) for _ in range(16))
    layout = "#qtile.layout<rows=16, block=160, codes=i4, scale=f32>"
    command = ["quant-kernel", "--level=" + level, "--extremes", "--n=24", "--k=160", "--m=1,5", "--bytes=" + table,
               "--layout=" + layout]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    good = run.returncode == 0 and run.stdout.count("exact") == 2 and "DIFFERENT" not in run.stdout
    if not good:
        print("largest value %d: %s" % (value, run.stdout))
    return good


values = [int(text) for text in sys.argv[2:]] or sorted({128 // n for n in range(1, 129)} | {65, 127, 129, 192, 254, 255})
wrong = sum(not is_exact(sys.argv[1], value) for value in values)
print("%d largest values, %d wrong" % (len(values), wrong))
