# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes ONNX files without the onnx package: the few fields that tests need, in protobuf's wire format."""
import struct

FLOAT, UINT8, INT8, INT32, INT64, BOOL = 1, 2, 3, 6, 7, 9


def varint(number):
    number &= (1 << 64) - 1
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def integer(field, value):
    return varint(field << 3) + varint(value)


def message(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def tensor(name, kind, dims, raw):
    return b"".join(integer(1, dim) for dim in dims) + integer(2, kind) + message(8, name) + message(9, raw)


def external(name, kind, dims, **entries):
    data = b"".join(integer(1, dim) for dim in dims) + integer(2, kind) + message(8, name)
    for key, value in entries.items():
        data += message(13, message(1, key) + message(2, str(value)))
    return data + integer(14, 1)


def floats(name, dims, values):
    return tensor(name, FLOAT, dims, struct.pack("<%df" % len(values), *values))


def ints(name, values, dims=None):
    return tensor(name, INT64, [len(values)] if dims is None else dims, struct.pack("<%dq" % len(values), *values))


def attribute(name, value):
    if isinstance(value, int):
        return message(1, name) + integer(3, value) + integer(20, 2)
    if isinstance(value, float):
        return message(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + integer(20, 1)
    if isinstance(value, str):
        return message(1, name) + message(4, value) + integer(20, 3)
    if isinstance(value, bytes):
        return message(1, name) + message(5, value) + integer(20, 4)
    return message(1, name) + b"".join(integer(8, entry) for entry in value) + integer(20, 7)


def node(op, inputs, outputs, domain="", **attributes):
    data = b"".join(message(1, name) for name in inputs) + b"".join(message(2, name) for name in outputs)
    data += message(3, "node_" + outputs[0]) + message(4, op)
    data += b"".join(message(5, attribute(key, value)) for key, value in attributes.items())
    return data + (message(7, domain) if domain else b"")


def value(name, kind=FLOAT, dims=()):
    shape = b""
    for dim in dims:
        shape += message(1, message(2, dim) if isinstance(dim, str) else integer(1, dim))
    return message(1, name) + message(2, message(1, integer(1, kind) + message(2, shape)))


def model(nodes, inputs, outputs, initializers=(), opset=17, functions=(), domains=()):
    graph = b"".join(message(1, entry) for entry in nodes) + message(2, "graph")
    graph += b"".join(message(5, entry) for entry in initializers)
    graph += b"".join(message(11, entry) for entry in inputs) + b"".join(message(12, entry) for entry in outputs)
    data = integer(1, 8) + message(7, graph) + message(8, message(1, "") + integer(2, opset))
    data += b"".join(message(8, message(1, domain) + integer(2, 1)) for domain in domains)
    return data + b"".join(message(25, entry) for entry in functions)


def function(domain, name, inputs, outputs, nodes, attributes=()):
    data = message(1, name) + b"".join(message(4, entry) for entry in inputs)
    data += b"".join(message(5, entry) for entry in outputs) + b"".join(message(6, entry) for entry in attributes)
    data += b"".join(message(7, entry) for entry in nodes)
    return data + message(9, message(1, "") + integer(2, 17)) + message(10, domain)
