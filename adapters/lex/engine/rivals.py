"""Values that are named but not meant: ruled out, taken back, or offered as alternatives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from adapters.lex.engine.spans import Found
from adapters.lex.engine.text import Token, comparison_key, covered, tokenize

_NEGATIONS = frozenset({"not", "isn't", "isnt", "never", "without", "except", "non"})
_WRONG = re.compile(
    r"\W*\s(?:(?:is|was|are) (?:wrong|incorrect|a mistake|a typo|not (?:right|correct|good|ok))"
    r"|(?:is|was)n'?t (?:right|correct))",
    re.IGNORECASE,
)
_TAKING_BACK = frozenset("no nope wait actually sorry mean meant rather scratch correction make instead but".split())
_MODALS = frozenset("should would will shall can could must may might that which who we they you i".split())
_SUBJECTS = frozenset("it that which who he she and".split())
_PLACING = frozenset("in on at under within inside below with".split())
_CHANGING = frozenset("change switch set move update turn make convert put go".split())
_ALTERNATIVES = frozenset({"or", "and", "vs", "versus"})


@dataclass(frozen=True, slots=True)
class Rivals:
    """Stretches that one slot must not take: `dropped` as they stand, `undecided` also when read otherwise."""

    dropped: frozenset[Found]
    undecided: tuple[Found, ...]


def is_negated(text: str, tokens: Sequence[Token], found: Found) -> bool:
    """Whether a value is named only to be ruled out: "not X", "X is wrong", "instead of X", "from X to …"."""
    if _WRONG.match(text, found.end):
        return True
    first, _ = covered(tokens, found.start, found.end)
    words = [token.word for token in tokens[max(0, first - 3) : first]]
    if not words:
        return False
    while words and words[-1] in {"a", "an", "the"}:
        words.pop()
    if not words:
        return False
    if words[-1] in _NEGATIONS or words[-1].endswith("n't"):
        between = text[tokens[first - 1].end : found.start]
        return not any(mark in between for mark in ",;.!?")
    if tuple(words[-2:]) in {("instead", "of"), ("rather", "than")}:
        return True
    followed_by_to = bool(re.match(r"\s+(?:in)?to\s+\w", text[found.end :]))
    return words[-1] == "from" and followed_by_to


def is_verb(tokens: Sequence[Token], found: Found) -> bool:
    """Whether a one-word value is rather the sentence's verb: "it should live in X", "it lives under X"."""
    first, last = covered(tokens, found.start, found.end)
    if first != last or first == 0 or last + 1 == len(tokens) or tokens[last + 1].word not in _PLACING:
        return False
    words = [token.word for token in tokens[:first]]
    if words[-1] in _MODALS or words[-2:] == ["let", "it"]:
        return True
    if words[-1] == "to":
        return not _CHANGING & set(words[-5:])
    spelled_out = comparison_key(tokens[first].word) not in map(comparison_key, found.values)
    return spelled_out and words[-1] in _SUBJECTS and tokens[first].word.endswith("s")


def longest(stretches: Mapping[str, Sequence[Found]]) -> frozenset[Found]:
    """The exact listed stretches of any slot that lie strictly inside a longer one: "Prod" in "Workloads / Prod"."""
    exact = [found for several in stretches.values() for found in several if found.closeness == 1.0]
    return frozenset(
        inner
        for inner in exact
        for outer in exact
        if outer.start <= inner.start and inner.end <= outer.end and outer.end - outer.start > inner.end - inner.start
    )


def settle(stretches: Sequence[Found], text: str) -> Rivals:
    """When one slot is given two values, the later counts if it takes the first back; "X or Y" gives none."""
    exact = [found for found in stretches if found.closeness == 1.0]
    dropped: set[Found] = set()
    undecided: list[Found] = []
    for left, right in pairwise(sorted(exact, key=lambda found: found.start)):
        if left.values[0] == right.values[0] or left.overlaps(right):
            continue
        between = {token.word for token in tokenize(text[left.end : right.start])}
        if between & _TAKING_BACK:
            dropped.add(left)
            undecided.append(left)
        elif between and between <= _ALTERNATIVES:
            dropped.update((left, right))
            undecided.extend((left, right))
    return Rivals(frozenset(dropped), tuple(undecided))
