# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""vectors.py <archive> <folder> <regex>: models of an archive of test/tflite whose names match, as published.py takes them. Floats
that are no exact sums have names that end in f32."""
import pathlib
import re
import shutil
import sys
import tarfile

archive, folder, wanted = sys.argv[1], pathlib.Path(sys.argv[2]), re.compile(sys.argv[3])
with tarfile.open(archive) as tar:
    tar.extractall(folder, [member for member in tar if wanted.search(member.name.split("/")[0])])
for model in folder.glob("*/model.tflite"):
    cases = model.parent / "cases"
    cases.mkdir(exist_ok=True)
    if model.parent.name.endswith("f32"):
        (model.parent / "settings.txt").write_text("bound: 1e-6\n")
    for path in model.parent.glob("*.npy"):
        shutil.move(path, cases / f"0-{'out0' if path.stem == 'out' else path.stem}.npy")
