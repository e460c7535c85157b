"""Hours in which a room wants to be left alone, in its own time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.hours import WorkingHours


@dataclass(frozen=True)
class QuietHours:
    """Each day from one time to another, or all but working hours; `pierced` lets what is grave through.

    `working` is written as WORKING_HOURS is; when it is set, the rest does not count.
    """

    begin: str = ""
    end: str = ""
    zone: str = "UTC"
    working: str = ""
    pierced: bool = False

    def until(self, now: datetime) -> datetime | None:
        """Return when the quiet that holds now is over, in UTC; None when it is not quiet."""
        if self.working:
            hours = WorkingHours.parse(self.working)
            if hours is None:
                return None
            begin = hours.add(now, timedelta(0))
            return begin if begin > now else None
        zone = ZoneInfo(self.zone)
        begins, ends = time.fromisoformat(self.begin), time.fromisoformat(self.end)
        today = now.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            begin = datetime.combine(day, begins, zone)
            last = day + timedelta(days=1) if ends <= begins else day
            end = datetime.combine(last, ends, zone)
            if begin <= now < end:
                return end.astimezone(UTC)
        return None

    @property
    def phrase(self) -> str:
        """How it is told to people."""
        when = f"outside of {self.working}" if self.working else f"from {self.begin} to {self.end} {self.zone}"
        return f"quiet {when}" + (", but for high severity" if self.pierced else "")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types; `from_dict` is the inverse."""
        return dict(vars(self))

    @staticmethod
    def from_dict(data: Mapping[str, Any] | None) -> QuietHours | None:
        """Rebuild what `as_dict` returned."""
        return QuietHours(**data) if data else None
