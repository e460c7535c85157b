"""Where values of open slots begin and end: a linear-chain conditional random field over a sentence's words.

Lex takes the values of an expandable slot type (OriginalValue) for examples; so does this. Each intent has one, learnt
from its templates filled with values, over the words, their neighbours, their shape and their meaning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.descending import descend
from adapters.lex.engine.meaning import Meanings, unit
from adapters.lex.engine.moments import find_dates, find_durations, find_times
from adapters.lex.engine.numbers import find_numbers
from adapters.lex.engine.text import Token, tokenize

Floats = NDArray[np.float32]
Floats64 = NDArray[np.float64]
_OUTSIDE = "O"
_SHAPED = {"a date": find_dates, "a time": find_times, "a duration": find_durations, "a number": find_numbers}
_PENALTY = 0.05
_STEPS = 50
_MEANT = 48
"""As many of a word's numbers as tell values of one kind from those of another."""
_MEANT_BESIDE = 16
_RARELY = 2


@dataclass(frozen=True, slots=True)
class Tagged:
    """A sentence to learn from: its text, and its slots as (name, first character, character after the last).

    In a `strange` one the values count as words never seen: most values that people name are.
    """

    text: str
    slots: tuple[tuple[str, int, int], ...]
    strange: bool = False


@dataclass(frozen=True, slots=True)
class TaggerWeights:
    """What a tagger has learnt: tags, sparse features, and weights by feature and tag, from tag to tag, of meanings."""

    tags: tuple[str, ...]
    features: tuple[str, ...]
    sparse: Floats
    dense: Floats
    steps: Floats


class Tagger:
    """Finds the slots of one intent in a cleaned text. Immutable."""

    def __init__(self, weights: TaggerWeights, gazetteer: Gazetteer, meanings: Meanings) -> None:
        self.weights = weights
        self._gazetteer, self._meanings = gazetteer, meanings
        self._places = {feature: place for place, feature in enumerate(weights.features)}

    @classmethod
    def learn(cls, sentences: Sequence[Tagged], gazetteer: Gazetteer, meanings: Meanings) -> Tagger:
        """Learn from the filled templates of one intent."""
        tokens = [tokenize(sentence.text) for sentence in sentences]
        pairs = [(one, sentence) for one, sentence in zip(tokens, sentences, strict=True) if one]
        read = [
            (_features(s.text, one, gazetteer, _hidden(one, s)), _dense(one, meanings), _tags(one, s.slots))
            for one, s in pairs
        ]
        tags = tuple(sorted({tag for _, _, own in read for tag in own} | {_OUTSIDE}))
        seen = Counter(feature for features, _, _ in read for word in features for feature in word)
        features = tuple(sorted(feature for feature, count in seen.items() if count >= _RARELY))
        places = {feature: place for place, feature in enumerate(features)}
        numbers = {tag: number for number, tag in enumerate(tags)}
        task = _Task(
            [[[places[f] for f in word if f in places] for word in own] for own, _, _ in read],
            [dense for _, dense, _ in read],
            [[numbers[tag] for tag in own] for _, _, own in read],
            len(features),
            len(tags),
        )
        sparse, dense, steps = task.solve()
        return cls(TaggerWeights(tags, features, sparse, dense, steps), gazetteer, meanings)

    def find(self, text: str) -> list[tuple[str, int, int]]:
        """The slots in a text as (name, first character, character after the last), in its order."""
        tokens = tokenize(text)
        if not tokens:
            return []
        weights = self.weights
        scores = _dense(tokens, self._meanings) @ weights.dense
        hidden = frozenset(at for at, token in enumerate(tokens) if f"w {token.word}" not in self._places)
        for row, word in enumerate(_features(text, tokens, self._gazetteer, hidden)):
            known = [self._places[feature] for feature in word if feature in self._places]
            scores[row] += weights.sparse[known].sum(axis=0)
        tags = [weights.tags[number] for number in _best_path(scores, weights.steps, weights.tags)]
        return _spans(tokens, tags)


