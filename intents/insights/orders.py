"""What people order of a watch, in words: for whom, about what, when to be quiet, what to mute and until when. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bot.errors import Invalid
from bot.quiet import QuietHours
from bot.spoken_times import CLOCK, ZONE, clock_of, zone_of

HERE, OWN = "here", "me"
NIGHT = ("22:00", "7:00")
_POLITE = r"^(?:(?:hey|hi|hello|ok|okay|please|pls|plz|so|and|can you|could you|would you|will you)[\s,]+)*"
_ORDERS = re.compile(
    _POLITE + r"(?:tell|notify|alert|inform|ping|warn|let|keep|post|send|watch)\b(?! me about (?:that|the|it|this)\b)"
)
_ENDS = re.compile(_POLITE + r"(?:stop|end|cancel|quit|unwatch|remove|delete|do not|don't|no longer|no more)\b")
_ROOM = re.compile(r"#([\w-]{1,80})")
_OWN = re.compile(r"\b(?:tell|notify|alert|inform|ping|warn|let|keep|telling|notifying|alerting)\s+me\b")
_ABOUT = re.compile(r"\b(?:about|regarding|whenever|when|posted on|if|for|of)\b(.*)", re.DOTALL)
_BETWEEN = re.compile(
    r"[,;]?\s*(?:and\s+)?\b(?:(?:be|stay|keep|with)\s+)?(?:quiet|silent|silence|except|but not|not)\s+(?:hours\s+)?"
    rf"(?:from\s+|between\s+)?{CLOCK}\s*(?:to|until|till|and|-|–)\s*{CLOCK}(?:\s+(?:in\s+)?{ZONE})?(?:\s+time\b)?",
    re.IGNORECASE,
)
_NIGHT = re.compile(r"[,;]?\s*(?:and\s+)?\b(?:but\s+)?(?:not|quiet|silent)\s+at\s+night\b", re.IGNORECASE)
_WORKING = re.compile(
    r"[,;]?\s*\b(?:only\s+)?(?:during|in|within)\s+(?:the\s+)?(?:working|office|business) hours(?:\s+only)?\b",
    re.IGNORECASE,
)
_PIERCED = re.compile(
    r"[,;]?\s*(?:(?:but|unless|except(?:\s+for)?|and)\s+)?(?:(?:it is|it's|they are|they're|for|those of)\s+)?"
    r"(?:high|critical)(?:[ -]severity)?(?:\s+(?:ones|insights))?\s+"
    r"(?:may pierce|pierces?|always|at any time|anyway|excepted|(?:may )?comes? through|may wake us)\b"
    r"|[,;]?\s*\b(?:unless|except(?:\s+for)?|but for)\s+(?:(?:it is|it's|they are|they're|those of)\s+)?"
    r"(?:high|critical)\b(?:[ -]severity)?(?:\s+(?:ones|insights))?",
    re.IGNORECASE,
)
_FOR = re.compile(
    r"\bfor\s+(?:the\s+next\s+)?(\d{1,3}|an?|one|two|three)\s*(minutes?|mins?|hours?|hrs?|h|days?|weeks?)\b"
)
_UNTIL = re.compile(
    rf"\b(?:until|till|'?til)\s+(?:(tomorrow|next week|(?:next\s+)?[a-z]+day)(?:\s+at)?)?\s*(?:{CLOCK})?"
)
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}
_SIZES = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MORNING = time(9)
LONGEST = timedelta(days=30)


@dataclass(frozen=True)
class Order:
    """`room` is a channel's name, HERE or OWN; `rest` are the words that narrow it."""

    room: str
    rest: str
    quiet: QuietHours | None


def is_order(text: str) -> bool:
    """Tell whether a text says outright to tell somebody."""
    folded = text.casefold().replace("\u2019", "'")
    is_polite = re.match(r".*\b(?:can|could|would|will) you\b", folded)
    return bool(_ORDERS.match(folded)) and (bool(is_polite) or not folded.rstrip().endswith("?"))


def is_ending(text: str) -> bool:
    """Tell whether a text says outright to stop telling."""
    return bool(_ENDS.match(text.casefold().replace("\u2019", "'"))) and not text.rstrip().endswith("?")


