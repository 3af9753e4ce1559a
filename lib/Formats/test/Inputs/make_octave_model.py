#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a matmul whose weights the dropped format stores exactly, and an input: make_octave_model.py <folder>."""
import struct
import sys

folder, n, k = sys.argv[1], 32, 64
levels = [-4, -2, -1, 0, 1, 2, 4, 8]
rows = []
for i in range(n):
    row = [levels[(i * 5 + j * 3 + i * j) % 8] * 0.25 for j in range(k)]
    for block in range(0, k, 16):
        row[block] = 2.0  # the largest level is in every block
    rows.append("[" + ", ".join(f"{v:.2f}" for v in row) + "]")
with open(f"{folder}/model.mlir", "w") as model:
    model.write(f"""
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @main(%x: tensor<2x{k}xf32> {{qtensor.name = "x"}}) -> (tensor<2x{n}xf32> {{qtensor.name = "y"}}) {{
  %w = arith.constant dense<[{", ".join(rows)}]> : tensor<{n}x{k}xf32> loc("w")
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x{n}xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x{n}xf32>) -> tensor<2x{n}xf32>
  %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<2x{k}xf32>, tensor<{n}x{k}xf32>)
         outs(%init : tensor<2x{n}xf32>) -> tensor<2x{n}xf32> loc("y")
  return %y : tensor<2x{n}xf32>
}}
""")
header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (2, {k}), }}"
header += " " * (-(len(header) + 11) % 64) + "\n"
with open(f"{folder}/x.npy", "wb") as npy:
    npy.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    npy.write(struct.pack(f"<{2 * k}f", *[(i * 7 % 13 - 6) / 4 for i in range(2 * k)]))
