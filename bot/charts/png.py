"""A metric as a PNG: its line, what was expected, the anomalous time shaded, a forecast dashed up to its limit."""

from __future__ import annotations

import base64

from bot.charts.canvas import Canvas
from bot.charts.plot import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    UNITS,
    WIDTH,
    frame_of,
    legend_of,
    number,
    round_up,
    ticks_of,
    title_of,
)
from bot.insights import Anomaly

# Okabe and Ito's colours, which those who are colour-blind can tell apart; the paper is light whatever surrounds it.
_PAPER, _INK, _FAINT = (255, 255, 255), (51, 51, 51), (221, 221, 221)
_LINE, _WRONG, _LIMIT, _EXPECTED = (0, 114, 178), (230, 159, 0), (213, 94, 0), (86, 180, 233)
_MARKS = {"ANOMALY": _WRONG, "EXPECTED": _EXPECTED, "LIMIT": _LIMIT, "FORECAST": _LIMIT, "USUAL": _LINE}


def draw(anomaly: Anomaly) -> bytes:
    """Return a PNG of 720 by 300 pixels; times are UTC. Raises ValueError for an anomaly without values."""
    if not anomaly.can_be_drawn:
        raise ValueError("there is nothing to draw")
    canvas = Canvas(WIDTH, HEIGHT, _PAPER)
    if anomaly.points:
        _draw_line(canvas, anomaly)
    else:
        _draw_bars(canvas, anomaly)
    legend = legend_of(anomaly)[:3]
    room = (WIDTH - LEFT - RIGHT - 95 * len(legend)) // 10  # a letter is ten pixels wide
    canvas.words(LEFT, 13, title_of(anomaly)[:room], _INK, 10)
    for place, word in enumerate(legend):
        x = WIDTH - RIGHT - 95 - 95 * place
        canvas.band(x, 13, x + 14, 23, _MARKS.get(word, _WRONG), 0.6)
        canvas.words(x + 20, 13, word, _INK, 9)
    return canvas.png()


def data_url(png: bytes) -> str:
    """Return a picture as a card carries it."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _draw_line(canvas: Canvas, anomaly: Anomaly) -> None:
    frame = frame_of(anomaly)
    bottom = HEIGHT - BOTTOM
    shade_end = min(anomaly.end or anomaly.points[-1][0], frame.end)
    canvas.band(frame.at(anomaly.start, 0)[0], TOP, frame.at(shade_end, 0)[0], bottom, _WRONG, 0.28)
    for (moment, low, high), (after, _, _) in zip(anomaly.band, anomaly.band[1:], strict=False):
        left, upper = frame.at(moment, high)
        canvas.band(left, upper, frame.at(after, 0)[0], frame.at(moment, low)[1], _EXPECTED, 0.35)
    unit = UNITS.get(anomaly.unit, "")
    for step in range(5):
        value = frame.top * step / 4
        canvas.line([frame.at(frame.begin, value), frame.at(frame.end, value)], _FAINT)
        canvas.words(LEFT - 10, frame.at(frame.begin, value)[1] - 5, number(value) + unit, _INK, 10, align=1)
    for moment in ticks_of(frame):
        x, y = frame.at(moment, 0)
        canvas.line([(x, y), (x, y + 4)], _INK)
        canvas.words(x, y + 10, f"{moment:%H:%M}", _INK, 10, align=0.5)
        canvas.words(x, y + 24, f"{moment:%d %b}", _INK, 8, align=0.5)
    canvas.line([frame.at(moment, value) for moment, value in anomaly.points], _LINE, 2.2)
    if anomaly.limit is not None:
        canvas.line([frame.at(frame.begin, anomaly.limit), frame.at(frame.end, anomaly.limit)], _LIMIT, 1.6)
        if anomaly.prediction and anomaly.prediction > anomaly.points[-1][0]:
            ends = [frame.at(*anomaly.points[-1]), frame.at(anomaly.prediction, anomaly.limit)]
            canvas.dashes(ends, _LIMIT, 2.2)


def _draw_bars(canvas: Canvas, anomaly: Anomaly) -> None:
    """Draw two bars for each figure: usually, and now."""
    shown = anomaly.comparisons[:4]
    top = round_up(max([anomaly.limit or 0.0, *(max(c.usually, c.now) for c in shown)]))
    left, tall = LEFT + 70, (HEIGHT - TOP - BOTTOM) / len(shown)
    wide = WIDTH - RIGHT - left
    for place, figure in enumerate(shown):
        upper = TOP + tall * place + 8
        height = min(48.0, (tall - 22) / 2)
        canvas.words(left - 10, upper + height - 4, figure.label, _INK, 10, align=1)
        for row, (value, colour) in enumerate(((figure.usually, _LINE), (figure.now, _WRONG))):
            y = upper + row * (height + 4)
            canvas.band(left, y, left + max(1.0, wide * 0.88 * value / top), y + height, colour, 0.85)
            canvas.words(left + wide * 0.88 * value / top + 8, y + height / 2 - 5, number(value), _INK, 10)
    if anomaly.limit is not None:
        x = left + wide * 0.88 * anomaly.limit / top
        canvas.line([(x, TOP), (x, HEIGHT - BOTTOM)], _LIMIT, 1.6)
