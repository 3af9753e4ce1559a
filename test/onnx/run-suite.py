# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the ONNX backend test suite and holds it to the table of expected failures beside this file.

  run-suite.py [--update] [--compiled=LEVEL] [--sample=N --seed=S] [--runner=qtensor-onnx-node] <empty folder>

By the reference or, with --compiled, by code that is compiled for a processor level, which has a table of its own.

A test that fails and is not in the table is an error, and so is one that is in the table and passes: the table can only
shrink by passing tests. --update writes the table anew.
"""
import argparse
import os
import random
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
ARCHIVE = os.path.join(HERE, "backend-tests.tar.xz")
TABLE = os.path.join(HERE, "expected-failures.txt")
COMPILED_TABLE = os.path.join(HERE, "expected-failures-compiled.txt")
HEADER = """\
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Tests of the ONNX backend suite that do not pass, and why. Written by run-suite.py --update.
"""


def unpack(folder):
    """The test folders of the archive, sorted."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder)
    return sorted(os.path.join(kind, test) for kind in os.listdir(folder)
                  for test in os.listdir(os.path.join(folder, kind)))


def run(command, folder, tests):
    """Name of each test -> None if it passed, else the reason. A test in which the runner dies has failed."""
    results = {}
    while tests:
        done = subprocess.run(command + tests, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in done.stdout.splitlines():
            if line.startswith("pass "):
                results[line[5:].strip()] = None
            elif line.startswith("FAIL "):
                name, _, reason = line[5:].partition(": ")
                results[name] = shorten(reason)
        tests = [test for test in tests if os.path.basename(test) not in results]
        if tests and done.returncode >= 0:
            sys.exit("%s said nothing about %d tests, first %s; it ended with %d:\n%s"
                     % (command[0], len(tests), tests[0], done.returncode, done.stdout[-2000:]))
        if tests:
            results[os.path.basename(tests[0])] = "the runner died of signal %d" % -done.returncode
            tests = tests[1:]
    return results


def shorten(reason):
    """The part of a diagnostic that says what is missing."""
    marker = "operators that can't be imported: "
    if marker in reason:
        return "no operator " + reason.partition(marker)[2].partition(";")[0].replace(" (1x)", "")
    return reason.partition("model.onnx: ")[2] or reason


def read_table(path):
    if not os.path.exists(path):
        return {}
    with open(path) as table:
        lines = [line.rstrip("\n") for line in table if line.strip() and not line.startswith("#")]
    return dict(line.partition(": ")[::2] for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--runner", default="qtensor-onnx-node")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--compiled", metavar="LEVEL")
    parser.add_argument("--sample", type=int, help="this many tests, picked by --seed")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    tests = unpack(options.folder)
    if options.sample:
        tests = sorted(random.Random(options.seed).sample(tests, options.sample))
    path = COMPILED_TABLE if options.compiled else TABLE
    results = run([options.runner] + (["--compiled=" + options.compiled] if options.compiled else []), options.folder, tests)
    failed = {name: reason for name, reason in results.items() if reason is not None}
    if options.update:
        with open(path, "w") as table:
            table.write(HEADER + "".join("%s: %s\n" % entry for entry in sorted(failed.items())))
    expected = {name: reason for name, reason in read_table(path).items() if name in results}
    surprises = ["unexpected failure: %s: %s" % entry for entry in sorted(failed.items()) if entry[0] not in expected]
    surprises += ["unexpected pass, remove it from expected-failures.txt: %s" % name
                  for name in sorted(expected) if name not in failed]
    known = len(set(failed) & set(expected))
    summary = "%d passed, %d failed as expected, %d surprises" % (len(results) - len(failed), known, len(surprises))
    print("\n".join(surprises + [summary]))
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
