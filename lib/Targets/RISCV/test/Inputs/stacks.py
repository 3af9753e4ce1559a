# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""stacks.py <folder> <target>: measures the models of `layers.py stacks` in a folder, and holds the stack that reports and headers
state, for vector registers of 128 bits, beside what was seen. Prints a line for each; of the last two vector registers must lie
on the stack, and be needed for what was seen."""
import glob
import json
import os
import subprocess
import sys

VECTOR_BYTES = 16


def read(folder):
    path = next(p for p in glob.glob(folder + "/*.json"))
    with open(path, encoding="utf-8") as file, open(path[:-len("json")] + "h", encoding="utf-8") as header:
        return json.load(file), header.read()


def main():
    failed, (folder, target) = False, sys.argv[1:]
    count = len(glob.glob(folder + "/model*.mlir"))
    for i in range(count):
        out = os.path.join(folder, f"measured{i}")
        subprocess.run(["quant-compile", f"{folder}/model{i}.mlir", "--phase-from=C3", f"--target={target}", "--measure", "-o", out],
                       check=True, stdout=subprocess.DEVNULL)
        report, header = read(out)
        seen, stated, lengths = report["measured"]["stack_bytes"], report["stack_bytes"], report.get("stack_bytes_of_longer_vectors", 0)
        good = seen <= stated and f"_STACK_BYTES {stated}\n" in header
        text = f"with vector registers of up to {8 * VECTOR_BYTES} bits; {lengths} more for each byte that they are longer"
        good &= (text in header) == (lengths > 0) and "vector registers of up to 0" not in header
        if i + 2 >= count:
            good &= seen > stated - lengths * VECTOR_BYTES
        elif lengths:
            good = False
        failed |= not good
        print(f"{report['layers'][0]['kernel']}: {seen} of {stated} bytes, {lengths} vector registers{'' if good else ': FAILED'}")
    sys.exit(failed)


main()
