"""The learning of conditional random fields: one for each intent, which share what values of one type have in common.

A tag's weights are the sum of those of its slot type, which every intent with that type teaches, and the intent's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.descending import descend

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

_PENALTY = 0.2
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to learn from: each word's features by number, its meaning, and its tag by number."""

    features: Sequence[Sequence[int]]
    meanings: Floats
    tags: Sequence[int]


@dataclass(frozen=True, slots=True)
class Lesson:
    """The sentences of one intent; `kinds` tells for each of its tags which column the shared weights have for it."""

    sentences: Sequence[Sentence]
    kinds: Numbers


@dataclass(frozen=True, slots=True)
class FieldWeights:
    """What one intent's field has learnt: weights by feature and tag, by meaning and tag, and from tag to tag."""

    sparse: Floats
    dense: Floats
    steps: Floats


class Fields:
    """The fields of a bot, learnt together. `count` features, `kinds` columns of shared weights."""

    def __init__(self, lessons: Sequence[Lesson], count: int, kinds: int) -> None:
        self._fields = [_Field(lesson) for lesson in lessons]
        self._count, self._kinds = count, kinds
        width = lessons[0].sentences[0].meanings.shape[1]
        self._shapes = [(count, kinds), (width, kinds), (kinds, kinds)]
        for field in self._fields:
            self._shapes += [(len(field.used), field.tags), (width, field.tags), (field.tags, field.tags)]
        self._ends = np.cumsum([rows * columns for rows, columns in self._shapes])
        self._columns = [np.eye(kinds, dtype=np.float32)[field.kinds] for field in self._fields]

    def learn(self) -> list[FieldWeights]:
        """The weights of each intent's field, for all features."""
        flat = descend(self._loss, np.zeros(int(self._ends[-1]), np.float32), _STEPS)
        shared, learned = self._parts(flat)[0], []
        for field, sparse, dense, steps in self._summed(self._parts(flat)):
            whole = np.ascontiguousarray(shared[:, field.kinds])
            whole[field.used] = sparse
            learned.append(FieldWeights(whole, dense, steps))
        return learned

    def _parts(self, flat: Floats) -> list[Floats]:
        pieces = np.split(flat, self._ends[:-1])
        return [piece.reshape(shape) for piece, shape in zip(pieces, self._shapes, strict=True)]

    def _summed(self, parts: Sequence[Floats]) -> Iterator[tuple[_Field, Floats, Floats, Floats]]:
        sparse, dense, steps = parts[:3]
        for number, field in enumerate(self._fields):
            own = parts[3 + 3 * number :]
            yield (
                field,
                sparse[field.used][:, field.kinds] + own[0],
                dense[:, field.kinds] + own[1],
                steps[np.ix_(field.kinds, field.kinds)] + own[2],
            )

    def _loss(self, flat: Floats) -> tuple[float, Floats]:
        turned = np.zeros_like(flat)
        slopes = self._parts(turned)
        total = 0.0
        for number, (field, *weights) in enumerate(self._summed(self._parts(flat))):
            value, sparse, dense, steps = field.loss(*weights)
            total += value
            for slope, own in zip(slopes[3 + 3 * number :], (sparse, dense, steps), strict=False):
                slope[:] = own
            columns = self._columns[number]
            slopes[0][field.used] += sparse @ columns
            slopes[1][:] += dense @ columns
            slopes[2][:] += columns.T @ steps @ columns
        return total + 0.5 * _PENALTY * float(flat @ flat), turned + np.float32(_PENALTY) * flat


class _Field:
    """One intent's sentences laid side by side, the words of one place at once."""

    def __init__(self, lesson: Lesson) -> None:
        ordered = sorted(lesson.sentences, key=lambda sentence: -len(sentence.tags))
        lengths = np.array([len(sentence.tags) for sentence in ordered])
        self.kinds, self.tags = lesson.kinds, len(lesson.kinds)
        self._meanings = np.concatenate([sentence.meanings for sentence in ordered])
        self._tags = np.concatenate([np.asarray(sentence.tags, np.int64) for sentence in ordered])
        words = [word for sentence in ordered for word in sentence.features]
        sizes = np.array([len(word) for word in words])
        self.used, self._of_word = np.unique(
            np.concatenate([np.asarray(word, np.int64) for word in words]), return_inverse=True
        )
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        order = np.argsort(self._of_word, kind="stable")
        self._turned = np.repeat(np.arange(len(words)), sizes)[order]
        self._turned_starts = np.searchsorted(self._of_word[order], np.arange(len(self.used)))
        begin = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        self._columns = [begin[lengths > place] + place for place in range(int(lengths.max()))]
        follows = np.ones(len(words), bool)
        follows[begin] = False
        self._later = np.flatnonzero(follows)

    def loss(self, sparse: Floats, dense: Floats, steps: Floats) -> tuple[float, Floats, Floats, Floats]:
        """How unlikely the right tags are, and the slopes by these weights."""
        scores = np.add.reduceat(sparse[self._of_word], self._starts, axis=0) + self._meanings @ dense
        highest = scores.max(axis=1, keepdims=True)
        likely, moves = np.exp(scores - highest), np.exp(steps)
        forward, sums = self._forward(likely, moves)
        backward = self._backward(likely, moves, sums)
        later, rows = self._later, np.arange(len(scores))
        taken, given = self._tags[later - 1], self._tags[later]
        value = np.log(sums).sum(dtype=np.float64) + highest.sum(dtype=np.float64)
        value -= scores[rows, self._tags].sum(dtype=np.float64) + steps[taken, given].sum(dtype=np.float64)
        both = moves * (forward[later - 1].T @ (backward[later] * likely[later] / sums[later][:, None]))
        np.subtract.at(both, (taken, given), 1.0)
        shares = forward * backward
        shares[rows, self._tags] -= 1.0
        by_feature = np.add.reduceat(shares[self._turned], self._turned_starts, axis=0)
        return float(value), by_feature, self._meanings.T @ shares, both

    def _forward(self, likely: Floats, moves: Floats) -> tuple[Floats, Floats]:
        """How likely each tag is after the words before it, and what these shares were divided by."""
        forward, sums = np.zeros_like(likely), np.zeros(len(likely), np.float32)
        before: Numbers | None = None
        for own in self._columns:
            reached = likely[own] if before is None else (forward[before[: len(own)]] @ moves) * likely[own]
            sums[own] = reached.sum(axis=1)
            forward[own] = reached / sums[own][:, None]
            before = own
        return forward, sums

    def _backward(self, likely: Floats, moves: Floats, sums: Floats) -> Floats:
        backward = np.ones_like(likely)
        for place in range(len(self._columns) - 2, -1, -1):
            after = self._columns[place + 1]
            own = self._columns[place][: len(after)]
            backward[own] = ((backward[after] * likely[after]) @ moves.T) / sums[after][:, None]
        return backward
