"""A half-filled intent: its slots in Lex's wire shape and what they are worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.lex.engine.definition import Intent, Slot, ValueKind
from adapters.lex.engine.filling import Fill
from adapters.lex.engine.text import comparison_key

WireSlot = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """An intent with its slots by name, every slot present, None where unfilled."""

    intent: Intent
    slots: Mapping[str, WireSlot | None]
    state: str = "InProgress"
    confirmation: str = "None"

    @classmethod
    def empty(cls, intent: Intent) -> Form:
        """A form with nothing filled in."""
        return cls(intent, {slot.name: None for slot in intent.slots})

    @classmethod
    def from_wire(cls, intent: Intent, wire: Mapping[str, Any]) -> Form:
        """Read `sessionState.intent`; slots the intent does not have are dropped."""
        given = wire.get("slots") or {}
        return cls(
            intent,
            {slot.name: given.get(slot.name) if interpreted(given.get(slot.name)) else None for slot in intent.slots},
            state=wire.get("state") or "InProgress",
            confirmation=wire.get("confirmationState") or "None",
        )

    def values(self) -> dict[str, str]:
        """Interpreted values of the filled slots."""
        pairs = ((name, interpreted(slot)) for name, slot in self.slots.items())
        return {name: value for name, value in pairs if value}

    def with_fills(self, fills: Iterable[Fill]) -> Form:
        """The form with these slots set; a confirmation given before no longer counts."""
        slots = dict(self.slots)
        for fill in fills:
            slot = self.intent.slot(fill.slot)
            if slot is not None:
                slots[fill.slot] = wire_slot(slot, fill)
        return replace(self, slots=slots, confirmation="None")

    def without(self, slot: str) -> Form:
        """The form with one slot emptied."""
        return replace(self, slots={**self.slots, slot: None}, confirmation="None")

    def changed_by(self, fills: Iterable[Fill]) -> list[Fill]:
        """Those fills that say something else than the form already does."""
        return [fill for fill in fills if not self._says(fill)]

    def next_slot(self) -> Slot | None:
        """The first required slot still empty, by Lex's priorities."""
        return next((slot for slot in self.intent.slots if slot.required and self.slots[slot.name] is None), None)

    def to_wire(self) -> dict[str, Any]:
        """The form as `sessionState.intent`."""
        return {
            "name": self.intent.name,
            "slots": dict(self.slots),
            "state": self.state,
            "confirmationState": self.confirmation,
        }

    def _says(self, fill: Fill) -> bool:
        current = self.slots.get(fill.slot)
        value = interpreted(current)
        if current is None or value is None:
            return False
        slot = self.intent.slot(fill.slot)
        said = interpreted(wire_slot(slot, fill)) if slot is not None else None
        return said == value or (comparison_key(value) != "" and comparison_key(said or "") == comparison_key(value))


def wire_slot(slot: Slot, fill: Fill) -> WireSlot:
    """A filled slot in Lex's shape: OriginalValue keeps what was said, TopResolution takes the best value."""
    keeps_words = slot.type.kind is ValueKind.LIST and slot.type.passes_anything and slot.type.pattern is None
    said = fill.original if fill.original.strip("\"'") == fill.original else fill.resolved[0]
    return {
        "shape": "Scalar",
        "value": {
            "originalValue": fill.original,
            "interpretedValue": said if keeps_words else fill.resolved[0],
            "resolvedValues": list(fill.resolved),
        },
    }


def interpreted(slot: WireSlot | None) -> str | None:
    """The interpreted value of a slot in Lex's shape; None when unfilled or malformed."""
    value = slot.get("value") if isinstance(slot, Mapping) else None
    interpretation = value.get("interpretedValue") if isinstance(value, Mapping) else None
    return interpretation if isinstance(interpretation, str) and interpretation else None
