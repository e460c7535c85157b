"""Taggers for intents whose slots take more than their lists hold, where there are enough samples to learn from."""

from __future__ import annotations

import random

from adapters.lex.engine.definition import Intent, Slot, ValueKind
from adapters.lex.engine.expansion import PLACEHOLDER
from adapters.lex.engine.meaning import meanings
from adapters.lex.engine.tagging import Gazetteer, Tagged, Tagger

_SEED = 1_913
_ENOUGH_TEMPLATES = 20
_ENOUGH_VALUES = 20
_VARIANTS = 2


def expandable(slot: Slot) -> bool:
    """Whether a slot's values are examples of what it takes (Lex: custom values under OriginalValue)."""
    is_listed = slot.type.kind is ValueKind.LIST and slot.type.passes_anything
    return is_listed and slot.type.pattern is None and bool(slot.type.values)


def tagger_for(intent: Intent) -> Tagger | None:
    """A tagger learnt from the intent's templates; None where they are too few, and lists and words must do."""
    values = {slot.name: [v.value for v in slot.type.values] for slot in intent.slots if expandable(slot)}
    templates = [text for text in intent.utterances if set(PLACEHOLDER.findall(text)) & set(values)]
    if len(templates) < _ENOUGH_TEMPLATES or sum(map(len, values.values())) < _ENOUGH_VALUES:
        return None
    dice = random.Random(_SEED)
    plain = [text for text in intent.utterances if not PLACEHOLDER.search(text)]
    sentences = [_filled(text, values, dice, strange=bool(n % 2)) for text in templates for n in range(_VARIANTS)]
    gazetteer = Gazetteer(values)
    return Tagger.learn([*sentences, *(Tagged(text, ()) for text in plain)], gazetteer, meanings())


def _filled(template: str, values: dict[str, list[str]], dice: random.Random, *, strange: bool) -> Tagged:
    text, at = "", 0
    slots: list[tuple[str, int, int]] = []
    for place in PLACEHOLDER.finditer(template):
        text += template[at : place.start()]
        name = place.group(1)
        value = dice.choice(values.get(name) or [name])
        if name in values:
            slots.append((name, len(text), len(text) + len(value)))
        text += value
        at = place.end()
    return Tagged(text + template[at:], tuple(slots), strange)
