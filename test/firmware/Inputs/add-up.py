# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# add-up.py <report.json>...: layers and rest make the totals of instructions, code and constants; the stack that
# is stated is the one that was used, but for its alignment.
import json
import sys

for path in sys.argv[1:]:
    report = json.load(open(path))
    lines = report["layers"] + [report["rest"]]
    for key in ("instructions", "weighted_instructions"):
        assert sum(line[key] for line in lines) == report["measured"][key], (path, key)
    code = {line["function"]: line["code_bytes"] for line in lines}
    assert sum(code.values()) == report["code_bytes"], path
    assert sum(line["constant_bytes"] for line in lines) == report["constant_bytes"], path
    assert report["rest"]["instructions"] > 0, path
    alignment = 16 if report["target"].startswith("rv") else 8
    assert 0 <= report["stack_bytes"] - report["measured"]["stack_bytes"] < alignment, path
    assert report["undefined"] == [], path
