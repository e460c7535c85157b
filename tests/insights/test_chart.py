"""Charts are small PNGs that show where a metric went wrong, and what it runs into."""

from __future__ import annotations

import struct
import zlib
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.charts.plot import HEIGHT, WIDTH
from bot.charts.png import draw
from bot.insights import Anomaly

BEGIN = datetime(2026, 11, 23, 9, tzinfo=UTC)
BLUE, ORANGE, RED = (0, 114, 178), (248, 228, 184), (213, 94, 0)


def anomaly(values: list[float], **others: float | datetime) -> Anomaly:
    points = tuple((BEGIN + timedelta(minutes=5 * n), value) for n, value in enumerate(values))
    start = BEGIN + timedelta(minutes=5 * len(values) // 2)
    return Anomaly("Duration", "checkout", "Milliseconds", "p50", points, start, None, **others)  # type: ignore[arg-type]


def pixels_of(png: bytes) -> NDArray[np.uint8]:
    """Decode what our own canvas writes: one IDAT, no filter; checks every checksum on the way."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size]) == (zlib.crc32(name + data),)
        chunks[name], at = data, at + 12 + size
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (WIDTH, HEIGHT)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(HEIGHT, WIDTH * 3 + 1)
    return rows[:, 1:].reshape(HEIGHT, WIDTH, 3)


def columns_with(pixels: NDArray[np.uint8], colour: tuple[int, int, int], below: int = 40) -> NDArray[np.intp]:
    near = np.abs(pixels[below:].astype(int) - colour).sum(axis=2) < 12
    return np.flatnonzero(near.any(axis=0))


def test_the_line_is_drawn_and_its_anomalous_half_is_shaded() -> None:
    png = draw(anomaly([120.0] * 30 + [2400.0] * 30))
    pixels = pixels_of(png)
    assert len(png) < 60_000
    line, shaded = columns_with(pixels, BLUE), columns_with(pixels, ORANGE)
    assert line.min() < 110
    assert line.max() > WIDTH - 40
    middle = (line.min() + line.max()) / 2
    assert abs(shaded.min() - middle) < 20
    assert shaded.max() > WIDTH - 40


def test_a_forecast_is_dashed_on_to_the_time_it_comes_true() -> None:
    flat = anomaly([50.0] * 40)
    ahead = anomaly([50.0] * 40, limit=100.0, prediction=BEGIN + timedelta(hours=6))
    assert not columns_with(pixels_of(draw(flat)), RED).size
    dashes = columns_with(pixels_of(draw(ahead)), RED, below=50)  # above it is the limit's own line
    blue = columns_with(pixels_of(draw(ahead)), BLUE)
    assert dashes.min() >= blue.max() - 3
    assert 0 < len(dashes) < dashes.max() - dashes.min()


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [1e12, 2e12], [1e-9, 2e-9], [5.0, -3.0]])
def test_any_values_can_be_drawn(values: list[float]) -> None:
    assert pixels_of(draw(anomaly(values))).any()


def test_nothing_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw(anomaly([]))
