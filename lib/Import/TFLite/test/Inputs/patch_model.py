#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes a model out of an archive and replaces bytes of it.

usage: patch_model.py <archive> <path in it> <result> [<hex of old bytes> <hex of new ones>]
"""
import pathlib
import sys
import tarfile

archive, path, result = sys.argv[1:4]
with tarfile.open(archive) as tar:
    data = tar.extractfile(path).read()
if len(sys.argv) > 4:
    old, new = map(bytes.fromhex, sys.argv[4:6])
    assert len(old) == len(new) and data.count(old) == 1, "the old bytes must stand in the model once"
    data = data.replace(old, new)
pathlib.Path(result).write_bytes(data)
