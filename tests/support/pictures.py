"""Small PNGs for the repository: of few colours, packed as tightly as zlib can."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
from playwright.async_api import Page

_PIXELS = """async (picture) => {
  const bitmap = await createImageBitmap(await (await fetch('data:image/png;base64,' + picture)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  canvas.drawImage(bitmap, 0, 0);
  const bytes = canvas.getImageData(0, 0, bitmap.width, bitmap.height).data;
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return [bitmap.width, bitmap.height, btoa(text)];
}"""
COLOURS = 256


async def take_picture(page: Page, selector: str) -> bytes:
    """Return a PNG of an element with a palette: a fifth of what the browser makes of it."""
    made = await page.locator(selector).screenshot()
    width, height, text = await page.evaluate(_PIXELS, base64.b64encode(made).decode())
    pixels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 4).astype(np.uint32)
    shades, index = np.unique(_packed(pixels, 1), return_inverse=True)
    step = 1
    while len(shades) > COLOURS:  # as few shades less as will do
        step *= 2
        shades, index = np.unique(_packed(pixels, step), return_inverse=True)
    palette = np.stack([shades >> 16, shades >> 8 & 255, shades & 255], axis=1).astype(np.uint8)
    rows = index.reshape(height, width).astype(np.uint8)
    lines = np.hstack([np.zeros((height, 1), np.uint8), rows]).tobytes()
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in parts)


def _packed(pixels: np.ndarray[Any, Any], step: int) -> np.ndarray[Any, Any]:
    """Return each pixel's colour as one number, its shades rounded to multiples of `step`."""
    rounded = np.minimum((pixels + step // 2) // step * step, 255)
    packed: np.ndarray[Any, Any] = rounded[:, 0] << 16 | rounded[:, 1] << 8 | rounded[:, 2]
    return packed


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
