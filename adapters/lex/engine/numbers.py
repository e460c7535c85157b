"""Numbers in digits and in English words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from adapters.lex.engine.spans import Found
from adapters.lex.engine.text import Token, tokenize

_DIGITS = re.compile(r"(?<![\w.@/-])[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w@/-]|\.\d)")

_ONES: Final = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
        " sixteen seventeen eighteen nineteen".split()
    )
}
_TENS: Final = {
    word: value * 10
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_NUMBER_WORDS: Final = frozenset(_ONES) | frozenset(_TENS) | frozenset(_SCALES)


def find_numbers(text: str) -> Iterator[Found]:
    """Numbers as Lex resolves them: plain digits without separators."""
    for match in _DIGITS.finditer(text):
        yield Found(match.start(), match.end(), (match.group().replace(",", "").lstrip("+"),))
    run: list[Token] = []
    for token in tokenize(text):
        if token.word in _NUMBER_WORDS or (token.word == "and" and run and run[-1].word in _SCALES):
            run.append(token)
            continue
        yield from _spoken(run)
        run = []
    yield from _spoken(run)


def number_from_words(words: Sequence[str]) -> int | None:
    """The value of number words in a row ("two hundred and five"), or None when they are no number."""
    total, current = 0, 0
    if not words or not all(word in _NUMBER_WORDS or word == "and" for word in words):
        return None
    for word in words:
        if word in _ONES:
            current += _ONES[word]
        elif word in _TENS:
            current += _TENS[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in _SCALES:
            total += max(current, 1) * _SCALES[word]
            current = 0
    return total + current


def _spoken(run: list[Token]) -> Iterator[Found]:
    while run and run[-1].word == "and":
        run = run[:-1]
    value = number_from_words([token.word for token in run])
    if value is not None:
        yield Found(run[0].start, run[-1].end, (str(value),))
