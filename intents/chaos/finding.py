"""Which experiment is meant: the one that is named, else the newest of the conversation."""

from __future__ import annotations

from bot.errors import NotFound
from bot.intent import Ask
from bot.requests import Filter, RequestRecord
from bot.services import Services
from intents.chaos import definitions


async def named_or_newest(services: Services, ask: Ask) -> RequestRecord:
    """Return the experiment's request that is named, else the newest of this conversation; raises NotFound."""
    if ask.slots.get("RequestId"):
        record = await services.requests.find(ask.slots["RequestId"])
        foreign = bool(ask.owner) and record.owner != ask.owner
        if foreign or record.intent != definitions.START:
            raise NotFound(f"There is no experiment {record.id}.", next_step="Say “which experiments are there”.")
        return record
    found = await newest(services, ask)
    if found is None:
        raise NotFound("No experiment was asked for in this conversation.", next_step="Name its request (qm-…).")
    return found


async def newest(services: Services, ask: Ask, *states: str) -> RequestRecord | None:
    """Return the newest experiment of this conversation, in one of the states if any are named."""
    wanted = Filter(
        conversation=ask.conversation, intent=definitions.START, state=states, owner=ask.owner or None, limit=1
    )
    page = await services.requests.list(wanted)
    return page.items[0] if page.items else None
