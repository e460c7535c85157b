"""Amazon Lex V2, building bots: what a locale holds - slot types, intents, slots."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.lex_building import check_slot_type, check_utterances, over_quota
from sandbox.lex_finding import (
    bot_to_change,
    draft_to_change,
    find_bot,
    find_content,
    missing,
    paged,
    require_free_name,
)
from sandbox.lex_model import DRAFT, FALLBACK_SIGNATURE, Part, new_id
from sandbox.registry import Context, Parameters
from sandbox.services.lexmodels import operation

_ADDRESS = ("botId", "botVersion", "localeId", "intentId", "slotTypeId", "slotId")
BUILT_IN_TYPES = frozenset(
    f"AMAZON.{name}"
    for name in (
        "AlphaNumeric City Confirmation Country Date Duration EmailAddress FirstName FreeFormInput LastName Number "
        "Percentage PhoneNumber State StreetName Time UKPostalCode"
    ).split()
)


@operation("CreateSlotType")
def create_slot_type(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Add a slot type."""
    locale = _draft(context, parameters)
    types = locale["slotTypes"]
    require_free_name(parameters["slotTypeName"], (e["slotTypeName"] for e in types.values()), "Slot type")
    over_quota("slotTypes", len(types))
    check_slot_type(dict(parameters))
    made = _kept(context, parameters, slotTypeId=new_id())
    types[made["slotTypeId"]] = made
    return _shown(parameters, made, "lastUpdatedDateTime")


