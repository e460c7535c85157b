"""Finding values in a text without a recogniser: the safety net under corrections.

A recogniser that only classifies ("no, make that Production" is a no) must not lose the correction in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.dialogue.addresses import EMAIL
from bot.intent import Definition

LITERAL_WORDS = 2
"""Words of its own that an answer's phrase must have to be known by them: “call it …”, but not “in …”."""

_LEAD_IN = (
    r"(?:(?:no|yes|yeah|yep|yup|ok|okay|sure|fine|good|great|right|perfect|(?:looks?|sounds?) good|go ahead|do it"
    r"|please|pls|and|but|then|rather|well|just|only|also|so)\b[, .!]*)*"
)
"""What may stand before an answer's phrase: a yes that goes on to change something is no yes to the plan as it is."""


def spot(text: str, definition: Definition, known: Mapping[str, tuple[str, ...]], asking: str = "") -> dict[str, str]:
    """Return the slot values that stand in the text as whole words, longest first, each stretch used once.

    `known` are the values known at run time, by slot. The slot being asked for goes first, then
    the one that the definition names first. A path may have blanks around its "/". "X or Y" chooses none.
    """
    found = spot_phrase(text, definition)
    rest = "" if found else text
    addresses = [s.name for s in definition.slots if s.type.name == "AMAZON.EmailAddress"]
    addresses.sort(key=lambda name: name != asking)
    match = EMAIL.search(rest)
    alternatives = re.search(r"\bor\b", text, re.IGNORECASE) is not None
    if alternatives and len(set(EMAIL.findall(rest))) > 1:
        match = None
    if addresses and match:
        found[addresses[0]] = match[0]
        rest = rest.replace(match[0], " ")
    candidates: list[tuple[int, int, str, int, str, str]] = []
    undecided: set[str] = set()
    parents = frozenset(word.casefold().rpartition("/")[0] for words in known.values() for word in words)
    for rank, slot in enumerate(definition.slots):
        first = 0 if slot.name == asking else 1
        for value in slot.type.values:
            candidates.extend(
                (first, -len(word), word.casefold(), rank, slot.name, value.value)
                for word in (value.value, *value.synonyms)
            )
        candidates.extend(
            (first, -len(word), word.casefold(), rank, slot.name, word) for word in known.get(slot.name, ())
        )
    for _, _, word, _, slot_name, meaning in sorted(candidates):
        pattern = _pattern_of(word, parents)
        if slot_name in found:
            if alternatives and found[slot_name] != meaning and pattern.search(rest):
                undecided.add(slot_name)
        elif pattern.search(rest):
            found[slot_name] = meaning
            rest = pattern.sub(" ", rest, count=1)
    return {name: value for name, value in found.items() if name not in undecided}


def _pattern_of(word: str, parents: frozenset[str]) -> re.Pattern[str]:
    """Return what finds a value as whole words; a parent's name that begins a longer path is not found in it."""
    spelled = re.escape(word).replace("/", r"\s*[/>]\s*")
    longer = r"(?!\s*[/>]\s*\w)" if word in parents else ""
    return re.compile(rf"(?<![\w/]){spelled}(?![\w/]){longer}", re.IGNORECASE)


def spot_phrase(text: str, definition: Definition) -> dict[str, str]:
    """Return the value of an open slot that a whole text gives in one of the slot's own phrases.

    What it holds is up to validation, so that “call it” and something impossible is explained.
    """
    for slot in definition.slots:
        if slot.type.values or slot.type.name.startswith("AMAZON."):
            continue
        for utterance in slot.utterances:
            before, placeholder, after = utterance.partition("{" + slot.name + "}")
            if not placeholder or len((before + after).split()) < LITERAL_WORDS:
                continue
            phrase = rf"{_LEAD_IN}{re.escape(before)}(.+?){re.escape(after)}[.!]?"
            if found := re.fullmatch(phrase, text.strip(), re.IGNORECASE):
                return {slot.name: found[1]}
    return {}
