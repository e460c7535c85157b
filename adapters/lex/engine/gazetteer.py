"""What is known of a sentence's words from the values of slot types: whose they are, and to whose they come near."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.meaning import Meanings
from adapters.lex.engine.text import Token

Floats = NDArray[np.float32]
Place = tuple[int, int, str]
"""The first and last of the words of a value, and the slot type it belongs to."""

_WORD = re.compile(r"'s\b|[^\W_]+(?:'(?!s\b)[^\W_]+)*")
_NEAR = np.array([0.35, 0.45, 0.55, 0.65, 0.75], np.float32)
_TELLING = 3
"""Words of fewer letters come near to anything."""


def cut(text: str) -> tuple[Token, ...]:
    """A cleaned text's words as values begin and end at them: a possessive "'s" is a word by itself."""
    return tuple(Token(match.group().casefold(), match.start(), match.end()) for match in _WORD.finditer(text))


class Gazetteer:
    """The values of slot types. Immutable."""

    def __init__(self, values: Mapping[str, Sequence[str]], meanings: Meanings) -> None:
        self._meanings = meanings
        self._within: dict[str, Counter[str]] = {}
        self._first: dict[str, Counter[str]] = {}
        self._last: dict[str, Counter[str]] = {}
        self._phrases: dict[tuple[str, ...], set[str]] = {}
        self._telling: dict[str, list[str]] = {}
        self._known: dict[tuple[str, ...], tuple[Floats, list[int], dict[tuple[str, str], int]]] = {}
        for name, texts in values.items():
            telling: dict[str, None] = {}
            for text in texts:
                words = tuple(token.word for token in cut(text))
                if not words:
                    continue
                self._phrases.setdefault(words, set()).add(name)
                for word in dict.fromkeys(words):
                    self._within.setdefault(word, Counter())[name] += 1
                    if len(word) >= _TELLING or not word.isalpha():
                        telling[word] = None
                self._first.setdefault(words[0], Counter())[name] += 1
                self._last.setdefault(words[-1], Counter())[name] += 1
            if telling:
                self._telling[name] = list(telling)
        self._longest = max(map(len, self._phrases), default=0)

    def facts(self, words: Sequence[str], types: Collection[str], forgotten: Sequence[Place] = ()) -> list[set[str]]:
        """What is known of each word: which types have it in a value, first, last, or as part of a whole one.

        The values at the `forgotten` places count as if no list held them, as most that people name are in none.
        """
        less: list[Counter[str]] = [Counter() for _ in words]
        less_first, less_last = ([Counter[str]() for _ in words] for _ in range(2))
        for first, last, name in forgotten:
            if name in self._phrases.get(tuple(words[first : last + 1]), ()):
                for at in range(first, last + 1):
                    less[at][name] = 1
                less_first[first][name] = less_last[last][name] = 1
        found: list[set[str]] = [set() for _ in words]
        for mark, table, gone in (
            ("in", self._within, less),
            ("1st", self._first, less_first),
            ("last", self._last, less_last),
        ):
            for at, word in enumerate(words):
                for name, count in table.get(word, {}).items():
                    if name in types and count > gone[at][name]:
                        found[at].add(f"{mark} {name}")
        for first in range(len(words)):
            for last in range(first, min(len(words), first + self._longest)):
                for name in self._phrases.get(tuple(words[first : last + 1]), ()):
                    if name in types and not any(name == own and a <= last and first <= b for a, b, own in forgotten):
                        found[first].add(f"begins {name}")
                        found[last].add(f"ends {name}")
                        for at in range(first, last + 1):
                            found[at].add(f"is {name}")
        return found

    def nearness(
        self, words: Sequence[str], directions: Floats, types: Collection[str], forgotten: Sequence[Place] = ()
    ) -> list[list[str]]:
        """How near each word, whose meaning has that direction, comes to a word of a type's values, in steps."""
        own = tuple(sorted(name for name in types if name in self._telling))
        found: list[list[str]] = [[] for _ in words]
        if not own:
            return found
        table, starts, places = self._compared(own)
        likeness = directions @ table
        for first, last, name in forgotten:
            for at in range(first, last + 1):
                place = places.get((name, words[at]))
                if place is not None and self._within[words[at]][name] == 1:
                    likeness[at, place] = -1.0
        nearest = np.maximum.reduceat(likeness, starts, axis=1)
        steps = np.searchsorted(_NEAR, nearest, side="right")
        for at, column in zip(*np.nonzero(steps), strict=True):
            found[at].extend(f"near {own[column]} {step}" for step in range(steps[at, column]))
        return found

    def _compared(self, types: tuple[str, ...]) -> tuple[Floats, list[int], dict[tuple[str, str], int]]:
        """The directions of all telling words of these types side by side, where each type begins, and each word's."""
        known = self._known.get(types)
        if known is None:
            words = [(name, word) for name in types for word in self._telling[name]]
            starts = np.cumsum([0, *(len(self._telling[name]) for name in types[:-1])]).tolist()
            table = np.ascontiguousarray(self._meanings.directions([word for _, word in words]).T)
            known = self._known[types] = (table, starts, {word: place for place, word in enumerate(words)})
        return known
