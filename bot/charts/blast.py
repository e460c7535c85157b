"""A picture of what would be hit: a square for each resource, zone by zone, as PNG for chats and as SVG for pages.

What it shows is JSON: {"title", "targets": [{"noun", "sentence", "is_by_chance", "zones": [[zone, aimed, total], …]}]}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from xml.sax.saxutils import escape

WIDTH, LEFT, TOP = 640, 150, 44
_HEAD, _ROW, _SIDE, _STEP = 30, 24, 15, 20
MOST = 20
"""Squares in a row, at most; how many more there are is written behind them."""
MOST_TARGETS, MOST_ZONES = 6, 8
Mark = Literal["hit", "perhaps", "spared"]
# Okabe and Ito's colours, told apart by the colour-blind; a cross marks what is hit as well.
_COLOURS: dict[Mark, tuple[int, int, int]] = {"hit": (213, 94, 0), "perhaps": (230, 159, 0), "spared": (255, 255, 255)}
_INK, _EDGE = (51, 51, 51), (118, 118, 118)
_WORDS: dict[Mark, str] = {"hit": "Hit", "perhaps": "May be hit", "spared": "Not hit"}
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.paper{fill:#fff}.spared{fill:#fff;stroke:#767676}"
    ".hit{fill:#d55e00;stroke:#d55e00}.perhaps{fill:#e69f00;stroke:#e69f00}.cross{stroke:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#e6e8ee}.paper{fill:#1b1e29}.spared{fill:#1b1e29;stroke:#9aa0b0}"
    ".hit{fill:#ff8a3d;stroke:#ff8a3d}.perhaps{fill:#e69f00;stroke:#e69f00}.cross{stroke:#1b1e29}}"
)


@dataclass(frozen=True)
class _Words:
    x: float
    y: float
    text: str
    align: float = 0.0
    is_strong: bool = False


@dataclass(frozen=True)
class _Square:
    x: float
    y: float
    mark: Mark


def alt_of(figure: Mapping[str, Any]) -> str:
    """Return the picture in words."""
    told = "; ".join(
        f"{target['sentence']} ({', '.join(f'{zone} {aimed} of {total}' for zone, aimed, total in target['zones'])})"
        for target in figure["targets"]
    )
    return f"Picture of what {figure['title']} hits: {told or 'nothing'}"


def draw_png(figure: Mapping[str, Any]) -> bytes:
    """Return a PNG on light paper, 640 pixels wide."""
    from bot.charts.canvas import Canvas

    canvas = Canvas(WIDTH, _height(figure), (255, 255, 255))
    for item in _items(figure):
        if isinstance(item, _Words):
            canvas.words(item.x, item.y - 9, item.text, _INK, 10 if item.is_strong else 9, item.align)
            continue
        x, y, end = item.x, item.y, item.x + _SIDE
        canvas.band(x, y, end, y + _SIDE, _COLOURS[item.mark] if item.mark != "spared" else _EDGE)
        if item.mark == "spared":
            canvas.band(x + 1, y + 1, end - 1, y + _SIDE - 1, _COLOURS["spared"])
        if item.mark == "hit":
            canvas.line([(x + 4, y + 4), (end - 4, y + _SIDE - 4)], _COLOURS["spared"], 2)
            canvas.line([(x + 4, y + _SIDE - 4), (end - 4, y + 4)], _COLOURS["spared"], 2)
    return canvas.png()


def draw_svg(figure: Mapping[str, Any]) -> bytes:
    """Return an SVG, light or dark as its reader prefers; all words in it are escaped."""
    height = _height(figure)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img"><title>{escape(alt_of(figure))}</title><style>{_STYLE}</style>'
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="6" fill="#fff"/>'
    ]
    for item in _items(figure):
        if isinstance(item, _Words):
            anchor, weight = "end" if item.align else "start", 600 if item.is_strong else 400
            parts.append(
                f'<text x="{item.x}" y="{item.y}" text-anchor="{anchor}" font-weight="{weight}" fill="#333">'
                f"{escape(item.text)}</text>"
            )
            continue
        x, y = item.x, item.y
        parts.append(f'<rect class="{item.mark}" x="{x}" y="{y}" width="{_SIDE}" height="{_SIDE}" rx="2"/>')
        if item.mark == "hit":
            far = _SIDE - 4
            cross = f"M{x + 4} {y + 4}L{x + far} {y + far}M{x + 4} {y + far}L{x + far} {y + 4}"
            parts.append(f'<path class="cross" d="{cross}" stroke="#fff" stroke-width="2"/>')
    return "".join((*parts, "</svg>")).encode()


def _height(figure: Mapping[str, Any]) -> int:
    rows = (1 + len(target["zones"][:MOST_ZONES]) for target in figure["targets"][:MOST_TARGETS])
    return TOP + sum(_HEAD + _ROW * (count - 1) for count in rows) + 14


def _items(figure: Mapping[str, Any]) -> Iterator[_Words | _Square]:
    targets = figure["targets"][:MOST_TARGETS]
    yield _Words(14, 25, str(figure["title"])[:32], is_strong=True)
    marks: list[Mark] = ["hit", "spared"]
    if any(target["is_by_chance"] for target in targets):
        marks = ["hit", "perhaps", "spared"] if not all(t["is_by_chance"] for t in targets) else ["perhaps", "spared"]
    x = float(WIDTH - sum(_wide(mark) for mark in marks))
    for mark in marks:
        yield _Square(x, 13, mark)
        yield _Words(x + 20, 25, _WORDS[mark])
        x += _wide(mark)
    y = TOP
    for target in targets:
        yield _Words(14, y + 18, str(target["sentence"])[:60], is_strong=True)
        y += _HEAD
        for zone, aimed, total in target["zones"][:MOST_ZONES]:
            yield from _row(y, str(zone), int(aimed), int(total), "perhaps" if target["is_by_chance"] else "hit")
            y += _ROW


def _wide(mark: Mark) -> int:
    return 34 + 9 * len(_WORDS[mark])


def _row(y: float, zone: str, aimed: int, total: int, mark: Mark) -> Iterator[_Words | _Square]:
    yield _Words(LEFT - 12, y + 12, zone[:18], 1.0)
    hit = min(aimed, MOST if total <= MOST else max(1, round(MOST * aimed / total))) if aimed else 0
    for place in range(min(total, MOST)):
        yield _Square(LEFT + place * _STEP, y, mark if place < hit else "spared")
    yield _Words(LEFT + min(total, MOST) * _STEP + 8, y + 12, f"{aimed} of {total}")
