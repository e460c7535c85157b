"""What an intent's templates teach about the words around each slot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.lex.engine.definition import Intent, Slot
from adapters.lex.engine.expansion import PLACEHOLDER
from adapters.lex.engine.lexicon import FUNCTION_WORDS
from adapters.lex.engine.text import Token, plain_words

_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_START, _END = "<start>", "<end>"
_PAIR_SUPPORT = 1.2
_WORD_SUPPORT = 0.8
_NAME_SUPPORT = 0.9
_AGAINST = 0.5
_LONGEST_ANCHOR = 3
_GENERIC_NAME_PARTS = frozenset({"the", "of", "for", "new", "value", "slot", "my"})


@dataclass(frozen=True, slots=True)
class Anchor:
    """The fixed words a template has right before and right after an open slot."""

    left: tuple[str, ...]
    right: tuple[str, ...]

    @property
    def is_telling(self) -> bool:
        """Whether the words before the slot name it on their own ("call it", "named")."""
        return any(word not in FUNCTION_WORDS for word in self.left) or len(self.left) > 1


class SlotContexts:
    """Learnt from the templates of one intent: which words stand next to which slot."""

    def __init__(self, intent: Intent) -> None:
        self._beside: dict[str, Counter[tuple[str, ...]]] = {}
        self._totals: Counter[tuple[str, ...]] = Counter()
        self._anchors: dict[str, dict[Anchor, None]] = {}
        self._appearances: Counter[str] = Counter()
        self.fixed_words: frozenset[str] = frozenset()
        templates = [*intent.utterances, *(text for slot in intent.slots for text in slot.utterances)]
        names = {slot.name for slot in intent.slots}
        fixed: set[str] = set()
        for template in templates:
            fixed.update(self._learn(_cut(template), names))
        self.fixed_words = frozenset(fixed)
        self._name_parts = _telling_name_parts(intent.slots)
        self._add_short_anchors()

    def anchors(self, slot: str) -> tuple[Anchor, ...]:
        """Every distinct anchor of a slot, the longest left side first."""
        return tuple(sorted(self._anchors.get(slot, ()), key=lambda anchor: -len(anchor.left)))

    def support(self, slot: str, tokens: Sequence[Token], first: int, last: int) -> float:
        """How much the words around tokens first..last speak for a slot; below 0 they speak for another."""
        left = tokens[first - 1].word if first > 0 else _START
        before = tokens[first - 2].word if first > 1 else _START
        right = tokens[last + 1].word if last + 1 < len(tokens) else _END
        after = tokens[last + 2].word if last + 2 < len(tokens) else _END
        total = self._weigh(slot, ("<", before, left), ("<", left))
        total += self._weigh(slot, (">", right, after), (">", right))
        window = {left, before, right, after}
        if first > 2 and left in {"is", "be", "to"}:
            window.add(tokens[first - 3].word)
        if window & self._name_parts.get(slot, frozenset()):
            total += _NAME_SUPPORT
        elif any(window & parts for name, parts in self._name_parts.items() if name != slot):
            total -= _AGAINST
        return total

    def name_parts(self, slot: str) -> frozenset[str]:
        """The words of a slot's own name that tell it from the others."""
        return self._name_parts.get(slot, frozenset())

    def named_slot(self, words: Sequence[str]) -> str | None:
        """The only slot whose name these words mention."""
        named = [slot for slot, parts in self._name_parts.items() if parts & set(words)]
        return named[0] if len(named) == 1 else None

    def _weigh(self, slot: str, pair: tuple[str, ...], single: tuple[str, ...]) -> float:
        for key, support in ((pair, _PAIR_SUPPORT), (single, _WORD_SUPPORT)):
            total = self._totals.get(key, 0)
            if not total or _START in key or _END in key:
                continue
            own = self._beside.get(slot, Counter())[key]
            return support * own / total if own else -_AGAINST
        return 0.0

    def _learn(self, pieces: Sequence[tuple[str, bool]], names: set[str]) -> set[str]:
        words = [f"{{{piece}}}" if is_slot else piece for piece, is_slot in pieces]
        for position, (piece, is_slot) in enumerate(pieces):
            if not is_slot or piece not in names:
                continue
            padded = [_START, _START, *words, _END, _END]
            at = position + 2
            left, before, right, after = padded[at - 1], padded[at - 2], padded[at + 1], padded[at + 2]
            for key in (("<", before, left), ("<", left), (">", right, after), (">", right)):
                self._beside.setdefault(piece, Counter())[key] += 1
                self._totals[key] += 1
            self._anchors.setdefault(piece, {})[_anchor_at(pieces, position)] = None
        fixed = [piece for piece, is_slot in pieces if not is_slot]
        self._appearances.update(fixed)
        return set(fixed)

    def _add_short_anchors(self) -> None:
        """Let "named" announce a slot as well as "an account named" does, if it is always used for that."""
        for anchors in self._anchors.values():
            announcing = Counter(word for anchor in anchors for word in anchor.left)
            for anchor in list(anchors):
                short = _shortest_telling(anchor.left)
                own = all(
                    2 * announcing[word] > self._appearances[word] for word in short if word not in FUNCTION_WORDS
                )
                if short and own:
                    anchors[Anchor(short, anchor.right)] = None


def _anchor_at(pieces: Sequence[tuple[str, bool]], position: int) -> Anchor:
    left: list[str] = []
    for piece, is_slot in reversed(pieces[:position]):
        if is_slot or len(left) == _LONGEST_ANCHOR:
            break
        left.insert(0, piece)
    right: list[str] = []
    for piece, is_slot in pieces[position + 1 :]:
        if is_slot or len(right) == _LONGEST_ANCHOR:
            break
        right.append(piece)
    return Anchor(tuple(left), tuple(right))


def _shortest_telling(words: tuple[str, ...]) -> tuple[str, ...]:
    """The shortest end of these words that holds more than grammar; empty when there is none."""
    for size in range(1, len(words)):
        end = words[-size:]
        if any(word not in FUNCTION_WORDS for word in end):
            return end
    return ()


def _cut(template: str) -> list[tuple[str, bool]]:
    pieces: list[tuple[str, bool]] = []
    end = 0
    for match in PLACEHOLDER.finditer(template):
        pieces.extend((word, False) for word in plain_words(template[end : match.start()]))
        pieces.append((match.group(1), True))
        end = match.end()
    pieces.extend((word, False) for word in plain_words(template[end:]))
    return pieces


def _telling_name_parts(slots: Sequence[Slot]) -> dict[str, frozenset[str]]:
    """The words of each slot's name that no other slot of the intent shares."""
    parts = {slot.name: {part.lower() for part in _CAMEL.findall(slot.name)} for slot in slots}
    shared = Counter(part for words in parts.values() for part in words)
    return {
        name: frozenset(part for part in words if shared[part] == 1 and part not in _GENERIC_NAME_PARTS)
        | (frozenset({"email", "mail", "mailbox"}) if "email" in words and shared["email"] == 1 else frozenset())
        for name, words in parts.items()
    }
