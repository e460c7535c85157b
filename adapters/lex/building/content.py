"""What a bot's locale says, in one normal form: wanted and found are compared in it, and its digest names a version.

Lex adds defaults to what it is given and returns lists in orders of its own, so that only what we set is looked at,
and order only where it has a meaning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FALLBACK_SIGNATURE = "AMAZON.FallbackIntent"
Form = Mapping[str, Any]
SlotKey = tuple[str, str]
"""An intent's name and a slot's."""


@dataclass(frozen=True)
class Content:
    """A locale's parts by name, each in its normal form; `raw` are the parts as lexv2-models takes them."""

    threshold: float
    types: Mapping[str, Form]
    intents: Mapping[str, Form]
    slots: Mapping[SlotKey, Form]
    raw: Mapping[Any, Form] = field(default_factory=dict)
    ids: Mapping[Any, str] = field(default_factory=dict)
    """Ids of slot types and slots by their keys, and of intents by name, of what is in AWS."""

    def digest(self) -> str:
        """Return 16 hexadecimal digits that are the same for what says the same."""
        slots = {f"{intent}.{slot}": form for (intent, slot), form in self.slots.items()}
        said = [self.threshold, dict(self.types), dict(self.intents), slots]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def content_of(definition: Mapping[str, Any]) -> Content:
    """Return the content of a locale in the shape of `bot.lexshape.lex_definition`.

    Where entries have ids (`slotTypeId`, `intentId`, `slotId`), these are kept beside.
    """
    types: dict[str, Form] = {}
    intents: dict[str, Form] = {}
    slots: dict[SlotKey, Form] = {}
    raw: dict[Any, Form] = {}
    ids: dict[Any, str] = {}
    for entry in definition["slotTypes"]:
        key = type_key(entry["slotTypeName"])
        types[entry["slotTypeName"]], raw[key] = _slot_type(entry), entry
        ids[key] = str(entry.get("slotTypeId", ""))
    for entry in definition["intents"]:
        name = entry["intentName"]
        intents[name], raw[name] = _intent(entry), entry
        ids[name] = str(entry.get("intentId", ""))
        for slot in entry.get("slots") or ():
            slots[name, slot["slotName"]], raw[name, slot["slotName"]] = _slot(slot), slot
            ids[name, slot["slotName"]] = str(slot.get("slotId", ""))
    return Content(float(definition["nluIntentConfidenceThreshold"]), types, intents, slots, raw, ids)


def type_key(name: str) -> tuple[str, str]:
    """Return the key of a slot type among a content's `raw` and `ids`."""
    return "slot type", name


def _slot_type(entry: Form) -> Form:
    setting = entry.get("valueSelectionSetting") or {}
    return {
        "description": entry.get("description") or "",
        "strategy": setting.get("resolutionStrategy", "OriginalValue"),
        "pattern": (setting.get("regexFilter") or {}).get("pattern", ""),
        "parent": entry.get("parentSlotTypeSignature") or "",
        "values": {
            value["sampleValue"]["value"]: sorted(s["value"] for s in value.get("synonyms") or ())
            for value in entry.get("slotTypeValues") or ()
        },
    }


def _intent(entry: Form) -> Form:
    is_fallback = entry.get("parentIntentSignature") == FALLBACK_SIGNATURE
    ranked = sorted(entry.get("slotPriorities") or (), key=lambda row: row["priority"])
    hooks = (entry.get("dialogCodeHook") or {}, entry.get("fulfillmentCodeHook") or {})
    contexts = [*(entry.get("inputContexts") or ()), *(entry.get("outputContexts") or ())]
    return {
        # Lex describes its own fallback intent; what it says there is nobody's business.
        "description": "" if is_fallback else entry.get("description") or "",
        "parent": entry.get("parentIntentSignature") or "",
        "utterances": _utterances(entry),
        "priorities": [row["slotName"] for row in ranked],
        "confirmation": _confirmation(entry.get("intentConfirmationSetting") or {}),
        "has code hooks": any(hook.get("enabled") for hook in hooks),
        "contexts": sorted(context["name"] for context in contexts),
    }


def _confirmation(setting: Form) -> Form:
    if not setting or not setting.get("active", True):
        return {}
    next_step = (setting.get("declinationNextStep") or {}).get("dialogAction") or {}
    return {
        "prompt": _prompt(setting.get("promptSpecification") or {}),
        "declined": _messages(setting.get("declinationResponse") or {}),
        "then": next_step.get("type", ""),
    }


def _slot(entry: Form) -> Form:
    setting = entry.get("valueElicitationSetting") or {}
    return {
        "type": entry["slotTypeName"],
        "description": entry.get("description") or "",
        "constraint": setting.get("slotConstraint", "Required"),
        "prompt": _prompt(setting.get("promptSpecification") or {}),
        "utterances": _utterances(setting),
    }


def _utterances(entry: Form) -> list[str]:
    return sorted(sample["utterance"] for sample in entry.get("sampleUtterances") or ())


def _prompt(specification: Form) -> Form:
    if not specification:
        return {}
    return {
        "says": _messages(specification),
        "retries": specification.get("maxRetries", 0),
        "interrupt": bool(specification.get("allowInterrupt", True)),
    }


def _messages(response: Form) -> list[str]:
    groups = response.get("messageGroups") or ()
    return [
        json.dumps(message, sort_keys=True)
        for group in groups
        for message in (group["message"], *(group.get("variations") or ()))
    ]
