# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A lookup in a table that is an input, by indices that are an input or, with an argument, the constants given, and a sum of
both sides' rows. Written to the file given. The table has 5 rows, or with ROWS in the environment so many, which may be a name."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from onnx_file import *

given = [int(number) for number in sys.argv[2:]]
rows = os.environ.get("ROWS", "5")
inputs = [value("table", FLOAT, [int(rows) if rows.isdigit() else rows, 4]), value("other", FLOAT, ["count", 4])]
constants = [ints("ids", given)] if given else []
if not given:
    inputs.append(value("ids", INT64, ["count"]))
nodes = [node("Gather", ["table", "ids"], ["rows"]), node("Add", ["rows", "other"], ["out"])]
with open(sys.argv[1], "wb") as file:
    file.write(model(nodes, inputs, [value("out", FLOAT, ["count", 4])], constants))
