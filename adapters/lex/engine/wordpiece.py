"""Text cut into the word pieces of an uncased BERT vocabulary: longest piece first, as the models were trained."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

UNKNOWN = "[UNK]"
_CONTINUES = "##"
_ASCII = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
_LONGEST_WORD = 100
_MOST_CACHED = 20_000


class WordPieces:
    """Cuts texts into numbers of the given pieces, in whose order they count from 0.

    A word of which some part is no piece counts as unknown: nothing, if the pieces have no "[UNK]".
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self._numbers = {piece: number for number, piece in enumerate(pieces)}
        self._unknown = [self._numbers[UNKNOWN]] if UNKNOWN in self._numbers else []
        self._cached: dict[str, list[int]] = {}

    def numbers(self, text: str) -> list[int]:
        """The numbers of a text's pieces, in its order."""
        return [number for word in _words(text.lower()) for number in self._of(word)]

    def is_piece(self, word: str) -> bool:
        """Whether a lower-case word is one piece."""
        return word in self._numbers

    def _of(self, word: str) -> list[int]:
        known = self._cached.get(word)
        if known is None:
            known = self._cut(word) if len(word) <= _LONGEST_WORD else self._unknown
            if len(self._cached) >= _MOST_CACHED:
                self._cached.clear()
            self._cached[word] = known
        return known

    def _cut(self, word: str) -> list[int]:
        found: list[int] = []
        start = 0
        while start < len(word):
            mark = _CONTINUES if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if mark + word[start:end] in self._numbers), None)
            if end is None:
                return self._unknown
            found.append(self._numbers[mark + word[start:end]])
            start = end
        return found


def _words(text: str) -> Iterator[str]:
    """Words and single signs of a lower-case text, accents taken off."""
    if text.isascii():
        yield from _ASCII.findall(text)
        return
    word = ""
    for character in unicodedata.normalize("NFD", text):
        category = unicodedata.category(character)
        if category in {"Mn", "Cc", "Cf"} and not character.isspace():
            continue
        if character.isspace() or category[0] in "PS":
            if word:
                yield word
            if not character.isspace():
                yield character
            word = ""
        else:
            word += character
    if word:
        yield word
