# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""within-report.py <report.json> <instructions> <arena bytes>: fails where a measured model takes over 2 % more instructions than
its budget or more arena. Counts are the same on every host, so a budget that is far above hides a loss: under 90 % fails too."""
import json
import sys

report = json.load(open(sys.argv[1], encoding="utf-8"))
count, budget = report["measured"]["instructions"], int(sys.argv[2])
arena, room = report["arena_bytes"], int(sys.argv[3])
print(f"{report['model']}: {count} instructions of {budget}, arena {arena} of {room}")
sys.exit(not (0.9 * budget <= count <= 1.02 * budget and 0.9 * room <= arena <= room))
