"""Working hours: how long something may wait when only the hours count in which people are there.

`WORKING_HOURS` is written as days, hours, time zone and, if holidays are to be left out, their country with
an optional subdivision: `Mon-Fri 09:00-17:00 Europe/Berlin DE-BE`. Holidays come from the `holidays` library.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.errors import SettingsError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORM = "Mon-Fri 09:00-17:00 Europe/Berlin DE-BE"
_WRITTEN = re.compile(
    r"(?P<days>[A-Za-z]{3}(?:[-,][A-Za-z]{3})*)\s+(?P<begin>\d\d?:\d\d)-(?P<end>\d\d?:\d\d)\s+(?P<zone>[\w/+-]+)"
    r"(?:\s+(?P<country>[A-Z]{2})(?:-(?P<subdivision>[A-Z0-9]{1,3}))?)?"
)
_DAYS_AHEAD = 3660
"""Days that are looked through before giving up: ten years without a working hour is a mistake in the setting."""


@dataclass(frozen=True)
class WorkingHours:
    """The hours of a week that count, in a time zone, without that country's public holidays."""

    days: frozenset[int]
    begin: time
    end: time
    zone: ZoneInfo
    country: str = ""
    subdivision: str = ""

    @staticmethod
    def parse(text: str) -> WorkingHours | None:
        """Return the hours that WORKING_HOURS names, None for an empty text. Raises SettingsError."""
        if not text.strip():
            return None
        found = _WRITTEN.fullmatch(text.strip())
        if not found:
            raise _fault(f"{text!r} can't be read")
        try:
            zone = ZoneInfo(found["zone"])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise _fault(f"there is no time zone {found['zone']!r}") from None
        try:
            begin, end = (time.fromisoformat(found[n].rjust(5, "0")) for n in ("begin", "end"))
        except ValueError:
            raise _fault(f"{found['begin']}-{found['end']} are no times of a day") from None
        if begin >= end:
            raise _fault(f"{found['begin']} is not before {found['end']}")
        country, subdivision = found["country"] or "", found["subdivision"] or ""
        hours = WorkingHours(frozenset(_days(found["days"])), begin, end, zone, country, subdivision)
        try:
            hours.is_holiday(date(2026, 1, 1))
        except NotImplementedError:
            raise _fault(f"holidays of {found['country']}-{subdivision} are not known".rstrip("-")) from None
        return hours

    def is_holiday(self, day: date) -> bool:
        """Tell whether the day is a public holiday there."""
        return bool(self.country) and day in _calendar(self.country, self.subdivision, day.year)

    def add(self, since: datetime, duration: timedelta) -> datetime:
        """Return when that much working time will have passed since then, in UTC."""
        left = duration
        for begin, end in self._stretches(since):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        raise _fault("no working hour is left in ten years")

    def next(self, since: datetime) -> datetime:
        """Return the next moment within working hours, which may be that very one, in UTC."""
        return self.add(since, timedelta())

    def between(self, since: datetime, until: datetime) -> timedelta:
        """Return how much working time lies between two moments; none when they are the wrong way round."""
        passed = timedelta()
        for begin, end in self._stretches(since):
            if begin >= until:
                break
            passed += min(end, until) - begin
        return passed

    def _stretches(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the working stretches from a moment on, in UTC: days change their length with the clocks."""
        first = since.astimezone(self.zone).date()
        for number in range(_DAYS_AHEAD):
            day = first + timedelta(days=number)
            if day.weekday() not in self.days or self.is_holiday(day):
                continue
            begin = datetime.combine(day, self.begin, self.zone).astimezone(UTC)
            end = datetime.combine(day, self.end, self.zone).astimezone(UTC)
            if end > since:
                yield max(begin, since.astimezone(UTC)), end


@cache
def _calendar(country: str, subdivision: str, year: int) -> Container[date]:
    import holidays as calendars  # a fifteenth of the start, for those who count working hours alone

    return calendars.country_holidays(country, subdiv=subdivision or None, years=year)


def _days(text: str) -> Iterator[int]:
    for part in text.casefold().split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise _fault(f"{part!r} are no days")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        yield from range(begin, end + 1) if begin <= end else (*range(begin, 7), *range(end + 1))


def _fault(what: str) -> SettingsError:
    return SettingsError(f"WORKING_HOURS: {what}.", next_step=f"Write it like {FORM}.")
