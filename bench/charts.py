"""How long a chart of an insight takes, through the process that draws them, and how large it is."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta
from typing import Literal

from bot.charts.studio import Studio
from bot.insights import Anomaly, Comparison

CHARTS = 48
POINTS = 288
"""Values of a metric: a day of five minutes each."""
BEGIN = datetime(2026, 11, 23, 9, tzinfo=UTC)


def measure_charts() -> list[tuple[str, str]]:
    """Return rows of the table: time and size of charts for chats and for pages, of all kinds there are."""
    rows = []
    for kind, name in (("png", "chat"), ("svg", "page")):
        seconds, sizes = asyncio.run(_draw_all(kind))  # type: ignore[arg-type]
        ordered = sorted(seconds)
        rows += [
            (f"a chart for a {name} ({kind}), p50", f"{ordered[len(ordered) // 2] * 1000:.1f} ms"),
            (f"a chart for a {name} ({kind}), slowest of {CHARTS}", f"{ordered[-1] * 1000:.1f} ms"),
            (f"a chart for a {name} ({kind}), largest", f"{max(sizes) / 1024:.1f} KiB"),
        ]
    return rows


async def _draw_all(kind: Literal["png", "svg"]) -> tuple[list[float], list[int]]:
    studio = Studio()
    seconds: list[float] = []
    sizes: list[int] = []
    try:
        await studio.draw(_anomaly(0), kind)  # the process's start is no chart's
        for number in range(CHARTS):
            begun = time.perf_counter()
            drawn = await studio.draw(_anomaly(number), kind)
            seconds.append(time.perf_counter() - begun)
            sizes.append(len(drawn))
    finally:
        await studio.close()
    return seconds, sizes


def _anomaly(number: int) -> Anomaly:
    """Return a day of a metric with a jump, a climb towards a limit with a band, or bars, in turn."""
    at = [BEGIN + timedelta(minutes=5 * n) for n in range(POINTS)]
    start, end = at[POINTS // 2], at[-40]
    wave = [100.0 + 20.0 * math.sin(n / 9.0 + number) + (n * 7919 + number) % 13 for n in range(POINTS)]
    match number % 3:
        case 0:
            jump = tuple((t, v * (20.0 if t >= start else 1.0)) for t, v in zip(at, wave, strict=True))
            return Anomaly("Duration", "checkout-handler", "Milliseconds", "p50", jump, start, end)
        case 1:
            climb = tuple((t, v + n) for n, (t, v) in enumerate(zip(at, wave, strict=True)))
            band = tuple((t, 70.0 + n, 140.0 + n) for n, t in enumerate(at))
            ahead = at[-1] + timedelta(days=2)
            return Anomaly("MemoryUtilization", "orders", "Percent", "Average", climb, start, None, 600.0, ahead, band)
        case _:
            bars = tuple(Comparison(f"wait {n}", 1.0 + n, 4.0 + (n * 5 + number) % 9) for n in range(6))
            return Anomaly(
                "DBLoad", "routing", "None", "Performance Insights", (), start, None, limit=4.0, comparisons=bars
            )
