# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How the archives here are written: without dates and owners, so that the same files are the same bytes."""
import contextlib
import io
import tarfile

import numpy as np


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@contextlib.contextmanager
def archive(path):
    """A function that adds one file: bytes as they are, arrays as .npy."""
    with tarfile.open(path, "w:xz") as tar:
        def write(name, content):
            data = content if isinstance(content, bytes) else npy(content)
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        yield write
