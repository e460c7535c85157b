"""Asking back what was meant, where a guess could end what somebody needs."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bot.card import Button, Card
from bot.intent import Answer, Change, Intent, Registry
from bot.recognizer import Turn

CERTAIN = 0.55
"""Confidence from which what destroys is begun without asking back."""
_NEAR = 0.5
"""A second intent with this share of the first's confidence may have been meant as well."""
_MOST_OFFERED = 3


def is_doubtful(understood: Turn, intent: Change) -> bool:
    """Tell whether to ask back before an order that destroys.

    A recogniser that leaves scores out is believed; who names what is to be destroyed has no other intent in mind.
    """
    if not intent.definition.destroys or not understood.confidence:
        return False
    return understood.confidence < CERTAIN or bool(_near(understood) and not understood.slots)


def ask_back(understood: Turn, intent: Change, slots: Mapping[str, str], registry: Registry) -> Answer:
    """Return the question, with a button for each intent that may be meant; the first keeps what was said."""
    others = [registry.get(name) for name in _near(understood)]
    meant: list[Intent] = [intent, *(other for other in others if other is not None)][:_MOST_OFFERED]
    titles = [other.definition.title for other in meant]
    text = f"I am not sure that I understood you. Did you mean: {' · '.join(titles)}? Nothing was done."
    buttons = [Button(intent.definition.title, "submit", _filled(intent, slots), "destructive")]
    buttons += [Button(other.definition.title, *_begins(other)) for other in meant[1:]]
    return Answer(
        f"{text} Say it in other words, such as “{intent.definition.examples[0]}”, or “help”."
        if intent.definition.examples
        else text,
        Card(text, buttons=(*buttons, Button("Something else", "say", "help"))),
    )


def _near(understood: Turn) -> list[str]:
    return [name for name, score in understood.alternatives if score >= _NEAR * understood.confidence and score > 0]


def _begins(intent: Intent) -> tuple[str, str]:
    """The verb and value of the press that begins an intent with nothing filled in."""
    if isinstance(intent, Change) or not intent.definition.examples:
        return "submit", _filled(intent, {})
    return "say", intent.definition.examples[0]


def _filled(intent: Intent, slots: Mapping[str, str]) -> str:
    return json.dumps({"intent": intent.definition.name, "slots": dict(slots)})
