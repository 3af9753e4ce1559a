# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""blocks-run.py <model.onnx> <samples> <folder> [--rounding=double] [--steps=2.5] [--formats=own] [--dim=n=1]
<target>...: a float network that becomes integer-only, or one that brings its own roundings, has the same codes from the
reference, from compiled code on this machine and in the emulator of each target, and they are the float results to within so
many steps of the output."""
import pathlib
import re
import struct
import subprocess
import sys
import urllib.parse

sys.dont_write_bytecode = True
from blocks import write_npy


def npy(path, letter):
    """The numbers at the end of a file whose header says how many."""
    data = path.read_bytes()
    shape = re.search(rb"'shape': \(([^)]*)\)", data).group(1)
    count = 1
    for extent in filter(None, (part.strip() for part in shape.split(b","))):
        count *= int(extent)
    return struct.unpack(f"<{count}{letter}", data[-count * struct.calcsize(letter):])


def run(*command, cwd=None):
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done


def main():
    model, samples, folder = map(pathlib.Path, sys.argv[1:4])
    settings = dict(word[2:].split("=", 1) for word in sys.argv[4:] if word.startswith("--"))
    targets = [word for word in sys.argv[4:] if not word.startswith("--")]
    folder.mkdir(parents=True, exist_ok=True)
    options = [f"--rounding={settings.get('rounding', 'double')}", "--interface=codes"]
    calibrate, dims = [], [f"--dim={settings['dim']}"] if "dim" in settings else []
    options += dims
    if settings.get("formats") != "own":
        options += ["--weights=int8/channel", "--activations=int8/asymmetric", f"--statistics={folder}/seen.json"]
        calibrate = [f"--calibrate={samples}"]
    compiled = run("quant-compile", model, *calibrate, *options, f"--target={targets[0]}", "--phase-to=C3", "--elide-weights")
    if "warning" in compiled.stderr:
        sys.exit(compiled.stderr)
    (folder / "layers.mlir").write_text(compiled.stdout)
    meaning = re.findall(r"qtensor.scale = (\S+) : f32, qtensor.zero = (-?\d+) : i64", compiled.stdout)
    (scale, zero), (out_scale, out_zero) = [(float(s), int(z)) for s, z in meaning]
    name = re.findall(r'qtensor.name = "([^"]*)"', compiled.stdout)[1]
    shape = [int(extent) for extent in re.search(r"%arg0: tensor<([0-9x]+)xi8>", compiled.stdout).group(1).split("x")]
    worst = 0
    for number, sample in enumerate(sorted(samples.iterdir())[:2]):
        codes = [max(-128, min(127, round(value / scale) + zero)) for value in npy(sample, "f")]
        x, y, real, values = (folder / f"{part}{number}" for part in ("x.npy", "y.npy", "real.npy", "values"))
        write_npy(x, shape, codes, "|i1")
        run("quant-run", model, *dims, "--input", sample, "--output", real)
        run("quant-run", model, *options, "--input", x, "--output", y)
        run("quant-run", model, *options, "--input", x, "--dump-values", values)
        got, want = npy(y, "b"), npy(real, "f")
        reference = npy(values / f"{urllib.parse.quote(name, safe='')}.npy", "b")
        if got != reference:
            sys.exit(f"sample {number}: {got} where the reference has {reference}")
        worst = max([worst] + [abs(code - out_zero - value / out_scale) for code, value in zip(got, want)])
        for target in targets if number == 0 else []:
            bundle = folder / target
            run("quant-compile", model, *options, f"--target={target}", "--name=net", "-o", bundle)
            (bundle / "example" / "input0.bin").write_bytes(struct.pack(f"{len(codes)}b", *codes))
            log = run("make", "-s", "-B", "-C", bundle / "example", "COMPILER=clang", "run").stdout
            line = next(line for line in log.splitlines() if line.startswith("output0:"))
            if tuple(int(word) for word in line.split(": ")[2].split()) != got:
                sys.exit(f"{target}, sample {number}: {line} where compiled code has {got}")
    if worst > float(settings.get("steps", 2.5)):
        sys.exit(f"codes are {worst:.2f} steps from the float results")
    print(f"{model.stem}: the same codes everywhere, {worst:.2f} steps from the float results")


if __name__ == "__main__":
    main()
