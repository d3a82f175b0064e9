#!/usr/bin/env python3
"""Writes icon.png: a light box inside a darker one, as a guest is in its machine."""
import pathlib
import struct
import zlib

SIZE = 128
SAMPLES = 4  # in each direction of a pixel

BACKGROUND = (0x1B, 0x2A, 0x4A)
MACHINE = (0x4F, 0x8C, 0xF7)
GUEST = (0xFF, 0xFF, 0xFF)
# From the outside in: distance from the edge, radius of the corners, colour.
BOXES = [(0, 24, BACKGROUND), (22, 16, MACHINE), (32, 10, BACKGROUND), (46, 6, GUEST)]


def inside(x, y, inset, radius):
    low, high = inset + radius, SIZE - inset - radius
    dx, dy = max(low - x, 0, x - high), max(low - y, 0, y - high)
    return dx * dx + dy * dy <= radius * radius


def pixel(x, y):
    total = [0, 0, 0, 0]
    for i in range(SAMPLES):
        for j in range(SAMPLES):
            point = (x + (i + 0.5) / SAMPLES, y + (j + 0.5) / SAMPLES)
            colours = [colour for inset, radius, colour in BOXES if inside(*point, inset, radius)]
            if colours:
                total = [sum(pair) for pair in zip(total, (*colours[-1], 1))]
    count = total[3]
    rgb = [channel // count for channel in total[:3]] if count else [0, 0, 0]
    return bytes([*rgb, 255 * count // SAMPLES**2])


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(SIZE)) for y in range(SIZE))
pathlib.Path(__file__).with_name("icon.png").write_bytes(
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(rows, 9))
    + chunk(b"IEND", b"")
)
