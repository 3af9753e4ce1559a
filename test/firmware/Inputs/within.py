# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""within.py <log> <counts> [<layer>=<instructions>/<weighted>...] [<layer>:<other layer>...]: the instructions for each unit of
the layers of `layers.py goals`, in thousandths, from what its program printed and what lib/Measure/Plugin/count.c counted.

<layer>:<other layer> fails where the first takes half a percent more than the other, instructions or weighted. A budget fails
where a layer takes over 2 % more than its budget, or is missing. Counts are the same on every host, so a budget that is
far above the count hides a loss: under 90 % of it fails too."""
import re
import sys


def read_layers(log, counts):
    """{name: (instructions, weighted)} in thousandths of a unit."""
    names = re.findall(r"^layer (\S+) units (\d+)$", open(log, encoding="utf-8").read(), re.M)
    regions = [tuple(map(int, line.split())) for line in open(counts, encoding="utf-8")]
    if len(names) != len(regions):
        sys.exit(f"{log} has {len(names)} layers, {counts} {len(regions)} regions")
    return {name: tuple(round(1000 * n / int(units)) for n in region) for (name, units), region in zip(names, regions)}


def main():
    layers = read_layers(*sys.argv[1:3])
    failed = False
    for argument in sys.argv[3:]:
        if ":" in argument:
            counts = [layers[name] for name in argument.split(":")]
            good = all(count <= 1.005 * other for count, other in zip(*counts))
            failed = failed or not good
            print(f"{argument}: {counts[0]} and {counts[1]}, in thousandths{'' if good else ': FAILED'}")
            continue
        name, budgets = argument.split("=")
        for what, count, budget in zip(("instructions", "weighted"), layers.get(name, (0, 0)), map(int, budgets.split("/"))):
            good = 0.9 * budget <= count <= 1.02 * budget
            failed = failed or not good
            print(f"{name}: {count} {what}, in thousandths, of {budget}{'' if good else ': FAILED'}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
