"""Rows of a data set, and the bot locale that is taught by them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import Invalid

OUT_OF_SCOPE = "oos"
"""The intent of rows that belong to no intent; in training they teach nothing, as Lex has no place for them."""
_FALLBACK = {"intentName": "FallbackIntent", "parentIntentSignature": "AMAZON.FallbackIntent"}
_NO_WORDS = str.maketrans("{}", "  ")


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence, its intent, and its slots as (name, first character, character after the last)."""

    text: str
    intent: str
    slots: tuple[tuple[str, int, int], ...] = ()

    def values(self) -> dict[str, set[str]]:
        """What each slot holds."""
        held: dict[str, set[str]] = {}
        for name, start, end in self.slots:
            held.setdefault(name, set()).add(self.text[start:end])
        return held


def read_rows(file: Path) -> list[Row]:
    """Rows of a JSON Lines file with "text", "intent" and perhaps "slots", in UTF-8 with or without a mark.

    A slot is {"name", "start", "end"} or {"name", "value"}; slots may also be one object of values by name. A row
    without an intent belongs to none. Raises Invalid that names the line at fault.
    """
    try:
        lines = file.read_text("utf-8-sig").split("\n")  # JSON may hold other ends of lines as they are
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} can't be read: {error}") from error
    rows = [_read_row(line, f"{file}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise Invalid(f"{file} holds no rows.")
    return rows


def _read_row(line: str, place: str) -> Row:
    try:
        entry: Any = json.loads(line)
        if not isinstance(entry, dict):
            raise ValueError("it is no JSON object")
        text, intent = entry["text"], entry.get("intent") or OUT_OF_SCOPE
        slots = sorted(_read_slots(entry.get("slots") or (), str(text)))
        ends = [0, *(end for _, end, _ in slots)]
        is_sound = isinstance(text, str) and isinstance(intent, str) and bool(text.strip() and intent)
        if not is_sound or any(
            not before <= start < end <= len(text) for before, (start, end, _) in zip(ends, slots, strict=False)
        ):
            raise ValueError("a row needs a text, an intent, and slots that lie in the text one after the other")
        return Row(text, intent, tuple((str(name), int(start), int(end)) for start, end, name in slots))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(f'{place} is no row of {{"text", "intent"[, "slots"]}}: {error}') from error


def _read_slots(given: Any, text: str) -> Iterator[tuple[int, int, str]]:
    """First character, character after the last, and name of each slot; values are looked for one after the other."""
    if isinstance(given, Mapping):
        given = [{"name": name, "value": value} for name, value in given.items() if value not in (None, "")]
    ends: dict[str, int] = {}
    for slot in given:
        name = slot["name"] if "name" in slot else slot["slot"]
        if "start" in slot:
            yield slot["start"], slot["end"], name
            continue
        value = slot["value"]
        at = text.casefold().find(value.casefold(), ends.get(value, 0)) if value else -1
        if at < 0:
            raise ValueError(f"the value {value!r} of the slot {name} does not stand in the text")
        ends[value] = at + len(value)
        yield at, ends[value], name


def locale_of(rows: Sequence[Row]) -> dict[str, Any]:
    """The bot locale, in lexv2-models' shapes, whose sample utterances are the rows with slots for their values."""
    utterances: dict[str, list[str]] = {}
    values: dict[str, dict[str, None]] = {}
    slots: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.intent == OUT_OF_SCOPE:
            continue
        utterances.setdefault(row.intent, []).append(_template(row))
        own = slots.setdefault(row.intent, {})
        for name, start, end in row.slots:
            own.setdefault(name)
            values.setdefault(name, {}).setdefault(row.text[start:end])
    if not utterances:
        raise Invalid("The rows to learn from name no intent.")
    return {
        "botName": "Evaluated",
        "localeId": "en_US",
        "nluIntentConfidenceThreshold": 0.4,
        "slotTypes": [_slot_type(name, own) for name, own in values.items()],
        "intents": [*(_intent(name, texts, slots[name]) for name, texts in utterances.items()), _FALLBACK],
    }


def _template(row: Row) -> str:
    pieces: list[str] = []
    at = 0
    for name, start, end in row.slots:
        pieces += [row.text[at:start].translate(_NO_WORDS), "{", slot_name(name), "}"]
        at = end
    return "".join([*pieces, row.text[at:].translate(_NO_WORDS)])


def slot_name(name: str) -> str:
    """A slot's name as Lex allows it in a placeholder."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)


def _slot_type(name: str, values: Mapping[str, None]) -> dict[str, Any]:
    return {
        "slotTypeName": f"{slot_name(name)}_values",
        "valueSelectionSetting": {"resolutionStrategy": "OriginalValue"},
        "slotTypeValues": [{"sampleValue": {"value": value}} for value in values],
    }


def _intent(name: str, texts: Sequence[str], slots: Iterable[str]) -> dict[str, Any]:
    return {
        "intentName": name,
        "sampleUtterances": [{"utterance": text} for text in texts],
        "slots": [
            {
                "slotName": slot_name(slot),
                "slotTypeName": f"{slot_name(slot)}_values",
                "valueElicitationSetting": {"slotConstraint": "Optional"},
            }
            for slot in slots
        ],
    }
