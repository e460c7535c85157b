"""Times in words, as a stretch of the past: "past 12h", "yesterday", "since Monday", "1m"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot.errors import Invalid
from bot.insights import KEPT

_AHEAD = "Ask about what was, such as “yesterday”, “since Monday” or “in the past 12 hours”."
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LAST = re.compile(r"\b(?:past|last|previous|within an?)\s+(hour|day|week|month)\b")
_MONTHS = re.compile(r"(?<![\w-])([1-9])\s?m\b(?!\s?in)")
_SIZED = re.compile(
    r"(?<![\w-])(\d{1,6})\s?(min(?:ute)?s?|h(?:ours?|rs?)?|d(?:ays?)?|w(?:ks?|eeks?)?|months?)\b(?!\s?in)",
    re.IGNORECASE,
)
"""A number and its unit, for recognisers that do not resolve it."""
_BELOW_NOTHING = re.compile(r"(?<![\w])-\d+\s?(?:min|h|d|w|mo)")
_NIGHT, _MORNING, _WEEKEND = "last night", "this morning", re.compile(r"\b(?:last|over the|past|at the) weekend\b")
_RANGE = re.compile(
    r"(?:\b(?:from|between|since)\s+)?(?<!\d)(\d{4}-\d\d-\d\d)\s+(?:to|and|until|till|-)\s+(\d{4}-\d\d-\d\d)\b"
)
_NEAR = re.compile(rf"\b(today|yesterday|this week|this month|{'|'.join(_DAYS)})\b")
_BEFORE = re.compile(r"\b(?:before|prior to|earlier than|older than)\b")
_ON_A_DAY = re.compile(r"\bfrom (?:yesterday|today)\b(?! (?:on|to|until|till|onwards?)\b)")
"""What is from yesterday is yesterday's, while what is from Monday is taken for what has been since."""
_YEAR = re.compile(r"\b(?:in|during|of|since) (20\d\d)\b(?!-)")
_MONTHS_NAMED = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = rf"({'|'.join(f'{month[:3]}(?:{month[3:]})?' if month[3:] else month for month in _MONTHS_NAMED)}|sept)"
_NTH = r"(\d{1,2})(?:st|nd|rd|th)?"
_DAY_FIRST = re.compile(rf"\b{_NTH}(?: of)? {_MONTH}\b(?:,? (20\d\d))?")
_MONTH_FIRST = re.compile(rf"\b{_MONTH} {_NTH}\b(?:,? (20\d\d))?")
_BARE_DAY = re.compile(r"\b(on|since|from|to|until|before|after) the (\d{1,2})(?:st|nd|rd|th)\b(?! (?:of|one|insight))")
_DOTTED_DAY = re.compile(r"(?<![\w.])(\d{1,2})\.(\d{1,2})\.(20\d\d)?(?![\w.])")
_WHOLE_MONTH = re.compile(rf"\b(?:in|during|of|last|since) {_MONTH}\b(?: (20\d\d))?")
_ISO_DAY = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
_FROM = re.compile(r"\b(?:since|after|from|until now)\b")
_ISO = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_LENGTHS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
}
_SIZES = {
    "mi": timedelta(minutes=1),
    "mo": timedelta(days=30),
    **dict.fromkeys(("h", "ho", "hr"), timedelta(hours=1)),
    **dict.fromkeys(("d", "da"), timedelta(days=1)),
    **dict.fromkeys(("w", "we", "wk"), timedelta(weeks=1)),
}
_TOO_LONG = f"Insights are kept for {KEPT.days} days."
_TRY = "Ask for a shorter time, such as “in the past 12 hours”, “since Monday” or “1w”."


@dataclass(frozen=True)
class Span:
    """From when until when, and how people call it."""

    since: datetime
    until: datetime
    words: str


