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

_NOUN = re.compile(r"\b(?:an?|the|one|accounts?)\b", re.IGNORECASE)
"""What may stand between two values that are put side by side: "a sandbox account or a production one"."""

_ANOTHER = re.compile(r"\b(?:an?|one)\b", re.IGNORECASE)
"""What begins the second of two: "one sandbox one production"."""
_SEVERAL = r"(?:two|three|four|five|six|seven|eight|nine|ten|[2-9]|[1-9]\d+|several|multiple|a couple of|a few)"


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


def asks_for_several(text: str, things: str) -> bool:
    """Tell whether a text asks for more than one: "two sandbox accounts", for the things "accounts"."""
    return bool(things) and bool(re.search(rf"\b{_SEVERAL}(?: [\w-]+){{0,3}} {things}\b", text, re.IGNORECASE))


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


def rival_values(text: str, definition: Definition) -> dict[str, list[str]]:
    """Return the values of a list that a text puts side by side for one slot: "a sandbox or production account"."""
    rivals: dict[str, list[str]] = {}
    for slot in definition.slots:
        called = {word.casefold(): v.value for v in slot.type.values for word in (v.value, *v.synonyms)}
        if not called:
            continue
        longest_first = sorted(called, key=len, reverse=True)
        words = re.compile(rf"(?<![\w@.+-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w@+-])", re.IGNORECASE)
        found = list(words.finditer(text))
        for left, right in pairwise(found):
            named = [called[left[0].casefold()], called[right[0].casefold()]]
            between = text[left.end() : right.start()]
            gap = _NOUN.sub("", between)
            is_another = bool(gap.strip() or _ANOTHER.search(between))
            if named[0] != named[1] and is_another and _BETWEEN.fullmatch(gap):
                rivals.setdefault(slot.name, []).extend(v for v in named if v not in rivals.get(slot.name, ()))
    return rivals
