"""Words and sentences as vectors of meaning, from the table of word pieces in third_party/minilm (see its README)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.features import is_mark, is_pattern_mark
from adapters.lex.engine.wordpiece import WordPieces

Floats = NDArray[np.float32]
WIDTH = 256
_TABLE = Path(__file__).resolve().parents[3] / "third_party" / "minilm"
_SPOKEN_PATTERN = "code"
_MOST_CACHED = 20_000


class Meanings:
    """Vectors of the words that the classifier reads (`features.words_of`). Thread-safe.

    The table's numbers are 8 bits with one scale a row; the file is mapped, so only rows that are used take memory.
    """

    def __init__(self, folder: Path = _TABLE) -> None:
        self._pieces = WordPieces((folder / "pieces.txt").read_text("utf-8").splitlines())
        self._rows = np.load(folder / "table.npy", mmap_mode="r")
        self._scales = np.load(folder / "scales.npy").astype(np.float32)
        self._cached: dict[str, Floats] = {}

    def of_word(self, word: str) -> Floats:
        """The sum of a word's pieces: WIDTH numbers whose length tells how much the word says.

        What stands for an address, a link or a number says nothing: "wrong email" is not nearer for it.
        """
        known = self._cached.get(word)
        if known is None:
            spoken = _SPOKEN_PATTERN if is_pattern_mark(word) else "" if is_mark(word) else word
            numbers = self._pieces.numbers(spoken)
            known = self._scales[numbers] @ self._rows[numbers].astype(np.float32)
            if len(self._cached) >= _MOST_CACHED:
                self._cached.clear()
            self._cached[word] = known
        return known

    def is_word(self, word: str) -> bool:
        """Whether the table knows a word whole, as it knows the common ones."""
        return is_mark(word) or self._pieces.is_piece(word)

    def of_words(self, words: Sequence[str]) -> Floats:
        """A sentence's WIDTH numbers, of length 1; zeros when nothing is known of any word."""
        return unit(np.sum([self.of_word(word) for word in words], axis=0)) if words else np.zeros(WIDTH, np.float32)

    def directions(self, words: Sequence[str]) -> Floats:
        """A row of length 1 for each word, by which words can be compared."""
        return np.stack([unit(self.of_word(word)) for word in words]) if words else np.zeros((0, WIDTH), np.float32)


def unit(vector: Floats) -> Floats:
    """The vector at length 1; a vector of zeros stays."""
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / np.float32(length), np.float32) if length else vector


@cache
def meanings() -> Meanings:
    """The one table of this process."""
    return Meanings()
