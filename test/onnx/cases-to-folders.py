# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lays the models and npy cases of models/ out as folders of the ONNX backend suite.

  cases-to-folders.py <models> <new folder>
"""
import ast
import itertools
import os
import shutil
import struct
import sys

# Folder to write, model, and what its cases start with.
MODELS = [
    ("mnist-cnn", "mnist-cnn/model.onnx", "mnist-cnn/cases/"),
    ("stories260K", "stories260K/model.onnx", "stories260K/cases/"),
    ("kws-float", "kws/micro_kws_m_static_fp32.onnx", "kws/cases/fp32-"),
    ("kws-qdq", "kws/micro_kws_m_static_qdq.onnx", "kws/cases/qdq-"),
    ("kws-qoperator", "kws/micro_kws_m_static_qoperator.onnx", "kws/cases/qoperator-"),
]
# numpy's element types as numbers of TensorProto.DataType.
TYPES = {"<f4": 1, "|u1": 2, "|i1": 3, "<i4": 6, "<i8": 7}


def varint(number):
    digits = b""
    while number > 127:
        digits += bytes([number & 127 | 128])
        number >>= 7
    return digits + bytes([number])


def convert(npy, proto):
    """One npy file as a TensorProto: fields dims (1), data_type (2) and raw_data (9)."""
    with open(npy, "rb") as file:
        data = file.read()
    length = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10:10 + length].decode())
    raw = data[10 + length:]
    dims = b"".join(b"\x08" + varint(extent) for extent in header["shape"])
    with open(proto, "wb") as file:
        file.write(dims + b"\x10" + varint(TYPES[header["descr"]]) + b"\x4a" + varint(len(raw)) + raw)


def main(models, folder):
    shutil.rmtree(folder, ignore_errors=True)
    for name, model, cases in MODELS:
        os.makedirs(os.path.join(folder, name))
        shutil.copy(os.path.join(models, model), os.path.join(folder, name, "model.onnx"))
        for case in itertools.count():
            if not os.path.exists(os.path.join(models, "%s%d-in0.npy" % (cases, case))):
                break
            data = os.path.join(folder, name, "test_data_set_%d" % case)
            os.makedirs(data)
            for short, long in (("in", "input"), ("out", "output")):
                for index in itertools.count():
                    source = os.path.join(models, "%s%d-%s%d.npy" % (cases, case, short, index))
                    if not os.path.exists(source):
                        break
                    convert(source, os.path.join(data, "%s_%d.pb" % (long, index)))


if __name__ == "__main__":
    main(*sys.argv[1:])
