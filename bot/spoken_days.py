"""Days as people name them: “Monday”, “tomorrow”, “3 December”, “2026-12-03”, “two weeks”. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_NUMBERS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_LENGTHS = {"day": 1, "week": 7, "fortnight": 14}
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_DAY_MONTH = re.compile(r"(?:the )?(\d{1,2})(?:st|nd|rd|th|\.)?(?: of)? ([a-z]{3,9})\.?(?:,? (\d{4}))?")
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.? (?:the )?(\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?")
_NUMBERED = re.compile(r"(?:the )?(\d{1,2})(?:st|nd|rd|th)")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})?")
_LASTING = re.compile(r"(\d{1,3}|[a-z]+) (day|week|fortnight)s?")


def day_meant(text: str, today: date) -> date | None:
    """Return the day that a text names, the next such one from tomorrow on; None for what names none."""
    words = " ".join(text.casefold().strip(" .,;!").split())
    if words in ("today", "tomorrow"):
        return today + timedelta(days=words == "tomorrow")
    if words in ("next week", "the end of the week", "end of the week"):
        return today + timedelta(days=7 - today.weekday())
    if words.removeprefix("the ") in ("end of the month", "end of month", "end of this month"):
        return (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    bare = words.removeprefix("next ").removeprefix("this ")
    if bare in WEEKDAYS or f"{bare}day" in WEEKDAYS:
        number = next(n for n, name in enumerate(WEEKDAYS) if name in (bare, f"{bare}day"))
        return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
    if found := _ISO.fullmatch(words):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _NUMBERED.fullmatch(words):
        later = (_date(today.year + month // 12, month % 12 + 1, int(found[1])) for month in _three_months(today))
        return next((day for day in later if day is not None and day > today), None)
    if found := _DOTTED.fullmatch(" ".join(text.split()).rstrip(",;!")):
        return _in_year(found[1], MONTHS[int(found[2]) - 1], found[3], today) if 1 <= int(found[2]) <= 12 else None
    if found := _DAY_MONTH.fullmatch(words):
        return _in_year(found[1], found[2], found[3], today)
    if found := _MONTH_DAY.fullmatch(words):
        return _in_year(found[2], found[1], found[3], today)
    return None


def length_meant(text: str) -> timedelta | None:
    """Return how long “two weeks” or “3 days” are; None for other words."""
    found = _LASTING.fullmatch(" ".join(text.casefold().strip(" .,;!").split()))
    number = (int(found[1]) if found[1].isdigit() else _NUMBERS.get(found[1], 0)) if found else 0
    return timedelta(days=number * _LENGTHS[found[2]]) if found and number else None


def _three_months(today: date) -> range:
    """Return this month and the two after it, counted from January as 0: of two in a row, one has each day."""
    return range(today.month - 1, today.month + 2)


def _in_year(day: str, month: str, year: str | None, today: date) -> date | None:
    number = next((n for n, name in enumerate(MONTHS, 1) if name.startswith(month)), 0)
    if not number:
        return None
    if year:
        return _date(int(year), number, int(day))
    this = _date(today.year, number, int(day))
    return this if this is None or this > today else _date(today.year + 1, number, int(day))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
