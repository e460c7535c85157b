"""What a build of a Lex V2 locale finds wrong, and the quotas that hold while one is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sandbox.errors import AwsError
from sandbox.lex_model import ModelledBot, Part, definition_of

QUOTAS = {
    "bots": 100,
    "builds": 5,
    "versions": 100,
    "aliases": 100,
    "intents": 1_000,
    "slotTypes": 250,
    "slots": 100,
    "utterances": 1_500,
    "slotUtterances": 10,
    "values": 10_000,
}
"""Lex V2's defaults (developer guide, "Quotas"), for English locales; a slot's are by intent."""
_LONGEST_UTTERANCE = 500
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_ALLOWED = re.compile(r"[^\W_]|[\s._'’`-]")
_UNSUPPORTED = re.compile(r"(?<!\\)[*+.]|\{\d+,\}")


def over_quota(what: str, count: int) -> None:
    """ServiceQuotaExceededException when one more than `count` would be too many."""
    if count >= QUOTAS[what]:
        raise AwsError(
            "ServiceQuotaExceededException", f"You have reached your limit of {QUOTAS[what]} {what}. Delete some first."
        )


def check_utterances(samples: list[Part], what: str) -> None:
    """ValidationException for too long an utterance, ServiceQuotaExceededException for too many."""
    if len(samples) > QUOTAS[what]:
        over_quota(what, len(samples))
    for sample in samples:
        if not 1 <= len(sample["utterance"]) <= _LONGEST_UTTERANCE:
            raise AwsError(
                "ValidationException",
                f"The utterance '{sample['utterance'][:80]}' must have 1 to {_LONGEST_UTTERANCE} characters.",
            )


def check_slot_type(parameters: Part) -> None:
    """ValidationException for what a slot type can't be."""
    values = parameters.get("slotTypeValues") or []
    if sum(1 + len(value.get("synonyms") or ()) for value in values) > QUOTAS["values"]:
        over_quota("values", QUOTAS["values"])
    setting = parameters.get("valueSelectionSetting") or {}
    pattern = (setting.get("regexFilter") or {}).get("pattern")
    parent = parameters.get("parentSlotTypeSignature")
    if pattern and parent != "AMAZON.AlphaNumeric":
        raise AwsError("ValidationException", "A regexFilter can only be used with AMAZON.AlphaNumeric as the parent.")
    if pattern and _UNSUPPORTED.search(re.sub(r"\[[^]]*\]", "x", pattern)):
        raise AwsError("ValidationException", f"The regular expression '{pattern}' uses an unsupported operator.")
    if not parent and not setting:
        raise AwsError("ValidationException", "A custom slot type must have a valueSelectionSetting.")
    seen: set[str] = set()
    for value in values:
        text = (value.get("sampleValue") or {}).get("value", "")
        if text.casefold() in seen:
            raise AwsError("ValidationException", f"The slot type value '{text}' is given more than once.")
        seen.add(text.casefold())


def find_faults(bot: ModelledBot, locale: Part) -> list[str]:
    """Why a locale can't be built, each reason naming the intent and the utterance at fault; empty when it can."""
    intents = [entry for entry in locale["intents"].values() if entry.get("parentIntentSignature") is None]
    reasons = [
        *_without_utterances(locale, intents),
        *(reason for intent in intents for reason in _of_intent(intent, locale["slotTypes"])),
        *_said_twice(intents),
        *_empty_types(locale["slotTypes"]),
    ]
    return reasons or _of_engine(bot, locale)


def blamed(locale: Part, message: str) -> str:
    """The message of a build that is made to fail, with the utterance that it blames."""
    for intent in locale["intents"].values():
        for sample in reversed(intent.get("sampleUtterances") or ()):
            return f"{message} Intent: {intent['intentName']}, utterance: '{sample['utterance']}'."
    return message


def _without_utterances(locale: Part, intents: list[Part]) -> Iterator[str]:
    if not any(intent.get("sampleUtterances") for intent in intents):
        yield (
            f"The locale '{locale['localeId']}' doesn't have any utterances. A locale must have at least one custom "
            "intent with a valid utterance. Add a custom intent and try your request again."
        )


def _of_intent(intent: Part, types: Part) -> Iterator[str]:
    name, slots = intent["intentName"], intent["slots"]
    by_name = {slot["slotName"]: slot for slot in slots.values()}
    ranked = {row["slotId"] for row in intent.get("slotPriorities") or ()}
    unranked = [slot["slotName"] for identifier, slot in slots.items() if identifier not in ranked]
    if unranked:
        yield (
            f"Slot ids [{', '.join(unranked)}] in intent {name} don't define a slot priority. "
            "Update the intent to add a priority to these slots."
        )
    for sample in intent.get("sampleUtterances") or ():
        yield from _of_utterance(sample["utterance"], f"intent {name}", set(by_name))
    for slot in slots.values():
        setting = slot["valueElicitationSetting"]
        where = f"slot {slot['slotName']} of intent {name}"
        if setting["slotConstraint"] == "Required" and not setting.get("promptSpecification"):
            yield f"The required {where} doesn't have a prompt."
        if not slot["slotTypeId"].startswith("AMAZON.") and slot["slotTypeId"] not in types:
            yield f"The {where} has a slot type that doesn't exist."
        for sample in setting.get("sampleUtterances") or ():
            yield from _of_utterance(sample["utterance"], where, set(by_name))


def _of_utterance(utterance: str, where: str, slots: set[str]) -> Iterator[str]:
    for named in _PLACEHOLDER.findall(utterance):
        if named not in slots:
            yield f"The utterance '{utterance}' in {where} uses the slot {named}, which doesn't exist in the intent."
    bare = _PLACEHOLDER.sub("x", utterance)
    if re.search(r"[^\s]\{|\}[^\s]", utterance) or not all(_ALLOWED.fullmatch(sign) for sign in bare):
        yield (
            f"The utterance '{utterance}' in {where} contains invalid characters or punctuation. An utterance can "
            "contain letters, digits, spaces, periods for abbreviations, underscores, apostrophes and hyphens, and "
            "placeholders for slots that are separated by spaces."
        )


def _said_twice(intents: list[Part]) -> Iterator[str]:
    said: dict[str, str] = {}
    for intent in intents:
        types = {slot["slotName"]: slot["slotTypeId"] for slot in intent["slots"].values()}
        for sample in intent.get("sampleUtterances") or ():
            utterance = sample["utterance"]
            parts = _PLACEHOLDER.split(utterance)  # every other part is a placeholder's name
            parts[1::2] = [f"{{{types.get(name, name)}}}" for name in parts[1::2]]
            other = said.setdefault("".join(parts).casefold(), intent["intentName"])
            if other != intent["intentName"]:
                yield f"The utterance '{utterance}' is in the intents {other} and {intent['intentName']}. Remove one."


def _empty_types(types: Part) -> Iterator[str]:
    for entry in types.values():
        if not entry.get("slotTypeValues") and not entry.get("parentSlotTypeSignature"):
            yield f"The slot type {entry['slotTypeName']} doesn't have any values. Add at least one."


def _of_engine(bot: ModelledBot, locale: Part) -> list[str]:
    # Loaded when the first bot is built: most sandboxes never see one.
    from adapters.lex.engine import DefinitionError
    from adapters.lex.engine.definition import read_definition

    try:
        read_definition(definition_of(bot, locale))
    except DefinitionError as error:
        return [str(error)]
    return []


def shown_failure(reasons: list[str]) -> dict[str, Any]:
    """A failed build's members in DescribeBotLocale."""
    return {"failureReasons": reasons, "recommendedActions": ["Correct the utterances that are named; build again."]}
