"""Which intent an utterance belongs to, and how sure that is.

Three views of a sentence add up: how it is spelt (`spelling`), what it means as a whole (`meaning`), and how near
its words come to each word that the bot was taught (`kinship`). On their sum stands a multinomial logistic
regression in its kernel form; the confidence also asks how near the sentence is to anything taught, compared with
how near the bot's own samples are to each other when a template's examples are left out together. Plain numpy;
equal definitions give equal numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from adapters.lex.engine.features import is_mark, letters_of, words_of
from adapters.lex.engine.kinship import Kinship
from adapters.lex.engine.lexicon import CARRIER_WORDS, FAMILIES
from adapters.lex.engine.meaning import WIDTH, Meanings, meanings
from adapters.lex.engine.smalltalk import small_talk
from adapters.lex.engine.solving import solve
from adapters.lex.engine.spelling import Floats, Postings, Sparse, Spelling, likeness, post

Floats64 = NDArray[np.float64]

# How much each view counts: tuned on CLINC150's and Snips' training and validation splits.
_SPELLING = 0.4
_MEANING = 0.8
_KINSHIP = 0.5

# Weights of the confidence: fitted by logistic regression on small bots (6 to 75 intents, 5 to 15 samples each) made
# of the same splits and of Rasa's helpdesk, to tell sentences of the bot's intents from those of others and of none.
_WEIGHTS = np.array([1.5, 2.1, 0.5])
_BIAS = -0.5
_OWN_SHARE = 0.5
"""How far a bot's own usual values shift what counts as much."""

