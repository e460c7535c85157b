"""How healthy places are: what is open in each, what opened this week and the one before, how long recovery takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from bot.insights import SEVERITIES, Insight

WEEK = timedelta(days=7)
Dimension = Literal["account", "ou", "region", "stack", "service", "tag"]
Places = Callable[[Insight], Iterable[str]]


@dataclass
class Figures:
    """Of one place, or of everything; `open` counts by severity."""

    open: Counter[str] = field(default_factory=Counter)
    reactive: int = 0
    proactive: int = 0
    opened: int = 0
    opened_before: int = 0
    recovery: timedelta | None = None
    """How long those that opened and closed this week were open, on average; None when there was none."""
    recovery_before: timedelta | None = None

    @property
    def trend(self) -> str:
        """Return how many opened this week, and how that differs from the week before: "4 (+3)"."""
        change = self.opened - self.opened_before
        return f"{self.opened} ({change:+d})" if change else f"{self.opened} (=)"


def measure(ongoing: Iterable[Insight], opened: Iterable[Insight], now: datetime) -> Figures:
    """Count what is open, and this week against the one before; `opened` are those of the last two weeks."""
    return measure_by(ongoing, opened, now, lambda _: ("",)).get("", Figures())


def measure_by(
    ongoing: Iterable[Insight], opened: Iterable[Insight], now: datetime, places: Places
) -> Mapping[str, Figures]:
    """Return the figures of each place, the gravest first; an insight counts in each of its places."""
    found: dict[str, Figures] = {}
    times: dict[tuple[str, bool], list[timedelta]] = {}
    for insight in ongoing:
        for place in places(insight):
            figures = found.setdefault(place, Figures())
            figures.open[insight.severity] += 1
            figures.proactive += insight.is_proactive
            figures.reactive += not insight.is_proactive
    for insight in opened:
        if not now - 2 * WEEK < insight.start <= now:
            continue
        is_recent = insight.start > now - WEEK
        for place in places(insight):
            figures = found.setdefault(place, Figures())
            figures.opened += is_recent
            figures.opened_before += not is_recent
            if insight.end is not None and not insight.is_proactive:
                times.setdefault((place, is_recent), []).append(insight.end - insight.start)
    for (place, is_recent), lasted in times.items():
        mean = sum(lasted, timedelta()) / len(lasted)
        if is_recent:
            found[place].recovery = mean
        else:
            found[place].recovery_before = mean
    return dict(sorted(found.items(), key=lambda pair: (_gravity(pair[1]), pair[0])))


def _gravity(figures: Figures) -> Sequence[int]:
    return [*(-figures.open[severity] for severity in SEVERITIES), -figures.opened]
