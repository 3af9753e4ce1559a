# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled model from Python: the C interface of its header through ctypes, nothing else."""
import array
import ctypes
import math
import pathlib

MAX_RANK = 8
DTYPES = {"i8": (2, "b"), "u8": (3, "B"), "i32": (6, "i"), "i64": (8, "q"), "f32": (12, "f"), "f64": (13, "d")}


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int32), ("rank", ctypes.c_int32),
                ("shape", ctypes.c_int64 * MAX_RANK)]


class Weights(ctypes.Structure):
    _fields_ = [("path", ctypes.c_char_p), ("bytes", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class Options(ctypes.Structure):
    _fields_ = [("level", ctypes.c_char_p), ("threads", ctypes.c_int32), ("verify", ctypes.c_int32),
                ("parallel_for", ctypes.c_void_p), ("parallel_user", ctypes.c_void_p),
                ("report", ctypes.c_void_p), ("report_user", ctypes.c_void_p)]


def write_npy(path, shape, parts):
    """Writes array.arrays, one behind the other, as one NumPy array of the given shape."""
    kind = {"f": "<f4", "d": "<f8", "i": "<i4", "q": "<i8", "b": "|i1", "B": "|u1"}[parts[0].typecode]
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
        for part in parts:
            part.tofile(file)


def tensor(values, shape):
    """A qt_tensor over `values`, an array.array that the caller keeps alive."""
    code = next(code for code, letter in DTYPES.values() if letter == values.typecode)
    return Tensor(values.buffer_info()[0], code, len(shape), (ctypes.c_int64 * MAX_RANK)(*shape))


class Model:
    """An open model with one input and one output, run on one thread."""

    def __init__(self, folder, name, input_shape, output_shape, output_type="f32"):
        folder = pathlib.Path(folder)
        self.library = ctypes.CDLL(str(folder / f"lib{name}.so"))
        self.name = name
        self.handle = ctypes.c_void_p()
        weights = folder / f"{name}.weights"
        self.weights_bytes = weights.stat().st_size if weights.exists() else 0
        options = Options(threads=1)
        self._check(self._call("open", ctypes.byref(Weights(path=str(weights).encode())), ctypes.byref(options),
                               ctypes.byref(self.handle)))
        self.input_shape, self.output_shape = input_shape, output_shape
        letter = DTYPES[output_type][1]
        self.output = array.array(letter, bytes(math.prod(output_shape) * array.array(letter).itemsize))
        self.output_tensor = tensor(self.output, output_shape)
        self.scratch = None

    def _call(self, function, *arguments):
        return getattr(self.library, f"{self.name}_{function}")(*arguments)

    def _check(self, status):
        if status:
            text = getattr(self.library, f"{self.name}_error_text")
            text.restype = ctypes.c_char_p
            raise RuntimeError(f"{self.name}: {text(status).decode()}")

    def __call__(self, values):
        """Runs the model on `values`; the array returned is overwritten by the next call."""
        if len(values) != math.prod(self.input_shape):
            raise ValueError(f"{self.name}: the input has {len(values)} values, not {self.input_shape}")
        source = tensor(values, self.input_shape)
        if self.scratch is None:
            size = ctypes.c_size_t()
            shapes = Tensor(None, self.output_tensor.dtype, 0, (ctypes.c_int64 * MAX_RANK)())
            self._check(self._call("shapes", self.handle, ctypes.byref(source), ctypes.byref(shapes),
                                   ctypes.byref(size)))
            found = list(shapes.shape[:shapes.rank])
            if found != list(self.output_shape):
                raise RuntimeError(f"{self.name}: the output has shape {found}, not {self.output_shape}")
            self.scratch = ctypes.create_string_buffer(size.value + 64)
            self.scratch_pointer = ctypes.c_void_p((ctypes.addressof(self.scratch) + 63) & ~63)
        self._check(self._call("run", self.handle, None, ctypes.byref(source), ctypes.byref(self.output_tensor),
                               self.scratch_pointer))
        return self.output

    def close(self):
        self._call("close", self.handle)

