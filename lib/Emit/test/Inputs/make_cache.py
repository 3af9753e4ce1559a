# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make_cache.py: grouped-query attention of one token with its cache as state, as exporters spell it: 4 query heads share 2
heads of keys and values, 32 elements each, and 70 tokens fit. Inputs q, k, v of the new token; output y."""
H, G, T, D = 4, 2, 70, 32
R = H // G


def tensor(*shape):
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


q, kv, cache, grouped, s5, s4, s3 = (tensor(1, H, 1, D), tensor(1, G, 1, D), tensor(1, G, T, D), tensor(1, G, R, 1, D),
                                     tensor(1, G, R, 1, T), tensor(1, H, 1, T), tensor(1, H, 1))
states = [("position", "tensor<1xi64>"), ("keys", cache), ("values", cache)]
arguments = [f'%{n}: {t} {{qtensor.name = "{n}"}}' for n, t in (("q", q), ("k", kv), ("v", kv))]
arguments += [f'%{n}: {t} {{qtensor.name = "{n}", qtensor.state = "{n}"}}' for n, t in states]
results = [f'{q} {{qtensor.name = "y"}}'] + [f'{t} {{qtensor.name = "new {n}", qtensor.state = "{n}"}}' for n, t in states]


def generic(name, maps, kinds, inputs, types, init, out, body):
    ins = f"ins({', '.join(inputs)} : {', '.join(types)}) " if inputs else ""
    names = ", ".join(f"%{c}: f32" for c in "abc"[:len(inputs)])
    kinds = ", ".join('"parallel"' if k == "p" else '"reduction"' for k in kinds)
    print(f"""  {name} = linalg.generic {{indexing_maps = [{', '.join(maps)}], iterator_types = [{kinds}]}}
      {ins}outs({init} : {out}) {{
    ^bb0({names}{', ' if names else ''}%o: f32):
{body}
      linalg.yield %r : f32
  }} -> {out}""")


PRODUCT = "      %m = arith.mulf %a, %b : f32\n      %r = arith.addf %o, %m : f32"
ALL, ROW = "#all", "#row"
print(f"""#q = affine_map<(b, g, r, s, t, d) -> (b, g, r, s, d)>
#k = affine_map<(b, g, r, s, t, d) -> (b, g, t, d)>
#s = affine_map<(b, g, r, s, t, d) -> (b, g, r, s, t)>
#w = affine_map<(b, g, r, s, d, t) -> (b, g, r, s, t)>
#v = affine_map<(b, g, r, s, d, t) -> (b, g, t, d)>
#y = affine_map<(b, g, r, s, d, t) -> (b, g, r, s, d)>
#all = affine_map<(b, h, s, t) -> (b, h, s, t)>
#row = affine_map<(b, h, s, t) -> (b, h, s)>
func.func @main({', '.join(arguments)}) -> ({', '.join(results)}) {{
  %c0 = arith.constant 0 : index
  %one = arith.constant 1 : i64
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant {D ** -0.5:e} : f32
  %low = arith.constant 0xFF800000 : f32
  %p = tensor.extract %position[%c0] : tensor<1xi64>
  %at = arith.index_cast %p : i64 to index
  %more = arith.addi %p, %one : i64
  %next = tensor.insert %more into %position[%c0] : tensor<1xi64>
  %allk = tensor.insert_slice %k into %keys[0, 0, %at, 0] [1, {G}, 1, {D}] [1, 1, 1, 1] : {kv} into {cache}
  %allv = tensor.insert_slice %v into %values[0, 0, %at, 0] [1, {G}, 1, {D}] [1, 1, 1, 1] : {kv} into {cache}
  %e5 = tensor.empty() : {s5}
  %e4 = tensor.empty() : {s4}
  %e3 = tensor.empty() : {s3}
  %ey = tensor.empty() : {grouped}
  %f5 = linalg.fill ins(%zero : f32) outs(%e5 : {s5}) -> {s5}
  %f3 = linalg.fill ins(%zero : f32) outs(%e3 : {s3}) -> {s3}
  %l3 = linalg.fill ins(%low : f32) outs(%e3 : {s3}) -> {s3}
  %fy = linalg.fill ins(%zero : f32) outs(%ey : {grouped}) -> {grouped}
  %q5 = tensor.expand_shape %q [[0], [1, 2], [3], [4]] output_shape [1, {G}, {R}, 1, {D}] : {q} into {grouped}""")
generic("%scores", ["#q", "#k", "#s"], "pppppr", ["%q5", "%allk"], [grouped, cache], "%f5", s5, PRODUCT)
print(f"  %flat = tensor.collapse_shape %scores [[0], [1, 2], [3], [4]] : {s5} into {s4}")
generic("%scaled", [ALL, ALL], "pppp", ["%flat"], [s4], "%e4", s4, "      %r = arith.mulf %a, %scale : f32")
generic("%masked", [ALL, ALL], "pppp", ["%scaled"], [s4], "%e4", s4, """      %j = linalg.index 3 : index
      %seen = arith.cmpi ule, %j, %at : index
      %r = arith.select %seen, %a, %low : f32""")
generic("%top", [ALL, ROW], "pppr", ["%masked"], [s4], "%l3", s3, "      %r = arith.maximumf %o, %a : f32")
generic("%raised", [ALL, ROW, ALL], "pppp", ["%masked", "%top"], [s4, s3], "%e4", s4,
        "      %x = arith.subf %a, %b : f32\n      %r = math.exp %x : f32")
generic("%total", [ALL, ROW], "pppr", ["%raised"], [s4], "%f3", s3, "      %r = arith.addf %o, %a : f32")
generic("%weights", [ALL, ROW, ALL], "pppp", ["%raised", "%total"], [s4, s3], "%e4", s4, "      %r = arith.divf %a, %b : f32")
print(f"  %w5 = tensor.expand_shape %weights [[0], [1, 2], [3], [4]] output_shape [1, {G}, {R}, 1, {T}] : {s4} into {s5}")
generic("%y5", ["#w", "#v", "#y"], "pppppr", ["%w5", "%allv"], [s5, cache], "%fy", grouped, PRODUCT)
print(f"""  %y = tensor.collapse_shape %y5 [[0], [1, 2], [3], [4]] : {grouped} into {q}
  return %y, %next, %allk, %allv : {q}, tensor<1xi64>, {cache}, {cache}
}}""")
