"""Which stretch of a text fills which slot.

Every slot proposes candidates: listed values, shapes, stretches beside its templates' words, and, for the
slot asked for, the answer as a whole. The best set in which each stretch and each slot is used once wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapters.lex.engine.context import SlotContexts
from adapters.lex.engine.definition import Intent, Slot, ValueKind
from adapters.lex.engine.expanding import expandable
from adapters.lex.engine.lexicon import CORRECTION_CUES
from adapters.lex.engine.open_values import OpenValues
from adapters.lex.engine.recognisers import find_built_in
from adapters.lex.engine.rivals import is_negated, is_verb, longest, settle
from adapters.lex.engine.spans import Found
from adapters.lex.engine.tagging import Tagger
from adapters.lex.engine.text import Token, comparison_key, covered, tokenize
from adapters.lex.engine.vocabulary import Vocabularies

# What a candidate is worth. Only the order matters: a shape beats a listed value, which beats words beside an
# anchor; being asked for outweighs what the surroundings say; changing a filled slot needs an invitation.
_ELICITED = 1.6
_LISTED = 2.0
_SHAPED = 2.4
_TAGGED = 2.2
_ANCHORED = 1.3
_HINTED = 0.8
_WHOLE_ANSWER = 0.2
_PER_LETTER = 0.02
_UNCHANGED = 0.6
_UNINVITED = 2.2
_REPLACES = 1.5
_PRIORITY_STEP = 0.01
_BARE_COMPANY = frozenset("a an the one please pls thanks thank you".split())
_MOST_CANDIDATES = 24
_SEARCH_STEPS = 4_000


@dataclass(frozen=True, slots=True)
class Fill:
    """A value found for a slot."""

    slot: str
    original: str
    resolved: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    slot: Slot
    found: Found
    score: float
    supported: bool
    """Whether the words around it, or the question asked, point at this slot."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What lists and shapes find in a text, and by slot the stretches that leave open which value is meant."""

    candidates: list[_Candidate]
    undecided: Mapping[str, Sequence[Found]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is known when a text is read: the slot asked for, the values so far, the session's hints."""

    elicited: str | None
    values: Mapping[str, str]
    hints: Mapping[str, object]
    correcting: bool = False


class SlotFiller:
    """Fills the slots of one intent; built once a definition, without state."""

    def __init__(self, intent: Intent, tagger: Tagger | None = None) -> None:
        self.intent = intent
        self._tagger = tagger
        self.contexts = SlotContexts(intent)
        self._open_values = OpenValues(self.contexts)
        self._vocabularies = Vocabularies(intent.name, intent.slots)

    def fill(self, text: str, question: Question) -> list[Fill]:
        """The slots that a cleaned text fills or changes, in the order of the text."""
        tokens = tokenize(text)
        if not tokens or not self.intent.slots:
            return []
        tagged = self._tagged(text, question)
        slots = [slot for slot in self.intent.slots if tagged is None or not expandable(slot)]
        reading = self._read(text, tokens, question, slots)
        named = self._named(text, tokens, question, reading)
        listed = [one for one in reading.candidates if not _touches(one.found, [name.found for name in named])]
        if tagged is not None:
            listed += tagged
        closed = self._choose([*listed, *named])
        opened = [
            one
            for one in self._open_candidates(text, tokens, question, closed, reading, slots)
            if not any(name.slot is not one.slot and name.found.overlaps(one.found) for name in named)
        ]
        chosen = self._choose([*listed, *named, *opened]) if opened else closed
        fills = [
            Fill(
                candidate.slot.name,
                text[candidate.found.start : candidate.found.end],
                candidate.found.values,
                candidate.found.start,
                candidate.found.end,
            )
            for candidate in chosen
        ]
        if self._repeats_a_value(text, tokens, question):
            fills = [fill for fill in fills if fill.slot == question.elicited]
        return sorted(fills, key=lambda fill: fill.start)

    def _tagged(self, text: str, question: Question) -> list[_Candidate] | None:
        """What the tagger finds in a sentence that answers no question; None where there is no tagger."""
        if self._tagger is None or question.elicited is not None:
            return None
        found = ((self.intent.slot(name), start, end) for name, start, end in self._tagger.find(text))
        return [
            _Candidate(slot, Found(start, end, (text[start:end],)), _TAGGED, supported=True)
            for slot, start, end in found
            if slot is not None
        ]

    def announced(self, text: str) -> list[Found]:
        """The names that a cleaned text announces ("call it …") for slots that list no values and have no shape."""
        tokens = tokenize(text)
        question = Question(None, {}, {})
        reading = self._read(text, tokens, question, [slot for slot in self.intent.slots if _is_shaped(slot)])
        return [name.found for name in self._named(text, tokens, question, reading)]

    def chooses(self, text: str) -> bool:
        """Whether a cleaned text rules one value of a slot out and names another: a choice, not a refusal."""
        tokens = tokenize(text)
        for slot in self.intent.slots:
            stretches = self._stretches(text, tokens, slot, Question(None, {}, {}))
            if len({is_negated(text, tokens, stretch) for stretch in stretches}) == 2:
                return True
        return False

    def ruled_out(self, text: str, question: Question) -> list[str]:
        """The slots whose present value a cleaned text names only to reject it ("not Demos")."""
        tokens = tokenize(text)
        return [
            slot.name
            for slot in self.intent.slots
            if any(
                is_negated(text, tokens, stretch)
                and comparison_key(question.values.get(slot.name, "")) in map(comparison_key, stretch.values)
                for stretch in self._stretches(text, tokens, slot, question)
            )
        ]

    def _repeats_a_value(self, text: str, tokens: Sequence[Token], question: Question) -> bool:
        """Whether a text is nothing but what a slot already holds: said again, it moves no other slot."""
        said = [token for token in tokens if token.word not in _BARE_COMPANY]
        if not said:
            return False
        stretch = text[said[0].start : said[-1].end]
        whole = tokenize(stretch)
        for slot in self.intent.slots:
            current = question.values.get(slot.name)
            if current is None:
                continue
            if comparison_key(stretch) == comparison_key(current):
                return True
            spelled = self._vocabularies.of(slot.name, question.hints).find(stretch, whole)
            if any(found.values[0] == current and found.end - found.start == len(stretch) for found in spelled):
                return True
        return False

    def _read(self, text: str, tokens: Sequence[Token], question: Question, slots: Sequence[Slot]) -> _Reading:
        cues = bool({token.word for token in tokens} & CORRECTION_CUES) or question.correcting
        candidates: list[_Candidate] = []
        undecided: dict[str, Sequence[Found]] = {}
        by_slot = {slot.name: self._stretches(text, tokens, slot, question) for slot in slots}
        inner = longest(by_slot)
        for rank, slot in enumerate(slots):
            stretches = [s for s in by_slot[slot.name] if s not in inner and not is_verb(tokens, s)]
            is_id = slot.type.pattern is not None
            meant = [stretch for stretch in stretches if not is_negated(text, tokens, stretch, is_id=is_id)]
            replaces = _REPLACES if len(meant) < len(stretches) else 0.0
            rivals = settle(meant, text)
            undecided[slot.name] = rivals.undecided
            for stretch in meant:
                if stretch not in rivals.dropped:
                    candidate = self._score(stretch, slot, rank, tokens, question, cues, replaces)
                    candidates.extend([candidate] if candidate is not None else [])
        doubtful = [stretch for stretches in undecided.values() for stretch in stretches]
        kept = [one for one in candidates if one.supported or not _touches(one.found, doubtful)]
        kept.sort(key=lambda candidate: -candidate.score)
        return _Reading(kept[:_MOST_CANDIDATES], undecided)

    def _stretches(self, text: str, tokens: Sequence[Token], slot: Slot, question: Question) -> list[Found]:
        vocabulary = self._vocabularies.of(slot.name, question.hints)
        stretches = [
            found
            for found in vocabulary.find(text, tokens, self.contexts.fixed_words, asked=slot.name == question.elicited)
            if slot.type.pattern is None or slot.type.pattern.fullmatch(text[found.start : found.end])
        ]
        if slot.type.kind is not ValueKind.CONFIRMATION or slot.name == question.elicited:
            stretches.extend(find_built_in(slot.type, text))
        return stretches

    def _score(
        self,
        found: Found,
        slot: Slot,
        rank: int,
        tokens: Sequence[Token],
        question: Question,
        cues: bool,
        replaces: float,
    ) -> _Candidate | None:
        first, last = covered(tokens, found.start, found.end)
        support = self.contexts.support(slot.name, tokens, first, last) + replaces
        elicited = slot.name == question.elicited
        listed = slot.type.kind is ValueKind.LIST or bool(found.closeness < 1.0)
        if found.closeness < 1.0 and not elicited and support <= 0.0 and found.end - found.start < 6:
            return None
        if slot.type.pattern is not None and found.values[0].isalpha() and not elicited:
            return None  # a plain word that happens to fit the pattern
        score = (_LISTED if listed else _SHAPED) * found.closeness + support
        score += _PER_LETTER * (found.end - found.start) - _PRIORITY_STEP * rank
        current = question.values.get(slot.name)
        if elicited:
            score += _ELICITED
        elif current is not None:
            if not cues and support < 0.5 and not self._corrects(found, slot, tokens, question):
                score -= _UNINVITED
            elif current == found.values[0]:
                score -= _UNCHANGED
        return _Candidate(slot, found, score, elicited or support > 0.0)

    def _corrects(self, found: Found, slot: Slot, tokens: Sequence[Token], question: Question) -> bool:
        """Whether a listed value is all that was said while something with a shape was asked: it changes its slot."""
        asked = self.intent.slot(question.elicited or "")
        if asked is None or asked.type.is_open or slot.type.kind is not ValueKind.LIST or slot.type.is_open:
            return False
        said = [token for token in tokens if token.word not in _BARE_COMPANY]
        return bool(said) and found.start <= said[0].start and said[-1].end <= found.end

    def _named(self, text: str, tokens: Sequence[Token], question: Question, reading: _Reading) -> list[_Candidate]:
        """Names that words announce ("call it …"), for slots that list no values: what they hold is part of them.

        So "call it My Team Sandbox" says nothing about a type or an OU. What has a shape (an address, an id)
        is never part of a name.
        """
        shaped = [one.found for one in reading.candidates if _is_shaped(one.slot)]
        named: list[_Candidate] = []
        for slot in self.intent.slots:
            if slot.type.is_open and not self._vocabularies.of(slot.name, question.hints):
                anchored = self._open_values.beside_anchors(text, tokens, slot, shaped)
                found = [
                    *(value for value, telling in anchored if telling),
                    *self._open_values.named(text, tokens, slot, shaped),
                ]
                named.extend(_Candidate(slot, value, _ANCHORED, supported=True) for value in found)
        return named

    def _open_candidates(
        self,
        text: str,
        tokens: Sequence[Token],
        question: Question,
        closed: Sequence[_Candidate],
        reading: _Reading,
        slots: Sequence[Slot],
    ) -> Iterator[_Candidate]:
        taken = [candidate.found for candidate in closed]
        for slot in slots:
            if not slot.type.is_open:
                continue
            asked = _ELICITED if slot.name == question.elicited else 0.0
            found: list[tuple[Found, float]] = []
            if asked:
                answers = self._open_values.in_answer(text, tokens, slot, taken)
                found.extend((answer, _WHOLE_ANSWER) for answer in answers)
            for value, telling in self._open_values.beside_anchors(text, tokens, slot, taken):
                if not is_negated(text, tokens, value):
                    found.append((value, _ANCHORED if telling else _HINTED))
            found.extend((value, _ANCHORED) for value in self._open_values.named(text, tokens, slot, taken))
            for value, worth in found:
                if not _touches(value, reading.undecided[slot.name]):
                    yield _Candidate(slot, value, worth + asked, supported=True)

    def _choose(self, candidates: Sequence[_Candidate]) -> list[_Candidate]:
        """The compatible set of candidates with the highest total; exact, with a bound on the remainder."""
        ordered = sorted((c for c in candidates if c.score > 0.0), key=lambda candidate: -candidate.score)
        remaining = [0.0] * (len(ordered) + 1)
        for index in range(len(ordered) - 1, -1, -1):
            remaining[index] = remaining[index + 1] + ordered[index].score
        best: tuple[float, list[_Candidate]] = (0.0, [])
        budget = _SEARCH_STEPS

        def search(index: int, total: float, chosen: list[_Candidate]) -> None:
            nonlocal best, budget
            if total > best[0]:
                best = (total, list(chosen))
            budget -= 1
            if index == len(ordered) or budget < 0 or total + remaining[index] <= best[0]:
                return
            candidate = ordered[index]
            if all(c.slot is not candidate.slot and not c.found.overlaps(candidate.found) for c in chosen):
                chosen.append(candidate)
                search(index + 1, total + candidate.score, chosen)
                chosen.pop()
            search(index + 1, total, chosen)

        search(0, 0.0, [])
        return best[1]


def _is_shaped(slot: Slot) -> bool:
    """Whether what a slot holds is no part of a name."""
    return slot.type.kind is ValueKind.EMAIL or slot.type.pattern is not None


def _touches(found: Found, others: Sequence[Found]) -> bool:
    return any(found.overlaps(other) for other in others)
