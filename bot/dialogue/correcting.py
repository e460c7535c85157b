"""Corrections of answers that no recogniser knows, such as a product's parameters: "change BucketName to logs-2"."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.intent import Slot

_OPENING = r"(?:(?:no|nope|sorry|wait|oh|actually|please|ok|okay|and|rather)[\s,.!:]+)*"
_ARTICLE = r"(?:(?:the|my|its)\s+)?"
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


def _name_of(slot: Slot) -> str:
    """Return a pattern of what people call a slot."""
    spellings = []
    for name in {slot.name.rpartition(":")[2], slot.label or slot.name}:
        words = _WORDS.findall(name)
        spellings.append(r"[\s_-]*".join(re.escape(word) for word in words) or re.escape(name))
    return rf"(?:{'|'.join(sorted(spellings))})"
