"""What the classifier sees of an utterance: weighted words, word pairs, meaning families and letter sequences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.lex.engine.lexicon import FAMILIES, FUNCTION_WORDS
from adapters.lex.engine.text import plain_words

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"https?://\S+")
_CHUNK = re.compile(r"[^\s,;()<>\"]+")
_DIGITS = re.compile(r"\d+")

EMAIL_MARK = "markemailaddress"
LINK_MARK = "markweblink"
NUMBER_MARK = "marknumber"
_MOST_WORDS = 80

_WORD_WEIGHT = 1.0
_FUNCTION_WORD_WEIGHT = 0.35
_PAIR_WEIGHT = 0.6
_FAMILY_WEIGHT = 0.7
_LETTERS_WEIGHT = 0.3
_LETTER_LENGTHS = (3, 4, 5)


def pattern_mark(index: int) -> str:
    """The word that stands for any text matching the bot's pattern number `index`."""
    return f"markpattern{index}x"


def mask(text: str, patterns: Sequence[re.Pattern[str]]) -> str:
    """Replace what has a shape rather than a meaning (addresses, links, ids, numbers) by marks."""
    masked = _LINK.sub(LINK_MARK, _EMAIL.sub(EMAIL_MARK, text))
    if patterns:
        masked = _CHUNK.sub(lambda chunk: _mark_chunk(chunk.group(), patterns), masked)
    return masked


def _mark_chunk(chunk: str, patterns: Sequence[re.Pattern[str]]) -> str:
    bare = chunk.strip(".!?:'*#[]{}")
    for index, pattern in enumerate(patterns):
        if len(bare) <= 128 and any(letter.isdigit() for letter in bare):
            if pattern.fullmatch(bare) or pattern.fullmatch(bare.lower()):
                return pattern_mark(index)
    return chunk


def words_of(text: str, patterns: Sequence[re.Pattern[str]] = ()) -> list[str]:
    """The words the classifier reads; digits are folded into one mark."""
    words = plain_words(mask(text, patterns))[:_MOST_WORDS]
    return [NUMBER_MARK if _DIGITS.fullmatch(word) else word for word in words if word]


def weigh(words: Sequence[str]) -> dict[str, float]:
    """Features of one utterance with their weight before rarity is considered."""
    weights: dict[str, float] = {}
    for word in words:
        weight = _FUNCTION_WORD_WEIGHT if word in FUNCTION_WORDS else _WORD_WEIGHT
        _add(weights, word, weight)
        family = FAMILIES.get(word)
        if family is not None:
            _add(weights, f"~{family}", _FAMILY_WEIGHT)
        if word not in FUNCTION_WORDS and not word.startswith("mark"):
            _add_letters(weights, word[:40])
    for left, right in zip(words, words[1:], strict=False):
        both_empty = left in FUNCTION_WORDS and right in FUNCTION_WORDS
        _add(weights, f"{left} {right}", _FUNCTION_WORD_WEIGHT if both_empty else _PAIR_WEIGHT)
    return weights


def _add_letters(weights: dict[str, float], word: str) -> None:
    padded = f" {word} "
    for length in _LETTER_LENGTHS:
        for start in range(len(padded) - length + 1):
            _add(weights, "#" + padded[start : start + length], _LETTERS_WEIGHT)


def _add(weights: dict[str, float], feature: str, weight: float) -> None:
    weights[feature] = weights.get(feature, 0.0) + weight
