"""What keys were refused for their own sake, kept in the record: people of other domains, templates, scopes."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from starlette.requests import Request

from adapters.rest.callers import Caller
from bot.audit import Audit
from bot.clock import Clock
from bot.database import Database
from bot.errors import Refused

KIND = "key.refused"
SAME_AGAIN = timedelta(minutes=1)
"""A program that asks for the same in a loop is recorded once in this time."""
REMEMBERED = 1_000


class RefusedKeys:
    """Records refusals of keys; what policies refuse to the people they speak for is recorded where it is decided."""

    def __init__(self, database: Database, audit: Audit, clock: Clock) -> None:
        self._database, self._audit, self._clock = database, audit, clock
        self._seen: OrderedDict[tuple[str, str, str], datetime] = OrderedDict()

    async def keep(self, request: Request, caller: Caller, error: Refused) -> None:
        """Record that this caller's key may not do that."""
        now, route = self._clock.wall(), f"{request.method} {request.scope['route'].path}"
        same = (caller.owner, route, error.detail)
        if now - self._seen.get(same, now - SAME_AGAIN) < SAME_AGAIN:
            return
        self._seen[same] = now
        self._seen.move_to_end(same)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        person = caller.own.person.id if caller.own else ""
        payload = {"owner": caller.owner, "route": route, "why": error.detail}
        await self._database.write(
            lambda transaction: self._audit.record(transaction, KIND, person_id=person, payload=payload)
        )
