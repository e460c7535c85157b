"""Templates turned into example sentences: every `{Slot}` is given several plausible values."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from adapters.lex.engine.definition import BotLocale, Intent, SlotType, ValueKind
from adapters.lex.engine.features import EMAIL_MARK, NUMBER_MARK, pattern_mark

PLACEHOLDER = re.compile(r"\{\s*([A-Za-z0-9_-]+)\s*\}")
_SEED = 20_240
_VARIANTS = 4
_MOST_EXAMPLES = 1000

_MADE_UP_VALUES = (
    "payments",
    "blue team",
    "alpha",
    "web shop",
    "data platform",
    "orion",
    "search api",
    "mobile",
)
_FIRST_NAMES = ("ana", "liu", "omar", "grace")
_LAST_NAMES = ("silva", "chen", "haddad", "okafor")
_DATES = ("today", "tomorrow", "next friday", "2024-05-17")
_TIMES = ("9am", "noon", "14:30", "half past three")
_DURATIONS = ("two hours", "90 minutes", "3 days", "a week")


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence to learn from; examples of one template share its `group`."""

    text: str
    intent: int
    group: int


def expand(bot: BotLocale, patterns: Sequence[re.Pattern[str]]) -> list[Example]:
    """All example sentences of a bot, the same ones for the same definition."""
    dice = random.Random(_SEED)
    values = _Values(patterns, dice)
    slotted = sum(1 for intent in bot.intents for text in intent.utterances if PLACEHOLDER.search(text))
    plain = sum(len(intent.utterances) for intent in bot.intents) - slotted
    affordable = (_MOST_EXAMPLES - plain) // slotted if slotted else 1
    variants = max(1, min(_VARIANTS, affordable))
    examples: list[Example] = []
    group = 0
    for number, intent in enumerate(bot.intents):
        for template in intent.utterances:
            texts = {_fill(template, intent, values) for _ in range(variants)}
            examples.extend(Example(text, number, group) for text in sorted(texts))
            group += 1
    return examples


def _fill(template: str, intent: Intent, values: _Values) -> str:
    def value(match: re.Match[str]) -> str:
        slot = intent.slot(match.group(1))
        return match.group(1) if slot is None else values.next(slot.type)

    return PLACEHOLDER.sub(value, template)


class _Values:
    """Values of slot types in an order made by chance: each is used before one is used again."""

    def __init__(self, patterns: Sequence[re.Pattern[str]], dice: random.Random) -> None:
        self._patterns, self._dice = patterns, dice
        self._rounds: dict[str, Iterator[str]] = {}

    def next(self, slot_type: SlotType) -> str:
        """One more value of a type."""
        if slot_type.pattern is not None:
            return pattern_mark(self._patterns.index(slot_type.pattern))
        if slot_type.name not in self._rounds:
            listed = [spelling for value in slot_type.values for spelling in (value.value, *value.synonyms)]
            known = listed or list(_SAMPLES.get(slot_type.kind, _MADE_UP_VALUES))
            self._rounds[slot_type.name] = cycle(self._dice.sample(known, len(known)))
        return next(self._rounds[slot_type.name])


_SAMPLES: dict[ValueKind, tuple[str, ...]] = {
    ValueKind.EMAIL: (EMAIL_MARK,),
    ValueKind.NUMBER: (NUMBER_MARK, "three", "ten"),
    ValueKind.ALPHANUMERIC: ("a1b2c3", "xk42", NUMBER_MARK),
    ValueKind.CONFIRMATION: ("yes", "no"),
    ValueKind.FIRST_NAME: _FIRST_NAMES,
    ValueKind.LAST_NAME: _LAST_NAMES,
    ValueKind.DATE: _DATES,
    ValueKind.TIME: _TIMES,
    ValueKind.DURATION: _DURATIONS,
}
