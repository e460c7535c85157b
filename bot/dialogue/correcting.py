"""Corrections that no recogniser knows: of an answer by its name, "change BucketName to logs-2", or by itself.

"Replace a@corp.example by b@corp.example" names the answer as it was and as it shall be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bot.intent import Slot

_OPENING = r"(?:(?:no|nope|sorry|wait|oh|actually|please|ok|okay|and|rather)[\s,.!:]+)*"
_ARTICLE = r"(?:(?:the|my|its)\s+)?"
_TAKING = r"(?:(?:use|take|make it|put|it is|it's)\s+)?"
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def corrected(text: str, slots: Iterable[Slot]) -> tuple[Slot, str] | None:
    """Return the slot whose answer a whole text corrects, and the new answer; empty when it names none.

    A slot goes by its name or label, however it is spelled: BucketName, bucket name, bucket-name.
    """
    said = text.strip()
    # The longest name first: "data class" is not the "class" of something else.
    for slot in sorted(slots, key=lambda s: -len(s.label or s.name)):
        if re.fullmatch(rf"{_OPENING}(?:change|correct|fix)\s+{_ARTICLE}{_name_of(slot)}[\s.!]*", said, re.IGNORECASE):
            return slot, ""
        for pattern in (
            rf"{_OPENING}(?:change|set|make|put|correct)\s+{_ARTICLE}{_name_of(slot)}\s+(?:(?:to|as|be|into)\s+)?(.+)",
            rf"{_OPENING}{_ARTICLE}{_name_of(slot)}\s*(?:\b(?:is|should be|must be|shall be|to)\s|[:=])\s*(.+)",
        ):
            if found := re.fullmatch(pattern, said, re.IGNORECASE):
                return slot, found[1].strip()
    return None


def replaced(text: str, slots: Iterable[Slot], values: Mapping[str, str]) -> tuple[Slot, str] | None:
    """Return the slot whose present value a whole text replaces, and by what."""
    said = text.strip().rstrip(".!")
    for slot in slots:
        value = values.get(slot.name)
        if not value:
            continue
        old = rf"{_ARTICLE}[\"'“‘]?{re.escape(value)}[\"'”’]?"
        for pattern in (
            rf"{_OPENING}(?:change|replace|swap|correct|switch|turn)\s+{old}\s+(?:to|with|by|for|into)\s+(.+)",
            rf"{_OPENING}{_TAKING}(\S+(?:\s\S+)?),?\s+(?:instead of|rather than|not)\s+{old}",
            rf"{_OPENING}not\s+{old},?\s*(?:but|rather)?\s+(.+)",
            rf"{_OPENING}{old}\s*(?:should be|must be|shall be|->|=>|→)\s*(.+)",
        ):
            found = re.fullmatch(pattern, said, re.IGNORECASE)
            if found and found[1].casefold() != value.casefold():
                return slot, found[1].strip("\"'“”‘’, ")
    return None


def _name_of(slot: Slot) -> str:
    """Return a pattern of what people call a slot."""
    spellings = []
    for name in {slot.name.rpartition(":")[2], slot.label or slot.name}:
        words = _WORDS.findall(name)
        spellings.append(r"[\s_-]*".join(re.escape(word) for word in words) or re.escape(name))
    return rf"(?:{'|'.join(sorted(spellings))})"
