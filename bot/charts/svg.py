"""The same chart as an SVG: text that can be read and scaled, light and dark by what the reader prefers."""

from __future__ import annotations

import base64
from xml.sax.saxutils import escape

from bot.charts.plot import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    UNITS,
    WIDTH,
    Frame,
    frame_of,
    legend_of,
    number,
    round_up,
    ticks_of,
    title_of,
)
from bot.insights import Anomaly

# Okabe and Ito's colours: told apart by those who are colour-blind. Attributes are the light ones; the style sheet
# gives lighter ones on dark paper, where it is applied.
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.paper{fill:#fff}.grid{stroke:#ddd}.line{stroke:#0072b2}"
    ".bar{fill:#0072b2}.wrong{fill:#e69f00}.limit{stroke:#d55e00}.expected{fill:#56b4e9}"
    "@media(prefers-color-scheme:dark){text{fill:#e6e8ee}.paper{fill:#1b1e29}.grid{stroke:#3a3f50}"
    ".line{stroke:#56b4e9}.bar{fill:#56b4e9}.wrong{fill:#e69f00}.limit{stroke:#ff8a3d}.expected{fill:#009e73}}"
)
_CLASSES = {
    "ANOMALY": ("wrong", "#e69f00"),
    "EXPECTED": ("expected", "#56b4e9"),
    "USUAL": ("bar", "#0072b2"),
    "LIMIT": ("limit", "#d55e00"),
    "FORECAST": ("limit", "#d55e00"),
}


def draw(anomaly: Anomaly) -> bytes:
    """Return an SVG of 720 by 300 units; times are UTC. Raises ValueError for an anomaly without values."""
    if not anomaly.can_be_drawn:
        raise ValueError("there is nothing to draw")
    title = f"{title_of(anomaly)} of {anomaly.resource}" if anomaly.resource else title_of(anomaly)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#fff"/>',
        *(_lines(anomaly) if anomaly.points else _bars(anomaly)),
        _text(LEFT, 24, title_of(anomaly)[:60], weight=600),
        *_legend(anomaly),
        "</svg>",
    ]
    return "".join(parts).encode()


def data_url(svg: bytes) -> str:
    """Return a picture as a card carries it."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


def _lines(anomaly: Anomaly) -> list[str]:
    frame = frame_of(anomaly)
    bottom = HEIGHT - BOTTOM
    left = max(LEFT, frame.at(anomaly.start, 0)[0])
    right = min(WIDTH - RIGHT, frame.at(min(anomaly.end or anomaly.points[-1][0], frame.end), 0)[0])
    parts = [_rect(left, TOP, max(0.0, right - left), bottom - TOP, "wrong", "#e69f00", 0.28)]
    if len(anomaly.band) > 1:
        upper = [frame.at(at, high) for at, _, high in anomaly.band]
        lower = [frame.at(at, low) for at, low, _ in reversed(anomaly.band)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in upper + lower)
        parts.append(f'<polygon class="expected" points="{points}" fill="#56b4e9" fill-opacity=".35"/>')
    parts += _axes(frame, UNITS.get(anomaly.unit, "").lower())
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (frame.at(at, value) for at, value in anomaly.points))
    parts.append(
        f'<polyline class="line" points="{points}" fill="none" stroke="#0072b2" stroke-width="2.2" '
        'stroke-linejoin="round"/>'
    )
    if anomaly.limit is not None:
        parts.append(_stroke(frame.at(frame.begin, anomaly.limit), frame.at(frame.end, anomaly.limit), 1.6))
        if anomaly.prediction and anomaly.prediction > anomaly.points[-1][0]:
            end = frame.at(anomaly.prediction, anomaly.limit)
            parts.append(_stroke(frame.at(*anomaly.points[-1]), end, 2.2, ' stroke-dasharray="6 6"'))
            parts.append(f'<circle class="limit" cx="{end[0]:.1f}" cy="{end[1]:.1f}" r="4" fill="none" '
                         'stroke="#d55e00" stroke-width="2"/>')  # fmt: skip
    return parts


def _axes(frame: Frame, unit: str) -> list[str]:
    parts = []
    for step in range(5):
        value = frame.top * step / 4
        (x0, y), (x1, _) = frame.at(frame.begin, value), frame.at(frame.end, value)
        parts.append(f'<path class="grid" d="M{x0:.1f} {y:.1f}H{x1:.1f}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 10, y + 4, f"{number(value)} {unit}".strip(), anchor="end"))
    for moment in ticks_of(frame):
        x, y = frame.at(moment, 0)
        parts.append(_text(x, y + 18, f"{moment:%H:%M}", anchor="middle"))
        parts.append(_text(x, y + 33, f"{moment.day} {moment:%b}", anchor="middle", size=10))
    return parts


def _bars(anomaly: Anomaly) -> list[str]:
    shown = anomaly.comparisons[:4]
    top = round_up(max([anomaly.limit or 0.0, *(max(c.usually, c.now) for c in shown)]))
    left, tall = LEFT + 40, (HEIGHT - TOP - BOTTOM) / len(shown)
    wide = (WIDTH - RIGHT - left) * 0.88
    parts = []
    for place, figure in enumerate(shown):
        upper, height = TOP + tall * place + 8, min(48.0, (tall - 22) / 2)
        parts.append(_text(left - 10, upper + height + 6, figure.label, anchor="end"))
        for row, (value, word) in enumerate(((figure.usually, "USUAL"), (figure.now, "ANOMALY"))):
            y = upper + row * (height + 4)
            parts.append(_rect(left, y, max(1.0, wide * value / top), height, *_CLASSES[word], 0.85))
            parts.append(_text(left + wide * value / top + 8, y + height / 2 + 4, number(value)))
    if anomaly.limit is not None:
        x = left + wide * anomaly.limit / top
        parts.append(_stroke((x, TOP), (x, HEIGHT - BOTTOM), 1.6))
    return parts


def _legend(anomaly: Anomaly) -> list[str]:
    parts, x = [], float(WIDTH - RIGHT)
    for word in legend_of(anomaly):
        x -= 8 * len(word) + 30
        name, colour = _CLASSES.get(word, _CLASSES["ANOMALY"])
        parts.append(_rect(x, 14, 14, 10, f"{name} mark", colour, 0.7))
        parts.append(_text(x + 20, 24, word.capitalize()))
    return parts


def _stroke(begin: tuple[float, float], end: tuple[float, float], width: float, more: str = "") -> str:
    place = f"M{begin[0]:.1f} {begin[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"
    return f'<path class="limit" d="{place}" fill="none" stroke="#d55e00" stroke-width="{width}"{more}/>'


def _rect(x: float, y: float, wide: float, tall: float, name: str, colour: str, opacity: float) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
    return f'<rect class="{name}" {place} fill="{colour}" fill-opacity="{opacity}"/>'


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12, weight: int = 400) -> str:
    look = f'text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" font-family="system-ui,sans-serif"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look} fill="#333">{escape(words)}</text>'
