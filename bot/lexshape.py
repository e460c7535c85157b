"""Intents in Lex V2's own shape: the one translation that the Lex builder and the local engine share."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from bot.intent import Definition, Registry, Slot, SlotType, Value
from bot.recognizer import FALLBACK
from bot.words import either

THRESHOLD = 0.4
SAMPLES = ("payments", "web shop 42", "data-platform-team")
"""Typical values of a type that names none, such as a question that the house has added."""


def lex_definition(
    registry: Registry, *, name: str = "Quartermaster", locale: str = "en_US", samples: bool = False
) -> dict[str, Any]:
    """Return one bot locale with intents, slots and slot types, in the names of the lexv2-models API.

    With `samples` types that take anything get typical values, without which Lex builds no slot type; the engine
    needs none, and would take them for a list.
    """
    types: dict[str, SlotType] = {}
    intents: list[dict[str, Any]] = []
    for intent in registry.intents.values():
        definition = intent.definition
        for slot in definition.slots:
            if not slot.type.name.startswith("AMAZON."):
                types[slot.type.name] = slot.type
        intents.append(_intent(definition))
    intents.append({"intentName": FALLBACK, "parentIntentSignature": "AMAZON.FallbackIntent"})
    return {
        "botName": name,
        "localeId": locale,
        "nluIntentConfidenceThreshold": THRESHOLD,
        "slotTypes": [_slot_type(t, samples=samples) for t in types.values()],
        "intents": intents,
    }


def _intent(definition: Definition) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "intentName": definition.name,
        "description": definition.description[:200],
        "sampleUtterances": _utterances(definition.utterances),
        "slots": [_slot(s) for s in definition.slots],
        "slotPriorities": [{"slotName": s.name, "priority": n} for n, s in enumerate(definition.slots, 1)],
    }
    if definition.confirmation:
        shape["intentConfirmationSetting"] = {
            "promptSpecification": _prompt(definition.confirmation, 4),
            "declinationResponse": {"messageGroups": _messages(definition.declined)},
            # Said outright: what follows a refusal by default differs between the console and the API.
            "declinationNextStep": {"dialogAction": {"type": "EndConversation"}},
        }
    return shape


def _utterances(utterances: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return utterances as Lex takes them: no punctuation but within words, and blanks around placeholders."""
    return [{"utterance": u} for u in dict.fromkeys(map(_plain, utterances))]


@lru_cache(maxsize=8192)
def _plain(utterance: str) -> str:
    words = re.sub(r"(\{\w+\})", r" \1 ", re.sub(r"[^\w\s.'’{}-]", " ", utterance))
    return " ".join(words.split())


def _slot(slot: Slot) -> dict[str, Any]:
    choices = either(tuple(v.value for v in slot.type.values))
    words = slot.prompt.replace("{choices}", choices)
    setting: dict[str, Any] = {"slotConstraint": "Required" if slot.required else "Optional"}
    if words:
        setting["promptSpecification"] = _prompt(re.sub(r"\{name\}", "[UserName]", words), slot.tries)
    shape: dict[str, Any] = {
        "slotName": slot.name,
        "slotTypeName": slot.type.name,
        "valueElicitationSetting": setting,
    }
    if slot.utterances:
        setting["sampleUtterances"] = _utterances(slot.utterances)
    return shape


def _slot_type(slot_type: SlotType, *, samples: bool) -> dict[str, Any]:
    setting: dict[str, Any] = {"resolutionStrategy": "TopResolution" if slot_type.listed else "OriginalValue"}
    if slot_type.pattern:
        setting["regexFilter"] = {"pattern": slot_type.pattern}
    shape: dict[str, Any] = {"slotTypeName": slot_type.name, "valueSelectionSetting": setting}
    if slot_type.values:
        shape["slotTypeValues"] = [_value(v) for v in slot_type.values]
    elif slot_type.pattern:
        shape["parentSlotTypeSignature"] = "AMAZON.AlphaNumeric"
    elif samples:
        shape["slotTypeValues"] = [_value(Value(s)) for s in slot_type.samples or SAMPLES]
    return shape


def _value(value: Value) -> dict[str, Any]:
    shape: dict[str, Any] = {"sampleValue": {"value": value.value}}
    if value.synonyms:  # Lex refuses an empty list
        shape["synonyms"] = [{"value": s} for s in value.synonyms]
    return shape


def _prompt(text: str, tries: int) -> dict[str, Any]:
    return {"messageGroups": _messages(text), "maxRetries": min(5, max(0, tries - 1)), "allowInterrupt": True}


def _messages(text: str) -> list[dict[str, Any]]:
    return [{"message": {"plainTextMessage": {"value": text[:1000]}}}]
