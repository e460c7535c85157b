"""The kinds of text that callers send, each checked as documented and documented as checked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from bot.activity import MAX_TEXT, clean_text
from bot.errors import Invalid
from bot.people import checked_email

MAX_NAME = 200
MAX_REASON = 1_000

VISIBLE = r"[^\s\u0000-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ufffd]"
"""A character that `clean_text` keeps; a text without any says nothing."""


def _say_something(text: str) -> str:
    cleaned = clean_text(text)
    if not cleaned:
        raise ValueError("must not be empty; send at least one visible character")
    return cleaned


def _visible(longest: int, description: str, example: str) -> Any:
    schema = {
        "type": "string",
        "minLength": 1,
        "maxLength": longest,
        "pattern": VISIBLE,
        "description": description,
        "examples": [example],
    }
    return (Field(max_length=longest), AfterValidator(_say_something), WithJsonSchema(schema))


Utterance = Annotated[str, *_visible(MAX_TEXT, "What the person says.", "Hi, I would like a new account please!")]
RequiredName = Annotated[str, *_visible(MAX_NAME, "How to address the person.", "TestUser-Name")]
Name = Annotated[str, Field(max_length=MAX_NAME), AfterValidator(clean_text)]
Reason = Annotated[str, Field(max_length=MAX_REASON), AfterValidator(clean_text)]


def _fits(pattern: str, problem: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.search(text):
            raise ValueError(problem)
        return text

    return AfterValidator(check)


def _checked_email(text: str) -> str:
    try:
        return checked_email(text, field="it")
    except Invalid as error:
        raise ValueError("must be an e-mail address such as name@corp.example") from error


Email = Annotated[
    str,
    Field(max_length=254),
    AfterValidator(_checked_email),
    WithJsonSchema(
        {
            "type": "string",
            "format": "email",
            "minLength": 3,
            "maxLength": 254,
            "description": "An e-mail address, in any case. Addresses that differ are different people.",
            "examples": ["ana@corp.example"],
        }
    ),
]


def _pattern(pattern: str, longest: int, problem: str, description: str, example: str, shortest: int = 1) -> Any:
    schema = {
        "type": "string",
        "minLength": shortest,
        "maxLength": longest,
        "pattern": pattern,
        "description": description,
        "examples": [example],
    }
    return (Field(max_length=longest), _fits(rf"\A(?:{pattern[1:-1]})\Z", problem), WithJsonSchema(schema))


ConversationName = Annotated[
    str,
    *_pattern(
        r"^[^\u0000-\u001f\u007f-\u009f]+$",
        200,
        "must be 1 to 200 characters without control characters",
        "An id returned earlier, or a name of your own; the same name under another person is another one.",
        "onboarding-42",
    ),
]
IntentName = Annotated[
    str,
    *_pattern(
        r"^[A-Za-z][A-Za-z0-9_-]{0,99}$",
        100,
        "must be the name of an intent",
        "Only this intent.",
        "AWSAccountVending",
    ),
]
RequestId = Annotated[
    str,
    *_pattern(
        r"^([Qq][Mm]-)?[2-9a-hjkmnp-tv-zA-HJKMNP-TV-Z]{8}$",
        11,
        "must be the id of a request such as qm-7k3m9qxa",
        "The id of a request.",
        "qm-7k3m9qxa",
        8,
    ),
]
PressedVerb = Annotated[
    str,
    *_pattern(
        r"^[a-z][a-z_]{0,59}$",
        60,
        "must be the verb of a button",
        "The button's verb, from its card.",
        "confirm",
    ),
]
PressedValue = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean_text)]

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+\- ]\d\d:\d\d)", re.ASCII)


def _moment(text: str) -> str:
    parse_moment(text)
    return text


def parse_moment(text: str) -> datetime:
    """Return an RFC 3339 date-time in UTC; raises ValueError.

    A blank for the plus sign is what an unescaped "+" in a query becomes. Leap seconds count as the second
    before, and what lies outside of the years 1 to 9999 in UTC as their end.
    """
    problem = "must be an RFC 3339 date-time such as 2026-01-31T08:00:00Z"
    found = _MOMENT.fullmatch(text)
    if not found:
        raise ValueError(problem)
    *parts, fraction, zone = found.groups()
    year, month, day, hour, minute, second = (int(part) for part in parts)
    offset = timedelta(0)
    if zone not in "Zz":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    try:
        if second == 60:
            second, fraction = 59, "999999"
        zone_info = timezone(-offset if zone[0] == "-" else offset)
        microsecond = int(((fraction or "0") + "000000")[:6])
        local = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=zone_info)
    except ValueError as error:
        raise ValueError(problem) from error
    try:
        return local.astimezone(UTC)
    except OverflowError:
        return (datetime.min if year == 1 else datetime.max).replace(tzinfo=UTC)


Moment = Annotated[
    str,
    AfterValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T08:00:00Z"]}),
]
