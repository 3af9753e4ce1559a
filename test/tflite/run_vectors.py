#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs each model of an archive on its inputs; the outputs must be equal.

usage: run_vectors.py <archive> <scratch> [options of quant-run]
"""
import pathlib
import subprocess
import sys
import tarfile

archive, scratch, options = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
with tarfile.open(archive) as tar:
    tar.extractall(scratch)
wrong = 0
folders = sorted(path.parent for path in scratch.glob("*/model.tflite"))
for folder in folders:
    inputs = [f"--input={path}" for path in sorted(folder.glob("in*.npy"))]
    run = subprocess.run(["quant-run", folder / "model.tflite", *inputs, f"--compare={folder / 'out.npy'}", "--atol=0",
                          "--rtol=0", *options], capture_output=True, text=True)
    if run.returncode:
        wrong += 1
        print(f"{folder.name}: {run.stdout}{run.stderr}")
print(f"{len(folders) - wrong} of {len(folders)} operators have their runtime's bits")
sys.exit(wrong != 0)
