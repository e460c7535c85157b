"""What comes again on days of the week, at a time of the day somewhere: read from words, and when it is next. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.errors import Invalid
from bot.spoken_times import CLOCK, ZONE, clock_of, zone_of

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMED = {"day": range(7), "weekday": range(5), "working day": range(5), "workday": range(5), "weekend": range(5, 7)}
_DAY = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)s?"
)
_LIST = rf"{_DAY}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*|\s*/\s*){_DAY})*"
_GROUPS = r"(?:working\s+day|week\s?day|work\s?day|weekend|day)s?"
_OFTEN = re.compile(
    rf"\b(?:(?:every|each)\s+(?:week\s+on\s+)?(?P<days>{_LIST}|{_GROUPS})|weekly,?\s+on\s+(?P<weekly>{_LIST})"
    rf"|(?P<daily>daily)|on\s+(?P<plural>(?:{_LIST}|weekdays|workdays)(?<=s)))(?!\w)",
    re.IGNORECASE,
)
_RARE = re.compile(
    r"\b(?:every|each)\s+(?:\d+|an?|other|second|third|two|three|few|hours?|minutes?|months?|weeks?(?!\s+on\b)|years?|night"
    r"|morning|evening|afternoon|quarter|sprint|\w+\s+(?:of|in)\s+the\s+month)\b|\b(?:hourly|weekly(?!,?\s+on\b)|monthly|fortnightly)\b",
    re.IGNORECASE,
)
_PLACES = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": -1}
_MONTHLY = re.compile(
    rf"\b(?:(?:every|each|(?:on\s+)?the)\s+)?(?P<place>{'|'.join(_PLACES)})\s+(?P<days>{_DAY})"
    r"\s+(?:of|in)\s+(?:the|every|each|a)\s+month(?!\w)",
    re.IGNORECASE,
)
_AT = re.compile(rf"(?:,\s*)?\b(?:at\s+)?{CLOCK}(?:\s*h\b)?(?:\s+(?:in\s+)?{ZONE}(?:\s+time\b)?)?", re.IGNORECASE)
_ABBREVIATED = re.compile(r"\s+(?!UTC\b)([A-Z]{3,5})\b")
_ADVICE = (
    "Say the days of the week and the time, such as “every Tuesday at 10:00 Europe/Berlin” or “every first Monday of "
    "the month at 9:00”."
)


@dataclass(frozen=True)
class Recurrence:
    """Days of the week (0 is Monday), a time of the day, and the time zone in which both count.

    `place` tells which of these days in each month is meant: 1 to 4, -1 for the last; 0 for each of them.
    """

    days: tuple[int, ...]
    at: time
    zone: str
    place: int = 0

    def after(self, moment: datetime) -> datetime:
        """Return the next time that comes after a moment, in UTC.

        A time that the clocks leave out counts from before they were put forward; one that they show twice is its
        first: each day has it once.
        """
        day = moment.astimezone(ZoneInfo(self.zone)).date() - timedelta(days=1)
        while True:
            if day.weekday() in self.days and self._is_in_place(day):
                found = datetime.combine(day, self.at, ZoneInfo(self.zone)).astimezone(UTC)
                if found > moment:
                    return found
            day += timedelta(days=1)

    def _is_in_place(self, day: date) -> bool:
        if self.place < 0:
            return (day + timedelta(days=7)).month != day.month
        return self.place in (0, (day.day - 1) // 7 + 1)

    def upcoming(self, moment: datetime) -> Iterator[datetime]:
        """Yield the times after a moment, without end."""
        while True:
            moment = self.after(moment)
            yield moment

    def local(self, moment: datetime) -> str:
        """Return a moment as its own time zone shows it, with the date."""
        there = moment.astimezone(ZoneInfo(self.zone))
        utc = "" if self.zone == "UTC" else f" ({moment.astimezone(UTC):%H:%M} UTC)"
        return f"{there:%a} {there.day} {there:%b %Y} {there:%H:%M} {self.zone}{utc}"

    @property
    def words(self) -> str:
        """How it is told to people; `read_recurrence` reads it back."""
        named = {tuple(range(7)): "day", tuple(range(5)): "weekday"}.get(self.days)
        if named is None:
            each = [DAYS[day] for day in self.days]
            named = " and ".join((", ".join(each[:-1]), each[-1])) if len(each) > 1 else each[0]
        if self.place:
            named = f"{next(word for word, place in _PLACES.items() if place == self.place)} {named} of the month"
        return f"every {named} at {self.at:%H:%M} {self.zone}"


def find_recurrence(text: str) -> tuple[str, str] | None:
    """Return the words of a text that say when something comes again, and the text without them; None if it has none.

    The words are not read: “every second Friday” is found, and refused by `read_recurrence`.
    """
    often, rare = _OFTEN.search(text), _RARE.search(text)
    found = _MONTHLY.search(text) or (
        often if often and not (rare and rare.start() <= often.start()) else rare or often
    )
    if found is None:
        return None
    rest = f"{text[: found.start()]}\0{text[found.end() :]}"
    said, at = found[0], _time_in(rest)
    if at is None:
        return said, _tidy(rest)
    zone = _ABBREVIATED.match(rest, at.end()) if not at[2] else None
    end = zone.end() if zone else at.end()
    return f"{said} {rest[at.start() : end].strip(' ,')}", _tidy(f"{rest[: at.start()]} {rest[end:]}")


def read_recurrence(text: str, working_hours: str = "") -> Recurrence:
    """Return what words mean; raises Invalid for what is not days of the week and a time.

    Where no zone is said it is that of WORKING_HOURS, else UTC.
    """
    monthly, rare = _MONTHLY.search(text), _RARE.search(text)
    often = monthly or _OFTEN.search(text)
    if often is None or (rare and not monthly and rare.start() <= often.start()):
        raise Invalid("I can repeat things on days of the week, or on one of a month, only.", next_step=_ADVICE)
    rest = f"{text[: often.start()]}\0{text[often.end() :]}"
    at = _time_in(rest)
    if at is None:
        raise Invalid("At what time?", next_step=_ADVICE)
    if not at[2] and (abbreviated := _ABBREVIATED.match(rest, at.end())):
        raise Invalid(
            f"“{abbreviated[1]}” can mean several time zones, or changes with the season.",
            next_step="Write the zone like Europe/Berlin, or UTC.",
        )
    zone = zone_of(at[2] or "", working_hours)
    if monthly:
        return Recurrence(_days_of(monthly["days"]), clock_of(at[1]), zone, _PLACES[monthly["place"].casefold()])
    days = often["days"] or often["weekly"] or often["plural"] or "day"
    return Recurrence(_days_of(days), clock_of(at[1]), zone)


def _time_in(text: str) -> re.Match[str] | None:
    """Return the time of the day: what follows “at”, a colon or am/pm tell; “for 15 minutes” and “2 of 6” are none."""
    for found in _AT.finditer(text):
        begins = text[: found.start()].rstrip().endswith("\0")
        if begins or found[0].lstrip(", ").casefold().startswith("at ") or not found[1].isdigit():
            return found
    return None


def _days_of(text: str) -> tuple[int, ...]:
    folded = re.sub(r"\s+", " ", text.casefold())
    group = folded.removesuffix("s").replace("week day", "weekday").replace("work day", "workday")
    if group in _NAMED:
        return tuple(_NAMED[group])
    names = re.findall(r"[a-z]+", folded.replace(" and ", " "))
    return tuple(
        sorted({number for name in names for number, day in enumerate(DAYS) if day.casefold()[:3] == name[:3]})
    )


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\0", " ")).strip(" ,")
