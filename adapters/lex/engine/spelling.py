"""Sentences as sparse vectors of words, word pairs and letter sequences, weighted by rarity (TF-IDF)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.features import weigh

Floats = NDArray[np.float32]
_UNKNOWN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Postings:
    """The examples' vectors by feature: rows and values from `starts[f]` up to `starts[f + 1]`."""

    rows: NDArray[np.int32]
    values: Floats
    starts: NDArray[np.int64]
    examples: int


@dataclass(frozen=True, slots=True)
class Sparse:
    """A vector of length at most 1: its columns and their values."""

    columns: NDArray[np.int64]
    values: Floats

    def times(self, weights: Floats) -> Floats:
        """The vector's product with a row of weights for each feature."""
        return np.asarray(self.values @ weights[self.columns], np.float32)


class Spelling:
    """The features of a set of examples; what is not among them makes a vector shorter. Immutable."""

    def __init__(self, features: Sequence[str], rarities: NDArray[np.float64], examples: int) -> None:
        self.features, self.rarities = tuple(features), rarities
        self._known = {
            feature: (column, rarity)
            for column, (feature, rarity) in enumerate(zip(features, rarities.tolist(), strict=True))
        }
        self._rarity_of_unknown = math.log(1 + examples) + 1.0

    @classmethod
    def learn(cls, weighted: Sequence[Mapping[str, float]]) -> tuple[Spelling, list[Sparse]]:
        """The features of examples (`weigh` of each), and the examples' own vectors."""
        frequency = Counter(feature for weights in weighted for feature in weights)
        features = sorted(frequency)
        count = len(weighted)
        rarities = np.array([math.log((1 + count) / (1 + frequency[feature])) + 1.0 for feature in features])
        learnt = cls(features, rarities, count)
        return learnt, [learnt.vector_of(weights) for weights in weighted]

    def vector(self, words: Sequence[str]) -> Sparse:
        """The vector of a sentence's words."""
        return self.vector_of(weigh(words))

    def vector_of(self, weights: Mapping[str, float]) -> Sparse:
        """The vector of a sentence's features (`weigh`)."""
        columns: list[int] = []
        values: list[float] = []
        square = 0.0
        for feature, weight in weights.items():
            known = self._known.get(feature)
            if known is None:
                square += _UNKNOWN_SHARE * (weight * self._rarity_of_unknown) ** 2
                continue
            value = weight * known[1]
            columns.append(known[0])
            values.append(value)
            square += value * value
        scale = 1.0 / math.sqrt(square) if square else 0.0
        return Sparse(np.array(columns, np.int64), np.array(values, np.float32) * np.float32(scale))


def post(vectors: Sequence[Sparse], features: int) -> Postings:
    """The examples' vectors, turned round."""
    rows = np.repeat(np.arange(len(vectors)), [len(vector.columns) for vector in vectors])
    columns = np.concatenate([vector.columns for vector in vectors])
    values = np.concatenate([vector.values for vector in vectors])
    order = np.argsort(columns, kind="stable")
    starts = np.searchsorted(columns[order], np.arange(features + 1))
    return Postings(rows[order].astype(np.int32), values[order], starts, len(vectors))


def likeness(vector: Sparse, postings: Postings) -> Floats:
    """How like each example a vector is: their inner products."""
    if not len(vector.columns):
        return np.zeros(postings.examples, np.float32)
    starts = postings.starts[vector.columns]
    lengths = postings.starts[vector.columns + 1] - starts
    before = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    positions = np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))
    products = postings.values[positions] * np.repeat(vector.values, lengths)
    return np.bincount(postings.rows[positions], weights=products, minlength=postings.examples).astype(np.float32)
