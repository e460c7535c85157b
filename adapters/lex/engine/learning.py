"""What a classifier learns from its examples: weights for every view of a sentence, and what is usual for the bot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.elsewhere import Topic, foreign, topics
from adapters.lex.engine.features import weigh, words_of
from adapters.lex.engine.kinship import Kinship
from adapters.lex.engine.meaning import WIDTH, Meanings
from adapters.lex.engine.smalltalk import small_talk
from adapters.lex.engine.solving import hold_out, solve
from adapters.lex.engine.spelling import Floats, Postings, Sparse, Spelling, likeness, post

Floats64 = NDArray[np.float64]

# How much each view counts: tuned on CLINC150's and Snips' training and validation splits.
_SPELLING = 0.4
_MEANING = 0.8
_KINSHIP = 0.5

_TEMPERATURES = (0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)
_MANY_INTENTS = 80
"""A bot of more intents draws its borders itself; other topics cost it accuracy (half a point on CLINC150)."""
_UNTESTED_TEMPERATURE = 1.0
_UNTESTED_LOW = 2.0
"""For a bot with one sample an intent, none of which can be left out."""
_LOW = 0.1
"""The share of a bot's own samples whose outputs, when left out, lie below its low output."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a classifier has learnt from its examples: numbers and words alone, so it can be kept in a file.

    Weights have a column for each intent, one for small talk, and one for each topic that others are asked for.
    """

    features: tuple[str, ...]
    rarities: Floats64
    spelling_weights: Floats
    words: tuple[str, ...]
    word_rarities: Floats
    kinship_weights: Floats
    meaning_weights: Floats
    count: int
    """Of all examples, those of small talk and other topics included."""
    temperature: float
    low_output: float
    """What a sentence of the bot's intents gets as its leading output at least, nine times of ten."""


@dataclass(frozen=True, slots=True)
class _Usual:
    """What a bot's own samples get when they are left out."""

    temperature: float
    low_output: float
    median_output: float


@dataclass(frozen=True, slots=True)
class _Views:
    """Every sentence to learn from, those of topics last, with how near each comes to each."""

    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    """Of the bot's own examples, which come first."""
    spelling: Spelling
    sparse: Sequence[Sparse]
    whole: Floats
    kin: Floats
    kernel: Floats


