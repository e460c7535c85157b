"""A small canvas: lines, bands and plain words, smooth-edged, written as PNG.

Sizes are pixels from the upper left corner. Everything is drawn several times as large and then averaged.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Point = tuple[float, float]

_FINE = 2
"""How many times as large it is drawn."""
_WIDE, _TALL, _STEP = 4.0, 6.0, 6.0
"""A letter's box, and how far one letter is from the next, in units of the strokes below."""
# Each letter is one or more strokes through points (x, y) of a box of 4 by 6, y downwards; written as digit pairs.
_STROKES = {
    "0": "1030414536160501 10", "1": "022026 0646", "2": "01103041420646", "3": "01103041423313 334445361605",
    "4": "36300444", "5": "400003334445361605", "6": "4130100105163645443303", "7": "004026",
    "8": "1030414233130201 10 13040516364544 33", "9": "051636454130100102133342", "A": "062046 1434",
    "B": "00063645443303 00304142 33", "C": "41301001051636 45", "D": "000626444220 00", "E": "40000646 0333",
    "F": "400006 0333", "G": "41301001051636454323", "H": "0006 4046 0343", "I": "1030 2026 1636", "J": "4045361605",
    "K": "0006 400346", "L": "000646", "M": "0600234046", "N": "06004640", "O": "1030414536160501 10",
    "P": "060030414233 03", "Q": "1030414536160501 10 2446", "R": "060030414233 03 2346",
    "S": "4130100102134344 45361605", "T": "0040 2026", "U": "000516364540", "V": "002640", "W": "0016233640",
    "X": "0046 4006", "Y": "002340 2326", "Z": "00400646", ".": "2526", ":": "2122 2526", "-": "1333", "/": "4006",
    "%": "4006 0111 3545", "+": "2125 0343", "(": "30212536", ")": "10212516", ",": "2516", "_": "0646",
}  # fmt: skip


class Canvas:
    """A picture that is being drawn."""

    def __init__(self, width: int, height: int, paper: Colour) -> None:
        self.width, self.height = width, height
        self._pixels: NDArray[np.float32] = np.empty((height * _FINE, width * _FINE, 3), np.float32)
        self._pixels[:] = paper

    def band(self, left: float, top: float, right: float, bottom: float, colour: Colour, opacity: float = 1.0) -> None:
        """Fill a rectangle."""
        x0, x1 = (round(max(0.0, min(x, self.width)) * _FINE) for x in (left, right))
        y0, y1 = (round(max(0.0, min(y, self.height)) * _FINE) for y in (top, bottom))
        area = self._pixels[y0:y1, x0:x1]
        area += (np.array(colour, np.float32) - area) * opacity

    def line(self, points: Sequence[Point], colour: Colour, width: float = 1.0) -> None:
        """Draw through points, with round ends."""
        for (x0, y0), (x1, y1) in pairwise(points):
            self._segment(x0 * _FINE, y0 * _FINE, x1 * _FINE, y1 * _FINE, colour, width * _FINE / 2)

    def dashes(self, points: Sequence[Point], colour: Colour, width: float = 1.0, dash: float = 6.0) -> None:
        """Draw through points in dashes."""
        for (x0, y0), (x1, y1) in pairwise(points):
            length = float(np.hypot(x1 - x0, y1 - y0))
            for begin in np.arange(0.0, length, 2 * dash):
                a, b = begin / length, min(begin + dash, length) / length
                ends = [(x0 + (x1 - x0) * part, y0 + (y1 - y0) * part) for part in (a, b)]
                self.line(ends, colour, width)

    def words(self, x: float, y: float, text: str, colour: Colour, size: float = 11.0, align: float = 0.0) -> None:
        """Write capitals and digits; `x` is the left end (align 0), the middle (0.5) or the right end (1)."""
        scale = size / _TALL
        x -= align * (len(text) * _STEP - (_STEP - _WIDE)) * scale
        for number, letter in enumerate(text.upper()):
            left = x + number * _STEP * scale
            for stroke in _strokes(letter):
                self.line([(left + px * scale, y + py * scale) for px, py in stroke], colour, size / 8.5)

    def png(self) -> bytes:
        """Return the picture."""
        fine = self._pixels.reshape(self.height, _FINE, self.width, _FINE, 3).mean(axis=(1, 3))
        pixels = np.clip(np.rint(fine), 0, 255).astype(np.uint8)
        rows = np.zeros((self.height, self.width * 3 + 1), np.uint8)  # each row begins with its filter, none
        rows[:, 1:] = pixels.reshape(self.height, -1)
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            _chunk(name, data)
            for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
        )

    def _segment(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, radius: float) -> None:
        tall, wide = self._pixels.shape[:2]
        left, right = int(max(0, min(x0, x1) - radius - 1)), int(min(wide, max(x0, x1) + radius + 2))
        top, bottom = int(max(0, min(y0, y1) - radius - 1)), int(min(tall, max(y0, y1) + radius + 2))
        if left >= right or top >= bottom:
            return
        y, x = np.ogrid[top:bottom, left:right]
        dx, dy = x1 - x0, y1 - y0
        along = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy or 1.0), 0.0, 1.0)
        distance = (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2
        self._pixels[top:bottom, left:right][distance <= radius * radius] = colour


def _strokes(letter: str) -> list[list[Point]]:
    strokes = []
    for digits in _STROKES.get(letter, "").split():
        strokes.append([(float(digits[n]), float(digits[n + 1])) for n in range(0, len(digits) - 1, 2)])
    return strokes


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
