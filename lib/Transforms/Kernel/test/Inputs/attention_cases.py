# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""attention_cases.py <folder> <quant-compile> <quant-run>: attention of odd sizes on caches of every kind, one artifact with
an output for each. Every processor level gives the same bits; against attention in double on the decoded cache, the float
strategy is within 1e-5, and the integer strategy within the bound of the dialect's README ("Canonical order of attention")."""
import math, os, random, shlex, struct, subprocess, sys

folder = sys.argv[1]
compiler, runner = map(shlex.split, sys.argv[2:])
random.seed(7)
CHUNK, RUN = 64, 16
# name, batch, query heads, key heads, rows, tokens, D, E, codec, block, strategy, tokens before the first row, order, packed
CASES = [
    ("plain", 1, 3, 3, 1, 65, 24, 16, "f32", None, "float", None, [0, 1, 2, 3], False),
    ("half", 2, 4, 2, 2, 33, 32, 40, "f16", None, "float", 20, [0, 2, 1, 3], False),
    ("int8", 1, 2, 1, 1, 70, 80, 32, "int8", "?", "float", 30, [0, 1, 2, 3], False),
    ("blocks", 1, 2, 2, 1, 10, 72, 24, "int8", 24, "float", None, [0, 1, 2, 3], False),
    ("group", 1, 5, 1, 1, 130, 80, 112, "int8", "?", "integer", 100, [0, 1, 2, 3], False),
    ("groups", 2, 4, 2, 2, 67, 96, 64, "int8", 32, "integer", 50, [0, 2, 1, 3], False),
    ("causal", 1, 2, 2, 4, 64, 48, 48, "int8", "?", "integer", 0, [0, 1, 2, 3], False),
    ("one", 1, 2, 1, 1, 1, 64, 16, "int6", "?", "integer", None, [0, 1, 2, 3], False),
    ("int4", 1, 4, 1, 1, 128, 128, 64, "int4", "?", "integer", None, [0, 1, 2, 3], True),
    ("int4-32", 1, 1, 1, 2, 66, 64, 96, "int4", 32, "integer", 40, [0, 2, 1, 3], True),
    ("int4-80", 1, 1, 1, 1, 20, 80, 24, "int4", "?", "float", None, [0, 1, 2, 3], True),
    ("int4-rows", 1, 4, 1, 1, 128, 128, 128, "int4", 32, "integer", None, [0, 1, 2, 3], True),
    ("shared", 1, 1, 1, 1, 128, 64, 80, "int8", 16, "integer", 100, [0, 1, 2, 3], False),
    ("int3", 1, 1, 1, 1, 20, 48, 80, "int3", "?", "integer", None, [0, 1, 2, 3], True),
    ("long", 1, 1, 1, 1, 4170, 32, 16, "int8", "?", "integer", 4150, [0, 1, 2, 3], False),
    ("long-f16", 1, 1, 1, 1, 4170, 16, 16, "f16", None, "float", 4090, [0, 1, 2, 3], False),
    ("hidden", 1, 1, 1, 2, 80, 64, 64, "int8", "?", "integer", -1, [0, 1, 2, 3], False),
]
TYPES = {"f32": ("<f4", "f"), "f16": ("<f2", "e"), "i8": ("|i1", "b")}


def write(name, shape, kind, values):
    descriptor, letter = TYPES[kind]
    head = f"{{'descr': '{descriptor}', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    with open(os.path.join(folder, name + ".npy"), "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        file.write(struct.pack(f"<{len(values)}{letter}", *values))


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    return data[10 + struct.unpack("<H", data[8:10])[0]:]


def rounded(x, letter):
    return struct.unpack("<" + letter, struct.pack("<" + letter, x))[0]


def place(shape, order, index):
    """The position of canonical `index` in memory: canonical dimension i is dimension order[i]."""
    at, stored = [0] * 4, [0] * 4
    for i, dim in enumerate(order):
        at[dim], stored[dim] = index[i], shape[i]
    position = 0
    for a, extent in zip(at, stored):
        position = position * extent + a
    return position


