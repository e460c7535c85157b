"""Listed values of a slot found in a text: exact, written apart or together, and misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from adapters.lex.engine.definition import Slot
from adapters.lex.engine.lexicon import FUNCTION_WORDS
from adapters.lex.engine.spans import Found
from adapters.lex.engine.text import Token, comparison_key, tokenize

_GLUE = frozenset("/@_.+-\\:")
_MOST_NEIGHBOURS = 3
_MOST_HINTED = 64
_SINGULAR = 0.9


@dataclass(frozen=True, slots=True)
class _Spelling:
    key: str
    value: str
    words: int


class Vocabulary:
    """The values a slot can take, its own and those hinted for this session. Immutable."""

    def __init__(self, spellings: Iterable[tuple[str, str]]) -> None:
        self._by_key: dict[str, list[_Spelling]] = {}
        for text, value in spellings:
            key = comparison_key(text)
            if not key:
                continue
            entries = self._by_key.setdefault(key, [])
            if all(entry.value != value for entry in entries):
                entries.append(_Spelling(key, value, len(tokenize(text))))
        self._longest = max((entry.words for entries in self._by_key.values() for entry in entries), default=0)
        # Who mistypes writes as many words, misses the first letter only by swapping it with the second, and
        # is at most three letters out: of a long list, few values are left to be compared.
        self._near: dict[tuple[int, str], dict[int, list[str]]] = {}
        for key, entries in self._by_key.items():
            if _allowed_typos(len(key)):
                for words in {entry.words for entry in entries}:
                    for opening in {key[0], key[:2]}:
                        self._near.setdefault((words, opening), {}).setdefault(len(key), []).append(key)

    def __bool__(self) -> bool:
        return bool(self._by_key)

    @property
    def words(self) -> frozenset[str]:
        """The comparison keys of every spelling."""
        return frozenset(self._by_key)

    def find(
        self, text: str, tokens: Sequence[Token], protected: frozenset[str] = frozenset(), *, asked: bool = False
    ) -> Iterator[Found]:
        """Every stretch of whole words that spells a value; `protected` words are never misspellings.

        When the slot was `asked` for, the singular stands for a value in the plural ("demo" for Demos).
        """
        if not self._by_key:
            return
        keys = [token.word.replace("'", "") for token in tokens]
        for first in range(len(tokens)):
            joined = ""
            for last in range(first, min(len(tokens), first + self._longest + 1)):
                joined += keys[last]
                start, end = tokens[first].start, tokens[last].end
                if last > first and _far_apart(text, tokens[first : last + 1]):
                    break
                if _is_glued(text, start, end):
                    continue
                exact = self._by_key.get(joined) or self._inflected(joined)
                if exact is not None:
                    yield Found(start, end, tuple(entry.value for entry in exact))
                elif asked and (plural := self._by_key.get(joined + "s")):
                    yield Found(start, end, tuple(entry.value for entry in plural), closeness=_SINGULAR)
                elif joined not in protected and joined not in FUNCTION_WORDS:
                    yield from self._misspelt(joined, last - first + 1, start, end)

    def _inflected(self, joined: str) -> list[_Spelling] | None:
        """A value in another form of the word: "sandboxes", "Demos's", "testing" for "test"."""
        if len(joined) > 4 and joined.endswith("s"):
            return self._by_key.get(joined[:-1])
        return self._by_key.get(joined[:-3]) if len(joined) > 6 and joined.endswith("ing") else None

    def _misspelt(self, joined: str, words: int, start: int, end: int) -> Iterator[Found]:
        allowed = _allowed_typos(len(joined))
        if not allowed or joined.isdigit():
            return
        near: list[tuple[int, str]] = []
        for opening in (joined[0], joined[1::-1]) if joined[0] != joined[1] else joined[0]:
            for length, keys in self._near.get((words, opening), {}).items():
                if abs(length - len(joined)) <= allowed:
                    limit = min(allowed, _allowed_typos(length))
                    slips = process.extract(
                        joined, keys, scorer=OSA.distance, processor=None, score_cutoff=limit, limit=None
                    )
                    near.extend((int(distance), key) for key, distance, _ in slips)
        if not near:
            return
        near.sort()
        best = near[0][0]
        values = tuple(dict.fromkeys(entry.value for _, key in near[:_MOST_NEIGHBOURS] for entry in self._by_key[key]))
        rivals = {entry.value for distance, key in near if distance == best for entry in self._by_key[key]}
        if len(rivals) == 1:
            yield Found(start, end, values, closeness=1.0 - best / len(joined))


class Vocabularies:
    """The vocabularies of one intent's slots, those with runtime hints kept for the next turn."""

    def __init__(self, intent: str, slots: Sequence[Slot]) -> None:
        self._intent = intent
        self._listed = {slot.name: tuple(_listed_spellings(slot)) for slot in slots}
        self._plain = {name: Vocabulary(spellings) for name, spellings in self._listed.items()}
        self._hinted: dict[tuple[str, tuple[str, ...]], Vocabulary] = {}

    def of(self, slot: str, hints: Mapping[str, object]) -> Vocabulary:
        """The vocabulary of a slot in a session with these `runtimeHints`."""
        phrases = _hinted_phrases(hints, self._intent, slot)
        if not phrases:
            return self._plain[slot]
        known = self._hinted.get((slot, phrases))
        if known is None:
            known = Vocabulary([*self._listed[slot], *((phrase, phrase) for phrase in phrases)])
            if len(self._hinted) >= _MOST_HINTED:
                self._hinted.clear()
            self._hinted[slot, phrases] = known
        return known


def _listed_spellings(slot: Slot) -> Iterator[tuple[str, str]]:
    for listed in slot.type.values:
        yield listed.value, listed.value
    for listed in slot.type.values:
        for synonym in listed.synonyms:
            yield synonym, listed.value


def _hinted_phrases(hints: Mapping[str, object], intent: str, slot: str) -> tuple[str, ...]:
    """The phrases of `runtimeHints.slotHints[intent][slot]`; anything malformed counts as no hint."""
    details = _child(_child(_child(hints, "slotHints"), intent), slot)
    values = details.get("runtimeHintValues") if isinstance(details, Mapping) else None
    if not isinstance(values, Sequence) or isinstance(values, str):
        return ()
    phrases = (entry.get("phrase") for entry in values if isinstance(entry, Mapping))
    return tuple(phrase for phrase in phrases if isinstance(phrase, str) and phrase)


def _child(parent: object, name: str) -> object:
    return parent.get(name) if isinstance(parent, Mapping) else None


def _allowed_typos(length: int) -> int:
    if length <= 4:
        return 0
    if length <= 7:
        return 1
    return 2 if length <= 11 else 3


def _is_glued(text: str, start: int, end: int) -> bool:
    """Whether the stretch is only part of a path, an address or a hyphenated name."""
    before = start >= 2 and text[start - 1] in _GLUE and text[start - 2].isalnum()
    after = end + 1 < len(text) and text[end] in _GLUE and text[end + 1].isalnum()
    return before or after


def _far_apart(text: str, tokens: Sequence[Token]) -> bool:
    """Whether the words are kept apart by more than a space, a hyphen or a path separator."""
    left, right = tokens[-2], tokens[-1]
    between = text[left.end : right.start]
    return any(character in ',;.!?()"' for character in between) or len(between) > 3
