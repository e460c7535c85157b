"""Text as the engine sees it: cleaned once, cut into tokens that remember where they stood."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.lex.engine.lexicon import CONTRACTIONS

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_PLAIN_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00b4": "'", "`": "'"})
_LONGEST_CLEAN_TEXT = 2048


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text, folded, with the half-open range of characters it came from."""

    word: str
    start: int
    end: int


def clean(text: str) -> str:
    """Normalise (NFKC), straighten quotes, blank what cannot be shown (controls, lone surrogates)."""
    normal = unicodedata.normalize("NFKC", text).translate(_PLAIN_QUOTES)
    shown = (_shown(character) for character in normal)
    return "".join(shown)[:_LONGEST_CLEAN_TEXT]


def _shown(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else " "
    category = unicodedata.category(character)
    if category in {"Cf", "Mn"} and not character.isalnum():
        return ""
    return " " if category in {"Cc", "Cs", "Zl", "Zp", "Zs", "Co", "Cn"} else character


def tokenize(text: str) -> tuple[Token, ...]:
    """Cut a cleaned text into words; an apostrophe inside a word belongs to it."""
    return tuple(Token(match.group().casefold(), match.start(), match.end()) for match in _WORD.finditer(text))


def plain_words(text: str) -> list[str]:
    """The words of a text with contractions and chat abbreviations written out."""
    words: list[str] = []
    for token in tokenize(text):
        expansion = CONTRACTIONS.get(token.word)
        if expansion is not None:
            words.extend(expansion)
        else:
            words.extend(token.word.removesuffix("'s").split("'"))
    return words


def comparison_key(text: str) -> str:
    """What is left to compare two spellings by: letters and digits only, folded."""
    return "".join(token.word.replace("'", "") for token in tokenize(text))


def covered(tokens: Sequence[Token], start: int, end: int) -> tuple[int, int]:
    """The first and last of the tokens within a range of characters; all of them when none is."""
    inside = [index for index, token in enumerate(tokens) if token.start < end and token.end > start]
    return (inside[0], inside[-1]) if inside else (0, len(tokens) - 1)
