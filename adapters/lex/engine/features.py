"""What the classifier sees of an utterance: words, word pairs, families of meaning, letter sequences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from adapters.lex.engine.lexicon import FAMILIES
from adapters.lex.engine.text import plain_words

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"https?://\S+")
_CHUNK = re.compile(r"[^\s,;()<>\"]+")
_NAME_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_DIGITS = re.compile(r"\d+")

EMAIL_MARK = "markemailaddress"
LINK_MARK = "markweblink"
NUMBER_MARK = "marknumber"
_PATTERN_MARK = "markpattern"
_MOST_WORDS = 60
_LONGEST_PATTERNED = 128
_LONGEST_WORD = 24

_WORD_WEIGHT = 1.0
_PAIR_WEIGHT = 0.8
_FAMILY_WEIGHT = 0.4
_LETTERS_WEIGHT = 0.5
_LETTER_LENGTHS = (3, 4, 5)


def pattern_mark(index: int) -> str:
    """The word that stands for any text matching the bot's pattern number `index`."""
    return f"{_PATTERN_MARK}{index}x"


def mask(text: str, patterns: Sequence[re.Pattern[str]]) -> str:
    """Replace what has a shape rather than a meaning (addresses, links, ids, numbers) by marks."""
    masked = _LINK.sub(LINK_MARK, _EMAIL.sub(EMAIL_MARK, text))
    if patterns:
        masked = _CHUNK.sub(lambda chunk: _mark_chunk(chunk.group(), patterns), masked)
    return masked


def _mark_chunk(chunk: str, patterns: Sequence[re.Pattern[str]]) -> str:
    bare = chunk.strip(".!?:'*#[]{}")
    if len(bare) > _LONGEST_PATTERNED or bare.isalpha():
        return chunk  # a pattern that fits plain words says nothing about an utterance
    for index, pattern in enumerate(patterns):
        if pattern.fullmatch(bare) or pattern.fullmatch(bare.lower()):
            return pattern_mark(index)
    return chunk


def words_of(text: str, patterns: Sequence[re.Pattern[str]] = ()) -> list[str]:
    """The words the classifier reads; digits are folded into one mark."""
    words = plain_words(mask(text, patterns))[:_MOST_WORDS]
    return [NUMBER_MARK if _DIGITS.fullmatch(word) else word for word in words if word]


def words_of_name(name: str) -> list[str]:
    """The words in an intent's name ("BookFlight", "book_flight"), numbers and single letters left out."""
    return [word.lower() for word in _NAME_WORD.findall(name) if len(word) > 1]


def weigh(words: Sequence[str]) -> dict[str, float]:
    """Features of one utterance with their weight before rarity is considered."""
    weights: dict[str, float] = {}
    for word in words:
        _add(weights, word, _WORD_WEIGHT)
        family = FAMILIES.get(word)
        if family is not None:
            _add(weights, f"~{family}", _FAMILY_WEIGHT)
        if not is_mark(word):
            for letters in letters_of(word):
                _add(weights, letters, _LETTERS_WEIGHT)
    for left, right in pairwise(words):
        _add(weights, f"{left} {right}", _PAIR_WEIGHT)
    return weights


def letters_of(word: str) -> list[str]:
    """The letter sequences of a word, its borders included, as features."""
    padded = f" {word[:_LONGEST_WORD]} "
    return [
        "#" + padded[start : start + length] for length in _LETTER_LENGTHS for start in range(len(padded) - length + 1)
    ]


def is_mark(word: str) -> bool:
    """Whether a word stands for something with a shape: its letters say nothing."""
    return word.startswith("mark")


def is_pattern_mark(word: str) -> bool:
    """Whether a word stands for an id of the bot's own."""
    return word.startswith(_PATTERN_MARK)


def _add(weights: dict[str, float], feature: str, weight: float) -> None:
    weights[feature] = weights.get(feature, 0.0) + weight
