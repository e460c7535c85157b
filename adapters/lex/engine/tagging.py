"""Where values of open slots begin and end: a linear-chain conditional random field over a sentence's words.

Lex takes the values of an expandable slot type (OriginalValue) for examples; so does this.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.fields import FieldWeights
from adapters.lex.engine.gazetteer import cut
from adapters.lex.engine.text import Token
from adapters.lex.engine.word_features import Reader

Floats = NDArray[np.float32]
OUTSIDE = "O"
_BARRED = np.float32(1e4)


@dataclass(frozen=True, slots=True)
class TaggerWeights:
    """What one intent's tagger has learnt: `rows` are the bot's features, by number, that have weights in `field`."""

    slots: tuple[str, ...]
    rows: NDArray[np.int32]
    field: FieldWeights


def tags_of(slots: Sequence[str]) -> tuple[str, ...]:
    """The tags of words: outside, and for each slot the first word of a value and those that follow."""
    return (OUTSIDE, *(f"{part} {slot}" for slot in slots for part in "BI"))


class Tagger:
    """Finds the slots of one intent in a cleaned text. Immutable."""

    def __init__(
        self, weights: TaggerWeights, features: Mapping[str, int], known: Collection[str], reader: Reader
    ) -> None:
        self._features, self._known, self._reader = features, known, reader
        self._field = weights.field
        self._tags = tags_of(weights.slots)
        self._rows = np.full(len(features), -1, np.int32)
        self._rows[weights.rows] = np.arange(len(weights.rows))
        first = np.array([tag.startswith("I ") for tag in self._tags])
        apart = np.array([[before[2:] != after[2:] for after in self._tags] for before in self._tags])
        self._barred_first = first * _BARRED
        self._moves = weights.field.steps - (apart & first) * _BARRED

    def find(self, text: str) -> list[tuple[str, int, int]]:
        """The slots in a text as (name, first character, character after the last), in its order."""
        tokens = cut(text)
        if not tokens:
            return []
        hidden = frozenset(at for at, token in enumerate(tokens) if token.word not in self._known)
        seen = self._reader.see(text, tokens, hidden)
        scores = seen.meanings @ self._field.dense
        for row, word in enumerate(seen.features):
            rows = self._rows[[self._features[feature] for feature in word if feature in self._features]]
            scores[row] += self._field.sparse[rows[rows >= 0]].sum(axis=0)
        return _spans(tokens, [self._tags[number] for number in self._best_path(scores)])

    def _best_path(self, scores: Floats) -> list[int]:
        """The tags of the highest total in which "I" only follows its own slot's "B" or "I"."""
        total = scores[0] - self._barred_first
        came: list[NDArray[np.intp]] = []
        for row in scores[1:]:
            ways = total[:, None] + self._moves
            came.append(ways.argmax(axis=0))
            total = ways.max(axis=0) + row
        path = [int(total.argmax())]
        for back in reversed(came):
            path.append(int(back[path[-1]]))
        return path[::-1]


def _spans(tokens: Sequence[Token], tags: Sequence[str]) -> list[tuple[str, int, int]]:
    spans: list[tuple[str, int, int]] = []
    for token, tag in zip(tokens, tags, strict=True):
        if tag.startswith("B "):
            spans.append((tag[2:], token.start, token.end))
        elif tag != OUTSIDE:
            spans[-1] = (tag[2:], spans[-1][1], token.end)
    return spans
