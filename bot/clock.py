"""Two clocks: the wall for signatures, tokens and leases of processes; the business clock for everything else.

In the embedded default the business clock follows the sandbox's, so that tests and rehearsals jump days.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time; both return aware UTC datetimes."""

    def wall(self) -> datetime:
        """Return real time."""
        ...

    def now(self) -> datetime:
        """Return business time: approvals, polls, windows and schedules count in it."""
        ...


class SystemClock:
    """Business time is real time: production."""

    def wall(self) -> datetime:
        """Return real time."""
        return datetime.now(UTC)

    def now(self) -> datetime:
        """Return real time."""
        return datetime.now(UTC)


class FollowingClock:
    """Business time follows another clock that runs at its own speed and may be moved forward.

    `read` returns that clock's (now, speed). Between two readings time is extrapolated; it never goes
    backwards, also when the other clock does.
    """

    def __init__(self, read: Callable[[], Awaitable[tuple[datetime, float]]]) -> None:
        self._read = read
        self._base = datetime.now(UTC)
        self._speed = 1.0
        self._at = time.monotonic()
        self._latest = datetime.min.replace(tzinfo=UTC)

    async def follow(self) -> None:
        """Read the other clock once; raises what `read` raises and then goes on as before."""
        base, speed = await self._read()
        self._base, self._speed, self._at = base, speed, time.monotonic()

    def wall(self) -> datetime:
        """Return real time."""
        return datetime.now(UTC)

    def now(self) -> datetime:
        """Return the followed clock's time."""
        moved = self._base + timedelta(seconds=(time.monotonic() - self._at) * self._speed)
        self._latest = max(self._latest, moved)
        return self._latest

    @property
    def speed(self) -> float:
        """Simulated seconds per real second."""
        return self._speed


def iso(moment: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with milliseconds and Z, or None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
