"""What a tagger looks at in each word of a sentence: the word, its neighbours, its shape, and what lists tell of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.gazetteer import Gazetteer, Place
from adapters.lex.engine.meaning import Meanings
from adapters.lex.engine.moments import find_dates, find_durations, find_times
from adapters.lex.engine.numbers import find_numbers
from adapters.lex.engine.text import Token

Floats = NDArray[np.float32]

_SHAPED = {"a date": find_dates, "a time": find_times, "a duration": find_durations, "a number": find_numbers}
_UNSEEN = "?"
_MEANT = 48
"""As many of a word's numbers as tell values of one kind from those of another."""
_MEANT_BESIDE = 16
WIDTH = _MEANT + 2 * _MEANT_BESIDE
"""Numbers that tell a word's meaning and its neighbours'."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The words of a sentence as a tagger sees them: features that are there or not, and WIDTH numbers each."""

    features: list[list[str]]
    meanings: Floats


class Reader:
    """Sees sentences with the eyes of one intent, whose slots are of `types`. Immutable."""

    def __init__(self, types: Collection[str], gazetteer: Gazetteer, meanings: Meanings) -> None:
        self._types, self._gazetteer, self._meanings = types, gazetteer, meanings

    def see(self, text: str, tokens: Sequence[Token], hidden: Collection[int], forgotten: Sequence[Place] = ()) -> Seen:
        """See a cleaned text's words (`cut`, at least one), of which the `hidden` ones were never met before."""
        words = [token.word for token in tokens]
        directions = self._meanings.directions(words)
        known = self._gazetteer.facts(words, self._types, forgotten)
        _add_shaped(text, tokens, known)
        near = self._gazetteer.nearness(words, directions, self._types, forgotten)
        shown = ["<<", "<", *(_UNSEEN if at in hidden else word for at, word in enumerate(words)), ">", ">>"]
        shapes = ["<", *(_shape(text[token.start : token.end]) for token in tokens), ">"]
        features: list[list[str]] = []
        for at, token in enumerate(tokens):
            own = [*_beside(shown[at : at + 5], shapes[at : at + 3], token.word), *near[at]]
            own.append("gap " + text[tokens[at - 1].end : token.start].strip() if at else "gap <")
            after = text[token.end : tokens[at + 1].start].strip() if at + 1 < len(tokens) else ">"
            own.append("gap+ " + after)
            own.extend(f"k {fact}" for fact in known[at])
            own.extend(f"k- {fact} {shown[at + 1]}" for fact in known[at] if not fact.startswith("in "))
            if at + 1 < len(tokens):
                own.extend(f"k+ {fact}" for fact in known[at + 1])
            if at:
                own.extend(f"kp {fact}" for fact in known[at - 1])
            features.append(own)
        beside = np.zeros((len(words) + 2, _MEANT_BESIDE), np.float32)
        beside[1:-1] = directions[:, :_MEANT_BESIDE]
        return Seen(features, np.concatenate([directions[:, :_MEANT], beside[:-2], beside[2:]], axis=1))


def _beside(words: Sequence[str], shapes: Sequence[str], real: str) -> list[str]:
    before2, before, word, after, after2 = words
    shape_before, shape, shape_after = shapes
    return [
        "always", f"w {word}", f"w- {before}", f"w+ {after}", f"w-- {before2}", f"w++ {after2}",
        f"-w {before} {word}", f"w+ {word} {after}", f"-- {before2} {before}", f"++ {after} {after2}",
        f"sides {before} {after}", f"end {real[-3:]}", f"end2 {real[-2:]}", f"begin {real[:3]}",
        f"size {min(len(real), 6)}",
        f"shape {shape}", f"-shape {before} {shape}", f"s- {shape_before} {shape}", f"s+ {shape} {shape_after}",
        f"s3 {shape_before} {shape} {shape_after}", f"-s3 {before} {shape} {shape_after}",
        f"new {word == _UNSEEN} {before == _UNSEEN} {after == _UNSEEN}",
    ]  # fmt: skip


def _add_shaped(text: str, tokens: Sequence[Token], known: Sequence[set[str]]) -> None:
    for kind, find in _SHAPED.items():
        for found in find(text):
            inside = [at for at, token in enumerate(tokens) if found.start <= token.start < found.end]
            for at in inside:
                known[at].add(f"is {kind}")
            if inside:
                known[inside[0]].add(f"begins {kind}")
                known[inside[-1]].add(f"ends {kind}")


def _shape(written: str) -> str:
    if written.isdigit():
        return f"digits {min(len(written), 5)}"
    if any(letter.isdigit() for letter in written):
        return "mixed"
    if len(written) > 1 and written.isupper():
        return "CAPITALS"
    return "Title" if written[:1].isupper() else "lower"