def stored_shape(shape, order):
    stored = [0] * 4
    for i, dim in enumerate(order):
        stored[dim] = shape[i]
    return stored


arguments, outputs, body, checks = [], [], [], []


def text(shape, kind):
    return f"tensor<{'x'.join(map(str, shape))}x{kind}>"


def argument(name, shape, kind, values):
    write(name, shape, kind, values)
    arguments.append((name, text(shape, kind)))
    return f'%"{name}"'.replace('"', "").replace("-", "_"), text(shape, kind)


def make_cache(name, shape, codec, block, order, packed):
    """Operands and decoded values of one cache; values by (batch, head, token, element), scales by block."""
    b, g, t, d = shape
    size = d if block in (None, "?") else block
    count = -(-d // size)
    values, scales = {}, {}
    codes = [0] * (b * g * t * d)
    factors = [0.0] * (b * g * t * count)
    for i in ((x, y, z) for x in range(b) for y in range(g) for z in range(t)):
        row = [random.gauss(0, 1) for _ in range(d)]
        for n in range(count):
            part = range(n * size, min(d, n * size + size))
            if codec[0] == "f":
                for k in part:
                    values[(*i, k)] = rounded(row[k], TYPES[codec][1])
                    codes[place(shape, order, (*i, k))] = values[(*i, k)]
                continue
            high = 2 ** (int(codec[3:]) - 1) - 1
            scale = rounded(max(abs(row[k]) for k in part) / high, "e") * random.choice((1, 1, 1, -1))
            scales[(*i, n)] = scale
            factors[place((b, g, t, count), order, (*i, n))] = scale
            for k in part:
                code = max(-high - 1, min(high, round(row[k] / scale)))
                values[(*i, k)] = code * scale
                codes[place(shape, order, (*i, k))] = code
    kind = codec if codec[0] == "f" else "i8"
    last = d
    if packed:
        last, halves = -(-d // (2 * RUN)) * RUN, []
        for row in range(b * g * t):
            line = codes[row * d:row * d + d] + [0] * (2 * RUN)
            for j in range(last):
                low = j // RUN * 2 * RUN + j % RUN
                pair = [line[k] & 15 if k < d else 0 for k in (low, low + RUN)]
                byte = pair[0] | pair[1] << 4
                halves.append(byte - 256 if byte > 127 else byte)
        codes = halves
    operands = [argument(name, stored_shape((b, g, t, last), order), kind, codes)]
    if codec[0] == "i":
        operands.append(argument(name + "_scale", stored_shape((b, g, t, count), order), "f16", factors))
    return ", ".join(o[0] for o in operands) + " : " + ", ".join(o[1] for o in operands), values, scales, size


def reference(case, q, k, v, scales, sizes, mask, scale):
    """Result and bound of every element."""
    _, b, h, g, s, t, d, e, codec, block, strategy, *_ = case
    results, bounds = [], []
    for x, y, z in ((x, y, z) for x in range(b) for y in range(h) for z in range(s)):
        n, row = y // (h // g), q[x][y][z]
        scores = [scale * sum(row[i] * k[(x, n, j, i)] for i in range(d)) + (mask[z][j] if mask else 0) for j in range(t)]
        top = max(scores)
        if top == -math.inf:
            results += [0.0] * e
            bounds += [0.0] * e
            continue
        raised = [math.exp(c - top) for c in scores]
        weights = [r / sum(raised) for r in raised]
        results += [sum(weights[j] * v[(x, n, j, i)] for j in range(t)) for i in range(e)]
        if strategy == "float":
            bounds += [1e-5] * e
            continue
        steps = [max(abs(c) for c in row[m:m + sizes[0]]) / 127 for m in range(0, d, sizes[0])]
        off = max(scale * sum(steps[i // sizes[0]] / 2 * abs(k[(x, n, j, i)]) for i in range(d)) for j in range(t))
        most = math.exp(2 * off)
        for i in range(e):
            bound = (most - 1) * sum(weights[j] * abs(v[(x, n, j, i)]) for j in range(t)) + 1e-5
            for c in range(0, t, CHUNK):
                inside = range(c, min(t, c + CHUNK))
                factor = {j: abs(scales[1][(x, n, j, i // sizes[1])]) for j in inside}
                step = max(most * weights[j] * factor[j] for j in inside) / 127
                bound += sum(step / 2 * abs(v[(x, n, j, i)]) / factor[j] for j in inside if factor[j])
            bounds.append(bound)
    return results, bounds


for case in CASES:
    name, b, h, g, s, t, d, e, codec, block, strategy, before, order, packed = case
    values = [rounded(random.gauss(0, 1), "f") for _ in range(b * h * s * d)]
    q = [[[values[((x * h + y) * s + z) * d:][:d] for z in range(s)] for y in range(h)] for x in range(b)]
    query, query_type = argument(name + "_q", (b, h, s, d), "f32", values)
    key, keys, key_scales, key_size = make_cache(name + "_k", (b, g, t, d), codec, block, order, packed)
    value, vals, value_scales, value_size = make_cache(name + "_v", (b, g, t, e), codec, block, order, packed)
    mask, masked = None, ""
    if before is not None:
        mask = [[0.0 if j <= before + i else -math.inf for j in range(t)] for i in range(s)]
        operand, kind = argument(name + "_mask", (s, t), "f32", sum(mask, []))
        masked = f"mask({operand} : {kind})"
    encoding = f"<{codec}, [1, 1, 1, {block}], scale = f16>" if codec[0] == "i" else ""
    scale, y = rounded(d ** -0.5, "f"), text((b, h, s, e), "f32")
    attributes = [f"{side}_order = array<i64: {', '.join(map(str, order))}>" for side in ("key", "value")]
    attributes += ["key_packed", "value_packed"] if packed else []
    label = name.replace("-", "_")
    body.append(f"""  %e_{label} = tensor.empty() : {y}
  %y_{label} = qtensor.attention {"strategy #qtensor.strategy<integer<1>>" if strategy == "integer" else ""} query({query} : {query_type})
      key({key}) {"as " + encoding if encoding else ""} value({value}) {"encoded " + encoding if encoding else ""}
      {masked} scale {scale:e} outs(%e_{label} : {y}) -> {y} {{{', '.join(attributes)}}}""")
    outputs.append((name, f"%y_{label}", y))
    checks.append((name, reference(case, q, keys, vals, (key_scales, value_scales), (key_size, value_size), mask, scale)))

with open(os.path.join(folder, "attention.mlir"), "w") as file:
    named = ", ".join(f'%{n.replace("-", "_")}: {k} {{qtensor.name = "{n}"}}' for n, k in arguments)
    results = ", ".join(f'{k} {{qtensor.name = "{n}"}}' for n, _, k in outputs)
    file.write(f"func.func @main({named}) -> ({results}) {{\n" + "\n".join(body) +
               f"\n  return {', '.join(o for _, o, _ in outputs)} : {', '.join(k for *_, k in outputs)}\n}}\n")
subprocess.run([*compiler, os.path.join(folder, "attention.mlir"), "--phase-from=C3", "-o", folder, "--name=a"], check=True)

seen, levels = {}, 0
for level in ("baseline", "avx2", "avx2vnni", "avx512"):
    for threads in (1, 3):
        command = [*runner, os.path.join(folder, "liba.so"), "--level", level, f"--num-threads={threads}"]
        command += [f"--input={n}={folder}/{n}.npy" for n, _ in arguments]
        command += [f"--output={n}={folder}/{n}.out.npy" for n, *_ in outputs]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode and "level" in done.stderr:
            continue
        assert done.returncode == 0, done.stderr
        levels += 1
        for name, *_ in outputs:
            data = read(os.path.join(folder, name + ".out.npy"))
            assert seen.setdefault(name, data) == data, f"{name}: level {level} with {threads} threads has other bits"
assert levels >= 2
for name, (results, bounds) in checks:
    found = struct.unpack(f"<{len(results)}f", seen[name])
    worst = max((abs(x - y) / bound if bound else (0 if x == y else math.inf)) for x, y, bound in zip(found, results, bounds))
    print(f"{name}: {worst:.3f} of the bound" + ("" if worst <= 1 else " FAIL"))