class Gazetteer:
    """The words of the values known for each slot."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._words: dict[str, set[str]] = {}
        self._phrases: dict[tuple[str, ...], set[str]] = {}
        for slot, texts in values.items():
            for text in texts:
                words = tuple(token.word for token in tokenize(text))
                if words:
                    self._phrases.setdefault(words, set()).add(slot)
                for word in words:
                    self._words.setdefault(word, set()).add(slot)
        self._longest = max(map(len, self._phrases), default=0)

    def of(self, tokens: Sequence[Token]) -> list[set[str]]:
        """What is known of each word: the slots with a value of these very words, and those with the word in one."""
        found: list[set[str]] = [{f"in {slot}" for slot in self._words.get(token.word, ())} for token in tokens]
        words = [token.word for token in tokens]
        for first in range(len(words)):
            for last in range(first, min(len(words), first + self._longest)):
                for slot in self._phrases.get(tuple(words[first : last + 1]), ()):
                    found[first].add(f"begins {slot}")
                    for inside in range(first, last + 1):
                        found[inside].add(f"is {slot}")
        return found


def _hidden(tokens: Sequence[Token], sentence: Tagged) -> frozenset[int]:
    """The words of a strange sentence's values."""
    if not sentence.strange:
        return frozenset()
    spans = [(start, end) for _, start, end in sentence.slots]
    return frozenset(at for at, token in enumerate(tokens) if any(start <= token.start < end for start, end in spans))


def _features(
    text: str, tokens: Sequence[Token], gazetteer: Gazetteer, hidden: frozenset[int] = frozenset()
) -> list[list[str]]:
    """The features of each word; those `hidden` are words like any other that was never seen."""
    words = ["<<", "<", *("?" if at in hidden else token.word for at, token in enumerate(tokens)), ">", ">>"]
    known = [set() if at in hidden else facts for at, facts in enumerate(gazetteer.of(tokens))]
    for kind, find in _SHAPED.items():
        for found in find(text):
            inside = [at for at, token in enumerate(tokens) if found.start <= token.start < found.end]
            for at in inside:
                known[at].add(f"is {kind}")
            if inside:
                known[inside[0]].add(f"begins {kind}")
    every: list[list[str]] = []
    for at, token in enumerate(tokens):
        before2, before, word, after, after2 = words[at : at + 5]
        written = text[token.start : token.end]
        shape = _shape(written)
        own = [
            "always", f"w {word}", f"w- {before}", f"w+ {after}", f"w-- {before2}", f"w++ {after2}",
            f"-w {before} {word}", f"w+ {word} {after}", f"-- {before2} {before}", f"++ {after} {after2}",
            f"end {token.word[-3:]}", f"begin {token.word[:3]}", f"shape {shape}", f"-shape {before} {shape}",
            f"sides {before} {after}",
        ]  # fmt: skip
        if at:
            own.append(f"gap {text[tokens[at - 1].end : token.start].strip()}")
        own.extend(f"k {fact}" for fact in known[at])
        own.extend(f"k- {fact} {before}" for fact in known[at] if not fact.startswith("in "))
        if at + 1 < len(tokens):
            own.extend(f"k+ {fact}" for fact in known[at + 1])
        every.append(own)
    return every


def _shape(written: str) -> str:
    if written.isdigit():
        return f"digits {min(len(written), 5)}"
    if any(letter.isdigit() for letter in written):
        return "mixed"
    return "Title" if written[:1].isupper() else "lower"


def _dense(tokens: Sequence[Token], meanings: Meanings) -> Floats:
    every = np.stack([unit(meanings.of_word(token.word)) for token in tokens])
    beside = np.zeros((len(tokens) + 2, _MEANT_BESIDE), np.float32)
    beside[1:-1] = every[:, :_MEANT_BESIDE]
    return np.concatenate([every[:, :_MEANT], beside[:-2], beside[2:]], axis=1)


def _tags(tokens: Sequence[Token], slots: Sequence[tuple[str, int, int]]) -> list[str]:
    tags = [_OUTSIDE] * len(tokens)
    for name, start, end in slots:
        inside = [at for at, token in enumerate(tokens) if start <= token.start < end]
        for at in inside:
            tags[at] = ("B " if at == inside[0] else "I ") + name
    return tags


def _spans(tokens: Sequence[Token], tags: Sequence[str]) -> list[tuple[str, int, int]]:
    spans: list[tuple[str, int, int]] = []
    for token, tag in zip(tokens, tags, strict=True):
        if tag.startswith("B "):
            spans.append((tag[2:], token.start, token.end))
        elif tag.startswith("I ") and spans and spans[-1][0] == tag[2:]:
            spans[-1] = (tag[2:], spans[-1][1], token.end)
    return spans


def _best_path(scores: Floats, steps: Floats, tags: Sequence[str]) -> list[int]:
    """The tags of the highest total in which "I" only follows its own slot's "B" or "I"."""
    barred = _barred(tags)
    moves = steps - barred
    total = scores[0] - _barred_first(tags)
    came: list[NDArray[np.int64]] = []
    for row in scores[1:]:
        ways = total[:, None] + moves
        came.append(ways.argmax(axis=0))
        total = ways.max(axis=0) + row
    path = [int(total.argmax())]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return path[::-1]


