"""Dates, times and durations: ISO 8601 and plain English, resolved to ISO 8601 as Lex does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Final

from adapters.lex.engine.numbers import number_from_words
from adapters.lex.engine.spans import Found

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_UNITS: Final = {
    "second": "S",
    "minute": "M",
    "hour": "H",
    "day": "D",
    "week": "W",
    "fortnight": "W",
    "month": "M",
    "year": "Y",
}
_UNIT_SPELLINGS: Final = {
    "s": "second", "sec": "second", "secs": "second", "m": "minute", "min": "minute", "mins": "minute",
    "h": "hour", "hr": "hour", "hrs": "hour", "d": "day", "w": "week", "wk": "week", "wks": "week",
    "mo": "month", "yr": "year", "yrs": "year",
}  # fmt: skip
_WEEKS: Final = {"fortnight": 2}
_HOURS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_SPOKEN_COUNT = rf"half an|an?|{_HOURS}|fifteen|twenty|thirty|forty(?:[ -]five)?|sixty|ninety"
_COUNT = rf"\d+(?:\.\d+)?|{_SPOKEN_COUNT}"
_UNIT = r"seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|wks?|w|fortnights?|months?|mo|years?|yrs?"
_HALF = r"\s+and\s+a\s+half"
_PART = rf"(?:\d+(?:\.\d+)?\s*|(?:{_SPOKEN_COUNT})(?:{_HALF})?\s+)(?:{_UNIT})(?:{_HALF})?"
_DURATION = re.compile(
    r"(?<![\w.-])(?:(?P<iso>P(?=\w)(?:\d+[YMWD])*(?:T(?=\d)(?:\d+[HMS])+)?)"
    rf"|(?P<parts>{_PART}(?:(?:\s*,?\s*(?:and\s+)?){_PART})*)"
    r"|past\s+(?P<whole>hour|day|week|fortnight|month|year))(?![\w-])",
    re.IGNORECASE,
)
_ONE_PART = re.compile(
    rf"(?:(\d+(?:\.\d+)?)\s*|\b({_SPOKEN_COUNT})({_HALF})?\s+)({_UNIT})(?![a-z])({_HALF})?", re.IGNORECASE
)

_MONTH = "|".join(rf"{month[:3]}(?:{month[3:]})?" if month != "september" else "sept?(?:ember)?" for month in _MONTHS)
# Elsewhere “the third” is mostly the third of something.
_BEFORE = ("on", "by", "until", "till", "from", "before", "after")
_BEFORE_A_DAY = "|".join(rf"(?<=\b{word} )" for word in _BEFORE)
_DATE = re.compile(
    rf"(?<![\w./-])(?:(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})(?:T[\d:.]+(?:Z|[+-][\d:]+)?)?"
    rf"|(?P<near>day after tomorrow|today|tonight|tomorrow|yesterday)"
    rf"|(?:(?P<which>next|this|last|on|coming)\s+)?(?P<weekday>{'|'.join(_WEEKDAYS)})"
    rf"|(?P<period>next|this|last)\s+(?P<span>week|month|year)"
    rf"|(?P<month1>{_MONTH})\.?\s+(?P<day1>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year1>\d{{4}}))?"
    rf"|(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month2>{_MONTH})\.?(?:,?\s+(?P<year2>\d{{4}}))?"
    rf"|in\s+(?P<ahead>{_COUNT})\s+(?P<unit>days?|weeks?|fortnights?|months?|years?)"
    r"|(?:the\s+)?end\s+of\s+(?:the\s+|this\s+)?(?P<end>day|week|month|year)|(?P<close>eod|eow|eom)"
    rf"|(?:{_BEFORE_A_DAY}|\A(?=the\s+\S+\Z))the\s+(?P<day3>\d{{1,2}})(?:st|nd|rd|th)(?!\s+(?:one|of)\b)"
    r"|(?P<day4>\d{1,2})\.(?P<month4>\d{1,2})\.(?P<year4>\d{4})?"
    r"|(?P<either1>\d{1,2})/(?P<either2>\d{1,2})/(?P<year5>\d{4})"
    rf")(?![\w-])",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?<![\w:.-])(?:(?P<word>noon|midday|midnight)"
    rf"|(?P<past>half past|quarter past|quarter to)\s+(?P<spoken>\d{{1,2}}|{_HOURS})"
    r"|(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::\d{2})?)?\s*(?P<half>[ap]\.?m\.?)"
    r"|(?P<hour24>[01]?\d|2[0-3]):(?P<minute24>[0-5]\d)(?::[0-5]\d)?"
    rf"|(?P<oclock>\d{{1,2}}|{_HOURS})\s*o'?clock"
    r")(?![\w:])",
    re.IGNORECASE,
)


def find_durations(text: str) -> Iterator[Found]:
    """Durations as ISO 8601: "90 minutes" → PT90M, "1h30m" → PT1H30M, "two weeks" → P2W."""
    for match in _DURATION.finditer(text):
        parts = match["parts"] or f"one {match['whole']}"
        iso = match["iso"].upper() if match["iso"] else _duration_from_parts(parts)
        if iso is not None:
            yield Found(match.start(), match.end(), (iso,))


def _duration_from_parts(text: str) -> str | None:
    date_parts, time_parts = "", ""
    for digits, words, half, unit_text, half_after in _ONE_PART.findall(text):
        count = digits or words
        unit = _unit_of(unit_text)
        amount = _count_of(count)
        if amount is None:
            return None
        if half or half_after:
            amount += 0.5
        if amount != int(amount) or count.lower() == "half an":
            minutes = {"hour": 60, "minute": 1, "day": 1440}.get(unit)
            if minutes is None:
                return None
            time_parts += f"{int(amount * minutes)}M"
        elif unit in {"hour", "minute", "second"}:
            time_parts += f"{int(amount)}{_UNITS[unit]}"
        else:
            date_parts += f"{int(amount) * _WEEKS.get(unit, 1)}{_UNITS[unit]}"
    if not date_parts and not time_parts:
        return None
    return f"P{date_parts}" + (f"T{time_parts}" if time_parts else "")


def _unit_of(text: str) -> str:
    word = text.lower()
    return _UNIT_SPELLINGS.get(word) or word.removesuffix("s")


def _count_of(text: str) -> float | None:
    word = text.lower()
    if word in {"a", "an"}:
        return 1.0
    if word == "half an":
        return 0.5
    try:
        return float(word)
    except ValueError:
        spoken = number_from_words(re.split(r"[ -]", word))
        return None if spoken is None else float(spoken)


def find_dates(text: str, today: date | None = None) -> Iterator[Found]:
    """Dates as YYYY-MM-DD (weeks YYYY-Www, months YYYY-MM, years YYYY), counted from `today` (UTC)."""
    now = today or datetime.now(UTC).date()
    for match in _DATE.finditer(text):
        try:
            resolved = _resolve_date(match, now)
        except (ValueError, OverflowError):
            continue
        if resolved is not None:
            yield Found(match.start(), match.end(), (resolved,))


def _resolve_date(match: re.Match[str], today: date) -> str | None:
    if match["iso"]:
        return date.fromisoformat(match["iso"]).isoformat()
    if match["near"]:
        days = {"day after tomorrow": 2, "tomorrow": 1, "yesterday": -1}.get(match["near"].lower(), 0)
        return (today + timedelta(days=days)).isoformat()
    if match["weekday"]:
        return _resolve_weekday(match["weekday"].lower(), (match["which"] or "").lower(), today)
    if match["period"]:
        return _resolve_period(match["period"].lower(), match["span"].lower(), today)
    if match["ahead"]:
        return _resolve_ahead(match["ahead"], match["unit"], today)
    if end := match["end"] or {"eod": "day", "eow": "week", "eom": "month"}.get((match["close"] or "").lower()):
        return _end_of(end.lower(), today).isoformat()
    if match["day3"]:
        return _next_day(int(match["day3"]), today)
    if match["day4"]:
        return _in_year(int(match["month4"]), int(match["day4"]), match["year4"], today)
    if match["year5"]:
        return _of_either_order(int(match["either1"]), int(match["either2"]), int(match["year5"]))
    month_name, day = (match["month1"] or match["month2"]), int(match["day1"] or match["day2"])
    month = next(number for number, name in enumerate(_MONTHS, start=1) if name[:3] == month_name[:3].lower())
    return _in_year(month, day, match["year1"] or match["year2"], today)


def _in_year(month: int, day: int, year: str | None, today: date) -> str:
    """Return a day of a year, or where none is said the next that is not over."""
    if year:
        return date(int(year), month, day).isoformat()
    this_year = date(today.year, month, day)
    return (this_year if this_year >= today else date(today.year + 1, month, day)).isoformat()


def _next_day(day: int, today: date) -> str:
    """Return the next day of that number, today's included; of the months that have it."""
    for months in range(today.year * 12 + today.month - 1, today.year * 12 + today.month + 2):
        with suppress(ValueError):
            found = date(months // 12, months % 12 + 1, day)
            if found >= today:
                return found.isoformat()
    raise ValueError("no month has such a day")


def _of_either_order(first: int, second: int, year: int) -> str | None:
    """Return a date with slashes where it can mean one day only: 31/12, 12/31 and 5/5, but not 3/4."""
    if first <= 12 and second <= 12 and first != second:
        return None
    return date(year, min(first, second) if max(first, second) > 12 else first, max(first, second)).isoformat()


def _end_of(span: str, today: date) -> date:
    """Return the last day of a span that has begun; of a week, its last working day, or the coming one's."""
    if span == "day":
        return today
    if span == "week":
        return today + timedelta(days=(4 - today.weekday()) % 7)
    if span == "year":
        return date(today.year, 12, 31)
    months = today.year * 12 + today.month
    return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


def _resolve_weekday(name: str, which: str, today: date) -> str:
    ahead = (_WEEKDAYS.index(name) - today.weekday()) % 7
    if which == "last":
        ahead = ahead - 7 if ahead else -7
    elif ahead == 0 and which != "this":
        ahead = 7
    return (today + timedelta(days=ahead)).isoformat()


def _resolve_period(which: str, span: str, today: date) -> str:
    step = {"next": 1, "this": 0, "last": -1}[which]
    if span == "week":
        year, week, _ = (today + timedelta(weeks=step)).isocalendar()
        return f"{year}-W{week:02d}"
    if span == "month":
        months = today.year * 12 + today.month - 1 + step
        return f"{months // 12:04d}-{months % 12 + 1:02d}"
    return f"{today.year + step:04d}"


def _resolve_ahead(count: str, unit_text: str, today: date) -> str | None:
    amount = _count_of(count)
    if amount is None or amount != int(amount):
        return None
    days = {"day": 1, "week": 7, "fortnight": 14, "month": 30, "year": 365}[_unit_of(unit_text)]
    return (today + timedelta(days=int(amount) * days)).isoformat()


def find_times(text: str) -> Iterator[Found]:
    """Times as HH:MM on a 24-hour clock; an hour without am or pm is taken as it is written."""
    for match in _TIME.finditer(text):
        resolved = _resolve_time(match)
        if resolved is not None:
            yield Found(match.start(), match.end(), (resolved,))


def _resolve_time(match: re.Match[str]) -> str | None:
    if match["word"]:
        return "00:00" if match["word"].lower() == "midnight" else "12:00"
    if match["past"]:
        hour = _hour_of(match["spoken"])
        minute = {"half past": 30, "quarter past": 15, "quarter to": 45}[match["past"].lower()]
        if hour is None or hour > 23:
            return None
        return f"{(hour - (minute == 45)) % 24:02d}:{minute:02d}"
    if match["half"]:
        hour, minute = int(match["hour"]), int(match["minute"] or 0)
        if not 1 <= hour <= 12 or minute > 59:
            return None
        return f"{hour % 12 + (12 if match['half'][0] in 'pP' else 0):02d}:{minute:02d}"
    if match["hour24"]:
        return f"{int(match['hour24']):02d}:{match['minute24']}"
    hour = _hour_of(match["oclock"])
    return None if hour is None or hour > 23 else f"{hour:02d}:00"


def _hour_of(text: str) -> int | None:
    return int(text) if text.isdigit() else number_from_words([text.lower()])
