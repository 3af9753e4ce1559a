# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""published.py <folder> <scratch> --targets=a,b [--models=regex] [--cases=n] [--rounding=single]

Bundles of published models on the boards of the targets, beside published outputs. A model's folder has model.tflite, .onnx or
.mlir and cases/<case>-in<i>.npy, -out<i>.npy; -out<i>.single.npy is what runtimes that round once give, where that differs. Codes
must be equal. settings.txt may have `options:` of quant-compile and, for floats, `roundings:`, the number on the longest path
from an input to an output, each of at most 2^-24 of the largest value (1 for probabilities), or a `bound:` of its own.
Prints one line for each model and target; a model that no board has room for says what is missing."""
import pathlib
import re
import struct
import subprocess
import sys

LETTERS = {"|i1": "b", "|u1": "B", "<i2": "h", "<i4": "i", "<i8": "q", "<f4": "f"}


def read_npy(path):
    """The letter of the elements, their bytes, their values."""
    raw = path.read_bytes()
    length = struct.unpack_from("<H", raw, 8)[0]
    letter = LETTERS[re.search(rb"'descr': '([^']*)'", raw[10:10 + length]).group(1).decode()]
    data = raw[10 + length:]
    return letter, data, struct.unpack(f"<{len(data) // struct.calcsize(letter)}{letter}", data)


def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)


def printed_values(line, letter):
    """What the example prints: codes with a sign, of floats the bits."""
    codes = [int(word) for word in line.split(": ")[2].split()]
    if letter == "f":
        return struct.unpack(f"{len(codes)}f", struct.pack(f"{len(codes)}i", *codes))
    return [code & 0xff for code in codes] if letter == "B" else codes


def difference(got, want):
    """0 where equal; of codes the largest distance, of floats relative to the largest expected value, or to 1."""
    if len(got) != len(want):
        return float("inf")
    most = max((abs(a - b) for a, b in zip(got, want)), default=0)
    if most != most:
        return float("inf")
    return most / max(1, *map(abs, want)) if isinstance(want[0], float) else most


def read_settings(folder):
    """The options of quant-compile and how much a float output may differ."""
    path = folder / "settings.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    settings = dict(line.split(":", 1) for line in lines if not line.startswith("#"))
    bound = float(settings.get("bound", int(settings.get("roundings", 0)) * 2**-24))
    return settings.get("options", "").split(), bound


def build(model, out, target, options):
    """What is wrong with the bundle, or nothing: its example is built then."""
    compiled = run("quant-compile", model, f"--target={target}", "--name=net", "-o", out, *options)
    if compiled.returncode:
        return "error: " + (compiled.stderr.strip().splitlines() or ["?"])[-1].split("error: ")[-1]
    if not (out / "example").exists():
        return "no room: " + re.search(r"`example/` \| none: (.*?) \|", (out / "README.md").read_text()).group(1)
    made = run("make", "-s", "-C", out / "example", "COMPILER=clang", "CC_clang=clang-22 -DBOARD_SHOWN_ELEMENTS=0x7fffffff",
               "example.elf")
    return "error: " + made.stderr.strip() if made.returncode else ""


def run_case(out, cases, case, rounding):
    """The largest difference over the outputs, or a text."""
    example = out / "example"
    for path in cases.glob(f"{case}-in*.npy"):
        (example / f"input{path.stem.split('-in')[1]}.bin").write_bytes(read_npy(path)[1])
    emulator = re.search(r"^EMULATOR = (.*)$", (example / "Makefile").read_text(), re.M).group(1)
    try:
        done = run(*emulator.split(), "example.elf", cwd=example, timeout=900)
    except subprocess.TimeoutExpired:
        return "no end within 900 s"
    lines = dict(re.findall(r"^(output\d+)(: hash .*)$", done.stdout, re.M))
    worst = None
    for path in sorted(cases.glob(f"{case}-out*.npy")):
        name = path.name.split("-")[1]
        if name.count(".") > 1:
            continue
        single = path.with_name(path.stem + ".single.npy")
        letter, _, want = read_npy(single if rounding == "single" and single.exists() else path)
        line = lines.get("output" + name[3:-4])
        if done.returncode or line is None:
            return f"exit {done.returncode}: {done.stdout[-200:]}{done.stderr[-200:]}"
        worst = max(worst or 0, difference(printed_values(line, letter), want))
    return "no published output" if worst is None else worst


def check(folder, scratch, target, options):
    """A line of text, and whether all is well."""
    given, bound = read_settings(folder)
    rounding = options.get("rounding", "double")
    if rounding == "single":
        given = [*given, "--rounding=single"]
    out = scratch / f"{folder.name}-{target}"
    model = next(folder.glob("model.*"))
    wrong = build(model, out, target, given)
    if wrong:
        return wrong, wrong.startswith("no room")
    cases = folder / "cases"
    numbers = sorted({int(path.name.split("-")[0]) for path in cases.glob("*-in*.npy")})[:int(options.get("cases", 1))]
    results = [run_case(out, cases, number, rounding) for number in numbers]
    good = [not isinstance(result, str) and result <= bound for result in results]
    bad = [f"case {number}: {result}" for number, result, fine in zip(numbers, results, good) if not fine]
    most = max((result for result in results if not isinstance(result, str)), default=0)
    text = f"{sum(good)} of {len(numbers)} cases as published" + (f", within {most:.1e}" if most else "")
    return ", ".join([text, *bad]), all(good) and bool(numbers)


def main():
    models, scratch = map(pathlib.Path, sys.argv[1:3])
    options = dict(argument[2:].split("=", 1) for argument in sys.argv[3:])
    scratch.mkdir(parents=True, exist_ok=True)
    folders = sorted(path.parent for path in models.glob("*/model.*"))
    folders = [folder for folder in folders if re.search(options.get("models", ""), folder.name)]
    wrong = 0
    for folder in folders:
        for target in options["targets"].split(","):
            text, good = check(folder, scratch.resolve(), target, options)
            wrong += not good
            print(f"{folder.name} {target}: {text}{'' if good else ': WRONG'}", flush=True)
    sys.exit(wrong != 0 or not folders)


if __name__ == "__main__":
    main()