def read_order(text: str, working_hours: str = "") -> Order:
    """Return what an order says; raises Invalid for times that can't be. `working_hours` are the house's own."""
    rest, pierced = cut_pierced(text)
    rest, between = _cut(_BETWEEN, rest)
    rest, night = _cut(_NIGHT, rest)
    rest, working = _cut(_WORKING, rest)
    quiet = None
    if working:
        quiet = outside_working_hours(working_hours, pierced)
    elif between:
        quiet = hours_between(between[1], between[2], between[3] or "", working_hours, pierced)
    elif night:
        quiet = hours_between(*NIGHT, "", working_hours, pierced)
    elif pierced:
        rest = text  # "except high severity" narrows nothing that is quiet
    room = found[1] if (found := _ROOM.search(rest)) else OWN if _says_own(rest) else HERE
    rest = _ROOM.sub(" ", rest)
    about = _ABOUT.search(rest.casefold())
    return Order(room, re.sub(r"\b(?:here|in this channel)\b", " ", about[1] if about else ""), quiet)


def cut_pierced(text: str) -> tuple[str, bool]:
    """Return a text without “unless high severity”, and whether it said so."""
    rest, pierced = _cut(_PIERCED, text)
    return rest, bool(pierced)


def outside_working_hours(working_hours: str, pierced: bool) -> QuietHours:
    """Return quiet hours at all times but the house's working hours."""
    return QuietHours(working=working_hours or "Mon-Fri 09:00-17:00 UTC", pierced=pierced)


def hours_between(first: str, second: str, zone: str, working_hours: str, pierced: bool) -> QuietHours:
    """Return quiet hours from one time of the day to another; raises Invalid for what can't be."""
    begin, end = (f"{clock_of(said):%H:%M}" for said in (first, second))
    if begin == end:
        raise Invalid(
            f"From {begin} to {end} it would never be told.", next_step="Name two times, such as 22:00 to 7:00."
        )
    return QuietHours(begin, end, zone_of(zone, working_hours), pierced=pierced)


def read_until(text: str, now: datetime, working_hours: str = "") -> datetime | None:
    """Return until when something is to be muted, None when it is not said; raises Invalid for what can't be."""
    folded = text.casefold()
    zone = ZoneInfo(zone_of("", working_hours))
    if found := _FOR.search(folded):
        count = int(found[1]) if found[1].isdigit() else _NUMBERS[found[1]]
        until = now + count * _SIZES[found[2][0]]
    elif (found := _UNTIL.search(folded)) and (found[1] or found[2]):
        until = _moment(found[1] or "", found[2] or "", now, zone)
    else:
        return None
    if not now < until <= now + LONGEST:
        raise Invalid(
            f"Something can be muted for up to {LONGEST.days} days.",
            next_step="Say “for 2 hours” or “until tomorrow”, for example.",
        )
    return until


def _moment(day: str, clock: str, now: datetime, zone: tzinfo) -> datetime:
    local = now.astimezone(zone)
    at = clock_of(clock) if clock else _MORNING
    if not day:
        found = datetime.combine(local.date(), at, zone)
        return (found if found > local else found + timedelta(days=1)).astimezone(UTC)
    ahead = 1
    if day == "next week":
        ahead = 7 - local.weekday()
    elif day != "tomorrow":
        name = day.removeprefix("next").strip()
        if name not in _DAYS:
            raise Invalid(f"I don't know the day “{name}”.", next_step="Say “until Monday” or “until tomorrow”.")
        ahead = (_DAYS.index(name) - local.weekday()) % 7 or 7
    return datetime.combine(local.date() + timedelta(days=ahead), at, zone).astimezone(UTC)


def _says_own(text: str) -> bool:
    return bool(_OWN.search(text.casefold())) and not re.search(r"\bhere\b", text, re.IGNORECASE)


def _cut(pattern: re.Pattern[str], text: str) -> tuple[str, re.Match[str] | None]:
    found = pattern.search(text)
    return (f"{text[: found.start()]} {text[found.end() :]}", found) if found else (text, None)
