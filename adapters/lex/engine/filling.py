"""Which stretch of a text fills which slot.

Every slot proposes candidates: listed values, shapes, stretches beside its templates' words, and, for the
slot asked for, the answer as a whole. The best set in which each stretch and each slot is used once wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from adapters.lex.engine.context import Anchor, SlotContexts
from adapters.lex.engine.definition import Intent, Slot, ValueKind
from adapters.lex.engine.lexicon import CORRECTION_CUES, FILLERS, FUNCTION_WORDS
from adapters.lex.engine.recognisers import find_built_in, is_person_name
from adapters.lex.engine.spans import Found
from adapters.lex.engine.text import Token, clean, comparison_key, tokenize
from adapters.lex.engine.vocabulary import hints_for, vocabulary_of

_ELICITED = 1.6
_LISTED = 2.0
_SHAPED = 2.4
_ANCHORED = 1.3
_WHOLE_ANSWER = 0.2
_PER_LETTER = 0.02
_UNCHANGED = 0.6
_UNINVITED = 2.2
_REPLACES = 1.5
_PRIORITY_STEP = 0.01
_MOST_CANDIDATES = 24
_MOST_ANSWER_WORDS = 8
_MOST_VALUE_WORDS = 6

_CLAUSE_END = re.compile(r"[,;!?\n]|\.(?=\s|$)|\s[-\u2013\u2014]\s")
_QUOTED = re.compile(r"\"([^\"]{1,100})\"|(?<!\w)'([^']{1,100})'(?!\w)")
_CONNECTIVES = frozenset(
    "in for with and on to at under using from by as via into please thanks thank of the a an or but that"
    " which".split()
)
_QUESTION_OPENERS = frozenset(
    "what which how why who whom where when can could do does did is are should would will may".split()
)
_NON_ANSWERS = frozenset(
    "idontknow idk dontknow noidea notsure imnotsure whatever anything any huh what hmm hm help skip none"
    " idontcare dontcare noclue dunno idunno youdecide whichever".split()
)
_NEGATIONS = frozenset({"not", "isn't", "isnt", "never", "without", "except", "non"})
_TAKING_BACK = frozenset(
    "no nope wait actually sorry mean meant rather scratch correction make instead but".split()
)


@dataclass(frozen=True, slots=True)
class Fill:
    """A value found for a slot."""

    slot: str
    original: str
    resolved: tuple[str, ...]
    start: int
    end: int
    supported: bool
    """Whether the words around it, or the question asked, point at this slot."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    slot: Slot
    found: Found
    score: float
    supported: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What is known when a text is read: the slot asked for, the values so far, the session's hints."""

    elicited: str | None
    values: Mapping[str, str]
    hints: Mapping[str, object]
    correcting: bool = False


