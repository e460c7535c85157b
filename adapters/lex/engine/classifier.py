"""Which intent an utterance belongs to, and how sure that is.

TF-IDF vectors, a regularised least-squares classifier in its kernel form, and a confidence that is the
product of two things: how clearly one intent leads (softmax) and how near the utterance is to anything the
bot was taught (the novelty gate). Both are calibrated on the bot's own samples with a template's examples
left out together. Plain numpy; the same definition always gives the same numbers.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.features import weigh, words_of
from adapters.lex.engine.lexicon import CARRIER_WORDS, FAMILIES

Floats = NDArray[np.float32]
_RIDGE = 0.15
_UNKNOWN_SHARE = 0.5
_TEMPERATURES = (0.04, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22)
_GATE_MIDDLE_BOUNDS = (0.16, 0.3)
_GATE_WIDTH = 0.045
_COVERAGE_MIDDLE = 0.3
_COVERAGE_WIDTH = 0.09


@dataclass(frozen=True, slots=True)
class Scores:
    """Confidence of every intent between 0 and 1, in the definition's order; they need not sum to 1."""

    by_intent: tuple[float, ...]

    @property
    def best(self) -> int:
        """The number of the leading intent."""
        return max(range(len(self.by_intent)), key=self.by_intent.__getitem__)


class Classifier:
    """Learns from (text, intent number, group) examples at construction and is read-only afterwards."""

    def __init__(
        self,
        texts: Sequence[str],
        labels: Sequence[int],
        groups: Sequence[int],
        intents: int,
        patterns: Sequence[re.Pattern[str]] = (),
    ) -> None:
        self._patterns = tuple(patterns)
        self._intents = intents
        tokenized = [words_of(text, self._patterns) for text in texts]
        self._known_words = frozenset(word for words in tokenized for word in words) - CARRIER_WORDS
        self._known_families = frozenset(FAMILIES[word] for word in self._known_words if word in FAMILIES)
        weighted = [weigh(words) for words in tokenized]
        self._learn_vocabulary(weighted)
        vectors = [self._vector(weights) for weights in weighted]
        self._index_examples(vectors)
        similarity = np.stack([self._similarities(columns, values) for columns, values in vectors])
        dual, held_out = _solve(similarity.astype(np.float64), np.asarray(labels), np.asarray(groups), intents)
        self._weights = np.zeros((len(self._vocabulary), intents), np.float32)
        for row, (columns, values) in enumerate(vectors):
            self._weights[columns] += values[:, None] * dual[row].astype(np.float32)
        self._temperature = _calibrate(held_out, np.asarray(labels))
        self._gate_middle = _gate_middle(similarity, np.asarray(groups))

    def classify(self, text: str) -> Scores:
        """Confidence of every intent for one cleaned text."""
        words = words_of(text, self._patterns)
        columns, values = self._vector(weigh(words))
        if not len(columns):
            return Scores((0.0,) * self._intents)
        outputs = (values @ self._weights[columns]).astype(np.float64)
        nearness = float(self._similarities(columns, values).max())
        gate = _sigmoid((nearness - self._gate_middle) / _GATE_WIDTH)
        gate *= _sigmoid((self._coverage(words) - _COVERAGE_MIDDLE) / _COVERAGE_WIDTH)
        confidences = _softmax(outputs / self._temperature) * gate
        return Scores(tuple(float(confidence) for confidence in confidences))

    def _learn_vocabulary(self, weighted: Sequence[dict[str, float]]) -> None:
        frequency = Counter(feature for weights in weighted for feature in weights)
        count = len(weighted)
        self._vocabulary = {
            feature: (column, math.log((1 + count) / (1 + seen)) + 1.0)
            for column, (feature, seen) in enumerate(sorted(frequency.items()))
        }
        self._rarity_of_unknown = math.log(1 + count) + 1.0

    def _vector(self, weights: dict[str, float]) -> tuple[NDArray[np.int64], Floats]:
        columns: list[int] = []
        values: list[float] = []
        square = 0.0
        for feature, weight in weights.items():
            known = self._vocabulary.get(feature)
            if known is None:
                square += _UNKNOWN_SHARE * (weight * self._rarity_of_unknown) ** 2
                continue
            value = weight * known[1]
            columns.append(known[0])
            values.append(value)
            square += value * value
        scale = 1.0 / math.sqrt(square) if square else 0.0
        return np.array(columns, np.int64), np.array(values, np.float32) * np.float32(scale)

    def _index_examples(self, vectors: Sequence[tuple[NDArray[np.int64], Floats]]) -> None:
        self._examples = len(vectors)
        rows = np.repeat(np.arange(len(vectors)), [len(columns) for columns, _ in vectors])
        columns = np.concatenate([columns for columns, _ in vectors])
        values = np.concatenate([values for _, values in vectors])
        order = np.argsort(columns, kind="stable")
        self._posting_rows = rows[order].astype(np.int32)
        self._posting_values = values[order]
        self._posting_starts = np.searchsorted(columns[order], np.arange(len(self._vocabulary) + 1))

    def _similarities(self, columns: NDArray[np.int64], values: Floats) -> Floats:
        if not len(columns):
            return np.zeros(self._examples, np.float32)
        starts = self._posting_starts[columns]
        lengths = self._posting_starts[columns + 1] - starts
        before = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        positions = np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))
        products = self._posting_values[positions] * np.repeat(values, lengths)
        return np.bincount(self._posting_rows[positions], weights=products, minlength=self._examples).astype(np.float32)

    def _coverage(self, words: Sequence[str]) -> float:
        content = [word for word in words if word not in CARRIER_WORDS]
        if not content:
            return 1.0
        known = sum(1.0 for word in content if word in self._known_words or FAMILIES.get(word) in self._known_families)
        return known / len(content)


def _solve(
    kernel: NDArray[np.float64], labels: NDArray[np.int64], groups: NDArray[np.int64], intents: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Dual weights, and what each example's group would score had it been left out (in closed form)."""
    count = len(labels)
    targets = np.zeros((count, intents))
    targets[np.arange(count), labels] = 1.0
    inverse = np.linalg.inv(kernel + _RIDGE * np.eye(count))
    dual = inverse @ targets
    held_out = np.empty_like(targets)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        residual = np.linalg.solve(inverse[np.ix_(members, members)], dual[members])
        held_out[members] = targets[members] - residual
    return dual, held_out


def _calibrate(held_out: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    rows = np.arange(len(labels))

    def surprise(temperature: float) -> float:
        shares = np.stack([_softmax(row / temperature) for row in held_out])
        return float(-np.log(shares[rows, labels] + 1e-9).mean())

    return min(_TEMPERATURES, key=surprise)


def _gate_middle(similarity: Floats, groups: NDArray[np.int64]) -> float:
    strangers = np.where(groups[:, None] == groups[None, :], 0.0, similarity)
    low, high = _GATE_MIDDLE_BOUNDS
    return float(np.clip(np.percentile(strangers.max(axis=1), 5), low, high))


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum())


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, value))))