def _barred(tags: Sequence[str]) -> Floats:
    def is_barred(before: str, after: str) -> bool:
        return after.startswith("I ") and before[2:] != after[2:]

    return np.array([[1e4 if is_barred(before, after) else 0.0 for after in tags] for before in tags], np.float32)


def _barred_first(tags: Sequence[str]) -> Floats:
    return np.array([1e4 if tag.startswith("I ") else 0.0 for tag in tags], np.float32)


class _Task:
    """The learning of one field: sentences laid side by side, words of one place at once."""

    def __init__(
        self,
        features: Sequence[Sequence[Sequence[int]]],
        dense: Sequence[Floats],
        tags: Sequence[Sequence[int]],
        count: int,
        tag_count: int,
    ) -> None:
        order = np.argsort([-len(own) for own in tags], kind="stable")
        self._lengths = np.array([len(tags[row]) for row in order])
        self._tag_count, self._count = tag_count, count
        self._dense = np.concatenate([dense[row] for row in order]).astype(np.float32)
        self._tags = np.concatenate([tags[row] for row in order])
        flat = [word for row in order for word in features[row]]
        self._of_word = np.concatenate([np.asarray(word, np.int64) for word in flat])
        self._sizes = np.array([len(word) for word in flat])
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)[:-1]])
        rows = np.repeat(np.arange(len(flat)), self._sizes)
        turned = np.argsort(self._of_word, kind="stable")
        self._turned = rows[turned]
        self._used, self._used_starts = np.unique(self._of_word[turned], return_index=True)
        begin = np.concatenate([[0], np.cumsum(self._lengths)[:-1]])
        self._columns = [begin[self._lengths > place] + place for place in range(int(self._lengths.max()))]
        follows = np.ones(len(flat), bool)
        follows[begin] = False
        self._pairs = np.flatnonzero(follows)

    def solve(self) -> tuple[Floats, Floats, Floats]:
        """Weights of sparse features, of meanings, and from tag to tag."""
        shapes = [(self._count, self._tag_count), (self._dense.shape[1], self._tag_count), (self._tag_count,) * 2]
        ends = np.cumsum([rows * columns for rows, columns in shapes])

        def parts(flat: Floats64) -> list[Floats64]:
            pieces = np.split(flat, ends[:-1])
            return [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)]

        def loss(flat: Floats64) -> tuple[float, Floats64]:
            value, slopes = self._loss(*parts(flat))
            return (
                value + 0.5 * _PENALTY * float(flat @ flat),
                np.concatenate([s.ravel() for s in slopes]) + _PENALTY * flat,
            )

        found = parts(descend(loss, np.zeros(int(ends[-1])), _STEPS))
        sparse, dense, steps = (np.asarray(part, np.float32) for part in found)
        return sparse, dense, steps

    def _loss(self, sparse: Floats64, dense: Floats64, steps: Floats64) -> tuple[float, list[Floats64]]:
        scores = np.add.reduceat(sparse[self._of_word], self._starts, axis=0) + self._dense @ dense
        forward, backward = np.zeros_like(scores), np.zeros_like(scores)
        forward[self._columns[0]] = scores[self._columns[0]]
        for before, own in zip(self._columns, self._columns[1:], strict=False):
            held = forward[before[: len(own)]]
            forward[own] = scores[own] + _log_sums(held[:, :, None] + steps[None])
        for place in range(len(self._columns) - 2, -1, -1):
            after = self._columns[place + 1]
            backward[self._columns[place][: len(after)]] = _log_sums(
                (scores[after] + backward[after])[:, :, None] + steps.T[None]
            )
        first = self._columns[0]
        totals = _log_sums((forward[first] + backward[first])[:, :, None])[:, 0]
        of_word = np.repeat(totals, self._lengths)
        shares = np.exp(forward + backward - of_word[:, None])
        rows = np.arange(len(scores))
        taken, given = self._tags[self._pairs - 1], self._tags[self._pairs]
        value = float(totals.sum() - scores[rows, self._tags].sum() - steps[taken, given].sum())
        both = np.exp(
            forward[self._pairs - 1][:, :, None]
            + steps[None]
            + (scores[self._pairs] + backward[self._pairs])[:, None, :]
            - of_word[self._pairs][:, None, None]
        ).sum(axis=0)
        np.subtract.at(both, (taken, given), 1.0)
        shares[rows, self._tags] -= 1.0
        slopes = np.zeros_like(sparse)
        slopes[self._used] = np.add.reduceat(shares[self._turned], self._used_starts, axis=0)
        return value, [slopes, self._dense.T @ shares, both]


def _log_sums(values: Floats64) -> Floats64:
    highest = values.max(axis=1)
    return np.asarray(highest + np.log(np.exp(values - highest[:, None]).sum(axis=1)), np.float64)
