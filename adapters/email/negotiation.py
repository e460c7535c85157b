"""Which of two representations a client would rather have (RFC 9110, 12.5.1)."""

from __future__ import annotations

from typing import Literal

Representation = Literal["html", "json"]

_NAMES: dict[Representation, tuple[str, ...]] = {
    "html": ("text/html", "application/xhtml+xml"),
    "json": ("application/json", "application/problem+json"),
}


def preferred(accept: str, *, otherwise: Representation) -> Representation:
    """Return what the Accept header prefers; `otherwise` when it has no preference of its own."""
    ranges = _ranges(accept)
    html, json = (max(_quality(name, ranges) for name in _NAMES[kind]) for kind in ("html", "json"))
    if html == json:
        return otherwise
    return "html" if html > json else "json"


def _ranges(accept: str) -> dict[str, float]:
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (p.strip().casefold() for p in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            ranges[name] = min(max(float(weight), 0.0), 1.0)
        except ValueError:
            ranges[name] = 0.0
    return ranges


def _quality(media: str, ranges: dict[str, float]) -> float:
    """Return the weight of the most specific range that fits."""
    for name in (media, media.partition("/")[0] + "/*", "*/*"):
        if name in ranges:
            return ranges[name]
    return 0.0
