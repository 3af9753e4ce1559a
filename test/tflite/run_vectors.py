#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs each model of an archive on its inputs; the outputs must be equal, of floats nearly where the name ends in f32. A model
with an error.txt must be refused with one message that holds this text: by the import, or, where it has inputs, by its run.

usage: run_vectors.py <archive> <scratch> [options of quant-run]
"""
import pathlib
import subprocess
import sys
import tarfile

archive, scratch, options = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
with tarfile.open(archive) as tar:
    tar.extractall(scratch)


def operands(folder):
    return [f"--{name}={path}" for name, pattern in (("input", "in*.npy"), ("compare", "out*.npy"))
            for path in sorted(folder.glob(pattern))]


def is_refused(folder):
    files = operands(folder)
    run = subprocess.run(["quant-run" if files else "quant-import", folder / "model.tflite", *files], capture_output=True, text=True)
    return run.returncode in (1, 2) and run.stderr.count("error:") == 1 and (folder / "error.txt").read_text() in run.stderr, run.stderr


def is_right(folder):
    files = operands(folder)
    tolerance = ["--atol=1e-6", "--rtol=1e-5"] if folder.name.endswith("f32") else ["--atol=0", "--rtol=0"]
    run = subprocess.run(["quant-run", folder / "model.tflite", *files, *tolerance, *options], capture_output=True, text=True)
    return run.returncode == 0, run.stdout + run.stderr


folders = sorted(path.parent for path in scratch.glob("*/model.tflite"))
counts = {}
for folder in folders:
    refused = (folder / "error.txt").exists()
    good, text = is_refused(folder) if refused else is_right(folder)
    done, all_ = counts.get(refused, (0, 0))
    counts[refused] = done + good, all_ + 1
    if not good:
        print(f"{folder.name}: {text}")
for refused, (done, all_) in sorted(counts.items()):
    what = "models are refused as they should be" if refused else "operators have their runtime's bits"
    print(f"{done} of {all_} {what}")
sys.exit(any(done != all_ for done, all_ in counts.values()) or not counts)
