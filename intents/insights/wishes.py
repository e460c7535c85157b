"""The wish to be left alone at night, said of watches that there are: “don't bother us at night”. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.quiet import QuietHours
from bot.spoken_times import CLOCK, ZONE
from intents.insights.orders import NIGHT, cut_pierced, hours_between, is_order, outside_working_hours

_TELLING = r"(?:bother|disturb|wake|tell|notify|alert|ping|message|write|send|post|bug|annoy|call|inform|warn)(?:ing)?"
_AT_NIGHT = r"(?:at nights?|overnight|(?:during|in) the night|by night)"
_OFFICE = r"(?:the |our |my )?(?:working|office|business) (?:hours|times?)"
_LEAVES = re.compile(
    rf"\b(?:don't|do not|dont|never|stop|no longer|quit)\s+(?:(?:ever|you|to)\s+)?{_TELLING}\b"
    r"|\b(?:be|stay|keep|remain) (?:quiet|silent)\b|\b(?:shut up|hush)\b|\bquiet hours\b"
    r"|\b(?:leave|let) (?:us|me) (?:alone|sleep)\b"
    r"|\bno (?:more )?(?:news|messages|alerts|notifications|pings|insights)\b"
)
_ENDS = re.compile(
    r"\b(?:end|stop|remove|drop|cancel|lift|delete|forget|clear|switch off|turn off|no more|no)\s+"
    r"(?:\w+\s+){0,2}quiet hours\b"
)
_AGAIN = re.compile(rf"\b{_TELLING}\b.*(?:\b{_AT_NIGHT},? (?:too |as well )?again\b|\bagain {_AT_NIGHT}\b)")
_REFUSES = re.compile(r"\b(?:don't|do not|dont|never|stop|no longer)\b")
_NIGHT = re.compile(rf"\b{_AT_NIGHT}\b")
_BETWEEN = re.compile(
    rf"\b(?:from|between)\s+{CLOCK}\s*(?:to|until|till|and|-|–)\s*{CLOCK}(?:\s+(?:in\s+)?{ZONE})?", re.IGNORECASE
)
_OUTSIDE = re.compile(
    rf"\b(?:outside(?: of)?|after|except(?: during| in)?|but(?: during| in)?|other than(?: during| in)?) {_OFFICE}\b"
)
_ONLY = re.compile(rf"\bonly\b.*\b(?:during|in|within) {_OFFICE}\b|\b(?:during|in|within) {_OFFICE} only\b")
_BEGINS_ONE = re.compile(r"(?!.*\bkeep (?:quiet|silent)\b|.*\blet (?:us|me) sleep\b)")
_QUESTION = re.compile(r"\?\s*$")
_POLITE = re.compile(r"\b(?:can|could|would|will) you\b")
_ABOUT = re.compile(r"\babout (.+)")


@dataclass(frozen=True)
class Wish:
    """Quiet hours to be kept from now on, none where they are to end; `about` narrows which watches are meant."""

    quiet: QuietHours | None
    is_own: bool
    about: str


def read_wish(text: str, working_hours: str = "") -> Wish | None:
    """Return what a text wishes of the watches that there are, None when it wishes nothing of the kind.

    What begins a watch may name quiet hours, too: that is an order. Raises Invalid for hours that can't be.
    """
    folded = text.casefold().replace("\u2019", "'")
    if _QUESTION.search(folded) and not _POLITE.search(folded):
        return None
    is_own = bool(re.search(r"\bme\b|\bmy quiet\b", folded))
    if _ENDS.search(folded) or (_AGAIN.search(folded) and not _REFUSES.search(folded)):
        return Wish(None, is_own, _about(folded))
    rest, is_pierced = cut_pierced(folded)
    is_only = bool(_ONLY.search(rest)) and not re.search(r"\babout\b|\binsights?\b", rest)
    begins_one = is_order(rest) and _BEGINS_ONE.match(rest)
    if not is_only and (begins_one or not _LEAVES.search(rest)):
        return None
    quiet = None
    if is_only or _OUTSIDE.search(rest):
        quiet = outside_working_hours(working_hours, is_pierced)
    elif found := _BETWEEN.search(rest):
        quiet = hours_between(found[1], found[2], found[3] or "", working_hours, is_pierced)
    elif _NIGHT.search(rest):
        quiet = hours_between(*NIGHT, "", working_hours, is_pierced)
    return Wish(quiet, is_own, _about(rest)) if quiet else None


def _about(folded: str) -> str:
    """Return what a wish is about, without its hours."""
    rest = folded
    for pattern in (_BETWEEN, _NIGHT, _OUTSIDE, _ONLY, re.compile(r"\b(?:any ?more|any longer|again|please)\b")):
        rest = pattern.sub(" ", rest)
    found = _ABOUT.search(rest)
    return found[1].strip(" .!,") if found else ""