def read_span(text: str, slots: Mapping[str, str], now: datetime) -> Span | None:
    """Return the time that a sentence is about, None if it names none; raises Invalid for one that can't be.

    Days that are near are counted from `now`, the clock of the business; lengths and dates come as the recogniser
    resolved them (slots Window and Day, ISO 8601).
    """
    folded = with_iso_days(text.casefold(), now)
    if _BELOW_NOTHING.search(folded):
        raise _no_length()
    if (part := _part_of_day(folded, now)) is not None:
        return part
    length = _length(folded, slots.get("Window", ""))
    if length is not None:
        if length <= timedelta(0):
            raise _no_length()
        if length > KEPT:
            raise Invalid(_TOO_LONG, field="Window", next_step=_TRY)
        if _BEFORE.search(folded):
            return Span(now - KEPT, now - length, f"more than {length_words(length)} ago")
        return Span(now - length, now, f"in the past {length_words(length)}")
    days = _days(folded, slots.get("Day", ""), now)
    if days is None:
        return None
    first, after = (datetime.combine(day, time(), UTC) for day in days)
    if first > now:
        raise Invalid(f"{days[0].isoformat()} lies ahead, and insights are about what was.", next_step=_AHEAD)
    if days[1] <= days[0]:
        raise Invalid(f"{days[0].isoformat()} is after the end of that time.", field="Day", next_step=_TRY)
    if now - first > KEPT + timedelta(days=1):
        raise Invalid(_TOO_LONG, field="Day", next_step=_TRY)
    if _BEFORE.search(folded):
        return Span(now - KEPT, first, f"before {days[0].isoformat()}")
    if (
        _FROM.search(folded)
        and not _ON_A_DAY.search(folded)
        and days[1] - days[0] == timedelta(days=1)
        and not _RANGE.search(folded)
    ):
        return Span(first, now, f"since {days[0].isoformat()}")
    last = days[1] - timedelta(days=1)
    words = f"on {days[0].isoformat()}" if last == days[0] else f"from {days[0].isoformat()} to {last.isoformat()}"
    return Span(first, min(after, now), words)


def with_iso_days(folded: str, now: datetime) -> str:
    """Return a text with the days that it names as people do in ISO 8601: "between 1 and" stays, "1 nov" does not.

    A day without a year is the last one of that name.
    """

    def iso(number: str, month: str, year: str | None, said: str) -> str:
        today = now.astimezone(UTC).date()
        try:
            named = date(int(year or today.year), _month_of(month), int(number))
            return (named if year or named <= today else named.replace(year=named.year - 1)).isoformat()
        except ValueError as error:
            raise Invalid(f"There is no {said.title()}.", field="Day", next_step=_AHEAD) from error

    folded = re.sub(rf"\b{_NTH} (to|and|until|till|-) {_NTH} {_MONTH}\b", r"\1 \4 \2 \3 \4", folded)
    folded = re.sub(rf"\b{_MONTH} {_NTH} (to|and|until|till|-) {_NTH}\b(?! {_MONTH})", r"\1 \2 \3 \1 \4", folded)
    folded = _BARE_DAY.sub(lambda m: f"{m[1]} {_last_day(int(m[2]), now.astimezone(UTC).date(), m[0])}", folded)
    folded = _DOTTED_DAY.sub(
        lambda m: iso(m[1], _MONTHS_NAMED[int(m[2]) - 1], m[3], m[0]) if 1 <= int(m[2]) <= 12 else m[0], folded
    )
    folded = _DAY_FIRST.sub(lambda m: iso(m[1], m[2], m[3], m[0]), folded)
    return _MONTH_FIRST.sub(lambda m: iso(m[2], m[1], m[3], m[0]), folded)


def _last_day(number: int, today: date, said: str) -> str:
    """Return the last day of that number, today's included; raises Invalid where no month has it."""
    if not 1 <= number <= 31:
        raise Invalid(f"There is no {number}th of a month in “{said}”.", field="Day", next_step=_AHEAD)
    day = today
    while day.day != number:
        day -= timedelta(days=1)
    return day.isoformat()


def _month_of(name: str) -> int:
    return next(n for n, month in enumerate(_MONTHS_NAMED, 1) if month[:3] == name[:3])


def _no_length() -> Invalid:
    return Invalid("That time is not longer than nothing.", field="Window", next_step=_TRY)


