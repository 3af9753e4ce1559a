# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make-large-model.py <folder> [--layers 32] [--hidden 4096] [--ffn 11008] [--vocab 32000] [--filled 1]: model.mlir and
model.safetensors with the linear layers, norms and gates of a Llama-shaped network, weights in f16. Attention itself has no
weights; in its place the values are gated by queries and keys. The first `--filled` layers hold numbers spread as weights
are, and so does the beginning of every other tensor; the rest is a hole in a sparse file and reads as zeros."""
import argparse
import json
import os
import random
import struct

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder")
for name, value in ("layers", 32), ("hidden", 4096), ("ffn", 11008), ("vocab", 32000), ("filled", 1):
    parser.add_argument("--" + name, type=int, default=value)
options = parser.parse_args()
D, F, V = options.hidden, options.ffn, options.vocab

tensors = {}  # name -> shape, in the order of the file
lines = []


def weight(name, *shape):
    tensors[name] = shape
    kind = f"tensor<{'x'.join(map(str, shape))}xf16>"
    value = f"%w{len(tensors)}"
    lines.append(f'  {value} = arith.constant dense_resource<{name}> : {kind} loc("{name}")')
    return value, kind


def acts(n):
    return f"tensor<?x{n}xf32>"


def linear(out, x, k, name, n):
    """out = x . w^T; a matrix product of f32 and f16 widens the weight as it reads it."""
    w, kind = weight(name, n, k)
    lines.append(f"""  {out} = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins({x}, {w} : {acts(k)}, {kind})
      outs(%zeros{n} : {acts(n)}) -> {acts(n)} loc("{name}")""")


def pointwise(out, n, inputs, text):
    maps = ", ".join(["#rc"] * (len(inputs) + 1))
    arguments = ", ".join([f"%a{i}: f32" for i in range(len(inputs))] + ["%o: f32"])
    lines.append(f"""  {out} = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel", "parallel"]}}
      ins({', '.join(inputs)} : {', '.join([acts(n)] * len(inputs))}) outs(%empty{n} : {acts(n)}) {{
    ^bb0({arguments}):
{text}
      linalg.yield %y : f32
  }} -> {acts(n)}""")


def norm(out, x, name):
    g, kind = weight(name, D)
    lines.append(f"""  {out}s = linalg.generic {{indexing_maps = [#rc, #r], iterator_types = ["parallel", "reduction"]}}
      ins({x} : {acts(D)}) outs(%rows : tensor<?xf32>) {{
    ^bb0(%a: f32, %o: f32):
      %q = arith.mulf %a, %a : f32
      %y = arith.addf %o, %q : f32
      linalg.yield %y : f32
  }} -> tensor<?xf32>
  {out} = linalg.generic {{indexing_maps = [#rc, #r, #c, #rc], iterator_types = ["parallel", "parallel"]}}
      ins({x}, {out}s, {g} : {acts(D)}, tensor<?xf32>, {kind}) outs(%empty{D} : {acts(D)}) {{
    ^bb0(%a: f32, %s: f32, %h: f16, %o: f32):
      %mean = arith.divf %s, %count : f32
      %safe = arith.addf %mean, %epsilon : f32
      %root = math.rsqrt %safe : f32
      %scaled = arith.mulf %a, %root : f32
      %w = arith.extf %h : f16 to f32
      %y = arith.mulf %scaled, %w : f32
      linalg.yield %y : f32
  }} -> {acts(D)}""")


SIGMOID = """      %n{0} = arith.negf %a{0} : f32
      %e{0} = math.exp %n{0} : f32
      %d{0} = arith.addf %e{0}, %one : f32
"""


def layer(i, x):
    at, p = f"model.layers.{i}.", f"%l{i}"
    norm(p + "in", x, at + "input_layernorm.weight")
    for which in "qkv":
        linear(p + which, p + "in", D, f"{at}self_attn.{which}_proj.weight", D)
    pointwise(p + "a", D, [p + "q", p + "k", p + "v"],
              "      %p = arith.mulf %a0, %a1 : f32\n      %t = math.tanh %p : f32\n      %y = arith.mulf %t, %a2 : f32")
    linear(p + "o", p + "a", D, at + "self_attn.o_proj.weight", D)
    pointwise(p + "m", D, [x, p + "o"], "      %y = arith.addf %a0, %a1 : f32")
    norm(p + "post", p + "m", at + "post_attention_layernorm.weight")
    linear(p + "g", p + "post", D, at + "mlp.gate_proj.weight", F)
    linear(p + "u", p + "post", D, at + "mlp.up_proj.weight", F)
    pointwise(p + "h", F, [p + "g", p + "u"],
              SIGMOID.format(0) + "      %s = arith.divf %a0, %d0 : f32\n      %y = arith.mulf %s, %a1 : f32")
    linear(p + "d", p + "h", F, at + "mlp.down_proj.weight", D)
    pointwise(p + "y", D, [p + "m", p + "d"], "      %y = arith.addf %a0, %a1 : f32")
    return p + "y"


table, kind = weight("model.embed_tokens.weight", V, D)
lines.append(f"""  %x = linalg.generic {{indexing_maps = [#rc], iterator_types = ["parallel", "parallel"]}}
      outs(%empty{D} : {acts(D)}) {{
    ^bb0(%o: f32):
      %i = linalg.index 0 : index
      %j = linalg.index 1 : index
      %t = tensor.extract %tokens[%i] : tensor<?xi64>
      %row = arith.index_cast %t : i64 to index
      %h = tensor.extract {table}[%row, %j] : {kind}
      %y = arith.extf %h : f16 to f32
      linalg.yield %y : f32
  }} -> {acts(D)} loc("model.embed_tokens")""")
value = "%x"
for i in range(options.layers):
    value = layer(i, value)
norm("%final", value, "model.norm.weight")
linear("%logits", "%final", D, "lm_head.weight", V)

head = f"""#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#rc = affine_map<(r, c) -> (r, c)>
#r = affine_map<(r, c) -> (r)>
#c = affine_map<(r, c) -> (c)>
func.func @main(%tokens: tensor<?xi64> {{qtensor.name = "tokens", qtensor.dims = ["count"]}}) ->
    ({acts(V)} {{qtensor.name = "logits"}}) {{
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %count = arith.constant {float(D)} : f32
  %epsilon = arith.constant 1.0e-5 : f32
  %n = tensor.dim %tokens, %c0 : tensor<?xi64>
  %emptyrows = tensor.empty(%n) : tensor<?xf32>
  %rows = linalg.fill ins(%zero : f32) outs(%emptyrows : tensor<?xf32>) -> tensor<?xf32>
"""
for n in dict.fromkeys((D, F, V)):
    head += f"""  %empty{n} = tensor.empty(%n) : {acts(n)}
  %zeros{n} = linalg.fill ins(%zero : f32) outs(%empty{n} : {acts(n)}) -> {acts(n)}
"""
with open(os.path.join(options.folder, "model.mlir"), "w") as file:
    file.write("// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n" + head + "\n".join(lines))
    file.write(f"\n  return %logits : {acts(V)}\n}}\n")

header, end = {}, 0
for name, shape in tensors.items():
    begin = end
    for extent in (2, *shape):
        extent_bytes = extent if extent == 2 else extent_bytes * extent
    end = begin + extent_bytes
    header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [begin, end]}
text = json.dumps(header).encode()
text += b" " * (-len(text) % 4096 - 8 if len(text) % 4096 <= 4088 else -len(text) % 4096 + 4088)  # data on a page

# Sums of four uniform numbers, one block of them, read from changing places.
random.seed(1)
noise = struct.pack(f"<{1 << 18}e", *(sum(random.uniform(-0.02, 0.02) for _ in range(4)) for _ in range(1 << 18)))
with open(os.path.join(options.folder, "model.safetensors"), "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    start = file.tell()
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if name.startswith("model.layers.") and int(name.split(".")[2]) >= options.filled:
            end = min(end, begin + 8192)  # so that no two weights are the same
        file.seek(start + begin)
        while begin < end:
            at = 2 * random.randrange(1 << 17)
            piece = noise[at:at + min(end - begin, len(noise) - at)]
            file.write(piece)
            begin += len(piece)
    file.truncate(start + max(entry["data_offsets"][1] for entry in header.values()))
