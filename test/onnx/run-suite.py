# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the ONNX backend test suite and holds it to the table of expected failures beside this file.

  run-suite.py [--update] [--runner=qtensor-onnx-node] <empty folder to unpack into>

A test that fails and is not in the table is an error, and so is one that is in the table and passes: the table can only
shrink by passing tests. --update writes the table anew.
"""
import argparse
import os
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
ARCHIVE = os.path.join(HERE, "backend-tests.tar.xz")
TABLE = os.path.join(HERE, "expected-failures.txt")
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


def run(runner, folder, tests):
    """Name of each test -> None if it passed, else the reason."""
    done = subprocess.run([runner] + tests, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    results = {}
    for line in done.stdout.splitlines():
        if line.startswith("pass "):
            results[line[5:].strip()] = None
        elif line.startswith("FAIL "):
            name, _, reason = line[5:].partition(": ")
            results[name] = shorten(reason)
    missing = [test for test in tests if os.path.basename(test) not in results]
    if missing:
        sys.exit("%s said nothing about %d tests, first %s; it ended with %d:\n%s"
                 % (runner, len(missing), missing[0], done.returncode, done.stdout[-2000:]))
    return results


def shorten(reason):
    """The part of a diagnostic that says what is missing."""
    marker = "operators that can't be imported: "
    if marker in reason:
        return "no operator " + reason.partition(marker)[2].partition(";")[0].replace(" (1x)", "")
    return reason.partition("model.onnx: ")[2] or reason


def read_table():
    if not os.path.exists(TABLE):
        return {}
    with open(TABLE) as table:
        lines = [line.rstrip("\n") for line in table if line.strip() and not line.startswith("#")]
    return dict(line.partition(": ")[::2] for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--runner", default="qtensor-onnx-node")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    results = run(options.runner, options.folder, unpack(options.folder))
    failed = {name: reason for name, reason in results.items() if reason is not None}
    if options.update:
        with open(TABLE, "w") as table:
            table.write(HEADER + "".join("%s: %s\n" % entry for entry in sorted(failed.items())))
    expected = read_table()
    surprises = ["unexpected failure: %s: %s" % entry for entry in sorted(failed.items()) if entry[0] not in expected]
    surprises += ["unexpected pass, remove it from expected-failures.txt: %s" % name
                  for name in sorted(expected) if name not in failed]
    known = len(set(failed) & set(expected))
    summary = "%d passed, %d failed as expected, %d surprises" % (len(results) - len(failed), known, len(surprises))
    print("\n".join(surprises + [summary]))
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
