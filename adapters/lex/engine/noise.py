"""Texts that are code, markup or symbols rather than something said."""

from __future__ import annotations

import re
import string
from typing import Final

_ELEMENTS: Final = (
    "a|b|i|u|s|p|br|hr|em|strong|div|span|script|style|img|svg|iframe|html|head|body|table|tr|td|th|ul|ol|li|h[1-6]"
    "|form|input|button|link|meta|object|embed|code|pre|video|audio|source|textarea|select|option|marquee"
)
_CONSTRUCTS: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"</?(?:{_ELEMENTS})(?:[\s/][^>]*)?>|</\w+>|<!--.*?(?:-->|$)|<!doctype[^>]*>",
        r"\b(?:drop|truncate|alter|create)\s+(?:table|database|schema|view|index)\s+\w.*",
        r"\b(?:delete\s+from|insert\s+into|update\s+\w+\s+set|union\s+(?:all\s+)?select)\b.*",
        r"\bselect\s+(?:\*|[\w.]+(?:\s*,\s*[\w.]+)*)\s+from\s+[\w.]+\s*(?:;.*|where\b.*|$)",
        r"\b(?:or|and)\s+['\"]?(\w+)['\"]?\s*=\s*['\"]?\1\b.*",
        r"\b(?:def|function|class)\s+\w+\s*\([^)]*\).*",
        r"\bimport\s+\w+\s*;.*",
        r"\b\w+\.\w+\([^)]*\)+;?",
        r"\{\{.*?\}\}|\$\{.*?\}|\$\([^)]*\)|<[?%].*?[?%]>",
        r"[{\[]\s*\"[^\"]*\"\s*[:,].*[}\]]",
    )
)
_CODE_SIGNS: Final = frozenset("<>(){}[]|\\$^=;#%~")
_SIGNS: Final = frozenset(string.punctuation) - frozenset("!?.,'\"")
_MOSTLY: Final = 0.5
_MOST_CODE_SIGNS: Final = 0.3


def is_noise(text: str) -> bool:
    """Whether most of a cleaned text is SQL, markup, code or signs, whatever words stand in it."""
    visible = [position for position, character in enumerate(text) if not character.isspace()]
    if not visible:
        return False
    inside = {at for pattern in _CONSTRUCTS for match in pattern.finditer(text) for at in range(*match.span())}
    code_signs = sum(text[at] in _CODE_SIGNS for at in visible)
    signs = sum(text[at] in _SIGNS for at in visible)
    return (
        sum(at in inside for at in visible) >= _MOSTLY * len(visible)
        or code_signs >= _MOST_CODE_SIGNS * len(visible)
        or signs > _MOSTLY * len(visible)
    )
