"""How often one person, and one address, may ask: buckets that refill with time, in bounded memory.

Each process counts for itself. They keep a broken or hostile client from taking the others' share, and are far
above what anybody does by hand.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.errors import QuartermasterError

KEPT = 10_000
"""Buckets that are remembered; the one unused for longest is forgotten first."""


class TooOften(QuartermasterError):
    """Somebody asks faster than they may."""

    status = 429
    title = "Too many requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "That was too often in a short time.",
            next_step=f"Wait {retry_after} second{'' if retry_after == 1 else 's'}, then try again.",
        )
        self.retry_after = retry_after


@dataclass(frozen=True)
class Pace:
    """So many at once, and one more every `seconds`."""

    name: str
    at_once: int
    seconds: float


LOOKING = Pace("looking", 300, 0.05)
"""Pages and their refreshing, by person: an open page asks every two seconds."""
DOING = Pace("doing", 60, 1.0)
"""Posts, by person."""
SIGNING_IN = Pace("signing in", 60, 1.0)
"""Ways to the identity provider and back, by address; a company may share one."""
STRANGERS = Pace("strangers", 300, 0.1)
"""Everything else that nobody signed in asks, by address."""
TAKING_AWAY = Pace("taking away", 6, 20.0)
"""Exports, by person."""


class Limits:
    """Counts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: OrderedDict[tuple[str, str], tuple[float, datetime]] = OrderedDict()

    def count(self, pace: Pace, who: str) -> None:
        """Count one; raises TooOften when that is one too many, which costs nothing more."""
        key, now = (pace.name, who), self._clock.wall()
        spent, at = self._spent.get(key, (0.0, now))
        level = max(0.0, spent - max(0.0, (now - at).total_seconds()) / pace.seconds)
        if level > pace.at_once - 1:
            raise TooOften(int((level - pace.at_once + 1) * pace.seconds) + 1)
        self._spent[key] = (level + 1, now)
        self._spent.move_to_end(key)
        if len(self._spent) > KEPT:
            self._spent.popitem(last=False)
