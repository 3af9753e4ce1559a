# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The hot loop of functions in an assembly file on standard input: the innermost loop with the most products.

    hot_loop.py [--product=vpdpbusd] [--mca=llvm-mca] [--order=yes] FUNCTION...

Prints one line a function: products, vector instructions in all and for one product, broadcasts that are operands of products
and that are loads of their own, vectors moved from or to the stack, shuffles, lines asked for ahead, other scalar instructions;
with --mca also the cycles a product that llvm-mca has as a bound for each processor, with --order how many whole vectors are
loaded from below the one before."""
import re
import subprocess
import sys

PROCESSORS = ("sapphirerapids", "znver4")
SHUFFLES = re.compile(r"^(vpshuf|vperm|vpunpck|vpalignr|vinsert|vextract|vpbroadcast\w+ %|vbroadcast\w+ %)")


def functions(lines):
    name, body = None, []
    for line in lines:
        label = re.match(r"^([A-Za-z_][\w.$]*):", line)
        if label:
            if name:
                yield name, body
            name, body = label.group(1), []
        elif name:
            body.append(line.split("#")[0].strip())
    if name:
        yield name, body


def hot_loop(body, product):
    labels = {line[:-1]: i for i, line in enumerate(body) if line.endswith(":")}
    found = []
    for i, line in enumerate(body):
        jump = re.match(r"^j\w+\s+(\.L\w+)$", line)
        if jump and labels.get(jump.group(1), i + 1) <= i:
            inside = body[labels[jump.group(1)]:i + 1]
            products = sum(product in text for text in inside)
            if products:
                found.append((products, -len(inside), inside))
    # The innermost loop that has a product; of several the one with the most.
    inner = [loop for loop in found if not any(other[2] != loop[2] and other[0] and is_within(other[2], loop[2]) for other in found)]
    return max(inner)[2] if inner else []


def is_within(inner, outer):
    return len(inner) < len(outer) and any(outer[i:i + len(inner)] == inner for i in range(len(outer) - len(inner) + 1))


def bound(loop, tool, processor):
    """Cycles of one pass of the loop."""
    iterations = 100
    text = "\n".join(line for line in loop if line and not line.startswith("."))
    output = subprocess.run([tool, "-mtriple=x86_64", f"-mcpu={processor}", f"-iterations={iterations}"], input=text, text=True,
                            capture_output=True, check=True).stdout
    return int(re.search(r"Total Cycles:\s+(\d+)", output).group(1)) / iterations


def describe(loop, product, tool, order):
    loop = [line for line in loop if line and not line.startswith(".")]
    products = sum(product in line for line in loop)
    vectors = [line for line in loop if re.search(r"%[xyz]mm", line)]
    stack = sum(bool(re.search(r"\(%rsp|\(%rbp", line)) for line in vectors)
    operands = sum(product in line and "{1to" in line for line in loop)
    loads = sum(bool(re.match(r"^v\w*broadcast\w+\s+\S*\(", line)) for line in loop)
    prefetches = sum(line.startswith("prefetch") for line in loop)
    scalars = len(loop) - len(vectors) - prefetches
    shuffles = sum(bool(SHUFFLES.match(re.sub(r"\s+", " ", line))) for line in loop)
    text = (f"{products} products, {len(vectors)} vector instructions ({len(vectors) / products:.2f}), broadcasts {operands} operands "
            f"{loads} loads, stack {stack}, shuffles {shuffles}, "
            + (f"prefetches {prefetches}, " if prefetches else "") + f"scalar {scalars}")
    if order:
        loads = [re.match(r"vmov\w+\s+(-?\d*)\(\S+\), %zmm", line) for line in loop]
        places = [int(load[1] or 0) for load in loads if load]
        text += f", backward {sum(here < last for last, here in zip(places, places[1:]))}"
    if tool:
        text += "; llvm-mca" + "".join(f" {p} {bound(loop, tool, p) / products:.2f}" for p in PROCESSORS)
    return text


options = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("--"))
product = options.get("product", "vpdpbusd")
wanted = [word for word in sys.argv[1:] if not word.startswith("--")]
for name, body in functions(sys.stdin.read().splitlines()):
    if name in wanted or not wanted:
        loop = hot_loop(body, product)
        if loop or wanted:
            print(f"{name}: {describe(loop, product, options.get('mca'), 'order' in options) if loop else 'no loop'}")
