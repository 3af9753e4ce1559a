# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""within.py <log> <counts> [<layer>=<instructions>/<weighted>...] [<layer>:<other layer>...]: the instructions for each unit of
the layers of `layers.py goals`, in thousandths, from what its program printed and what lib/Measure/Plugin/count.c counted.

<layer>:<other layer> fails where the first takes more than the other, instructions or weighted; *<end>:*<other end> holds all
layers whose names end so beside those whose names end otherwise. A budget fails
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
    return {name: tuple(1000 * n / int(units) for n in region) for (name, units), region in zip(names, regions)}


def pairs_of(argument, layers):
    """The pairs of names that <layer>:<other layer> stands for."""
    first, other = argument.split(":")
    if not first.startswith("*"):
        return [(first, other)]
    pairs = [(name, name.removesuffix(first[1:]) + other[1:]) for name in layers if name.endswith(first[1:])]
    return pairs or sys.exit(f"no layer ends with {first[1:]}")


def main():
    layers = read_layers(*sys.argv[1:3])
    failed = False
    for argument in sys.argv[3:]:
        if ":" in argument:
            for pair in pairs_of(argument, layers):
                counts = [layers[name] for name in pair]
                good = all(count <= other for count, other in zip(*counts))
                failed = failed or not good
                texts = ["/".join(f"{n:.0f}" for n in count) for count in counts]
                print(f"{':'.join(pair)}: {texts[0]} and {texts[1]}, in thousandths{'' if good else ': FAILED'}")
            continue
        name, budgets = argument.split("=")
        for what, count, budget in zip(("instructions", "weighted"), layers.get(name, (0, 0)), map(int, budgets.split("/"))):
            good = 0.9 * budget <= count <= 1.02 * budget
            failed = failed or not good
            print(f"{name}: {count:.0f} {what}, in thousandths, of {budget}{'' if good else ': FAILED'}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
