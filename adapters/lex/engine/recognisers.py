"""Built-in slot types: where their values stand in a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from adapters.lex.engine.answers import Answer, read_answer
from adapters.lex.engine.cloud_names import find_account_ids, find_regions, takes_account_ids, takes_regions
from adapters.lex.engine.definition import SlotType, ValueKind
from adapters.lex.engine.moments import find_dates, find_durations, find_times
from adapters.lex.engine.numbers import find_numbers
from adapters.lex.engine.spans import Found

_EMAIL = re.compile(
    r"(?<![^\s<(\[{\"',;:=|/*])(?<!\w[\"'])[A-Za-z0-9_%&+-]+(?:[.'][A-Za-z0-9_%&+-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9](?![\w@])"
)
_CHUNK = re.compile(r"[^\s,;()<>\"|]+")
_EDGES = ".!?:'*#[]{}/\\"
_LONGEST_PATTERNED = 128
_NAME = re.compile(r"[^\W\d_]+(?:['.-][^\W\d_]+)*\.?(?: [^\W\d_]+(?:['-][^\W\d_]+)*){0,2}")


@dataclass(frozen=True, slots=True)
class _Chunk:
    text: str
    start: int


def find_built_in(slot_type: SlotType, text: str) -> list[Found]:
    """Every stretch of the text that is a value of the type by its shape alone; none for open types."""
    if slot_type.pattern is not None:
        return [*_find_pattern(slot_type.pattern, text), *_find_spoken(slot_type.pattern, text)]
    finder = _FINDERS.get(slot_type.kind)
    return list(finder(text)) if finder is not None else []


def is_person_name(text: str) -> bool:
    """Whether a text could be a first or last name: letters, at most three words."""
    return _NAME.fullmatch(text) is not None


def _chunks(text: str) -> Iterator[_Chunk]:
    for match in _CHUNK.finditer(text):
        bare = match.group().lstrip(_EDGES)
        start = match.end() - len(bare)
        bare = bare.rstrip(_EDGES)
        if bare and len(bare) <= _LONGEST_PATTERNED:
            yield _Chunk(bare, start)


def _find_pattern(pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    for chunk in _chunks(text):
        for spelling in (chunk.text, chunk.text.lower(), chunk.text.upper()):
            if pattern.fullmatch(spelling):
                yield Found(chunk.start, chunk.start + len(chunk.text), (spelling,))
                break


def _find_spoken(pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    """What people say for a Region or an account's id."""
    find = _spoken(pattern)
    return find(text) if find is not None else iter(())


@cache
def _spoken(pattern: re.Pattern[str]) -> Callable[[str], Iterator[Found]] | None:
    if takes_regions(pattern):
        return find_regions
    return find_account_ids if takes_account_ids(pattern) else None


def _find_emails(text: str) -> Iterator[Found]:
    for match in _EMAIL.finditer(text):
        address = match.group()
        if len(address.partition("@")[0]) <= 64:
            yield Found(match.start(), match.end(), (address,))


def _find_alphanumerics(text: str) -> Iterator[Found]:
    for chunk in _chunks(text):
        if chunk.text.replace("-", "").isalnum() and any(letter.isdigit() for letter in chunk.text):
            yield Found(chunk.start, chunk.start + len(chunk.text), (chunk.text,))


def _find_confirmation(text: str) -> Iterator[Found]:
    answer = read_answer(text).answer
    if answer is not Answer.UNCLEAR:
        yield Found(0, len(text), ("Yes" if answer is Answer.YES else "No",))


_FINDERS: dict[ValueKind, Callable[[str], Iterator[Found]]] = {
    ValueKind.EMAIL: _find_emails,
    ValueKind.NUMBER: find_numbers,
    ValueKind.ALPHANUMERIC: _find_alphanumerics,
    ValueKind.CONFIRMATION: _find_confirmation,
    ValueKind.DATE: find_dates,
    ValueKind.TIME: find_times,
    ValueKind.DURATION: find_durations,
}
