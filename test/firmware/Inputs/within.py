# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""within.py <layer>=<thousandths of instructions>...: reads what a program of `layers.py goals` prints and fails where a layer
takes over 2 % more than its budget, or is missing. Counts are the same on every host, so a budget that is far above the count
hides a loss: under 90 % of it fails too."""
import re
import sys

counts = {m[1]: int(m[2]) for m in re.finditer(r"^layer (\S+) thousandths (\d+)$", sys.stdin.read(), re.M)}
failed = False
for argument in sys.argv[1:]:
    name, budget = argument.split("=")
    count = counts.get(name)
    if count is None or not 0.9 * int(budget) <= count <= 1.02 * int(budget):
        failed = True
        print(f"{name}: {count} thousandths, the budget is {budget}")
    else:
        print(f"{name}: {count} of {budget}")
sys.exit(failed)
