"""What both kinds of charts share: where times and values lie, round numbers, and words for them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.insights import Anomaly

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 92, 24, 40, 40
UNITS = {"Milliseconds": "MS", "Seconds": "S", "Percent": "%", "Count": "", "Bytes": "B", "None": ""}
Point = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """The plane that an anomaly is drawn on: `begin` to `end`, and 0 to `top`."""

    begin: datetime
    end: datetime
    top: float

    def at(self, moment: datetime, value: float) -> Point:
        """Return where a value lies, in pixels from the upper left corner."""
        wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        x = LEFT + wide * ((moment - self.begin) / (self.end - self.begin))
        return x, TOP + tall * (1 - max(0.0, min(value / self.top, 1.05)))


def frame_of(anomaly: Anomaly) -> Frame:
    """Return the plane that holds all of an anomaly; it has values."""
    begin, end = anomaly.points[0][0], anomaly.points[-1][0]
    if anomaly.prediction and anomaly.limit is not None:
        end = max(end, anomaly.prediction + (anomaly.prediction - begin) * 0.03)
    highest = max(max(value for _, value in anomaly.points), anomaly.limit or 0.0)
    highest = max([highest, *(high for _, _, high in anomaly.band)])
    return Frame(begin, max(end, begin + timedelta(minutes=1)), round_up(highest))


def ticks_of(frame: Frame) -> list[datetime]:
    """Return some six round times."""
    begin, end = frame.begin, frame.end
    sizes = [timedelta(minutes=m) for m in (1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 43200)]
    step = next((size for size in sizes if (end - begin) / size <= 7), sizes[-1])
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + math.ceil((begin - midnight) / step) * step
    return [first + n * step for n in range(int((end - first) / step) + 1)] if first <= end else []


def round_up(value: float) -> float:
    """Return the next round number."""
    if not value > 0 or math.isinf(value):
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return next(float(m * power) for m in (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10) if m * power >= value * 0.999)


def number(value: float) -> str:
    """Return a number as an axis shows it."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "K")):
        if value >= size:
            return f"{value / (1e3 if letter == 'K' else size):g}{letter}"
    return f"{value:.3g}" if value < 10 else f"{value:,.0f}"


def title_of(anomaly: Anomaly) -> str:
    """Return what is drawn."""
    return f"{anomaly.metric} ({anomaly.statistic})" if anomaly.statistic else anomaly.metric


def legend_of(anomaly: Anomaly) -> list[str]:
    """Return the marks that need a word, from right to left."""
    if not anomaly.points:
        return ["ANOMALY", "USUAL", *(["LIMIT"] if anomaly.limit is not None else [])]
    shown = [anomaly.shaded.upper()]
    if anomaly.band:
        shown.append("EXPECTED")
    if anomaly.limit is not None:
        shown.append("LIMIT")
    if anomaly.prediction and anomaly.limit is not None:
        shown.append("FORECAST")
    return shown
