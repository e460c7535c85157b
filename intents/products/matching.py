"""Which one is meant: names as people half remember them. Never guesses between two."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher, get_close_matches

from bot.errors import Invalid
from bot.words import either

_IDLE = frozenset(
    "a an the one new some any our my me us please for of product products called named with and instead rather".split()
)
_ALIKE = 0.82
_SHOWN = 8


def find_meant(text: str, known: Mapping[str, str], *, what: str, field: str) -> str:
    """Return the one of the `known` names that a text means; their values are more words that describe them.

    Raises Invalid when none or several fit; its choices are those that might be meant.
    """
    wanted = text.strip().strip("“”\"'").casefold()
    exact = [name for name in known if name.casefold() == wanted]
    if len(exact) == 1:
        return exact[0]
    said = [word for word in _words(text) if word not in _IDLE]
    for fits in (_named_by, _within, _described_by):
        found = [name for name, more in known.items() if said and fits(said, name, more)]
        if len(found) == 1:
            return found[0]
        if found:
            raise Invalid(
                f"“{text.strip()[:60]}” could be {either(found[:_SHOWN])}.",
                field=field,
                next_step="Which one?",
                choices=tuple(found[:_SHOWN]),
            )
    near = get_close_matches(wanted, [name.casefold() for name in known], n=_SHOWN, cutoff=0.5)
    choices = tuple(name for name in known if name.casefold() in near) or tuple(known)[:_SHOWN]
    hint = f"Do you mean {either(choices)}?" if near else f"There are {either(choices)}."
    raise Invalid(
        f"There is no {what} called “{text.strip()[:60]}”.",
        field=field,
        next_step=hint if known else "",
        choices=choices,
    )


def _named_by(said: list[str], name: str, more: str) -> bool:
    """Every word said is a word of the name."""
    return all(_is_among(word, _words(name)) for word in said)


def _within(said: list[str], name: str, more: str) -> bool:
    """Every word of the name is said, among others."""
    return all(_is_among(word, said) for word in _words(name) if word not in _IDLE)


def _described_by(said: list[str], name: str, more: str) -> bool:
    """Every word said is a word of the name or of its description."""
    return all(_is_among(word, _words(f"{name} {more}")) for word in said)


def _is_among(word: str, words: list[str]) -> bool:
    return any(_are_alike(word, other) for other in words)


def _are_alike(one: str, other: str) -> bool:
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if any(sign.isdigit() for sign in one + other):
        return False  # "db-1" is not "db-2"
    if len(short) >= 4 and long.startswith(short):
        return True
    return len(short) >= 5 and SequenceMatcher(None, one, other).ratio() >= _ALIKE


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.casefold())
