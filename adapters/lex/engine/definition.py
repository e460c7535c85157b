"""A bot locale read from lexv2-models' own shapes into typed, frozen parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from adapters.lex.engine.errors import DefinitionError

FALLBACK_SIGNATURE = "AMAZON.FallbackIntent"
_DEFAULT_THRESHOLD = 0.4


class ValueKind(Enum):
    """How a slot type recognises its values."""

    LIST = "list"
    EMAIL = "AMAZON.EmailAddress"
    NUMBER = "AMAZON.Number"
    ALPHANUMERIC = "AMAZON.AlphaNumeric"
    CONFIRMATION = "AMAZON.Confirmation"
    FIRST_NAME = "AMAZON.FirstName"
    LAST_NAME = "AMAZON.LastName"
    FREE_FORM = "AMAZON.FreeFormInput"
    DATE = "AMAZON.Date"
    TIME = "AMAZON.Time"
    DURATION = "AMAZON.Duration"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class ListedValue:
    """One value of a slot type with the other words for it."""

    value: str
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SlotType:
    """A custom or built-in slot type; `passes_anything` is OriginalValue resolution."""

    name: str
    kind: ValueKind
    values: tuple[ListedValue, ...] = ()
    passes_anything: bool = False
    pattern: re.Pattern[str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether values outside its list can fill it."""
        if self.pattern is not None:
            return False
        open_kinds = {ValueKind.OPEN, ValueKind.FREE_FORM, ValueKind.FIRST_NAME, ValueKind.LAST_NAME}
        return self.kind in open_kinds or (self.kind is ValueKind.LIST and self.passes_anything)


@dataclass(frozen=True, slots=True)
class Message:
    """One message as Lex sends it: `kind` is a MessageContentType."""

    kind: str
    content: str
    card: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """Message groups, each with its variations, and how often the question is repeated."""

    groups: tuple[tuple[Message, ...], ...] = ()
    max_retries: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of an intent, in Lex's order of priorities."""

    name: str
    type: SlotType
    required: bool
    prompt: Prompt
    utterances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Intent:
    """One intent; `confirmation` is None where Lex would go straight to fulfilment."""

    name: str
    utterances: tuple[str, ...]
    slots: tuple[Slot, ...]
    confirmation: Prompt | None
    declination: Prompt
    opening: Prompt
    closing: Prompt
    input_contexts: frozenset[str]
    is_fallback: bool = False

    def slot(self, name: str) -> Slot | None:
        """The slot of that name, if the intent has one."""
        return next((slot for slot in self.slots if slot.name == name), None)


@dataclass(frozen=True, slots=True)
class BotLocale:
    """Everything the engine knows of one bot in one language."""

    name: str
    locale: str
    threshold: float
    intents: tuple[Intent, ...]
    fallback: Intent

    def intent(self, name: str) -> Intent | None:
        """The intent of that name, the fallback included."""
        if name == self.fallback.name:
            return self.fallback
        return next((intent for intent in self.intents if intent.name == name), None)


def read_definition(definition: Mapping[str, Any]) -> BotLocale:
    """Read one locale; raises DefinitionError for a missing slot type, a bad pattern or no intent."""
    types = {str(entry["slotTypeName"]): _read_type(entry) for entry in definition.get("slotTypes") or ()}
    intents = [_read_intent(entry, types) for entry in definition.get("intents") or ()]
    spoken = tuple(intent for intent in intents if not intent.is_fallback)
    if not spoken:
        raise DefinitionError("the definition has no intent besides the fallback")
    fallback = next((intent for intent in intents if intent.is_fallback), None)
    threshold = definition.get("nluIntentConfidenceThreshold")
    return BotLocale(
        name=str(definition.get("botName", "")),
        locale=str(definition.get("localeId", "en_US")),
        threshold=_DEFAULT_THRESHOLD if threshold is None else float(threshold),
        intents=spoken,
        fallback=fallback
        or _read_intent({"intentName": "FallbackIntent", "parentIntentSignature": FALLBACK_SIGNATURE}, {}),
    )


def _read_type(entry: Mapping[str, Any]) -> SlotType:
    name = str(entry["slotTypeName"])
    setting = entry.get("valueSelectionSetting") or {}
    parent = entry.get("parentSlotTypeSignature")
    listed = tuple(
        ListedValue(
            value=str(value["sampleValue"]["value"]),
            synonyms=tuple(str(synonym["value"]) for synonym in value.get("synonyms") or ()),
        )
        for value in entry.get("slotTypeValues") or ()
    )
    return SlotType(
        name=name,
        kind=_kind_of(str(parent)) if parent else ValueKind.LIST,
        values=listed,
        passes_anything=setting.get("resolutionStrategy", "OriginalValue") == "OriginalValue",
        pattern=_read_pattern(name, (setting.get("regexFilter") or {}).get("pattern")),
    )


