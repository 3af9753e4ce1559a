# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""damage.py <weights> <folder>: damaged copies of a weights file, and inputs for the model that it belongs to."""
import pathlib
import struct
import sys

source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
good = source.read_bytes()
MASK, P = (1 << 64) - 1, (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


def rotate(x, n):
    return (x << n | x >> (64 - n)) & MASK


def mix(lane, value):
    return rotate((lane + value * P[1]) & MASK, 31) * P[0] & MASK


def xxh64(data):
    """Written from the description of XXH64, to sign a header that is well-formed but of another model."""
    h, at = P[4], 0
    if len(data) >= 32:
        lanes = [(P[0] + P[1]) & MASK, P[1], 0, -P[0] & MASK]
        while at + 32 <= len(data):
            lanes = [mix(lane, value) for lane, value in zip(lanes, struct.unpack_from("<4Q", data, at))]
            at += 32
        h = sum(rotate(lane, n) for lane, n in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            h = ((h ^ mix(0, lane)) * P[0] + P[3]) & MASK
    h = (h + len(data)) & MASK
    while at + 8 <= len(data):
        h = (rotate(h ^ mix(0, struct.unpack_from("<Q", data, at)[0]), 27) * P[0] + P[3]) & MASK
        at += 8
    if at + 4 <= len(data):
        h = (rotate(h ^ struct.unpack_from("<I", data, at)[0] * P[0] & MASK, 23) * P[1] + P[2]) & MASK
        at += 4
    for byte in data[at:]:
        h = rotate(h ^ byte * P[4] & MASK, 11) * P[0] & MASK
    h = (h ^ h >> 33) * P[1] & MASK
    h = (h ^ h >> 29) * P[2] & MASK
    return h ^ h >> 32


def flipped(byte):
    return good[:byte] + bytes([good[byte] ^ 0x10]) + good[byte + 1:]


payload = struct.unpack_from("<Q", good, 24)[0]
other = good[:40] + struct.pack("<Q", 1234) + good[48:56]
files = {
    "magic": flipped(0), "version": good[:8] + struct.pack("<I", 2) + good[12:], "header": flipped(33),
    "index": flipped(70), "truncated": good[:-100], "short": good[:10], "payload": flipped(payload + 5),
    "other": other + struct.pack("<Q", xxh64(other)) + good[64:],
}
for name, data in files.items():
    (folder / (name + ".weights")).write_bytes(data)
for name, columns in (("x", 40), ("z", 24)):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, %d), }" % columns
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    (folder / (name + ".npy")).write_bytes(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack("<%df" % (2 * columns), *[0.25] * (2 * columns)))
