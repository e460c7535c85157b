"""Which intent an utterance belongs to, and how sure that is.

Three views of a sentence add up: how it is spelt (`spelling`), what it means as a whole (`meaning`), and how near
its words come to each word that the bot was taught (`kinship`). On their sum stands a multinomial logistic
regression in its kernel form; beside the bot's intents it knows small talk and what other bots are asked for
(`elsewhere`). The confidence compares the leading output with what the bot's own samples get when they are left out,
and asks how many of the words were taught. Plain numpy; equal definitions give equal numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from adapters.lex.engine.features import is_mark, letters_of
from adapters.lex.engine.kinship import Kinship
from adapters.lex.engine.learning import Learned, Lessons, outputs_of, softmax
from adapters.lex.engine.lexicon import CARRIER_WORDS, FAMILIES
from adapters.lex.engine.meaning import Meanings, meanings
from adapters.lex.engine.spelling import Spelling

Floats64 = NDArray[np.float64]

# Weights of the confidence: fitted by logistic regression on 56 small bots (4 to 40 intents, 5 to 15 samples each) made
# of CLINC150's and Snips' training and validation splits and of Rasa's helpdesk, to tell sentences of the bot's intents
# from those of others and of none; the bias accepts 95 of 100 of the former and more at 0.4.
_WEIGHTS = np.array([1.12, 1.32, -0.36])
_BIAS = -1.4
_OWN_SHARE = 0.9
"""How far a bot's own low output shifts what counts as much."""

_LOWEST = 1.8
"""What a bot's low output counts as at least: with a handful of samples it says little."""
_NOTHING_TOLD = -1.0
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
            lessons = Lessons(examples, labels, groups, intents, self._known_words, listed, self._meanings)
            learned = lessons.learn()
        self.learned = learned
        self._spelling = Spelling(learned.features, learned.rarities, learned.count)
        self._kinship = Kinship(learned.words, learned.word_rarities, self._meanings)
        self._slippable = [
            word for word in sorted(self._known_words) if len(word) >= _SHORTEST_SLIP and not is_mark(word)
        ]
        self._mended: dict[str, str] = {}
        self._telling = np.array([word in self._known_words for word in learned.words], bool)

    def classify(self, words: Sequence[str]) -> Scores:
        """Confidence of every intent for the words (`words_of`) of one cleaned text."""
        words = [self._mend(word) for word in words]
        vector = self._spelling.vector(words)
        meaning = self._meanings.of_words(words)
        if not len(vector.columns) and not meaning.any():
            return Scores((0.0,) * self._intents)
        learned = self.learned
        outputs = outputs_of(vector, meaning, self._kinship.vector(words), learned).astype(np.float64)
        shares = softmax(outputs / learned.temperature)[: self._intents]
        lead = float(shares.max())
        confidence = _sigmoid(float(_WEIGHTS @ self._evidence(words, outputs)) + _BIAS)
        return Scores(tuple(float(share) / lead * confidence for share in shares))

    def _evidence(self, words: Sequence[str], outputs: Floats64) -> Floats64:
        """What speaks for a sentence's being one of the bot's: leading output, coverage; and against: other topics."""
        lead, low = float(outputs[: self._intents].max()), max(self.learned.low_output, _LOWEST)
        others = float(outputs[self._intents + 1 :].max(initial=0.0))
        return np.array([lead - _OWN_SHARE * low, self._coverage(words), others])

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

    def _coverage(self, words: Sequence[str]) -> float:
        """How much of its telling words the bot was taught; a sentence without any has to be much like a sample."""
        content = [word for word in words if word not in CARRIER_WORDS and FAMILIES.get(word) not in _ASKING]
        if not content or not self._telling.any():
            return _NOTHING_TOLD
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


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, value))))