def _read_pattern(name: str, pattern: str | None) -> re.Pattern[str] | None:
    if not pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error as error:
        raise DefinitionError(f"slot type {name}: regexFilter {pattern!r} is no pattern: {error}") from error


def _kind_of(signature: str) -> ValueKind:
    try:
        return ValueKind(signature)
    except ValueError:
        return ValueKind.OPEN


def _read_intent(entry: Mapping[str, Any], types: Mapping[str, SlotType]) -> Intent:
    priorities = {str(row["slotName"]): int(row["priority"]) for row in entry.get("slotPriorities") or ()}
    slots = [_read_slot(str(entry["intentName"]), row, types) for row in entry.get("slots") or ()]
    slots.sort(key=lambda slot: priorities.get(slot.name, len(priorities) + 1_000))
    confirmation = entry.get("intentConfirmationSetting") or {}
    if not confirmation.get("active", True):
        confirmation = {}
    signature = entry.get("parentIntentSignature")
    return Intent(
        name=str(entry["intentName"]),
        utterances=(*_utterances(entry), *_BUILT_IN_UTTERANCES.get(str(signature), ())),
        slots=tuple(slots),
        confirmation=_read_prompt(confirmation["promptSpecification"])
        if "promptSpecification" in confirmation
        else None,
        declination=_read_prompt(confirmation.get("declinationResponse")),
        opening=_read_prompt((entry.get("initialResponseSetting") or {}).get("initialResponse")),
        closing=_read_prompt((entry.get("intentClosingSetting") or {}).get("closingResponse")),
        input_contexts=frozenset(str(context["name"]) for context in entry.get("inputContexts") or ()),
        is_fallback=signature == FALLBACK_SIGNATURE,
    )


_BUILT_IN_UTTERANCES: Mapping[str, tuple[str, ...]] = {
    "AMAZON.HelpIntent": ("help", "help me", "can you help me", "what can you do", "what can I ask you"),
    "AMAZON.CancelIntent": ("cancel", "never mind", "forget it", "cancel that"),
    "AMAZON.StopIntent": ("stop", "quit", "exit", "please stop"),
    "AMAZON.RepeatIntent": ("repeat", "say that again", "repeat that", "what did you say"),
}


def _utterances(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(sample["utterance"]) for sample in entry.get("sampleUtterances") or ())


def _read_slot(intent: str, entry: Mapping[str, Any], types: Mapping[str, SlotType]) -> Slot:
    name, type_name = str(entry["slotName"]), str(entry["slotTypeName"])
    slot_type = types.get(type_name)
    if slot_type is None:
        if not type_name.startswith("AMAZON."):
            raise DefinitionError(f"intent {intent}: slot {name} is of the unknown type {type_name}")
        slot_type = SlotType(name=type_name, kind=_kind_of(type_name))
    setting = entry.get("valueElicitationSetting") or {}
    return Slot(
        name=name,
        type=slot_type,
        required=setting.get("slotConstraint", "Required") == "Required",
        prompt=_read_prompt(setting.get("promptSpecification")),
        utterances=_utterances(setting),
    )


def _read_prompt(specification: Mapping[str, Any] | None) -> Prompt:
    if not specification:
        return Prompt()
    groups = [
        tuple(_read_messages([group["message"], *(group.get("variations") or ())]))
        for group in specification.get("messageGroups") or ()
    ]
    return Prompt(groups=tuple(group for group in groups if group), max_retries=int(specification.get("maxRetries", 0)))


def _read_messages(entries: Iterable[Mapping[str, Any]]) -> Iterable[Message]:
    for entry in entries:
        if "plainTextMessage" in entry:
            yield Message("PlainText", str(entry["plainTextMessage"]["value"]))
        elif "ssmlMessage" in entry:
            yield Message("SSML", str(entry["ssmlMessage"]["value"]))
        elif "customPayload" in entry:
            yield Message("CustomPayload", str(entry["customPayload"]["value"]))
        elif "imageResponseCard" in entry:
            yield Message("ImageResponseCard", "", dict(entry["imageResponseCard"]))
