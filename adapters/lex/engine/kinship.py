"""How near a sentence comes to each word that a bot was taught, by the words' meanings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.meaning import Meanings, unit

Floats = NDArray[np.float32]
_MOST_CACHED = 5_000


class Kinship:
    """The words of a set of examples, in an order of their own, each with a rarity. Thread-safe."""

    def __init__(self, words: Sequence[str], rarities: Floats, meanings: Meanings) -> None:
        self.words, self.rarities = tuple(words), rarities
        self._meanings = meanings
        self._places = {word: place for place, word in enumerate(words)}
        self._directions = meanings.directions(words)
        self._cached: dict[str, Floats] = {}

    @classmethod
    def learn(cls, examples: Sequence[Sequence[str]], meanings: Meanings) -> Kinship:
        """The words of examples."""
        frequency = Counter(word for words in examples for word in set(words))
        words = sorted(frequency)
        rarities = [math.log((1 + len(examples)) / (1 + frequency[word])) + 1.0 for word in words]
        return cls(words, np.array(rarities, np.float32), meanings)

    def of_word(self, word: str) -> Floats:
        """How near a word is to each of the words: from 0 for a stranger to 1 for the word itself."""
        known = self._cached.get(word)
        if known is None:
            direction = unit(self._meanings.of_word(word))
            known = np.maximum(self._directions @ direction, np.float32(0))
            place = self._places.get(word)
            if place is not None:
                known[place] = 1.0
            if len(self._cached) >= _MOST_CACHED:
                self._cached.clear()
            self._cached[word] = known
        return known

    def vector(self, words: Sequence[str]) -> Floats:
        """A number for each of the words, of length 1 together: the nearest of the sentence's words, squared."""
        if not words or not self.words:
            return np.zeros(len(self.words), np.float32)
        nearest = np.max([self.of_word(word) for word in words], axis=0)
        return unit(nearest * nearest * self.rarities)
