"""Which insight is meant: by its id, by its place in what was shown last, or as "that one"."""

from __future__ import annotations

import re

from bot.card import Card
from bot.errors import Invalid
from bot.intent import Ask
from bot.services import Services
from intents.insights.cards import REFERENCE, numbers_in, references_in
from intents.insights.definitions import PLACES
from intents.insights.shown import recent_cards

_ID = re.compile(r"\binsight\s+([\w-]{8,100})\b")
_NUMBER = re.compile(
    r"\b(?:insight|number|no\.?|the|details (?:on|of|for))\s+(\d{1,3})(?:st|nd|rd|th)?\b|\b(\d{1,3})(?:st|nd|rd|th)\b"
)
_ORDINAL = re.compile(rf"\b({'|'.join(PLACES)})\b")
_FAR = re.compile(
    r"\b(?:eleventh|twelfth|[a-z]+teenth|[a-z]+tieth"
    r"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[ -](?:first|second|third|[a-z]+th))\b"
)
"""Ordinals that are past those that are known."""
_FARTHEST = 10**6
Named = tuple[str, str, str]
"""Id, account and Region; the last two are empty when the id alone was said."""


async def insight_meant(services: Services, ask: Ask) -> Named:
    """Return the insight that a sentence is about; raises Invalid rather than guess."""
    if found := REFERENCE.search(ask.text):
        return found[1], found[2], found[3]
    if (found := _ID.search(ask.text)) and re.search(r"\d", found[1]):
        return found[1], "", ""
    cards = await recent_cards(services, ask.conversation)
    folded = ask.text.casefold()
    if (found := _NUMBER.search(folded)) and (named := _numbered(cards, int(found[1] or found[2]))):
        return named
    shown = [references for references in map(references_in, cards) if references]
    place = _place_in(folded)
    if place is not None:
        # What was shown of one insight is no list to count in.
        listed = next((refs for refs in shown if len(refs) > 1), shown[0] if shown else [])
        if not listed:
            raise _nothing_shown()
        if not -1 <= place < len(listed):
            raise Invalid(_showed(len(listed)), next_step="Say “the first one”, for example.")
        return listed[place]
    if not shown:
        raise _nothing_shown()
    if len(shown[0]) > 1:
        raise Invalid(_showed(len(shown[0])), next_step="Say which: “the first one”, “insight 2”, “the last one”.")
    return shown[0][0]


def _showed(count: int) -> str:
    return f"I showed {count} insight{'s' if count != 1 else ''}."


def _nothing_shown() -> Invalid:
    return Invalid(
        "I don't know which insight you mean.", next_step="Ask “which insights are open?” first, or give its id."
    )


def _place_in(folded: str) -> int | None:
    """Return the place that is named, from 0 on; -1 for the last."""
    if found := _NUMBER.search(folded):
        return int(found[1] or found[2]) - 1
    if _FAR.search(folded):
        return _FARTHEST
    if found := _ORDINAL.search(folded):
        return -1 if found[1] == "last" else PLACES.index(found[1])
    return None


def _numbered(cards: list[Card], number: int) -> Named | None:
    """Return what stands beside a number in the list that was shown last, on whichever of its pages that is."""
    for numbers in map(numbers_in, cards):
        if number in numbers:
            return numbers[number]
        if 1 in numbers:
            return None  # another list was shown before this one
    return None
