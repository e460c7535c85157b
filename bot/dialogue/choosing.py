"""Which of several values is meant: "the second one" of those that were offered, one of two addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from bot.dialogue.addresses import EMAIL
from bot.intent import Definition

_NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            "1 1st one first former",
            "2 2nd two second",
            "3 3rd three third",
            "4 4th four fourth",
            "5 5th five fifth",
            "6 6th six sixth",
            "7 7th seven seventh",
            "8 8th eight eighth",
            "9 9th nine ninth",
        ),
        1,
    )
    for word in words.split()
}
_PLACE = re.compile(
    r"(?:i(?:'d| would)? (?:like|want|take|mean|prefer|choose|pick)|take|use|choose|pick|make it|go with)?\s*"
    r"(?:the |number |no\.? ?|nr\.? ?|option |choice |#)*"
    rf"(?P<place>{'|'.join(_NUMBERS)}|last|latter)"
    r"(?: (?:one|option|choice|of (?:them|those|these)))?[).]?",
)
_BETWEEN = re.compile(r"[\s,;/&|+]*(?:(?:and|or|and/or|or maybe|or rather|plus|as well as)[\s,;/&|+]*)?", re.IGNORECASE)


def may_pick(words: str) -> bool:
    """Tell whether a text, folded and without courtesies, could name a place in a list: "2", "the first one"."""
    return _PLACE.fullmatch(words.replace("\u2019", "'")) is not None


def picked(words: str, offered: Sequence[str]) -> str | None:
    """Return the value that such a text picks of those offered, in their order; None when there is none there.

    A value that is called so itself goes before its place in the list.
    """
    found = _PLACE.fullmatch(words.replace("\u2019", "'"))
    if not found or words in {value.casefold() for value in offered}:
        return None
    place = found["place"]
    if place == "latter":
        return offered[1] if len(offered) == 2 else None
    if place == "former" and len(offered) != 2:
        return None
    number = len(offered) if place == "last" else _NUMBERS[place]
    return offered[number - 1] if 0 < number <= len(offered) else None


def rival_addresses(text: str, definition: Definition) -> dict[str, list[str]]:
    """Return the addresses that a text puts side by side for one slot ("a@… and b@…"); empty when it does not.

    What says more than "and", "or" or a comma between them, such as "not" or "instead of", is left to the recogniser.
    """
    slots = [s.name for s in definition.slots if s.type.name == "AMAZON.EmailAddress"]
    found = list(EMAIL.finditer(text))
    rivals = dict.fromkeys(match[0].casefold().rstrip(".") for match in found)
    if len(slots) != 1 or len(rivals) < 2:
        return {}
    gaps = (text[left.end() : right.start()] for left, right in pairwise(found))
    return {slots[0]: list(rivals)} if all(_BETWEEN.fullmatch(gap) for gap in gaps) else {}
