"""When to look at a run: by how long it is expected to take, since each look costs a call. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

FIRST_LOOK = timedelta(seconds=60)
"""After a start, while events tell of ends: one may have come before the run that it is about was written down."""
HEARD_PAUSE = timedelta(minutes=15)
"""How often what runs is looked at while events tell of its end."""
STOPPING_PAUSE = timedelta(seconds=30)
LEAST_PAUSE, MOST_PAUSE = timedelta(minutes=1), timedelta(minutes=5)
SHARES = (0.5, 1.03)
"""Of the time that a run is expected to take: halfway, for what fails early or waits, and when it is over."""
LEAST_SECONDS, USUAL_SECONDS, MOST_SECONDS = 120.0, 600.0, 3600.0
"""Seconds that a run is expected to take: as long as the last good one, within bounds; else the usual ones."""


def next_look(begun: datetime, expected: float, now: datetime) -> datetime:
    """Return when to look next at a run of which nobody tells; `expected` seconds of 0 are the usual ones.

    Halfway, when it should be over, and then every few minutes: a run of 20 minutes of which nothing is known is
    looked at four times.
    """
    seconds = timedelta(seconds=expected or USUAL_SECONDS)
    for share in SHARES:
        # A look that came a little early must not be followed by another one at once.
        if now + LEAST_PAUSE / 2 < begun + seconds * share:
            return begun + seconds * share
    return now + min(max(seconds / 2, LEAST_PAUSE), MOST_PAUSE)


def expected_seconds(run: Mapping[str, Any] | None) -> float:
    """Return how long a pipeline's next run is expected to take: as long as its last good one."""
    if run is None or "startTime" not in run or "lastUpdateTime" not in run:
        return USUAL_SECONDS
    lasted = float((run["lastUpdateTime"] - run["startTime"]).total_seconds())
    return min(max(lasted, LEAST_SECONDS), MOST_SECONDS)
