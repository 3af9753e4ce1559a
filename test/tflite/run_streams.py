#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs models call after call, each on the state that the call before left; the outputs must be equal, of floats nearly.

usage: run_streams.py <folder or archive> <scratch> [options of quant-compile]

Folders have model.tflite, in<call>.npy and out<call>.npy.
"""
import pathlib
import subprocess
import sys
import tarfile

source, scratch, options = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
if source.is_file():
    with tarfile.open(source) as tar:
        tar.extractall(scratch)
    source = scratch
wrong, calls = [], 0
folders = sorted(path.parent for path in source.glob("*/model.tflite"))
for folder in folders:
    state = scratch / (folder.name + ".state")
    state.unlink(missing_ok=True)
    tolerance = ["--atol=1e-6", "--rtol=1e-5"] if "f32" in folder.name else ["--atol=0", "--rtol=0"]
    library = scratch / (folder.name + ".lib")
    subprocess.run(["quant-compile", folder / "model.tflite", "--name=stream", "-o", library, *options], check=True)
    for call in range(len(list(folder.glob("in*.npy")))):
        run = subprocess.run(["quant-run", library / "libstream.so", f"--input={folder / f'in{call}.npy'}",
                              f"--state-file={state}", f"--compare={folder / f'out{call}.npy'}", *tolerance],
                             capture_output=True, text=True)
        calls += 1
        # The reference starts from no state, as the first call.
        if call == 0 and "f32" not in folder.name:
            values = scratch / (folder.name + ".values")
            subprocess.run(["quant-run", folder / "model.tflite", f"--input={folder / 'in0.npy'}", f"--dump-values={values}",
                            *options], check=True)
            expected = (folder / "out0.npy").read_bytes()
            if not any(value.read_bytes()[-len(expected) + 128:] == expected[128:] for value in values.glob("*.npy")):
                wrong.append(f"{folder.name}: no value of the reference is the output")
        if run.returncode:
            wrong.append(f"{folder.name}, call {call}: {run.stdout}{run.stderr}")
print(*wrong, sep="\n")
print(f"{calls - len(wrong)} of {calls} calls of {len(folders)} models have their runtime's outputs")
sys.exit(bool(wrong) or not calls)
