"""Misspelt values are found in long lists as they are by comparing each value of the list."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from adapters.lex.engine.text import tokenize
from adapters.lex.engine.vocabulary import Vocabulary

_NAMES = st.text("abce ", min_size=4, max_size=14).filter(lambda text: bool(text.strip()))
_SLIPS = st.lists(st.tuples(st.sampled_from("swap drop double change".split()), st.integers(0, 13)), max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.lists(_NAMES, min_size=1, max_size=30, unique=True), st.integers(0, 29), _SLIPS)
def test_a_slip_means_the_same_value_as_when_every_value_is_compared(
    values: list[str], meant: int, slips: list[tuple[str, int]]
) -> None:
    said = values[meant % len(values)]
    for kind, place in slips:
        at = place % max(1, len(said) - 1)
        pair = said[at : at + 2]
        said = (
            said[:at]
            + {"swap": pair[::-1], "drop": pair[1:], "double": pair[:1] + pair, "change": "e" + pair[1:]}[kind]
            + said[at + 2 :]
        )
    assume(" " * 4 not in said)  # words further apart than three spaces are never one value
    tokens = tokenize(said)
    quick = {
        (found.start, found.end, found.values[0])
        for found in Vocabulary((value, value) for value in values).find(said, tokens)
        if found.closeness < 1.0
    }
    assert quick == _compared_with_all(values, said)


def _compared_with_all(values: Sequence[str], said: str) -> set[tuple[int, int, str]]:
    """The one nearest value of every stretch that spells none, by the rules alone."""
    keys: dict[str, str] = {}
    words: dict[str, set[int]] = {}
    for value in values:
        key = value.replace(" ", "")
        keys.setdefault(key, value)
        words.setdefault(key, set()).add(len(value.split()))
    longest = max(len(value.split()) for value in values)
    tokens = tokenize(said)
    found: set[tuple[int, int, str]] = set()
    for first in range(len(tokens)):
        for last in range(first, min(len(tokens), first + longest + 1)):
            stretch = "".join(token.word for token in tokens[first : last + 1])
            if stretch in keys or (len(stretch) > 4 and stretch.endswith("s") and stretch[:-1] in keys):
                continue
            near = sorted(
                (OSA.distance(stretch, key), key)
                for key in keys
                if last - first + 1 in words[key]
                and OSA.distance(stretch, key) <= min(_typos(stretch), _typos(key))
                and (stretch[:1] == key[:1] or stretch[:2] == key[1::-1])
            )
            best = [key for distance, key in near if distance == near[0][0]]
            if len(best) == 1 and _meanings(values, best[0]) == 1:
                found.add((tokens[first].start, tokens[last].end, keys[best[0]]))
    return found


def _meanings(values: Sequence[str], key: str) -> int:
    """How many values a key stands for: "a bc" and "ab c" can't be told apart."""
    return sum(value.replace(" ", "") == key for value in values)


def _typos(key: str) -> int:
    return 0 if len(key) <= 4 else 1 if len(key) <= 7 else 2 if len(key) <= 11 else 3
