"""A clock for tests: it stands still until it is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class HandClock:
    """Wall and business time are the same here."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)

    def wall(self) -> datetime:
        return self.at

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        """Move it by a timedelta's arguments."""
        self.at += timedelta(**by)
