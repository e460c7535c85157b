"""Draws the Teams app's icons: a ring with a key's bit, in colour on 192 × 192 pixels and as an outline on 32 × 32.

Run it when the drawing changes; the two PNGs are kept under teams/.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "teams"
SAMPLES = 4
"""Samples a pixel in each direction."""


def is_ink(x: float, y: float) -> bool:
    """Tell whether a point of the unit square belongs to the mark: a ring, and a bar that leads out of it."""
    away = (x - 0.46) ** 2 + (y - 0.46) ** 2
    in_ring = 0.19**2 <= away <= 0.30**2
    along, across = (x + y) / 2 - 0.46, abs(x - y) / 2
    in_bar = 0.12 <= along <= 0.36 and across <= 0.052
    in_bit = 0.27 <= along <= 0.33 and across <= 0.11 and x > y
    return in_ring or in_bar or in_bit


def draw(size: int, ink: tuple[int, int, int], ground: tuple[int, int, int, int]) -> bytes:
    """Return a PNG with the mark on a ground of red, green, blue and opacity."""
    lines = bytearray()
    steps = [(n + 0.5) / SAMPLES for n in range(SAMPLES)]
    for row in range(size):
        lines.append(0)
        for column in range(size):
            hits = sum(is_ink((column + dx) / size, (row + dy) / size) for dx in steps for dy in steps)
            lines += blend(ink, ground, hits / SAMPLES**2)
    head = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(lines), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, body) for name, body in parts)


def blend(ink: tuple[int, int, int], ground: tuple[int, int, int, int], part: float) -> bytes:
    """Return a pixel with so much ink on it."""
    opacity = part * 255 + (1 - part) * ground[3]
    if ground[3] == 0:
        return bytes((*ink, round(opacity)))
    mixed = (round(part * i + (1 - part) * g) for i, g in zip(ink, ground[:3], strict=True))
    return bytes((*mixed, round(opacity)))


def chunk(name: bytes, body: bytes) -> bytes:
    """Return one part of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


if __name__ == "__main__":
    (FOLDER / "color.png").write_bytes(draw(192, (255, 255, 255), (0x1F, 0x4E, 0x79, 255)))
    (FOLDER / "outline.png").write_bytes(draw(32, (255, 255, 255), (0, 0, 0, 0)))
