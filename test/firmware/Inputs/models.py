# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""models.py <models> <scratch> --targets=a,b --networks=ad,kws [--rounding=double,single] [--patterns=0,1] [--values=out,all]

Bundles of the MLPerf Tiny networks, measured on the boards of the targets: the hash of the output, or with --values=all of
every operator's result, is the one of TFLite Micro's arithmetic (test/tflite/golden.py), and the model touches only what its
header says (quant-compile --measure fails otherwise)."""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tflite"))
import golden  # noqa: E402


def prepare(models, scratch, network, rounding, values):
    """The model's file, and the number of elements of its input."""
    source = models / f"{network}.tflite"
    module = scratch / f"{network}-{rounding}.mlir"
    outputs = ["--output=*"] if values == "all" else []
    subprocess.run(["quant-import", source, f"--rounding={rounding}", *outputs, "-o", module], check=True)
    shape = re.search(r"func\.func @main\(.*?tensor<([0-9x]+)xi8>", module.read_text()).group(1)
    count = 1
    for extent in shape.split("x"):
        count *= int(extent)
    return module, count


def measure(module, network, target, values, scratch):
    """The hashes that the program printed: of its last output, of all of them."""
    # Results that nobody reads again need places of their own, which the caller has.
    places = ["--caller-io"] if values == "all" else []
    run = subprocess.run(["quant-compile", module.name, f"--target={target}", f"--name={network}", "--measure", *places, "-o",
                          f"{network}-{target}"], cwd=scratch, check=False, capture_output=True, text=True)
    hashes = re.findall(r": hash ([0-9a-f]{8})", run.stdout)
    if run.returncode or len(hashes) < 2:
        return run.stderr.strip(), ""
    return hashes[-2], hashes[-1]


def main():
    models, scratch = map(pathlib.Path, sys.argv[1:3])
    options = dict(arg[2:].split("=", 1) for arg in sys.argv[3:])
    scratch.mkdir(parents=True, exist_ok=True)
    values, wrong = options.get("values", "out"), 0
    for network in options["networks"].split(","):
        for rounding in options.get("rounding", "double").split(","):
            module, count = prepare(models, scratch, network, rounding, values)
            for number in map(int, options.get("patterns", "1").split(",")):
                (scratch / "input0.bin").write_bytes(golden.pattern(number, count))
                want = golden.GOLDEN[network, number][rounding == "single"]
                for target in options["targets"].split(","):
                    got = measure(module, network, target, values, scratch)
                    good = got == want if values == "all" else got[0] == want[0]
                    wrong += not good
                    print(f"{target} {network} {rounding} pattern {number}: {' '.join(got)}",
                          "as published" if good else f"WRONG: want {want[0]} {want[1]}", flush=True)
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
