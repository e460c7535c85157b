"""A metric as a picture: its line, the anomalous time shaded, a forecast dashed up to its limit."""

from __future__ import annotations

import base64
import math
from datetime import datetime, timedelta

from bot.insights import Anomaly
from intents.insights.drawing import Canvas, Point

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 92, 24, 40, 40
# Okabe and Ito's colours, which those who are colour-blind can tell apart; the paper is light whatever surrounds it.
_PAPER, _INK, _FAINT = (255, 255, 255), (51, 51, 51), (221, 221, 221)
_LINE, _WRONG, _LIMIT = (0, 114, 178), (230, 159, 0), (213, 94, 0)
_UNITS = {"Milliseconds": "MS", "Seconds": "S", "Percent": "%", "Count": "", "Bytes": "B", "None": ""}


def draw(anomaly: Anomaly) -> bytes:
    """Return a PNG of 720 by 300 pixels; times are UTC. Raises ValueError for an anomaly without values."""
    if not anomaly.points:
        raise ValueError("there is nothing to draw")
    begin, end = _times(anomaly)
    top = _round_up(max(max(value for _, value in anomaly.points), anomaly.limit or 0.0))
    canvas = Canvas(WIDTH, HEIGHT, _PAPER)
    wide, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def at(moment: datetime, value: float) -> Point:
        x = _LEFT + wide * ((moment - begin) / (end - begin))
        return x, _TOP + tall * (1 - value / top)

    shade_end = min(anomaly.end or anomaly.points[-1][0], end)
    canvas.band(at(anomaly.start, 0)[0], _TOP, at(shade_end, 0)[0], _TOP + tall, _WRONG, 0.28)
    unit = _UNITS.get(anomaly.unit, "")
    for step in range(5):
        value = top * step / 4
        canvas.line([at(begin, value), at(end, value)], _FAINT)
        canvas.words(_LEFT - 10, at(begin, value)[1] - 5, _number(value) + unit, _INK, 10, align=1)
    for moment in _ticks(begin, end):
        x, y = at(moment, 0)
        canvas.line([(x, y), (x, y + 4)], _INK)
        canvas.words(x, y + 10, f"{moment:%H:%M}", _INK, 10, align=0.5)
        canvas.words(x, y + 24, f"{moment:%d %b}", _INK, 8, align=0.5)
    canvas.line([at(moment, value) for moment, value in anomaly.points], _LINE, 2.2)
    if anomaly.limit is not None:
        canvas.line([at(begin, anomaly.limit), at(end, anomaly.limit)], _LIMIT, 1.6)
        if anomaly.prediction and anomaly.prediction > anomaly.points[-1][0]:
            canvas.dashes([at(*anomaly.points[-1]), at(anomaly.prediction, anomaly.limit)], _LIMIT, 2.2)
    canvas.words(_LEFT, 12, f"{anomaly.metric} ({anomaly.statistic})"[:40], _INK, 12)
    shown = [("ANOMALY", _WRONG)] + ([("LIMIT", _LIMIT)] if anomaly.limit is not None else [])
    for number, (word, colour) in enumerate(shown):
        x = WIDTH - _RIGHT - 95 - 90 * number
        canvas.band(x, 13, x + 14, 23, colour, 0.6)
        canvas.words(x + 20, 13, word, _INK, 9)
    return canvas.png()


def data_url(png: bytes) -> str:
    """Return a picture as a card carries it."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _times(anomaly: Anomaly) -> tuple[datetime, datetime]:
    begin, end = anomaly.points[0][0], anomaly.points[-1][0]
    if anomaly.prediction and anomaly.limit is not None:
        end = max(end, anomaly.prediction + (anomaly.prediction - begin) * 0.03)
    return begin, max(end, begin + timedelta(minutes=1))


def _ticks(begin: datetime, end: datetime) -> list[datetime]:
    """Return some six round times in between."""
    sizes = [timedelta(minutes=m) for m in (1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 43200)]
    step = next((size for size in sizes if (end - begin) / size <= 7), sizes[-1])
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + math.ceil((begin - midnight) / step) * step
    return [first + n * step for n in range(int((end - first) / step) + 1)] if first <= end else []


def _round_up(value: float) -> float:
    if value <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return next(float(m * power) for m in (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10) if m * power >= value * 0.999)


def _number(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "K")):
        if value >= size:
            return f"{value / (1e3 if letter == 'K' else size):g}{letter}"
    return f"{value:.3g}" if value < 10 else f"{value:,.0f}"
