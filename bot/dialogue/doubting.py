"""Asking back what was meant, where a guess could end what somebody needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from bot.activity import MAX_TEXT, clean_text
from bot.card import Button, Card
from bot.intent import Answer, Change, Intent, Registry
from bot.recognizer import Turn

MEANT = "meant"
"""The verb of a button that says which intent a text means."""
CERTAIN = 0.55
"""Confidence from which what destroys is begun without asking back."""
_NEAR = 0.5
"""A second intent with this share of the first's confidence may have been meant as well."""
_MOST_OFFERED = 3
LIKELY = 0.08
"""Confidence from which an intent is offered for a text that was not understood; measured on sentences of strangers,
three of five of which have theirs among what is offered, as one in five has that no intent is for."""
_BESIDE = 0.25
"""Share of the likeliest's confidence that another one needs to be offered beside it."""


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


def offer(understood: Turn, text: str, may_be_asked: Sequence[Intent]) -> Answer | None:
    """Return the question which of the likely intents a text means that was not understood; None when none is likely.

    Only intents that may be asked for are offered. Each button holds the text, to be taken for its intent's when it is
    pressed.
    """
    by_name = {intent.definition.name: intent.definition for intent in may_be_asked}
    offered = [by_name[name] for name in likeliest((n, s) for n, s in understood.alternatives if n in by_name)]
    if not offered:
        return None
    asked = f"I am not sure what you mean. Is it: {' · '.join(one.title for one in offered)}? Nothing was done."
    buttons = [Button(one.title, MEANT, json.dumps({"intent": one.name, "text": text})) for one in offered]
    other = f", such as “{offered[0].examples[0]}”" if offered[0].examples else ""
    return Answer(
        f"{asked} Say it in other words{other}, or “help”.",
        Card(asked, buttons=(*buttons, Button("Something else", "say", "help"))),
    )


def likeliest(ranked: Iterable[tuple[str, float]]) -> list[str]:
    """Return the names that are offered, of intents and their confidence in falling order."""
    likely = [(name, score) for name, score in ranked if score >= LIKELY]
    return [name for name, score in likely if score >= _BESIDE * likely[0][1]][:_MOST_OFFERED]


def chosen(value: str, registry: Registry) -> tuple[Intent, str] | None:
    """Return the intent and the text of a button that `offer` made; None for any other value."""
    try:
        given = json.loads(value)
        intent, text = registry.get(str(given["intent"])), clean_text(str(given["text"])).strip()
    except (ValueError, KeyError, TypeError):
        return None
    return (intent, text[:MAX_TEXT]) if intent is not None and text else None


def _near(understood: Turn) -> list[str]:
    return [name for name, score in understood.alternatives if score >= _NEAR * understood.confidence and score > 0]


def _begins(intent: Intent) -> tuple[str, str]:
    """The verb and value of the press that begins an intent with nothing filled in."""
    if isinstance(intent, Change) or not intent.definition.examples:
        return "submit", _filled(intent, {})
    return "say", intent.definition.examples[0]


def _filled(intent: Intent, slots: Mapping[str, str]) -> str:
    return json.dumps({"intent": intent.definition.name, "slots": dict(slots)})
