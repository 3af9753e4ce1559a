# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""costs.py <models> <scratch> <target> <network>=<instructions>/<weighted>/<flash>/<arena>...

Whole networks, measured: fails where one takes over 2 % more than its budget. Instructions are in thousands, the rest in bytes.
All of it is the same on every host."""
import json
import pathlib
import subprocess
import sys


def costs(models, folder, target, network):
    subprocess.run(["quant-compile", models / f"{network}.tflite", f"--target={target}", "--measure", "-o", folder], check=True,
                   stdout=subprocess.DEVNULL)
    report = json.loads((folder / f"{network}.json").read_text())
    measured = report["measured"]
    return {"instructions": measured["instructions"] / 1000, "weighted": measured["weighted_instructions"] / 1000,
            "flash": report["flash_bytes"], "arena": report["arena_bytes"]}


def main():
    models, scratch, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    failed = False
    for argument in sys.argv[4:]:
        network, budgets = argument.split("=")
        for (what, count), budget in zip(costs(models, scratch / f"{target}-{network}", target, network).items(),
                                         map(int, budgets.split("/"))):
            good = 0 < count <= 1.02 * budget
            failed |= not good
            print(f"{target} {network}: {count:.0f} {what} of {budget}{'' if good else ': FAILED'}")
    sys.exit(failed)


main()
