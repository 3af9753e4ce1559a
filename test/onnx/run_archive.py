# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Unpacks an archive of ONNX tests and runs them by the reference.

usage: run_archive.py ARCHIVE FOLDER [PATTERN]   (PATTERN: only tests whose name matches this regular expression)
"""
import os
import re
import subprocess
import sys
import tarfile


def main(archive, folder, pattern="."):
    with tarfile.open(archive) as tar:
        members = [member for member in tar if re.search(pattern, member.name.split("/")[0])]
        if any(member.name.startswith("/") or ".." in member.name or not member.isfile() for member in members):
            sys.exit(archive + ": holds something else than test files")
        tar.extractall(folder, members)
    tests = sorted({member.name.split("/")[0] for member in members})
    run = subprocess.run(["qtensor-onnx-node"] + [os.path.join(folder, test) for test in tests], capture_output=True,
                         text=True)
    sys.stdout.write("".join(line for line in run.stdout.splitlines(True) if not line.startswith("pass ")))
    sys.stdout.write(run.stderr)
    sys.exit(run.returncode)


main(*sys.argv[1:])