def _part_of_day(folded: str, now: datetime) -> Span | None:
    """Return the night or the morning that is meant, in UTC as all days are; None when none is."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if _NIGHT in folded:
        since, until = midnight - timedelta(hours=6), midnight + timedelta(hours=6)
        if f"since {_NIGHT}" in folded:
            return Span(since, now, "since last night (18:00 UTC)")
        return Span(since, min(until, now), "last night (18:00 to 06:00 UTC)")
    if _MORNING in folded:
        if f"since {_MORNING}" in folded:
            return Span(midnight, now, "since this morning (00:00 UTC)")
        return Span(midnight, min(midnight + timedelta(hours=12), now), "this morning (until 12:00 UTC)")
    return None


def length_words(length: timedelta) -> str:
    """Return a length in its largest whole unit: 12 hours, 1 day, 90 minutes."""
    minutes = round(length.total_seconds() / 60)
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes % size == 0 and minutes >= size:
            return f"{minutes // size} {unit}{'s' if minutes != size else ''}"
    return "moment"


def _length(folded: str, window: str) -> timedelta | None:
    if found := _LAST.search(folded):
        return _LENGTHS[found[1]]
    if found := _MONTHS.search(folded):
        return int(found[1]) * _LENGTHS["month"]
    iso = _ISO.fullmatch(window)
    if not iso or not any(iso.groups()):
        found = _SIZED.search(folded)
        return int(found[1]) * _SIZES[found[2][:2].rstrip("s")] if found else None
    years, months, weeks, days, hours, minutes, seconds = (min(int(part or 0), 10**6) for part in iso.groups())
    return timedelta(days=365 * years + 30 * months + 7 * weeks + days, hours=hours, minutes=minutes, seconds=seconds)


def _days(folded: str, day: str, now: datetime) -> tuple[date, date] | None:
    """Return the first day and the day after the last."""
    today, one = now.astimezone(UTC).date(), timedelta(days=1)
    if "tomorrow" in folded:
        return today + one, today + 2 * one
    if found := _RANGE.search(folded):
        try:
            return date.fromisoformat(found[1]), date.fromisoformat(found[2]) + one
        except ValueError as error:
            raise Invalid(f"{found[1]} to {found[2]} is no time.", field="Day", next_step=_TRY) from error
    if found := re.search(rf"\b(?:from|between) ({'|'.join(_DAYS)}) (?:to|and|until) ({'|'.join(_DAYS)})\b", folded):
        last = today - ((today.weekday() - _DAYS.index(found[2])) % 7) * one
        return last - ((_DAYS.index(found[2]) - _DAYS.index(found[1])) % 7) * one, last + one
    if _WEEKEND.search(folded):
        monday = today - today.weekday() * one
        return monday - 2 * one, monday
    if found := _NEAR.search(folded):
        word = found[1]
        if word == "today":
            return today, today + one
        if word == "yesterday":
            return today - one, today
        if word == "this week":
            return today - today.weekday() * one, today + one
        if word == "this month":
            return today.replace(day=1), today + one
        back = (today.weekday() - _DAYS.index(word)) % 7 or 7
        return today - back * one, today - (back - 1) * one
    if found := _YEAR.search(folded):
        first = date(int(found[1]), 1, 1)
        return first, min(date(first.year + 1, 1, 1), max(today, first) + one)
    if found := _WHOLE_MONTH.search(folded):
        named_month = _month_of(found[1])
        first = date(int(found[2] or today.year - (named_month > today.month)), named_month, 1)
        after = (first + 31 * one).replace(day=1)
        return first, max(after, today + one) if found[0].startswith("since") else after
    if found := _ISO_DAY.search(folded):
        try:
            date.fromisoformat(day := found[0])
        except ValueError as error:
            raise Invalid(f"There is no {day}.", field="Day", next_step=_AHEAD) from error
    try:
        if week := re.fullmatch(r"(\d{4})-W(\d{2})", day):
            monday = date.fromisocalendar(int(week[1]), int(week[2]), 1)
            return monday, monday + 7 * one
        if month := re.fullmatch(r"(\d{4})-(\d{2})", day):
            first = date(int(month[1]), int(month[2]), 1)
            return first, (first + 31 * one).replace(day=1)
        named = date.fromisoformat(day)
    except ValueError:
        return None
    if named > today and not re.search(r"\d{4}", folded):
        named = named.replace(year=named.year - 1)  # recognisers take a date without a year to lie ahead
    return named, named + one
