"""Months of the business clock, in the time zone of the working hours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bot.errors import Invalid, NotFound
from bot.hours import WorkingHours

NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WRITTEN = re.compile(r"(?P<year>\d{4})[-/. ](?P<month>\d{1,2})|(?P<month2>\d{1,2})[-/. ](?P<year2>\d{4})")
_NAMED = re.compile(r"(?P<name>[a-z]{3,9})\.?(?:\s+(?P<year>\d{4}))?")
NEXT = "Name one like October, 2026-10, “last month” or “this month”."


@dataclass(frozen=True, order=True)
class Month:
    """One calendar month."""

    year: int
    number: int

    @staticmethod
    def of(day: date) -> Month:
        """Return the month that a day is in."""
        return Month(day.year, day.month)

    @property
    def key(self) -> str:
        """The month as 2026-10."""
        return f"{self.year:04}-{self.number:02}"

    @property
    def title(self) -> str:
        """The month as October 2026."""
        return f"{NAMES[self.number - 1]} {self.year}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def before(self) -> Month:
        """The month before."""
        return Month.of(self.first - timedelta(days=1))

    @property
    def after(self) -> Month:
        """The month after."""
        return Month.of(self.first + timedelta(days=31))

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """Return its beginning and its end (which is no part of it) in UTC."""
        begin, end = (datetime.combine(m.first, time(), zone).astimezone(UTC) for m in (self, self.after))
        return begin, end


def zone_of(hours: WorkingHours | None) -> tzinfo:
    """Return the zone that months are counted in."""
    return hours.zone if hours else UTC


def month_of(text: str, today: date) -> Month:
    """Return the month that a person means; a name without a year is the latest such month that has begun.

    Raises Invalid for what is no month, NotFound for one that lies ahead.
    """
    words = " ".join(text.casefold().replace(",", " ").split()).strip("?!. ")
    for aside in ("the month of ", "the ", "of "):
        words = words.removeprefix(aside)
    current = Month.of(today)
    if words in ("", "last", "last month", "previous month", "past month", "month before"):
        return current.before
    if words in ("this", "this month", "current month", "month so far"):
        return current
    month = _written(words) or _named(words, current)
    if month is None:
        raise Invalid(f"“{text.strip()[:40]}” is no month.", field="Month", next_step=NEXT)
    if month > current:
        raise NotFound(f"{month.title} has not begun.", next_step=NEXT)
    return month


def _written(words: str) -> Month | None:
    found = _WRITTEN.fullmatch(words)
    if not found:
        return None
    year, number = int(found["year"] or found["year2"]), int(found["month"] or found["month2"])
    return Month(year, number) if 1 <= number <= 12 and 2000 <= year <= 9000 else None


def _named(words: str, current: Month) -> Month | None:
    found = _NAMED.fullmatch(words)
    if not found:
        return None
    numbers = [n for n, name in enumerate(NAMES, 1) if name.casefold().startswith(found["name"])]
    if len(numbers) != 1:
        return None
    if found["year"]:
        return Month(int(found["year"]), numbers[0])
    month = Month(current.year, numbers[0])
    return month if month <= current else Month(current.year - 1, numbers[0])


def due_at(month: Month, hours: WorkingHours | None) -> datetime:
    """Return when the report of the month before goes out: the first working day's begin, in UTC.

    Without WORKING_HOURS that is the first day from Monday to Friday, at its start in UTC.
    """
    if hours:
        begin, _ = month.bounds(hours.zone)
        return hours.add(begin, timedelta())
    day = month.first
    while day.weekday() > 4:
        day += timedelta(days=1)
    return datetime.combine(day, time(), UTC)


def due_between(since: datetime, until: datetime, hours: WorkingHours | None) -> list[Month]:
    """Return the months whose report came due after `since` and not after `until`, oldest first, a year at most."""
    zone = zone_of(hours)
    month, found = Month.of(until.astimezone(zone).date()), []
    for _ in range(12):
        due = due_at(month, hours)
        if due <= since:
            break
        if due <= until:
            found.append(month.before)
        month = month.before
    return found[::-1]