class SlotFiller:
    """Fills the slots of one intent; built once a definition, without state."""

    def __init__(self, intent: Intent) -> None:
        self.intent = intent
        self.contexts = SlotContexts(intent)

    def fill(self, text: str, question: Question) -> list[Fill]:
        """The slots that a cleaned text fills or changes, in the order of the text."""
        tokens = tokenize(text)
        if not tokens or not self.intent.slots:
            return []
        candidates = self._candidates(text, tokens, question)
        closed = self._choose(candidates)
        opened = list(self._open_candidates(text, tokens, question, closed))
        chosen = self._choose([*candidates, *opened]) if opened else closed
        fills = [
            Fill(
                candidate.slot.name,
                text[candidate.found.start : candidate.found.end],
                candidate.found.values,
                candidate.found.start,
                candidate.found.end,
                candidate.supported,
            )
            for candidate in chosen
        ]
        return sorted(fills, key=lambda fill: fill.start)

    def _candidates(self, text: str, tokens: Sequence[Token], question: Question) -> list[_Candidate]:
        cues = bool({token.word for token in tokens} & CORRECTION_CUES) or question.correcting
        found: list[_Candidate] = []
        undecided: list[Found] = []
        for rank, slot in enumerate(self.intent.slots):
            stretches = self._stretches(text, tokens, slot, question)
            meant = [stretch for stretch in stretches if not _is_negated(text, tokens, stretch)]
            replaces = _REPLACES if len(meant) < len(stretches) else 0.0
            scored = [self._score(stretch, slot, rank, tokens, question, cues, replaces) for stretch in meant]
            settled = _settle_rivals([candidate for candidate in scored if candidate is not None], text)
            found.extend(settled.kept)
            undecided.extend(settled.undecided)
        found = [
            one for one in found if one.supported or not any(one.found.overlaps(span) for span in undecided)
        ]
        found.sort(key=lambda candidate: -candidate.score)
        return found[:_MOST_CANDIDATES]

    def _stretches(self, text: str, tokens: Sequence[Token], slot: Slot, question: Question) -> list[Found]:
        vocabulary = vocabulary_of(slot, hints_for(question.hints, self.intent.name, slot.name))
        stretches = [
            found
            for found in vocabulary.find(text, tokens, self.contexts.fixed_words)
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
        first, last = _covered(tokens, found)
        support = self.contexts.support(slot.name, tokens, first, last) + replaces
        elicited = slot.name == question.elicited
        listed = slot.type.kind is ValueKind.LIST or bool(found.closeness < 1.0)
        if found.closeness < 1.0 and not elicited and support <= 0.0 and found.end - found.start < 6:
            return None
        score = (_LISTED if listed else _SHAPED) * found.closeness + support
        score += _PER_LETTER * (found.end - found.start) - _PRIORITY_STEP * rank
        current = question.values.get(slot.name)
        if elicited:
            score += _ELICITED
        elif current is not None:
            if not cues and support < 0.5:
                score -= _UNINVITED
            elif current == found.values[0]:
                score -= _UNCHANGED
        return _Candidate(slot, found, score, elicited or support > 0.0)

    def _open_candidates(
        self, text: str, tokens: Sequence[Token], question: Question, closed: Sequence[_Candidate]
    ) -> Iterator[_Candidate]:
        taken = [candidate.found for candidate in closed]
        for slot in self.intent.slots:
            if not slot.type.is_open:
                continue
            if slot.name == question.elicited:
                yield from self._whole_answer(text, tokens, slot, taken)
            for found, telling in self._anchored(text, tokens, slot, taken):
                bonus = _ELICITED if slot.name == question.elicited else 0.0
                strength = _ANCHORED if telling else _ANCHORED - 0.5
                yield _Candidate(slot, found, strength + bonus + _PER_LETTER, supported=True)
            for found in self._named(text, tokens, slot, taken):
                yield _Candidate(slot, found, _ANCHORED, supported=True)

    def _whole_answer(
        self, text: str, tokens: Sequence[Token], slot: Slot, taken: Sequence[Found]
    ) -> Iterator[_Candidate]:
        if slot.type.kind is ValueKind.FREE_FORM:
            stripped = text.strip()
            start = text.index(stripped)
            yield _Candidate(
                slot, Found(start, start + len(stripped), (stripped,)), _ELICITED, supported=True
            )
            return
        for start, end in _free_stretches(text, taken):
            found = self._trim_answer(text, tokens, slot, start, end)
            if found is not None and _may_answer(text, tokens, found):
                if slot.type.kind in _NAME_KINDS and not is_person_name(found.values[0]):
                    continue
                yield _Candidate(slot, found, _ELICITED + _WHOLE_ANSWER, supported=True)

    def _trim_answer(
        self, text: str, tokens: Sequence[Token], slot: Slot, start: int, end: int
    ) -> Found | None:
        """Cut politeness and the templates' lead-in off an answer; None when nothing is left."""
        quoted = _QUOTED.search(text, start, end)
        if quoted is not None:
            value = (quoted.group(1) or quoted.group(2)).strip()
            return Found(quoted.start(), quoted.end(), (value,)) if value else None
        inside = [token for token in tokens if token.start >= start and token.end <= end]
        lead_ins = {word for anchor in self.contexts.anchors(slot.name) for word in anchor.left}
        lead_ins |= FILLERS | {"name", "named", "called", "call"} | self.contexts.name_parts(slot.name)
        kept = list(inside)
        while len(kept) > 1 and kept[0].word in lead_ins:
            kept.pop(0)
        while len(kept) > 1 and kept[-1].word in _TRAILING_COURTESY:
            kept.pop()
        if not kept or all(token.word in FILLERS | CORRECTION_CUES for token in kept):
            return None
        left, right = kept[0].start, kept[-1].end
        if kept[0] is inside[0]:
            left = start + len(text[start:end]) - len(text[start:end].lstrip(" \t\n.,;:!?\"'"))
        if kept[-1] is inside[-1]:
            right = start + len(text[start:end].rstrip(" \t\n.,;:!?\"'"))
        return Found(left, max(right, kept[-1].end), (text[left : max(right, kept[-1].end)],))

    def _anchored(
        self, text: str, tokens: Sequence[Token], slot: Slot, taken: Sequence[Found]
    ) -> Iterator[tuple[Found, bool]]:
        words = [token.word for token in tokens]
        for anchor in self.contexts.anchors(slot.name):
            size = len(anchor.left)
            if not size:
                continue
            for position in range(size, len(tokens)):
                if tuple(words[position - size : position]) != anchor.left:
                    continue
                found = self._value_after(text, tokens, position, anchor, taken)
                if found is not None and (anchor.is_telling or self._looks_like_a_name(found, tokens)):
                    yield found, anchor.is_telling

    def _named(
        self, text: str, tokens: Sequence[Token], slot: Slot, taken: Sequence[Found]
    ) -> Iterator[Found]:
        """Values announced by the slot's own name: "name: x", "change the name to x"."""
        parts = self.contexts.name_parts(slot.name)
        for position, token in enumerate(tokens[:-1]):
            if token.word not in parts:
                continue
            after = position + 1
            while after < len(tokens) - 1 and tokens[after].word in _LINKS:
                after += 1
            linked = after > position + 1 or text[token.end : tokens[after].start].strip() in {":", "=", "->"}
            found = self._value_after(text, tokens, after, _BARE, taken) if linked else None
            if found is not None:
                yield found

    def _value_after(
        self, text: str, tokens: Sequence[Token], position: int, anchor: Anchor, taken: Sequence[Found]
    ) -> Found | None:
        start = tokens[position - 1].end
        quoted = _QUOTED.match(text, start + len(text[start:]) - len(text[start:].lstrip(" :=")))
        if quoted is not None:
            value = (quoted.group(1) or quoted.group(2)).strip()
            return Found(quoted.start(), quoted.end(), (value,)) if value else None
        limit = min((found.start for found in taken if found.end > tokens[position].start), default=len(text))
        clause = _CLAUSE_END.search(text, tokens[position].start, limit)
        if clause is not None:
            limit = clause.start()
        inside = [token for token in tokens[position:] if token.end <= limit]
        for offset in range(1, len(inside)):
            if anchor.right and inside[offset].word == anchor.right[0]:
                inside = inside[:offset]
                break
        inside = _until_connective(text, inside)
        while inside and inside[0].word in {"the", "a", "an", "as", "to", "be"}:
            inside.pop(0)
        while inside and inside[-1].word in _CONNECTIVES:
            inside.pop()
        if not inside or len(inside) > _MOST_VALUE_WORDS:
            return None
        if all(token.word in FUNCTION_WORDS | self.contexts.fixed_words for token in inside):
            return None
        end = _end_of_chunk(text, inside[-1].end, limit)
        return Found(inside[0].start, end, (text[inside[0].start : end],))

    def _looks_like_a_name(self, found: Found, tokens: Sequence[Token]) -> bool:
        """After a mere "in" or "for", only what is written like a proper name is taken for a value."""
        value = found.values[0]
        short = len(value.split()) <= 3
        return short and (value[:1].isupper() or "/" in value) and found.start > tokens[0].start

    def _choose(self, candidates: Sequence[_Candidate]) -> list[_Candidate]:
        """The compatible set of candidates with the highest total; exact, with a bound on the remainder."""
        ordered = sorted((c for c in candidates if c.score > 0.0), key=lambda candidate: -candidate.score)
        remaining = [0.0] * (len(ordered) + 1)
        for index in range(len(ordered) - 1, -1, -1):
            remaining[index] = remaining[index + 1] + ordered[index].score
        best: tuple[float, list[_Candidate]] = (0.0, [])
        budget = 4_000

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


_LINKS = frozenset("is to be should as called equals of it".split())
_BARE = Anchor((), ())
_ALTERNATIVES = frozenset({"or", "and", "vs", "versus"})
_NAME_KINDS = frozenset({ValueKind.FIRST_NAME, ValueKind.LAST_NAME})
_TRAILING_COURTESY = frozenset("please thanks thank you thx pls then instead ok okay cheers sir".split())


def resolve_answer(slot: Slot, text: str, hints: Sequence[str]) -> tuple[str, ...]:
    """The values a whole text resolves to for a slot, best first; empty when it is none of its values."""
    cleaned = clean(text)
    key = comparison_key(cleaned)
    for found in vocabulary_of(slot, hints).find(cleaned, tokenize(cleaned)):
        if comparison_key(cleaned[found.start : found.end]) == key:
            return found.values
    return ()


def _covered(tokens: Sequence[Token], found: Found) -> tuple[int, int]:
    inside = [
        index for index, token in enumerate(tokens) if token.start < found.end and token.end > found.start
    ]
    return (inside[0], inside[-1]) if inside else (0, len(tokens) - 1)


def _is_negated(text: str, tokens: Sequence[Token], found: Found) -> bool:
    """Whether a value is named only to be ruled out: "not X", "instead of X", "from X to …"."""
    first, _ = _covered(tokens, found)
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


@dataclass(frozen=True, slots=True)
class _Settled:
    kept: list[_Candidate]
    undecided: list[Found]


def _settle_rivals(candidates: list[_Candidate], text: str) -> _Settled:
    """When one slot is given two values, the later counts if it takes the first back; "X or Y" gives none."""
    exact = [candidate for candidate in candidates if candidate.found.closeness == 1.0]
    ordered = sorted(exact, key=lambda candidate: candidate.found.start)
    dropped: set[int] = set()
    undecided: list[Found] = []
    for left, right in pairwise(ordered):
        if left.found.values[0] == right.found.values[0] or left.found.overlaps(right.found):
            continue
        between = {token.word for token in tokenize(text[left.found.end : right.found.start])}
        if between & _TAKING_BACK:
            dropped.add(id(left))
            undecided.append(left.found)
        elif between and between <= _ALTERNATIVES:
            dropped.update({id(left), id(right)})
            undecided.extend((left.found, right.found))
    return _Settled([candidate for candidate in candidates if id(candidate) not in dropped], undecided)


def _free_stretches(text: str, taken: Sequence[Found]) -> list[tuple[int, int]]:
    """The whole text, and what remains between the stretches that other slots claim."""
    borders = sorted((found.start, found.end) for found in taken)
    stretches = [(0, len(text))] if taken else []
    position = 0
    for start, end in borders:
        stretches.append((position, start))
        position = max(position, end)
    stretches.append((position, len(text)))
    return [(start, end) for start, end in stretches if text[start:end].strip()]


def _may_answer(text: str, tokens: Sequence[Token], found: Found) -> bool:
    """Whether a stretch can be a value at all: not a question, not a sentence, not "I don't know"."""
    value = found.values[0]
    words = [token.word for token in tokenize(value)]
    if not words or len(words) > _MOST_ANSWER_WORDS or comparison_key(text) in _NON_ANSWERS:
        return False
    if comparison_key(value) in _NON_ANSWERS:
        return False
    asks = text.rstrip().endswith("?") and len(tokens) > 2
    return not asks and not (tokens[0].word in _QUESTION_OPENERS and len(tokens) > 1)


def _until_connective(text: str, tokens: Sequence[Token]) -> list[Token]:
    """Stop a value before "in …", "for …", "with …", unless the value begins with it."""
    kept: list[Token] = []
    for index, token in enumerate(tokens):
        glued = index > 0 and not text[tokens[index - 1].end : token.start].isspace()
        if index > 0 and token.word in _CONNECTIVES and not glued and not text[token.start].isupper():
            break
        kept.append(token)
    return kept


def _end_of_chunk(text: str, end: int, limit: int) -> int:
    """Include trailing characters that belong to the word but are no letters, as in "c++"."""
    while end < limit and text[end] in "+#%" and end < len(text):
        end += 1
    return end
