"""Maintenance windows: the hours of a week in which a deployment may be changed, in its own time zone.

Written as days, hours and zone, such as `Sat-Sun 02:00-05:00 Europe/Berlin` or `Mon-Fri 22:00-04:00 UTC`; one that ends
before it begins goes on into the next day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.errors import Invalid

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORM = "Sat-Sun 02:00-05:00 Europe/Berlin"
_WRITTEN = re.compile(
    r"(?P<days>[A-Za-z]{3}(?:[-,][A-Za-z]{3})*)\s+(?P<begin>\d\d?:\d\d)-(?P<end>\d\d?:\d\d)\s+(?P<zone>[\w/+-]+)"
)


@dataclass(frozen=True)
class Window:
    """Some hours of some days. `begin` and `end` are local; equal ones mean the whole day."""

    days: frozenset[int]
    begin: time
    end: time
    zone: ZoneInfo

    def is_open(self, at: datetime) -> bool:
        """Tell whether a moment lies within the window."""
        return self.next(at) == at

    def next(self, at: datetime) -> datetime:
        """Return the first moment from `at` on that lies within it, in UTC; `at` itself while it is open."""
        first = at.astimezone(self.zone).date() - timedelta(days=1)  # what began yesterday may last until now
        for number in range(10):
            day = first + timedelta(days=number)
            if day.weekday() not in self.days:
                continue
            begin = datetime.combine(day, self.begin, self.zone).astimezone(UTC)
            last = day + timedelta(days=1) if self.end <= self.begin else day
            end = datetime.combine(last, self.end, self.zone).astimezone(UTC)
            if at < end:
                return at if begin <= at else begin
        raise AssertionError("a week has none of its days")


@cache
def window_of(text: str) -> Window | None:
    """Return the window that a text means, None for an empty one. Raises Invalid."""
    if not text.strip():
        return None
    found = _WRITTEN.fullmatch(text.strip())
    if not found:
        raise _fault(text, "can't be read")
    days: set[int] = set()
    for part in found["days"].casefold().split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise _fault(text, f"{part!r} are no days")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days |= set(range(begin, end + 1) if begin <= end else (*range(begin, 7), *range(end + 1)))
    try:
        opens, closes = (time.fromisoformat(found[n].rjust(5, "0")) for n in ("begin", "end"))
        zone = ZoneInfo(found["zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _fault(text, "its hours or its time zone are none") from None
    return Window(frozenset(days), opens, closes, zone)


def _fault(text: str, what: str) -> Invalid:
    return Invalid(
        f"“{text[:60]}” is no maintenance window: {what}.", field="window", next_step=f"Write it like {FORM}."
    )
