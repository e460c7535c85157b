"""Which intent an utterance belongs to, and how sure that is.

TF-IDF vectors, multinomial logistic regression in its kernel form, and a confidence that asks three things:
how clearly one intent leads, how near the utterance is to anything the bot was taught (compared with how near
the bot's own samples are to each other), and how many of its telling words are known. Calibrated on the bot's
own samples with a template's examples left out together. Plain numpy; equal definitions give equal numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.features import is_mark, letters_of, weigh, words_of
from adapters.lex.engine.lexicon import CARRIER_WORDS, FAMILIES
from adapters.lex.engine.smalltalk import small_talk

Floats = NDArray[np.float32]
_PENALTY = 0.06
_STEPS = 30
_UNKNOWN_SHARE = 0.5
_TEMPERATURES = (0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)
_USUAL_NEARNESS_BOUNDS = (0.3, 0.55)

# Weights of the confidence: fitted by logistic regression on CLINC150's training and validation splits to
# tell in-scope from out-of-scope utterances for small bots (6 to 20 intents, 5 to 15 samples each), then
# rounded. The bias puts Lex's default threshold of 0.4 where about 93 % of the in-scope utterances pass.
_NEARNESS = 8.0
_COVERAGE = 3.0
_LEAD = 3.6
_BIAS = -0.9
_RELATIVE = 0.6
_SPELT_ALIKE = 0.9
_ASKING = frozenset({FAMILIES["create"], FAMILIES["show"], FAMILIES["new"]})


@dataclass(frozen=True, slots=True)
class Scores:
    """Confidence of every intent between 0 and 1, in the definition's order; they need not sum to 1."""

    by_intent: tuple[float, ...]

    @property
    def best(self) -> int:
        """The number of the leading intent."""
        return max(range(len(self.by_intent)), key=self.by_intent.__getitem__)


@dataclass(frozen=True, slots=True)
class Learned:
    """What a classifier has learnt from its examples: numbers and words alone, so it can be kept in a file."""

    features: tuple[str, ...]
    rarities: NDArray[np.float64]
    weights: Floats
    """Of each feature (row) for each intent and, last, small talk (column)."""
    posting_rows: NDArray[np.int32]
    posting_values: Floats
    posting_starts: NDArray[np.int64]
    examples: int
    temperature: float
    usual_nearness: float


class Classifier:
    """Learns from (words, intent number, group) examples, or takes up what was learnt; read-only afterwards.

    `examples` are the words (`words_of`) of each sample; `labels` and `groups` are as long.
    """

    def __init__(
        self,
        examples: Sequence[Sequence[str]],
        labels: Sequence[int],
        groups: Sequence[int],
        intents: int,
        listed: Sequence[str] = (),
        learned: Learned | None = None,
    ) -> None:
        self._intents = intents
        self._own = len(examples)
        self._known_words = frozenset(word for words in examples for word in words) - CARRIER_WORDS
        self._known_families = frozenset(FAMILIES[word] for word in self._known_words if word in FAMILIES)
        self._known_letters = frozenset(letters for word in self._lettered(examples) for letters in letters_of(word))
        if learned is None:
            self._learn(examples, labels, groups, listed)
        else:
            self._take_up(learned)

    @property
    def learned(self) -> Learned:
        """What was learnt; a classifier of the same examples takes it up in a moment."""
        features = sorted(self._vocabulary)
        return Learned(
            tuple(features),
            np.array([self._vocabulary[feature][1] for feature in features]),
            self._weights,
            self._posting_rows,
            self._posting_values,
            self._posting_starts,
            self._examples,
            self._temperature,
            self._usual_nearness,
        )

    def _learn(
        self, examples: Sequence[Sequence[str]], labels: Sequence[int], groups: Sequence[int], listed: Sequence[str]
    ) -> None:
        chatter = small_talk(self._known_words, listed)
        every_label = np.asarray([*labels, *(self._intents for _ in chatter)])
        every_group = np.asarray([*groups, *(max(groups) + 1 + number for number in range(len(chatter)))])
        weighted = [weigh(words) for words in (*examples, *map(words_of, chatter))]
        self._learn_vocabulary(weighted)
        vectors = [self._vector(weights) for weights in weighted]
        self._index_examples(vectors)
        similarity = np.stack([self._similarities(columns, values) for columns, values in vectors])
        dual, held_out = _solve(similarity, every_label, every_group, self._intents + 1)
        self._weights = np.zeros((len(self._vocabulary), self._intents + 1), np.float32)
        for row, (columns, values) in enumerate(vectors):
            self._weights[columns] += values[:, None] * dual[row]
        self._temperature = _calibrate(held_out[: self._own], np.asarray(labels))
        self._usual_nearness = _usual_nearness(similarity[: self._own, : self._own], np.asarray(groups))

    def _take_up(self, learned: Learned) -> None:
        rarities = learned.rarities.tolist()
        self._vocabulary = {
            feature: (column, rarity)
            for column, (feature, rarity) in enumerate(zip(learned.features, rarities, strict=True))
        }
        self._weights = learned.weights
        self._posting_rows, self._posting_values = learned.posting_rows, learned.posting_values
        self._posting_starts, self._examples = learned.posting_starts, learned.examples
        self._rarity_of_unknown = math.log(1 + self._examples) + 1.0
        self._temperature, self._usual_nearness = learned.temperature, learned.usual_nearness

    @staticmethod
    def _lettered(examples: Sequence[Sequence[str]]) -> frozenset[str]:
        return frozenset(word for words in examples for word in words if not is_mark(word))

    def classify(self, words: Sequence[str]) -> Scores:
        """Confidence of every intent for the words (`words_of`) of one cleaned text."""
        columns, values = self._vector(weigh(words))
        if not len(columns):
            return Scores((0.0,) * self._intents)
        outputs = (values @ self._weights[columns]).astype(np.float64)
        shares = _softmax(outputs / self._temperature)[:-1]
        lead = float(shares.max())
        nearness = float(self._similarities(columns, values)[: self._own].max())
        confidence = _sigmoid(
            _NEARNESS * (nearness - self._usual_nearness)
            + _COVERAGE * self._coverage(words, nearness)
            + _LEAD * lead
            + _BIAS
        )
        return Scores(tuple(float(share) / lead * confidence for share in shares))

    def knows(self, word: str) -> bool:
        """Whether a word is one of the samples, or is spelt much like one."""
        return self._knownness(word) >= _RELATIVE

    def was_taught(self, word: str) -> bool:
        """Whether a word is one of the samples, spelt as it is there."""
        return word in self._known_words

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

    def _coverage(self, words: Sequence[str], nearness: float) -> float:
        """The share of telling words that the bot was taught; without any, nearness has to do."""
        content = [word for word in words if word not in CARRIER_WORDS and FAMILIES.get(word) not in _ASKING]
        if not content:
            return 2.0 * nearness - 1.0
        return sum(map(self._knownness, content)) / len(content)

    def _knownness(self, word: str) -> float:
        """1 for a word of the samples, less for a relative of one or for one that is spelt alike."""
        if word in self._known_words:
            return 1.0
        relative = _RELATIVE if FAMILIES.get(word) in self._known_families else 0.0
        letters = letters_of(word)
        alike = sum(1 for sequence in letters if sequence in self._known_letters) / max(1, len(letters))
        return max(relative, _SPELT_ALIKE * max(0.0, (alike - 0.3) / 0.7))


