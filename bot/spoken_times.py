"""Times of the day and time zones as people say them: “10 pm”, “noon”, “Berlin time”."""

from __future__ import annotations

import re
from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.errors import Invalid

CLOCK = r"(\d{1,2}(?::\d{2})?(?:\s*(?:am|pm)\b)?|midnight|noon)"
"""Pattern with one group: a time of the day."""
ZONE = r"([A-Za-z]+/[A-Za-z_/]+|UTC|[A-Za-z_]+(?=\s+time\b))"
"""Pattern with one group: a time zone's name, or a city before the word “time”."""
_CONTINENTS = ("Europe", "America", "Asia", "Africa", "Australia", "Pacific", "Atlantic")


def clock_of(text: str) -> time:
    """Return the time of the day that a match of CLOCK means; raises Invalid for what can't be."""
    folded = text.casefold().strip()
    if folded in ("midnight", "noon"):
        return time(0 if folded == "midnight" else 12)
    found = re.fullmatch(r"(\d{1,2})(?::(\d{2}))?\s*(am|pm)?", folded)
    hours, minutes = (int(found[1]), int(found[2] or 0)) if found else (99, 0)
    if found and found[3]:
        hours = hours % 12 + (12 if found[3] == "pm" else 0) if 1 <= hours <= 12 else 99
    if hours == 24 and not minutes:
        hours = 0
    if hours > 23 or minutes > 59:
        raise Invalid(f"“{text.strip()}” is no time of day.", next_step="Write it like 22:00 or 10 pm.")
    return time(hours, minutes)


def zone_of(said: str, working_hours: str) -> str:
    """Return a time zone by its name or its city; that of WORKING_HOURS when none is said, else UTC. Raises Invalid."""
    if not said:
        found = re.search(r"\b([A-Za-z]+/[A-Za-z_/+-]+|UTC)\b", working_hours)
        return found[1] if found else "UTC"
    names = [said] if "/" in said or said.upper() == "UTC" else [f"{c}/{said.title()}" for c in _CONTINENTS]
    for name in names:
        try:
            return ZoneInfo(name.upper() if name.upper() == "UTC" else name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    raise Invalid(f"I know no time zone “{said}”.", next_step="Write it like Europe/Berlin.")
