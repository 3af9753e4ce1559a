# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every numbered clause of the dialects and of the phases is in code and in a test, and none is cited that does not exist.

A clause is a row `| X1 | ...` in a dialect's README, or an item `- C2.1: ...` in the description of a contract pass. Code
names it in a diagnostic (verifier, contract pass); a test expects that diagnostic. A clause of a section `meaning` is no
check but a promise about values: its place in code is a comment or a diagnostic, and so it is in a test.
usage: clauses.py <root of the tree>"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
CODE = {".cpp", ".h", ".td"}
TEST = {".mlir", ".test"}


def find_clauses():
    """Name -> where it is stated."""
    clauses = {}
    for readme in sorted(root.glob("dialects/*/README.md")):
        for name in re.findall(r"^\| ([A-Z]\d+) \|", readme.read_text(), re.M):
            if name in clauses:
                sys.exit(f"{readme}: clause {name} is stated twice")
            clauses[name] = readme.relative_to(root)
    passes = root / "lib/Transforms/Contracts/Passes.td"
    for name in re.findall(r"^ +- (C\d\.\d+): ", passes.read_text(), re.M):
        clauses[name] = passes.relative_to(root)
    return clauses


def is_test(path):
    return path.suffix in TEST or "test" in path.relative_to(root).parts


def read_files():
    """The texts of code and of tests, by path."""
    code, tests = {}, {}
    for folder in ("dialects", "lib", "include", "test"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in CODE | TEST and path.is_file() and path.name != "clauses.test":
                (tests if is_test(path) else code)[path.relative_to(root)] = path.read_text()
    return code, tests


def cited(texts):
    """Clauses that `texts` speak of: `clause X1`, `clauses M1 to M3`, or \"X1\" alone where a helper adds the word."""
    found = {}
    for path, text in texts.items():
        if path.name == "Passes.td" and "Contracts" in path.parts:
            continue
        for name in re.findall(r"[Cc]lause ([A-Z]\d+(?:\.\d+)?)\b", text) + re.findall(r'"([A-Z]\d+(?:\.\d+)?)"', text):
            found.setdefault(name, path)
        for letter, first, last in re.findall(r"[Cc]lauses ([A-Z])(\d+)(?: to |-)[A-Z](\d+)\b", text):
            for number in range(int(first), int(last) + 1):
                found.setdefault(f"{letter}{number}", path)
    return found


# No file can break these: the readers of text and bytecode verify first. They stand against passes that make types.
UNREACHABLE = {"C2.1"}

clauses = find_clauses()
code, tests = (cited(texts) for texts in read_files())
letters = {name[0] for name in clauses}
holes = []
for name, stated in clauses.items():
    if name not in code:
        holes.append(f"clause {name} ({stated}): no code names it")
    if name not in tests and name not in UNREACHABLE:
        holes.append(f"clause {name} ({stated}): no test expects it")
for name, path in sorted({**tests, **code}.items()):
    if name not in clauses and re.search(rf"[Cc]lause {re.escape(name)}\b", (root / path).read_text()):
        holes.append(f"{path} cites clause {name}, which is stated nowhere")
print("\n".join(holes))
print(f"{len(clauses)} clauses, {len(holes)} holes")
sys.exit(1 if holes else 0)
