# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make_decoder.py <whole|step> <plain|int8>: one causal attention layer as a module. `whole` takes a sequence of T tokens,
`step` one token, and keeps its position, keys and values as state; with int8 the cache is encoded, one scale a token."""
import sys

kind, storage = sys.argv[1:]
T, D = 256, 64
M = T if kind == "whole" else 1
ENCODING = "#kv" if storage == "int8" else ""


def weight(seed):
    rows = [[((7 * i + 3 * j + 5 * seed) % 17 - 8) / 32 for j in range(D)] for i in range(D)]
    return "dense<[" + ", ".join("[" + ", ".join(f"{v:e}" for v in row) + "]" for row in rows) + "]>"


def tensor(*shape, encoding=""):
    return f"tensor<{'x'.join(map(str, shape))}xf32{', ' + encoding if encoding else ''}>"


x, row, square, cache = tensor(M, D), tensor(M), tensor(M, T), tensor(T, D, encoding=ENCODING)
arguments, results = [f'%x: {x} {{qtensor.name = "x"}}'], [f'{x} {{qtensor.name = "y"}}']
if kind == "step":
    arguments.append('%p: tensor<1xi64> {qtensor.name = "position", qtensor.state = "position"}')
    results.append('tensor<1xi64> {qtensor.name = "next position", qtensor.state = "position"}')
    for name in "keys", "values":
        arguments.append(f'%{name}: {cache} {{qtensor.name = "{name}", qtensor.state = "{name}"}}')
        results.append(f'{cache} {{qtensor.name = "new {name}", qtensor.state = "{name}"}}')

body = []


def project(name, seed):
    body.append(f"""  %w{name} = arith.constant {weight(seed)} : {tensor(D, D)} loc("{name}")
  %{name} = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w{name} : {x}, {tensor(D, D)}) outs(%f : {x}) -> {x} loc("{name}")""")


def contract(name, maps, a, ta, b, tb, out, to):
    body.append(f"""  %{name} = linalg.generic {{indexing_maps = {maps}, iterator_types = ["parallel", "parallel", "reduction"]}}
      ins({a}, {b} : {ta}, {tb}) outs({out} : {to}) {{
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.mulf %a, %b : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  }} -> {to} loc("{name}")""")


def reduce(name, source, start, op):
    body.append(f"""  %{name} = linalg.generic {{indexing_maps = [#mn, #m], iterator_types = ["parallel", "reduction"]}}
      ins({source} : {square}) outs({start} : {row}) {{
    ^bb0(%a: f32, %o: f32):
      %s = {op} %o, %a : f32
      linalg.yield %s : f32
  }} -> {row} loc("{name}")""")


def rowwise(name, a, b, text):
    body.append(f"""  %{name} = linalg.generic {{indexing_maps = [#mn, #m, #mn], iterator_types = ["parallel", "parallel"]}}
      ins({a}, {b} : {square}, {row}) outs(%es : {square}) {{
    ^bb0(%a: f32, %b: f32, %o: f32):
{text}
      linalg.yield %r : f32
  }} -> {square} loc("{name}")""")


body.append(f"""  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : i64
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %ex = tensor.empty() : {x}
  %es = tensor.empty() : {square}
  %er = tensor.empty() : {row}
  %f = linalg.fill ins(%zero : f32) outs(%ex : {x}) -> {x}
  %fs = linalg.fill ins(%zero : f32) outs(%es : {square}) -> {square}
  %fr = linalg.fill ins(%zero : f32) outs(%er : {row}) -> {row}
  %fl = linalg.fill ins(%low : f32) outs(%er : {row}) -> {row}""")
for seed, name in enumerate("qkv"):
    project(name, seed)
if kind == "step":
    body.append(f"""  %pi = tensor.extract %p[%c0] : tensor<1xi64>
  %pos = arith.index_cast %pi : i64 to index
  %pn = arith.addi %pi, %c1 : i64
  %next = tensor.insert %pn into %p[%c0] : tensor<1xi64>""")
    for small, name in ("k", "keys"), ("v", "values"):
        op = "qtensor.insert" if ENCODING else "tensor.insert_slice"
        body.append(f"  %all{small} = {op} %{small} into %{name}[%pos, 0] [1, {D}] [1, 1] : {x} into {cache}")
else:
    body.append("  %pos = arith.constant 0 : index")
    for small in "kv":
        if ENCODING:
            body.append(f"  %all{small} = qtensor.quantize %{small} : {x} -> {cache}")
        else:
            body.append(f"  %all{small} = tensor.cast %{small} : {x} to {cache}")
contract("scores", "[#mk, #nk, #mn]", "%q", x, "%allk", cache, "%fs", square)
body.append(f"""  %masked = linalg.generic {{indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]}}
      ins(%scores : {square}) outs(%es : {square}) {{
    ^bb0(%a: f32, %o: f32):
      %i = linalg.index 0 : index
      %j = linalg.index 1 : index
      %last = arith.addi %i, %pos : index
      %seen = arith.cmpi ule, %j, %last : index
      %r = arith.select %seen, %a, %low : f32
      linalg.yield %r : f32
  }} -> {square} loc("masked")""")
reduce("top", "%masked", "%fl", "arith.maximumf")
rowwise("raised", "%masked", "%top", "      %d = arith.subf %a, %b : f32\n      %r = math.exp %d : f32")
reduce("total", "%raised", "%fr", "arith.addf")
rowwise("weights", "%raised", "%total", "      %r = arith.divf %a, %b : f32")
contract("y", "[#mk, #kn, #mn]", "%weights", square, "%allv", cache, "%f", x)
returned = ["%y"] + (["%next", "%allk", "%allv"] if kind == "step" else [])
types = [x] + (["tensor<1xi64>", cache, cache] if kind == "step" else [])
if ENCODING:
    print("#kv = #qtensor.block<int8, [1, ?], scale = f32>")
print("#mk = affine_map<(m, n, k) -> (m, k)>\n#nk = affine_map<(m, n, k) -> (n, k)>\n#kn = affine_map<(m, n, k) -> (k, n)>")
contraction = "#mn3 = affine_map<(m, n, k) -> (m, n)>\n#mn = affine_map<(m, n) -> (m, n)>\n#m = affine_map<(m, n) -> (m)>"
text = "\n".join(body).replace("#nk, #mn]", "#nk, #mn3]").replace("#kn, #mn]", "#kn, #mn3]")
print(contraction)
print(f"func.func @main({', '.join(arguments)}) -> ({', '.join(results)}) {{\n{text}")
print(f"  return {', '.join(returned)} : {', '.join(types)}\n}}")