_TEMPERATURES = (0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)
_RELATIVE = 0.6
_SPELT_ALIKE = 0.9
_SHORTEST_SLIP = 4
_LONG_WORD = 8
_MOST_MENDED = 5_000
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
    """What a classifier has learnt from its examples: numbers and words alone, so it can be kept in a file.

    Weights have a column for each intent and, last, one for small talk.
    """

    features: tuple[str, ...]
    rarities: NDArray[np.float64]
    spelling_weights: Floats
    words: tuple[str, ...]
    word_rarities: Floats
    kinship_weights: Floats
    meaning_weights: Floats
    examples: Floats
    """The meaning of each of the bot's own examples, a row each."""
    postings: Postings
    """The spelling of each of the bot's own examples."""
    count: int
    """Of all examples, those of small talk included."""
    temperature: float
    usual_output: float
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
        self._meanings: Meanings = meanings()
        self._known_words = frozenset(word for words in examples for word in words) - CARRIER_WORDS
        self._known_families = frozenset(FAMILIES[word] for word in self._known_words if word in FAMILIES)
        self._known_letters = frozenset(letters for word in _lettered(examples) for letters in letters_of(word))
        if learned is None:
            learned = self._learn(examples, labels, groups, listed)
        self.learned = learned
        self._spelling = Spelling(learned.features, learned.rarities, learned.count)
        self._kinship = Kinship(learned.words, learned.word_rarities, self._meanings)
        self._slippable = [
            word for word in sorted(self._known_words) if len(word) >= _SHORTEST_SLIP and not is_mark(word)
        ]
        self._mended: dict[str, str] = {}
        self._telling = np.array([word in self._known_words for word in learned.words], bool)

    def _learn(
        self, examples: Sequence[Sequence[str]], labels: Sequence[int], groups: Sequence[int], listed: Sequence[str]
    ) -> Learned:
        own = len(examples)
        chatter = [words_of(text) for text in small_talk(self._known_words, listed)]
        every = [*examples, *chatter]  # small talk is known by its spelling alone: its meanings lie anywhere
        every_label = np.asarray([*labels, *(self._intents for _ in chatter)])
        every_group = np.asarray([*groups, *(max(groups) + 1 + number for number in range(len(chatter)))])
        spelling, sparse = Spelling.learn(every)
        kinship = Kinship.learn(examples, self._meanings)
        whole, kin = np.zeros((len(every), WIDTH), np.float32), np.zeros((len(every), len(kinship.words)), np.float32)
        for row, words in enumerate(examples):
            whole[row], kin[row] = self._meanings.of_words(words), kinship.vector(words)
        alike = whole @ whole.T
        spelt = _inner(sparse, len(spelling.features))
        near = np.asarray((_SPELLING * spelt + _MEANING * alike) / (_SPELLING + _MEANING), np.float32)
        kernel = np.asarray((_SPELLING + _MEANING) * near + _KINSHIP * (kin @ kin.T), np.float32)
        dual, held_out = solve(kernel, every_label, every_group, self._intents + 1)
        weights = np.zeros((len(spelling.features), self._intents + 1), np.float32)
        for row, vector in enumerate(sparse):
            weights[vector.columns] += vector.values[:, None] * dual[row]
        numbers = np.asarray(labels)
        return Learned(
            features=spelling.features,
            rarities=spelling.rarities,
            spelling_weights=np.float32(_SPELLING) * weights,
            words=kinship.words,
            word_rarities=kinship.rarities,
            kinship_weights=np.float32(_KINSHIP) * (kin.T @ dual),
            meaning_weights=np.float32(_MEANING) * (whole.T @ dual),
            examples=np.ascontiguousarray(whole[:own]),
            postings=post(sparse[:own], len(spelling.features)),
            count=len(every),
            temperature=_calibrate(held_out[:own], numbers),
            usual_output=float(np.median(held_out[:own, :-1].max(axis=1))),
            usual_nearness=_usual_nearness(near[:own, :own], np.asarray(groups)),
        )

    def classify(self, words: Sequence[str]) -> Scores:
        """Confidence of every intent for the words (`words_of`) of one cleaned text."""
        words = [self._mend(word) for word in words]
        vector = self._spelling.vector(words)
        meaning = self._meanings.of_words(words)
        if not len(vector.columns) and not meaning.any():
            return Scores((0.0,) * self._intents)
        learned = self.learned
        outputs = (
            vector.times(learned.spelling_weights)
            + meaning @ learned.meaning_weights
            + self._kinship.vector(words) @ learned.kinship_weights
        ).astype(np.float64)
        shares = _softmax(outputs / learned.temperature)[:-1]
        lead = float(shares.max())
        confidence = _sigmoid(float(_WEIGHTS @ self._evidence(words, vector, meaning, outputs)) + _BIAS)
        return Scores(tuple(float(share) / lead * confidence for share in shares))

    def _evidence(self, words: Sequence[str], vector: Sparse, meaning: Floats, outputs: Floats64) -> Floats64:
        """What speaks for a sentence's being one of the bot's: leading output, nearness to a sample, coverage."""
        learned = self.learned
        alike = _SPELLING * likeness(vector, learned.postings) + _MEANING * (learned.examples @ meaning)
        nearness = float(alike.max()) / (_SPELLING + _MEANING)
        return np.array(
            [
                float(outputs[:-1].max()) - _OWN_SHARE * learned.usual_output,
                nearness - _OWN_SHARE * learned.usual_nearness,
                self._coverage(words, nearness),
            ]
        )

    def _mend(self, word: str) -> str:
        """The word of the samples that a word which is none of English is a slip of; else the word as it is."""
        if word in self._known_words or len(word) < _SHORTEST_SLIP or self._meanings.is_word(word) or is_mark(word):
            return word
        mended = self._mended.get(word)
        if mended is None:
            allowed = 1 if len(word) < _LONG_WORD else 2
            near = process.extract(
                word, self._slippable, scorer=OSA.distance, score_cutoff=allowed, limit=2, processor=None
            )
            is_clear = len(near) == 1 or (len(near) == 2 and near[0][1] < near[1][1])
            mended = near[0][0] if is_clear else word
            if len(self._mended) >= _MOST_MENDED:
                self._mended.clear()
            self._mended[word] = mended
        return mended

    def knows(self, word: str) -> bool:
        """Whether a word is one of the samples, or is spelt much like one."""
        return self._knownness(word) >= _RELATIVE

    def was_taught(self, word: str) -> bool:
        """Whether a word is one of the samples, spelt as it is there."""
        return word in self._known_words

    def _coverage(self, words: Sequence[str], nearness: float) -> float:
        """How much of its telling words the bot was taught; without any, nearness has to do."""
        content = [word for word in words if word not in CARRIER_WORDS and FAMILIES.get(word) not in _ASKING]
        if not content or not self._telling.any():
            return 2.0 * nearness - 1.0
        kin = (float(self._kinship.of_word(word)[self._telling].max()) for word in content)
        return sum(max(near, self._knownness(word)) for near, word in zip(kin, content, strict=True)) / len(content)

    def _knownness(self, word: str) -> float:
        """1 for a word of the samples, less for a relative of one or for one that is spelt alike."""
        if word in self._known_words:
            return 1.0
        relative = _RELATIVE if FAMILIES.get(word) in self._known_families else 0.0
        letters = letters_of(word)
        alike = sum(1 for sequence in letters if sequence in self._known_letters) / max(1, len(letters))
        return max(relative, _SPELT_ALIKE * max(0.0, (alike - 0.3) / 0.7))


def _lettered(examples: Sequence[Sequence[str]]) -> frozenset[str]:
    return frozenset(word for words in examples for word in words if not is_mark(word))


def _inner(vectors: Sequence[Sparse], features: int) -> Floats:
    postings: Postings = post(vectors, features)
    return np.stack([likeness(vector, postings) for vector in vectors])


def _calibrate(held_out: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    rows = np.arange(len(labels))

    def surprise(temperature: float) -> float:
        shares = np.stack([_softmax(row / temperature) for row in held_out])
        return float(-np.log(shares[rows, labels] + 1e-9).mean())

    return min(_TEMPERATURES, key=surprise)


def _usual_nearness(likeness_of_own: Floats, groups: NDArray[np.int64]) -> float:
    """How near a sample of this bot usually is to the nearest one of another template."""
    others = np.where(groups[:, None] == groups[None, :], 0.0, likeness_of_own)
    return float(np.median(others.max(axis=1)))


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum())


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, value))))
