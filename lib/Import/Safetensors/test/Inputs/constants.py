# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a module that only names its constants with safetensors files that fit and files that do not, in the folder given."""
import json
import os
import struct
import subprocess
import sys

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)


def write(name, dtype="F16", shape=(4, 2), tensor="layer.0.w", cut=0):
    width = 4 if dtype == "F32" else 2
    count = 1
    for extent in shape:
        count *= extent
    data = b"".join(struct.pack("<e" if dtype == "F16" else "<f" if dtype == "F32" else "<h", i) for i in range(count))
    header = json.dumps({tensor: {"dtype": dtype, "shape": shape, "data_offsets": [0, count * width]}}).encode()
    with open(name, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + data[:len(data) - cut])


with open("model.mlir", "w") as file:
    file.write("""#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @main(%x: tensor<3x2xf32> {qtensor.name = "x"}) -> (tensor<3x4xf32> {qtensor.name = "y"}) {
  %z = arith.constant dense<0.0> : tensor<3x4xf32>
  %w = arith.constant dense_resource<layer.0.w> : tensor<4x2xf16>
  %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<3x2xf32>, tensor<4x2xf16>) outs(%z : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}
""")
write("good.safetensors")
write("other.safetensors", tensor="layer.1.w")
write("f32.safetensors", dtype="F32")
write("bf16.safetensors", dtype="BF16")
write("shape.safetensors", shape=(2, 4))
write("truncated.safetensors", cut=2)
write("unknown.safetensors", dtype="F8_E4M3FNUZ")
write("unused.safetensors", dtype="C64", tensor="layer.1.w")
with open("model.safetensors.index.json", "w") as file:
    json.dump({"metadata": {"total_size": 16}, "weight_map": {"layer.0.w": "good.safetensors"}}, file)
os.symlink("model.safetensors.index.json", "index.safetensors")
open("model.onnx", "wb").close()
for model, names in (("mlir", ["good"]), ("mlir", ["other", "good"]), ("mlir", ["other"]), ("mlir", ["f32"]), ("mlir", ["bf16"]),
                     ("mlir", ["shape"]), ("mlir", ["truncated"]), ("mlir", ["unknown"]),
                     ("mlir", ["unused", "good"]), ("mlir", ["index"]), ("mlir", ["good", "good"]), ("mlir", ["nothing"]), ("mlir", []),
                     ("onnx", ["good"])):
    run = subprocess.run(["quant-compile", "model." + model, *(f"--constants={name}.safetensors" for name in names), "-o", "out"],
                         capture_output=True, text=True)
    lines = run.stderr.splitlines()
    print(f"{model} {'+'.join(names)}: exit {run.returncode}", *(line for line in lines if "error" in line), sep="\n  ")