@operation("DescribeSlotType")
def describe_slot_type(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What a slot type is."""
    return _shown(parameters, _look(context, parameters, "slotTypes", "slotTypeId"))


@operation("UpdateSlotType")
def update_slot_type(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Replace a slot type; what is not given is gone."""
    types = _draft(context, parameters)["slotTypes"]
    was = _existing(types, parameters["slotTypeId"])
    others = (e["slotTypeName"] for e in types.values() if e is not was)
    require_free_name(parameters["slotTypeName"], others, "Slot type")
    check_slot_type(dict(parameters))
    types[was["slotTypeId"]] = _kept(context, parameters, slotTypeId=was["slotTypeId"], createdAt=was["createdAt"])
    return _shown(parameters, types[was["slotTypeId"]])


@operation("DeleteSlotType")
def delete_slot_type(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete a slot type; one that a slot has only if the check is skipped."""
    locale = _draft(context, parameters)
    _existing(locale["slotTypes"], parameters["slotTypeId"])
    used = [s for i in locale["intents"].values() for s in i["slots"].values()]
    if not parameters.get("skipResourceInUseCheck") and parameters["slotTypeId"] in {s["slotTypeId"] for s in used}:
        raise AwsError("ConflictException", "The slot type is in use by a slot. Delete the slot first.")
    del locale["slotTypes"][parameters["slotTypeId"]]
    return {}


@operation("ListSlotTypes")
def list_slot_types(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The slot types of a locale."""
    types = find_content(find_bot(context, parameters), parameters)["slotTypes"]
    names = ("slotTypeId", "slotTypeName", "description", "parentSlotTypeSignature")
    return _listed(context, parameters, "slotTypeSummaries", types.values(), names)


@operation("CreateIntent")
def create_intent(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Add an intent, which has no slots yet."""
    intents = _draft(context, parameters)["intents"]
    require_free_name(parameters["intentName"], (e["intentName"] for e in intents.values()), "Intent")
    over_quota("intents", len(intents))
    check_utterances(parameters.get("sampleUtterances") or [], "utterances")
    made = _kept(context, parameters, intentId=new_id(), slots={})
    intents[made["intentId"]] = made
    return _shown(parameters, made, "lastUpdatedDateTime", "slotPriorities")


@operation("DescribeIntent")
def describe_intent(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What an intent is; its slots are listed by themselves."""
    return _shown(parameters, _look(context, parameters, "intents", "intentId"))


@operation("UpdateIntent")
def update_intent(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Replace an intent but for its slots; what is not given is gone."""
    intents = _draft(context, parameters)["intents"]
    was = _existing(intents, parameters["intentId"])
    require_free_name(parameters["intentName"], (e["intentName"] for e in intents.values() if e is not was), "Intent")
    if was.get("parentIntentSignature") != parameters.get("parentIntentSignature"):
        raise AwsError("ValidationException", "The parent intent signature of an intent can't be changed.")
    check_utterances(parameters.get("sampleUtterances") or [], "utterances")
    for row in parameters.get("slotPriorities") or ():
        if row["slotId"] not in was["slots"]:
            raise AwsError("ValidationException", f"The slot {row['slotId']} doesn't exist in the intent.")
    kept = _kept(context, parameters, intentId=was["intentId"], slots=was["slots"], createdAt=was["createdAt"])
    intents[was["intentId"]] = kept
    return _shown(parameters, kept)


@operation("DeleteIntent")
def delete_intent(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete an intent with its slots."""
    intents = _draft(context, parameters)["intents"]
    if _existing(intents, parameters["intentId"]).get("parentIntentSignature") == FALLBACK_SIGNATURE:
        raise AwsError("ValidationException", "The built-in fallback intent can't be deleted.")
    del intents[parameters["intentId"]]
    return {}


@operation("ListIntents")
def list_intents(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The intents of a locale."""
    intents = find_content(find_bot(context, parameters), parameters)["intents"]
    names = ("intentId", "intentName", "description", "parentIntentSignature")
    return _listed(context, parameters, "intentSummaries", intents.values(), names)


@operation("CreateSlot")
def create_slot(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Add a slot to an intent; it has no priority until the intent gives it one."""
    locale = _draft(context, parameters)
    intent = _existing(locale["intents"], parameters["intentId"])
    require_free_name(parameters["slotName"], (e["slotName"] for e in intent["slots"].values()), "Slot")
    over_quota("slots", len(intent["slots"]))
    _check_slot(locale, parameters)
    made = _kept(context, parameters, slotId=new_id())
    intent["slots"][made["slotId"]] = made
    return _shown(parameters, made, "lastUpdatedDateTime")


@operation("DescribeSlot")
def describe_slot(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What a slot is."""
    intent = _look(context, parameters, "intents", "intentId")
    if parameters["slotId"] not in intent["slots"]:
        raise AwsError("ResourceNotFoundException", missing().message)
    return _shown(parameters, intent["slots"][parameters["slotId"]])


@operation("UpdateSlot")
def update_slot(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Replace a slot; what is not given is gone."""
    locale = _draft(context, parameters)
    slots = _existing(locale["intents"], parameters["intentId"])["slots"]
    was = _existing(slots, parameters["slotId"])
    require_free_name(parameters["slotName"], (e["slotName"] for e in slots.values() if e is not was), "Slot")
    _check_slot(locale, parameters)
    slots[was["slotId"]] = _kept(context, parameters, slotId=was["slotId"], createdAt=was["createdAt"])
    return _shown(parameters, slots[was["slotId"]])


@operation("DeleteSlot")
def delete_slot(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete a slot, also from its intent's priorities."""
    intent = _existing(_draft(context, parameters)["intents"], parameters["intentId"])
    slots = intent["slots"]
    _existing(slots, parameters["slotId"])
    del slots[parameters["slotId"]]
    rows = intent.get("slotPriorities") or []
    intent["slotPriorities"] = [row for row in rows if row["slotId"] != parameters["slotId"]]
    return {}


@operation("ListSlots")
def list_slots(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The slots of an intent."""
    intent = _look(context, parameters, "intents", "intentId")
    names = ("slotId", "slotName", "description", "slotTypeId")
    more = {"intentId": intent["intentId"]}
    return {**_listed(context, parameters, "slotSummaries", intent["slots"].values(), names), **more}


def _draft(context: Context, parameters: Parameters) -> Part:
    return draft_to_change(context, bot_to_change(context, parameters), parameters)


def _look(context: Context, parameters: Parameters, kind: str, identifier: str) -> Part:
    parts = find_content(find_bot(context, parameters), parameters)[kind]
    if parameters[identifier] not in parts:
        raise AwsError("ResourceNotFoundException", missing().message)
    found: Part = parts[parameters[identifier]]
    return found


def _existing(parts: Part, identifier: str) -> Part:
    if identifier not in parts:
        raise missing()
    found: Part = parts[identifier]
    return found


def _check_slot(locale: Part, parameters: Parameters) -> None:
    slot_type = parameters.get("slotTypeId", "")
    if slot_type not in locale["slotTypes"] and slot_type not in BUILT_IN_TYPES:
        raise AwsError("ValidationException", f"The slot type {slot_type} doesn't exist.")
    check_utterances(parameters["valueElicitationSetting"].get("sampleUtterances") or [], "slotUtterances")


def _kept(context: Context, parameters: Parameters, **more: Any) -> Part:
    """What is given, without where it is given to."""
    given = {name: copy.deepcopy(value) for name, value in parameters.items() if name not in _ADDRESS[:4]}
    return {**given, "createdAt": context.now, "updatedAt": context.now, **more}


def _shown(parameters: Parameters, entry: Part, *left_out: str) -> dict[str, Any]:
    hidden = {"createdAt", "updatedAt", "slots", *left_out}
    address = {name: parameters[name] for name in _ADDRESS if name in parameters}
    if address["botVersion"] != DRAFT:
        del address["botVersion"]  # the model of DescribeIntent and DescribeSlot knows the draft alone
    shown = {name: value for name, value in entry.items() if name not in hidden}
    times = {"creationDateTime": moment(entry["createdAt"]), "lastUpdatedDateTime": moment(entry["updatedAt"])}
    return {**address, **shown, **{name: at for name, at in times.items() if name not in left_out}}


def _listed(
    context: Context, parameters: Parameters, result: str, entries: Iterable[Part], names: tuple[str, ...]
) -> dict[str, Any]:
    summaries = [
        {**{n: e[n] for n in names if e.get(n)}, "lastUpdatedDateTime": moment(e["updatedAt"])} for e in entries
    ]
    address = {name: parameters[name] for name in _ADDRESS[:3]}
    return paged(context, parameters, result, summaries, **{"botVersion": DRAFT, **address})
