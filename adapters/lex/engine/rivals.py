"""Values that are named but not meant: ruled out, taken back, or offered as alternatives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

from adapters.lex.engine.lexicon import FILLERS
from adapters.lex.engine.spans import Found
from adapters.lex.engine.text import Token, comparison_key, covered, tokenize

_NEGATIONS = frozenset(
    "not isn't isnt never without except non longer dont doesnt didnt wont cant cannot shouldnt wouldnt aint".split()
)
_ARTICLES = frozenset({"a", "an", "the"})
_WISHES = frozenset(
    "a an the any another it this that to be go live in on under into inside want need wish like use take choose pick"
    " get put make order create for of".split()
)
"""Words between a negation and what it rules out: "don't want it to be in X"."""
_REACH = 8
_WRONG = re.compile(
    r"\W*\s(?:(?:is|was|are) (?:wrong|incorrect|a mistake|a typo"
    r"|not (?:right|correct|good|ok|what (?:i|we) (?:want|need|mean|meant|asked for)))"
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


def is_negated(text: str, tokens: Sequence[Token], found: Found, *, is_id: bool = False) -> bool:
    """Whether a value is named only to be ruled out: "not X", "X is wrong", "instead of X", "from X to …".

    Who does not want what an id names wishes something about it, so for an id only "not X" itself counts.
    """
    if _WRONG.match(text, found.end):
        return True
    first, _ = covered(tokens, found.start, found.end)
    words = [token.word for token in tokens[max(0, first - 3) : first]]
    while words and words[-1] in {"a", "an", "the"}:
        words.pop()
    if tuple(words[-2:]) in {("instead", "of"), ("rather", "than")}:
        return True
    if words and words[-1] == "from" and re.match(r"\s+(?:in)?to\s+\w", text[found.end :]):
        return True
    return _follows_negation(text, tokens, first, _ARTICLES if is_id else _WISHES)


def _follows_negation(text: str, tokens: Sequence[Token], first: int, between: Set[str]) -> bool:
    """Whether a negation in the same clause governs the token: "don't want a X", "not X", "no X"; not "why not X"."""
    for at in range(first - 1, max(-1, first - 1 - _REACH), -1):
        word = tokens[at].word
        if any(mark in text[tokens[at].end : tokens[at + 1].start] for mark in ",;:.!?"):
            return False
        if word in _NEGATIONS or word.endswith("n't"):
            return not (at > 0 and tokens[at - 1].word == "why")
        if word == "no":
            return at > 0 or _goes_on(text, tokens[first])
        if word not in between:
            return False
    return False


def _goes_on(text: str, token: Token) -> bool:
    """Whether another clause says something after this word: "no X, a Y please"."""
    rest = re.search(r"[,;.]|\bbut\b", text[token.end :], re.IGNORECASE)
    return rest is not None and any(t.word not in FILLERS for t in tokenize(text[token.end + rest.end() :]))


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
