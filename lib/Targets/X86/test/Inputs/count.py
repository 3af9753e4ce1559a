# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Counts the byte dot product instructions of one function of an assembly file on standard input."""
import sys

inside, counts = False, {"vpmaddubsw": 0, "vpaddw": 0, "vpmaddwd": 0}
for line in sys.stdin:
    words = line.split()
    if words and words[0].endswith(":") and not words[0].startswith("."):
        inside = words[0] == sys.argv[1] + ":"
    if inside and words and words[0] in counts:
        counts[words[0]] += 1
print(", ".join(f"{count} {name}" for name, count in counts.items()))
