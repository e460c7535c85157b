"""An order as one card: a field for each slot, with labels, required marks, and what is wrong with an answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.teams.arrivals import FIELD, MESSAGE
from adapters.teams.rendering import MAX_BYTES, Element, actions_of, adaptive_card, fault_of, rich, run_of, size_of
from bot.activity import MAX_TEXT
from bot.order_form import Field, OrderForm

OPTIONS, OPTION, LABEL, FIELDS = 100, 200, 200, 60
INTENT = "intent"


def render_form(form: OrderForm, number: int, *, faults: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the form as an Adaptive Card, with what is wrong at each field; `number` names the message it is in.

    Long lists become plain fields where the card would grow too large: the answers are checked all the same.
    """
    for options in (OPTIONS, 10, 0):
        card = _card(form, number, faults or {}, options)
        if size_of(card) <= MAX_BYTES:
            return card
    return _card(form, number, {}, 0)


def _card(form: OrderForm, number: int, faults: Mapping[str, str], options: int) -> dict[str, Any]:
    body = [rich([{**run_of(form.title), "weight": "Bolder", "size": "Medium"}])]
    for field in form.fields[:FIELDS]:
        body += [_input(field, options), *_hint(field)]
        body += fault_of(faults.get(field.name, "")[:1000])
    known = {MESSAGE: number} if number else {}
    body += actions_of(
        [
            {
                "type": "Action.Execute",
                "title": "Continue",
                "verb": "submit",
                "data": {INTENT: form.intent, **known},
                "style": "positive",
            }
        ]
    )
    return adaptive_card(form.title, body)


def _input(field: Field, options: int) -> Element:
    held = field.held
    made: Element = {"id": FIELD + field.name, "label": field.label[:LABEL], "isRequired": field.required}
    if field.required:
        made["errorMessage"] = "I need this one."
    if 0 < len(field.choices) <= options and all(0 < len(c) <= OPTION for c in field.choices):
        made |= {"type": "Input.ChoiceSet", "style": "compact"}
        made["choices"] = [{"title": c, "value": c} for c in field.choices]
        return {**made, "value": held} if held in field.choices else made
    made |= {"type": "Input.Text", "maxLength": MAX_TEXT}
    return {**made, "value": held[:MAX_TEXT]} if held else made


def _hint(field: Field) -> list[Element]:
    return [rich([{**run_of(field.why), "isSubtle": True, "size": "Small"}])] if field.why else []
