"""Carries out steps: each is one changing call on the draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.lex.building.content import Content, Form, type_key
from adapters.lex.building.lexapi import LexApi
from adapters.lex.building.planning import Step, key_of, with_slots_that_stay

_INTENT = ("intentName", "description", "sampleUtterances", "parentIntentSignature")
_TYPE = ("slotTypeName", "description", "slotTypeValues", "valueSelectionSetting", "parentSlotTypeSignature")
_SLOT = ("slotName", "description", "valueElicitationSetting")


class Applying:
    """Steps from what was found to what is wanted; learns the ids of what it makes."""

    def __init__(self, api: LexApi, wanted: Content, found: Content) -> None:
        self._api = api
        self._wanted = with_slots_that_stay(wanted, found)
        self._ids = dict(found.ids)

    async def carry_out(self, step: Step) -> None:
        """Make the step's call. Raises CloudError, Moved."""
        if step.kind == "locale":
            await self._api.on_draft("UpdateBotLocale", nluIntentConfidenceThreshold=self._wanted.threshold)
        elif step.kind == "slot type":
            await self._slot_type(step)
        elif step.kind == "intent":
            await self._intent(step)
        else:
            await self._slot(step)

    async def _slot_type(self, step: Step) -> None:
        key = key_of(step)
        if step.verb == "delete":
            await self._api.on_draft("DeleteSlotType", slotTypeId=self._ids[key])
            return
        given = _given(self._wanted.raw[key], _TYPE)
        if step.verb == "create":
            self._ids[key] = (await self._api.on_draft("CreateSlotType", **given))["slotTypeId"]
        else:
            await self._api.on_draft("UpdateSlotType", slotTypeId=self._ids[key], **given)

    async def _intent(self, step: Step) -> None:
        if step.verb == "delete":
            await self._api.on_draft("DeleteIntent", intentId=self._ids[step.name])
            return
        entry = self._wanted.raw[step.name]
        given = _given(entry, _INTENT)
        if step.verb == "create":
            self._ids[step.name] = (await self._api.on_draft("CreateIntent", **given))["intentId"]
            return
        rows = [
            {"slotId": self._ids[step.name, row["slotName"]], "priority": row["priority"]}
            for row in entry.get("slotPriorities") or ()
        ]
        more: dict[str, Any] = {"slotPriorities": rows} if rows else {}
        if entry.get("intentConfirmationSetting"):
            more["intentConfirmationSetting"] = entry["intentConfirmationSetting"]
        await self._api.on_draft("UpdateIntent", intentId=self._ids[step.name], **given, **more)

    async def _slot(self, step: Step) -> None:
        key = key_of(step)
        intent = self._ids[key[0]]
        if step.verb == "delete":
            await self._api.on_draft("DeleteSlot", intentId=intent, slotId=self._ids[key])
            return
        entry = self._wanted.raw[key]
        type_name = entry["slotTypeName"]
        slot_type = type_name if type_name.startswith("AMAZON.") else self._ids[type_key(type_name)]
        given = _given(entry, _SLOT)
        if step.verb == "create":
            made = await self._api.on_draft("CreateSlot", intentId=intent, slotTypeId=slot_type, **given)
            self._ids[key] = made["slotId"]
        else:
            await self._api.on_draft(
                "UpdateSlot", intentId=intent, slotId=self._ids[key], slotTypeId=slot_type, **given
            )


def _given(entry: Form, names: tuple[str, ...]) -> Mapping[str, Any]:
    return {name: entry[name] for name in names if entry.get(name)}
