# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""late.py <folder>: packs weights that are encoded in the packer, part after part, and weights that are encoded as a whole
before it, and says where the IR with its bytes differs. Sources are f16, bf16 and f32, as they lie and transposed."""
import os
import random
import struct
import subprocess
import sys

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
PACK = ("builtin.module(qtensor-quantize-weights{{weights={format} late-from={late}}},qtensor-quantize-activations{{activations={x}}},"
        "qtensor-select,qtensor-decompose,canonicalize,cse,qtensor-pack-contracts{{memory={memory}}},qtensor-encode-constants,"
        "canonicalize,cse)")
NEVER = (1 << 63) - 1


def write(name, n, k, dtype, order):
    random.seed(n * k)
    values = [random.gauss(0, 1) * random.choice((0.01, 1, 0)) for _ in range(n * k)]
    if dtype == "bf16":
        data = b"".join(struct.pack("<f", value)[2:] for value in values)
    else:
        data = struct.pack(f"<{n * k}{'e' if dtype == 'f16' else 'f'}", *values)
    shape = f"{n}x{k}" if order == "nk" else f"{k}x{n}"
    with open(name, "w") as file:
        file.write(f"""func.func @main(%x: tensor<8x{k}xf32>) -> tensor<8x{n}xf32> {{
  %w = arith.constant dense_resource<w> : tensor<{shape}x{dtype}>
  %z = arith.constant dense<0.0> : tensor<8x{n}xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> ({', '.join(order)})>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %w : tensor<8x{k}xf32>, tensor<{shape}x{dtype}>) outs(%z : tensor<8x{n}xf32>) -> tensor<8x{n}xf32>
  return %y : tensor<8x{n}xf32>
}}
{{-# dialect_resources: {{ builtin: {{ w: "0x{struct.pack('<I', 4).hex()}{data.hex()}" }} }} #-}}
""")


def pack(name, **options):
    run = subprocess.run(["quant-opt", name, "-pass-pipeline=" + PACK.format(**options)], capture_output=True, text=True)
    if run.returncode or "layout #qtile.packed" not in run.stdout or "qtensor.encode" in run.stdout:
        print(f"{name} {options}: not packed\n{run.stderr[:300]}")
    return run.stdout


for name, n, k, dtype, order, x, formats in (
        # Four parts, the last one short; blocks of records, of a whole row, of several rows, of the whole tensor.
        ("parts.mlir", 400, 512, "f16", "nk", "none",
         "int4/32 int8/channel int3/32@mse nf4/64 dynamic8/256 mxfp4 nvfp4 q4_k tq1_0 bnb_nf4_dq awq binary/32"),
        ("columns.mlir", 300, 520, "f32", "kn", "none", "int5/64 nf4/64 q5_0"),
        ("blocks.mlir", 260, 528, "bf16", "nk", "int8/16", "int8/channel int4/32 q6_k")):
    write(name, n, k, dtype, order)
    for format in formats.split():
        whole = pack(name, format=format, x=x, late=NEVER, memory=1 << 30)
        late = pack(name, format=format, x=x, late=0, memory=1 << 30)
        spilled = pack(name, format=format, x=x, late=0, memory=0)
        print(name, format, "same" if whole == late == spilled else "DIFFERS")
