# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""two.py write <folder>: the samples of samples.mlir as files. two.py same <json> <json>: whether both saw the same."""
import array
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4] / "scripts"))
import artifact

if sys.argv[1] == "write":
    for name, shape, values in [("x0", (2, 2), [1, -2, 4, .5]), ("b0", (1, 2), [.5, -.25]), ("x1", (1, 2), [3, -9]),
                                ("b1", (1, 2), [8, 0]), ("wide", (1, 3), [1, 2, 3])]:
        artifact.write_npy(f"{sys.argv[2]}/{name}.npy", shape, [array.array("f", values)])
else:
    first, second = (json.load(open(path))["values"] for path in sys.argv[2:])
    assert first.keys() == {"x", "bias", "result/0"}, first.keys()
    assert first == second, (first, second)
