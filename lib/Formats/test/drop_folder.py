#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Drops a format's folder into a copy of the tree and builds tools that have it; nothing else in the copy changes.

    drop_folder.py <source root> <build root> <dropped folder> <output> [--full] <tool>...

Only the generated Records.cpp can differ, so without --full the copy is of lib/Formats, and the tools are linked again
from the objects of the build with that one file compiled from the copy. With --full the whole tree is copied, configured
and built from nothing. The tools are written to <output>/bin.
"""
import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys


def run(command, **kwargs):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)
    if result.returncode:
        sys.exit(f"{command}\n{result.stdout}")
    return result.stdout


def compile_records(build, source, output):
    """Compiles the copy's Records.cpp with the flags that the build compiles its own with."""
    with open(os.path.join(build, "compile_commands.json")) as database:
        entry = next(e for e in json.load(database) if e["file"].endswith("lib/Formats/Records.cpp"))
    command = shlex.split(entry["command"])
    command[command.index("-o") + 1] = output
    command[command.index("-c") + 1] = source
    run(command, cwd=entry["directory"])


def link(build, tool, records, output):
    """The build's own link command with the new object before the libraries: the old one is then not looked at."""
    command = run(["ninja", "-C", build, "-t", "commands", f"bin/{tool}"]).strip().splitlines()[-1]
    run(command.replace(f"-o bin/{tool} ", f"-o {shlex.quote(output)} {shlex.quote(records)} "), shell=True, cwd=build)


def relink(args, tree):
    shutil.copytree(os.path.join(args.source, "lib/Formats"), os.path.join(tree, "lib/Formats"))
    shutil.copytree(args.folder, os.path.join(tree, "lib/Formats", os.path.basename(args.folder)))
    generated = os.path.join(args.output, "Records.cpp")
    run(["cmake", f"-DFOLDER={tree}/lib/Formats", f"-DOUTPUT={generated}", "-P", f"{tree}/lib/Formats/EmbedRecords.cmake"])
    compile_records(args.build, generated, generated + ".o")
    for tool in args.tools:
        link(args.build, tool, generated + ".o", os.path.join(args.output, "bin", tool))


def rebuild(args, tree):
    files = run(["git", "ls-files", "-z"], cwd=args.source).split("\0")
    for name in filter(None, files):
        target = os.path.join(tree, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(args.source, name), target)
    build = os.path.join(args.output, "build")
    run(["cmake", "-S", tree, "-B", build, "-G", "Ninja"])
    # First without the folder: what is proved is that an existing build finds it.
    run(["ninja", "-C", build, *args.tools])
    shutil.copytree(args.folder, os.path.join(tree, "lib/Formats", os.path.basename(args.folder)))
    run(["ninja", "-C", build, *args.tools])
    for tool in args.tools:
        os.symlink(os.path.join(build, "bin", tool), os.path.join(args.output, "bin", tool))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("source", "build", "folder", "output"):
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("tools", nargs="+")
    args = parser.parse_args()
    shutil.rmtree(args.output, ignore_errors=True)
    os.makedirs(os.path.join(args.output, "bin"))
    (rebuild if args.full else relink)(args, os.path.join(args.output, "tree"))


if __name__ == "__main__":
    main()
