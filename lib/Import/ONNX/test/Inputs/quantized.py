# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantize and dequantize around a product, and a product with packed 4-bit weights. Written to the file given."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from onnx_file import *

nodes = [
    node("QuantizeLinear", ["x", "s", "z"], ["q"]),
    node("DequantizeLinear", ["q", "s", "z"], ["d"]),
    node("DequantizeLinear", ["w", "ws"], ["wd"], axis=1),
    node("MatMul", ["d", "wd"], ["y"]),
    node("DequantizeLinear", ["w", "ws", "zeros"], ["wz"], axis=1),
    node("MatMul", ["d", "wz"], ["yz"]),
    node("DequantizeLinear", ["w", "ws", "z"], ["w3"], axis=1),
    node("MatMul", ["d", "w3"], ["y3"]),
    node("DequantizeLinear", ["w", "ws", "apart"], ["wa"], axis=1),
    node("MatMul", ["d", "wa"], ["ya"]),
    node("MatMulNBits", ["d", "n", "ns"], ["m"], domain="com.microsoft", K=16, N=3, bits=4, block_size=16),
]
constants = [floats("s", [], [0.5]), tensor("z", INT8, [], b"\x03"), tensor("w", INT8, [16, 2], bytes(range(32))),
             floats("ws", [2], [0.25, 0.75]),
             tensor("zeros", INT8, [2], bytes(2)), tensor("apart", INT8, [2], bytes([1, 2])), tensor("n", UINT8, [3, 1, 8], bytes(range(24))),
             floats("ns", [3], [0.5, 0.25, 0.125])]
with open(sys.argv[1], "wb") as file:
    file.write(model(nodes, [value("x", FLOAT, [2, 16])],
                     [value("y", FLOAT, [2, 2]), value("m", FLOAT, [2, 3]), value("q", INT8, [2, 16]),
                      value("yz", FLOAT, [2, 2]), value("y3", FLOAT, [2, 2]), value("ya", FLOAT, [2, 2])], constants,
                     domains=["com.microsoft"]))