class Lessons:
    """The examples of one bot: words (`words_of`), intent numbers below `intents`, and groups, all as long."""

    def __init__(
        self,
        examples: Sequence[Sequence[str]],
        labels: Sequence[int],
        groups: Sequence[int],
        intents: int,
        known_words: Set[str],
        listed: Sequence[str],
        meanings: Meanings,
    ) -> None:
        self._examples, self._labels, self._groups, self._intents = examples, labels, groups, intents
        self._meanings = meanings
        self._chatter = [words_of(text) for text in small_talk(known_words, listed)]
        self._kinship = Kinship.learn(examples, meanings)
        self._weighed: dict[tuple[str, ...], Mapping[str, float]] = {}

    def learn(self) -> Learned:
        """Learn twice: what of `elsewhere` is not the bot's own shows only once its own intents are known.

        For that, and for what is usual, one example of each group does.
        """
        some = list(dict(zip(reversed(self._groups), reversed(range(len(self._groups))), strict=True)).values())
        views = self._view(some, ())
        usual = self._usual(views)
        alone = self._weigh(views, 0, usual)
        every = topics() if self._intents <= _MANY_INTENTS else ()
        outputs = [self._lead(words, views.spelling, alone) for topic in every for words in topic]
        others = foreign(every, outputs, usual.median_output)
        return self._weigh(self._view(range(len(self._examples)), others), len(others), usual)

    def _weigh_words(self, words: Sequence[str]) -> Mapping[str, float]:
        """The features of a sentence, of which most are looked at three times."""
        key = tuple(words)
        known = self._weighed.get(key)
        if known is None:
            known = self._weighed[key] = weigh(words)
        return known

    def _lead(self, words: Sequence[str], spelling: Spelling, learned: Learned) -> float:
        meaning, kin = self._meanings.of_words(words), self._kinship.vector(words)
        return float(
            outputs_of(spelling.vector_of(self._weigh_words(words)), meaning, kin, learned)[: self._intents].max()
        )

    def _view(self, rows: Sequence[int], others: Sequence[Topic]) -> _Views:
        own, talk = len(rows), self._intents
        beside = [words for topic in others for words in topic]
        every = [*(self._examples[row] for row in rows), *self._chatter, *beside]
        topic_labels = (talk + 1 + number for number, topic in enumerate(others) for _ in topic)
        labels = np.asarray([*(self._labels[row] for row in rows), *(talk for _ in self._chatter), *topic_labels])
        groups = np.asarray([self._groups[row] for row in rows])
        spelling, sparse = Spelling.learn([self._weigh_words(words) for words in every])
        # Small talk is known by its spelling alone: its meanings lie anywhere.
        whole = np.zeros((len(every), WIDTH), np.float32)
        kin = np.zeros((len(every), len(self._kinship.words)), np.float32)
        for row in (*range(own), *range(len(every) - len(beside), len(every))):
            whole[row], kin[row] = self._meanings.of_words(every[row]), self._kinship.vector(every[row])
        kernel = _SPELLING * _inner(sparse, len(spelling.features)) + _MEANING * (whole @ whole.T)
        kernel += _KINSHIP * (kin @ kin.T)
        return _Views(labels, groups, spelling, sparse, whole, kin, np.asarray(kernel, np.float32))

    def _usual(self, views: _Views) -> _Usual:
        tested, held_out = hold_out(views.kernel, views.labels, views.groups, self._intents + 1)
        if not len(tested):
            return _Usual(_UNTESTED_TEMPERATURE, _UNTESTED_LOW, _UNTESTED_LOW)
        leading = held_out[:, : self._intents].max(axis=1)
        return _Usual(
            _calibrate(held_out.astype(np.float64), views.labels[tested]),
            float(np.quantile(leading, _LOW)),
            float(np.median(leading)),
        )

    def _weigh(self, views: _Views, others: int, usual: _Usual) -> Learned:
        dual = solve(views.kernel, views.labels, self._intents + 1 + others)
        weights = np.zeros((len(views.spelling.features), dual.shape[1]), np.float32)
        for row, vector in enumerate(views.sparse):
            weights[vector.columns] += vector.values[:, None] * dual[row]
        return Learned(
            features=views.spelling.features,
            rarities=views.spelling.rarities,
            spelling_weights=np.float32(_SPELLING) * weights,
            words=self._kinship.words,
            word_rarities=self._kinship.rarities,
            kinship_weights=np.float32(_KINSHIP) * (views.kin.T @ dual),
            meaning_weights=np.float32(_MEANING) * (views.whole.T @ dual),
            count=len(views.labels),
            temperature=usual.temperature,
            low_output=usual.low_output,
        )


def outputs_of(vector: Sparse, meaning: Floats, kin: Floats, learned: Learned) -> Floats:
    """What the logistic model gives each intent, small talk and each topic for the three views of a sentence."""
    return np.asarray(
        vector.times(learned.spelling_weights) + meaning @ learned.meaning_weights + kin @ learned.kinship_weights,
        np.float32,
    )


def _inner(vectors: Sequence[Sparse], features: int) -> Floats:
    postings: Postings = post(vectors, features)
    return np.stack([likeness(vector, postings) for vector in vectors])


def _calibrate(held_out: Floats64, labels: NDArray[np.int64]) -> float:
    rows = np.arange(len(labels))

    def surprise(temperature: float) -> float:
        shares = softmax(held_out / temperature)
        return float(-np.log(shares[rows, labels] + 1e-9).mean())

    return min(_TEMPERATURES, key=surprise)


def softmax(values: Floats64) -> Floats64:
    """Shares of each row that add up to 1."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
