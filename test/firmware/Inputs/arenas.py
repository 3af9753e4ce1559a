# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""arenas.py <models> <scratch> --targets=a,b <network>=<bytes>...

The arena of each network on each target, beside what TFLite Micro's planner makes of it: that is the number that is given, as the
report says, and the arena is not larger. A network called <network>- must have a smaller one."""
import json
import pathlib
import subprocess
import sys


def main():
    models, scratch = map(pathlib.Path, sys.argv[1:3])
    failed = False
    for target in sys.argv[3].removeprefix("--targets=").split(","):
        for argument in sys.argv[4:]:
            network, greedy = argument.split("=")
            smaller, network = network.endswith("-"), network.rstrip("-")
            folder = scratch / f"{target}-{network}"
            subprocess.run(["quant-compile", models / f"{network}.tflite", f"--target={target}", "-o", folder], check=True)
            report = json.loads((folder / f"{network}.json").read_text())
            arena, planned = report["arena_bytes"], report["arena_of_greedy_plan"]
            good = report["arena_lower_bound"] <= arena <= planned - smaller and planned == int(greedy)
            failed |= not good
            print(f"{target} {network}: {arena} bytes, greedily {planned}{'' if good else ': FAILED'}")
    sys.exit(failed)


main()
