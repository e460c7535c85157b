"""What comes on a date, or again on days of the week, at a time of the day somewhere: read from words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.errors import Invalid
from bot.spoken_days import day_meant
from bot.spoken_times import CLOCK, ZONE, clock_of, zone_of

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMED = {"day": range(7), "weekday": range(5), "working day": range(5), "workday": range(5), "weekend": range(5, 7)}
_DAY = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)s?"
)
_LIST = rf"{_DAY}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*|\s*/\s*){_DAY})*"
_NTH = {"other": 2, "second": 2, "2nd": 2, "two": 2, "2": 2, "third": 3, "3rd": 3, "three": 3, "3": 3}
_NTH |= {"fourth": 4, "4th": 4, "four": 4, "4": 4}
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b"
)
_YEAR = r"(?:,?\s+\d{4}\b)?"
_DATE = (
    rf"(?:\d{{4}}-\d\d-\d\d|(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th|\.)?(?:\s+of)?\s+{_MONTH}{_YEAR}"
    rf"|{_MONTH}\s+(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?(?![\d:]){_YEAR})"
)
_FROM = r",?\s+(?:from|starting(?:\s+on)?|beginning(?:\s+on)?)\s+"
_WEEKS = re.compile(
    rf"\b(?:(?:every|each)\s+(?P<nth>{'|'.join(_NTH)})\s+(?:weeks?\s+on\s+)?(?P<days>{_LIST})"
    rf"|fortnightly,?\s+on\s+(?P<fortnight>{_LIST}))(?:{_FROM}(?P<since>{_DATE}))?(?![\w-])",
    re.IGNORECASE,
)
_STARTING = re.compile(rf"{_FROM}(?P<date>{_DATE})", re.IGNORECASE)
_ONCE = re.compile(
    rf"\b(?:(?:on\s+)?(?P<date>\d{{4}}-\d\d-\d\d|(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th|\.)?(?:\s+of)?\s+{_MONTH}{_YEAR})"
    rf"|on\s+(?P<month>{_DATE})|(?:on\s+)?(?P<next>(?:next|this)\s+{_DAY}(?<!s))|on\s+(?P<day>{_DAY}(?<!s))"
    r"|(?P<soon>today|tomorrow))(?![\w-])",
    re.IGNORECASE,
)
_UNREAD = re.compile(
    r"\b(?:tonight|this\s+(?:morning|afternoon|evening|week)|next\s+(?:week|month|quarter)"
    r"|in\s+(?:an?|one|two|three|four|a\s+few|\d{1,3})\s+(?:minutes?|hours?|days?|weeks?|months?)"
    r"|(?:on\s+)?\d{1,2}\.\d{1,2}\.(?:\d{4})?|(?:on\s+)?\d{1,2}/\d{1,2}(?:/\d{2,4})?"
    r"|at\s+(?:\d{1,2}:\d{2}|\d{1,2}\s*(?:am|pm)|noon|midnight))(?![\w-])",
    re.IGNORECASE,
)
"""Times that are not read, but must not be passed over either: what they say is not “now”."""
FARTHEST = timedelta(days=366)
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
    "Say the days of the week and the time, such as “every Tuesday at 10:00 Europe/Berlin”, “every second Friday at "
    "16:00”, “every first Monday of the month at 9:00” or “on 3 December at 10:00”."
)


@dataclass(frozen=True)
class Recurrence:
    """Days of the week (0 is Monday), a time of the day, and the time zone in which both count.

    `place` tells which of these days in each month is meant: 1 to 4, -1 for the last; 0 for each of them. `weeks` is 2
    for every second week and so on, counted from the week of `since`, before which nothing comes. What comes once has
    no days but the date `on`.
    """

    days: tuple[int, ...]
    at: time
    zone: str
    place: int = 0
    weeks: int = 1
    since: date | None = None
    on: date | None = None

    def after(self, moment: datetime) -> datetime | None:
        """Return the next time that comes after a moment, in UTC; None when it does not come again.

        A time that the clocks leave out counts from before they were put forward; one that they show twice is its
        first: each day has it once.
        """
        if self.on:
            only = self._at(self.on)
            return only if only > moment else None
        day = max(moment.astimezone(ZoneInfo(self.zone)).date() - timedelta(days=1), self.since or date.min)
        while True:
            if day.weekday() in self.days and self._is_in_place(day) and self._is_in_turn(day):
                found = self._at(day)
                if found > moment:
                    return found
            day += timedelta(days=1)

    def _at(self, day: date) -> datetime:
        return datetime.combine(day, self.at, ZoneInfo(self.zone)).astimezone(UTC)

    def _is_in_turn(self, day: date) -> bool:
        if self.weeks == 1 or self.since is None:
            return True
        monday = self.since - timedelta(days=self.since.weekday())
        return (day - monday).days // 7 % self.weeks == 0

    def _is_in_place(self, day: date) -> bool:
        if self.place < 0:
            return (day + timedelta(days=7)).month != day.month
        return self.place in (0, (day.day - 1) // 7 + 1)

    def upcoming(self, moment: datetime) -> Iterator[datetime]:
        """Yield the times after a moment, without end but for what comes once."""
        while following := self.after(moment):
            moment = following
            yield moment

    def local(self, moment: datetime) -> str:
        """Return a moment as its own time zone shows it, with the date."""
        there = moment.astimezone(ZoneInfo(self.zone))
        utc = "" if self.zone == "UTC" else f" ({moment.astimezone(UTC):%H:%M} UTC)"
        return f"{there:%a} {there.day} {there:%b %Y} {there:%H:%M} {self.zone}{utc}"

    @property
    def words(self) -> str:
        """How it is told to people; `read_recurrence` reads it back."""
        if self.on:
            return f"on {self.on} at {self.at:%H:%M} {self.zone}"
        named = {tuple(range(7)): "day", tuple(range(5)): "weekday"}.get(self.days)
        if named is None:
            each = [DAYS[day] for day in self.days]
            named = " and ".join((", ".join(each[:-1]), each[-1])) if len(each) > 1 else each[0]
        if self.place:
            named = f"{next(word for word, place in _PLACES.items() if place == self.place)} {named} of the month"
        if self.weeks > 1:
            named = f"{next(word for word, n in _NTH.items() if n == self.weeks and word != 'other')} {named}"
        since = f" from {self.since}" if self.since else ""
        return f"every {named}{since} at {self.at:%H:%M} {self.zone}"


def find_recurrence(text: str) -> tuple[str, str] | None:
    """Return the words of a text that say when something comes again, and the text without them; None if it has none.

    The words are not read: “every month” and “tonight” are found, and refused by `read_recurrence`.
    """
    often, rare = _OFTEN.search(text), _RARE.search(text)
    found = _MONTHLY.search(text) or _WEEKS.search(text)
    found = found or (often if often and not (rare and rare.start() <= often.start()) else rare or often)
    found = found or _ONCE.search(text) or _UNREAD.search(text)
    if found is None:
        return None
    rest = f"{text[: found.start()]}\0{text[found.end() :]}"
    said = found[0]
    if found.re is not _ONCE and (since := _STARTING.search(rest)):
        said, rest = f"{said} {since[0].strip(' ,')}", f"{rest[: since.start()]}{rest[since.end() :]}"
    at = _time_in(rest)
    if at is None:
        return None if said.casefold() == "today" else (said, _tidy(rest))
    zone = _ABBREVIATED.match(rest, at.end()) if not at[2] else None
    end = zone.end() if zone else at.end()
    return f"{said} {rest[at.start() : end].strip(' ,')}", _tidy(f"{rest[: at.start()]} {rest[end:]}")


def read_recurrence(text: str, working_hours: str = "", now: datetime | None = None) -> Recurrence:
    """Return what words mean; raises Invalid for what is not a date, or days of the week, and a time.

    Where no zone is said it is that of WORKING_HOURS, else UTC. Days that are named but for their year, and the first
    of every second week, are the next ones from `now` on; without it only what `words` gave is read.
    """
    monthly, weeks, rare = _MONTHLY.search(text), _WEEKS.search(text), _RARE.search(text)
    often = monthly or weeks or _OFTEN.search(text)
    if often is None and rare is None:
        often = _ONCE.search(text)
    if often is None or (rare and not monthly and not weeks and rare.start() <= often.start()):
        unread = _UNREAD.search(text) if rare is None else None
        if unread and not unread[0].casefold().startswith("at "):
            raise Invalid(f"I don't know when “{unread[0]}” is.", next_step=_ADVICE)
        if rare is None and _time_in(f"\0{text}"):
            raise Invalid("On which days? Say them together with the time.", next_step=_ADVICE)
        raise Invalid("I can repeat things on days of the week, or on one of a month, only.", next_step=_ADVICE)
    rest = f"{text[: often.start()]}\0{text[often.end() :]}"
    starting = _STARTING.search(rest) if often.re is not _ONCE else None
    if starting:
        rest = f"{rest[: starting.start()]}{rest[starting.end() :]}"
    at = _time_in(rest)
    if at is None:
        raise Invalid(f"At what time? Say both together: “{often[0].strip()} at 10:00”.", next_step=_ADVICE)
    if not at[2] and (abbreviated := _ABBREVIATED.match(rest, at.end())):
        raise Invalid(
            f"“{abbreviated[1]}” can mean several time zones, or changes with the season.",
            next_step="Write the zone like Europe/Berlin, or UTC.",
        )
    zone = zone_of(at[2] or "", working_hours)
    clock = clock_of(at[1])
    if often.re is _ONCE:
        return _once(next(filter(None, often.groups())), clock, zone, now)
    since_words = starting["date"] if starting else often["since"] if weeks else None
    since = _day(since_words, _today(zone, now) - timedelta(days=1)) if since_words else None
    if monthly:
        return Recurrence(_days_of(monthly["days"]), clock, zone, _PLACES[monthly["place"].casefold()], since=since)
    if weeks:
        count = _NTH[weeks["nth"].casefold()] if weeks["nth"] else 2
        found = Recurrence(_days_of(weeks["days"] or weeks["fortnight"]), clock, zone, weeks=count, since=since)
        return found if since else replace(found, since=_first(found, now))
    days = often["days"] or often["weekly"] or often["plural"] or "day"
    return Recurrence(_days_of(days), clock, zone, since=since)


def _once(words: str, clock: time, zone: str, now: datetime | None) -> Recurrence:
    """Return what comes once, on the day that words name; raises Invalid for what is over or too far away."""
    today = _today(zone, now)
    # Today counts as long as its time is ahead; “next Friday” is never today.
    is_after_today = words.casefold().startswith(("today", "tomorrow", "next"))
    day = _day(words, today if is_after_today else today - timedelta(days=1))
    found = Recurrence((), clock, zone, on=day)
    if now is None:
        return found
    if found.after(now) is None:
        found = replace(found, on=_day(words, today))
    if found.after(now) is None:
        raise Invalid(f"{found.words[3:]} is over.", next_step="Name a time that is still to come.")
    if found.on and found.on - today > FARTHEST:
        raise Invalid(f"{found.on} is more than a year ahead.", next_step="Name an earlier day.")
    return found


def _first(recurrence: Recurrence, now: datetime | None) -> date:
    """Return the day on which what comes every few weeks comes first."""
    if now is None:
        raise Invalid("From which day on?", next_step=_ADVICE)
    following = replace(recurrence, weeks=1).after(now)
    return (following or now).astimezone(ZoneInfo(recurrence.zone)).date()


def _today(zone: str, now: datetime | None) -> date:
    return (now or datetime.fromtimestamp(0, UTC) + timedelta(days=1)).astimezone(ZoneInfo(zone)).date()


def _day(words: str, today: date) -> date:
    day = day_meant(words, today)
    if day is None:
        raise Invalid(f"I know no day “{words[:40]}”.", next_step="Write it like 2026-12-03, or “3 December”.")
    return day


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