def _solve(
    kernel: Floats, labels: NDArray[np.int64], groups: NDArray[np.int64], intents: int
) -> tuple[Floats, NDArray[np.float64]]:
    """Dual weights of the logistic model, and the outputs each group would get had it been left out.

    Accelerated steps against the fixed curvature bound of the softmax (Böhning 1992): one inverse, no search.
    At the optimum the model is a ridge regression on working responses, which gives the left-out outputs in
    closed form.
    """
    count = len(labels)
    targets = np.zeros((count, intents), np.float32)
    targets[np.arange(count), labels] = 1.0
    curvature = 0.5 * kernel + _PENALTY * np.eye(count)
    inverse: Floats = np.asarray(np.linalg.inv(curvature.astype(np.float32)), np.float32)
    dual: Floats = np.zeros_like(targets)
    ahead: Floats = dual
    momentum = 1.0
    for _ in range(_STEPS):
        following: Floats = ahead - inverse @ (_softmax_rows(kernel @ ahead) - targets + _PENALTY * ahead)
        faster = (1.0 + math.sqrt(1.0 + 4.0 * momentum * momentum)) / 2.0
        ahead = following + np.float32((momentum - 1.0) / faster) * (following - dual)
        dual, momentum = following, faster
    outputs = kernel @ dual
    responses = (outputs + 2.0 * (targets - _softmax_rows(outputs))).astype(np.float64)
    held_out = np.empty_like(responses)
    half_inverse = 0.5 * inverse
    coefficients = half_inverse @ responses
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        residual = np.linalg.solve(half_inverse[np.ix_(members, members)], coefficients[members])
        held_out[members] = responses[members] - residual
    return dual, held_out


def _softmax_rows(outputs: Floats) -> Floats:
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _calibrate(held_out: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    rows = np.arange(len(labels))

    def surprise(temperature: float) -> float:
        shares = np.stack([_softmax(row / temperature) for row in held_out])
        return float(-np.log(shares[rows, labels] + 1e-9).mean())

    return min(_TEMPERATURES, key=surprise)


def _usual_nearness(similarity: Floats, groups: NDArray[np.int64]) -> float:
    """How near a sample of this bot usually is to the nearest one of another template."""
    others = np.where(groups[:, None] == groups[None, :], 0.0, similarity)
    return float(np.clip(np.median(others.max(axis=1)), *_USUAL_NEARNESS_BOUNDS))


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum())


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, value))))
