"""Reads what a bot's locale says, of the draft or of a numbered version."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from adapters.lex.building.content import Content, content_of
from adapters.lex.building.lexapi import LexApi, Moved
from bot.errors import CloudError

AT_ONCE = 4
"""Descriptions asked for at once: Lex's model-building calls are throttled early."""
T = TypeVar("T")


async def read_content(api: LexApi, version: str = "DRAFT") -> Content:
    """Return the content of a version, with the ids of its parts. Raises CloudError, Moved.

    One description for each slot type, intent and slot, and one listing of each intent's slots.
    """
    try:
        return await _read(api, version)
    except CloudError as error:
        if error.code == "ResourceNotFoundException":  # listed, and deleted before it was described
            raise Moved(error.detail) from error
        raise


async def _read(api: LexApi, version: str) -> Content:
    where = {"botId": api.bot_id, "botVersion": version, "localeId": api.locale}
    locale, type_rows, intent_rows = await asyncio.gather(
        api.call("DescribeBotLocale", **where),
        api.listed("ListSlotTypes", "slotTypeSummaries", **where),
        api.listed("ListIntents", "intentSummaries", **where),
    )

    async def slot_type(identifier: str) -> dict[str, Any]:
        return await api.call("DescribeSlotType", **where, slotTypeId=identifier)

    types = await _few_at_once([partial(slot_type, row["slotTypeId"]) for row in type_rows])
    names = {entry["slotTypeId"]: entry["slotTypeName"] for entry in types}

    async def intent(identifier: str) -> dict[str, Any]:
        address = {**where, "intentId": identifier}
        entry = await api.call("DescribeIntent", **address)
        rows = await api.listed("ListSlots", "slotSummaries", **address)
        slots = [await api.call("DescribeSlot", **address, slotId=row["slotId"]) for row in rows]
        by_id = {slot["slotId"]: slot["slotName"] for slot in slots}
        ranked = [row for row in entry.get("slotPriorities") or () if row["slotId"] in by_id]
        return {
            **entry,
            "slots": [{**s, "slotTypeName": names.get(s["slotTypeId"], s["slotTypeId"])} for s in slots],
            "slotPriorities": [{"slotName": by_id[row["slotId"]], "priority": row["priority"]} for row in ranked],
        }

    return content_of(
        {
            "nluIntentConfidenceThreshold": locale["nluIntentConfidenceThreshold"],
            "slotTypes": types,
            "intents": await _few_at_once([partial(intent, row["intentId"]) for row in intent_rows]),
        }
    )


async def _few_at_once(looks: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Return what all see, in their order; end all when one fails."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(look: Callable[[], Awaitable[T]]) -> T:
        async with places:
            return await look()

    tasks = [asyncio.ensure_future(one(look)) for look in looks]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
