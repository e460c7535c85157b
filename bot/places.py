"""Control Tower's few places: one queue for every intent that takes one, and one decision who gets the next.

Orders of accounts, moves, updates and unmanaging wait in rows of one kind, oldest first, whatever the intent.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial

import structlog

from bot.account_factory import DONE_WITH, PRODUCT, AccountFactory
from bot.card import Card, Text
from bot.database import Transaction
from bot.errors import CloudError
from bot.intent import Change
from bot.requests import RequestRecord
from bot.services import Services
from bot.workflow.mending import RETRIES
from bot.workflow.model import Notice, Verdict, Wait, Waiting, Watcher

log = structlog.get_logger(__name__)

PLACE = "control-tower-place"
POLL = timedelta(seconds=30)
USUAL = timedelta(minutes=25)
"""How long Control Tower usually takes for an account; only for telling people."""
STALE = timedelta(minutes=2)
"""A plan that was checked longer ago than this is checked again before the order."""
UNCOUNTED = timedelta(minutes=15)
"""How long places may go uncounted for faults that a wait cures, until those who wait hear of it."""
CHECK = "check_again"
"""In the payload of the segment that follows: whether the plan has to be checked again."""


class Places:
    """Who may have Control Tower work on an account now."""

    def __init__(self, services: Services) -> None:
        self._services, self._factory = services, AccountFactory(services)

    def watcher(self) -> Watcher:
        """Return the batched watcher of places; the same for every intent that lines up."""
        return Watcher(PLACE, POLL, self.look)

    def wait(self, request: RequestRecord, then: str) -> Wait:
        """Line up for a place, then go on with the segment `then`; after an operator's retry at the end of the line."""
        retries = int(request.notes.get(RETRIES, 0))
        return Wait(PLACE, f"{request.id}:{request.version}:{retries}", then, {CHECK: True} if retries else {})

    async def look(self, waiting: Sequence[Waiting]) -> Mapping[int, Verdict]:
        """Admit as many of the oldest as there are places; tell the others where they stand."""
        now, capacity = self._services.clock.now(), self._services.settings.control_tower_capacity
        try:
            busy = await self._factory.changing()
        except CloudError as error:
            log.warning("places.uncounted", operation=error.operation, code=error.code, waiting=len(waiting))
            unseen = [row for row in waiting if not error.retryable or now - row.since > UNCOUNTED]
            return {row.seq: Verdict(ready=False, notice=_uncounted(row.request_id, error)) for row in unseen}
        async with self._services.database.read() as connection:
            running = await self._services.requests.running(connection)
        taken = busy | self._held(running, but={row.request_id for row in waiting})
        free = max(0, capacity - len(taken))
        verdicts: dict[int, Verdict] = {}
        for place, row in enumerate(waiting[free:], 1):
            begin = now + USUAL * math.ceil(place / capacity)
            text = (
                f"Request {row.request_id} is queued: Control Tower is working on as many accounts as it can. "
                f"You are number {place} in line; it will likely begin about {begin:%H:%M} UTC."
            )
            notice = Notice("queued", text, Card("Queued", (Text(text),), request=row.request_id))
            verdicts[row.seq] = Verdict(ready=False, payload={CHECK: True}, notice=notice, state="queued")
        for row in waiting[:free]:
            verdicts[row.seq] = Verdict(
                ready=True,
                payload={CHECK: bool(row.payload.get(CHECK)) or now - row.since > STALE},
                state="running",
                admits=partial(self._is_left, row.request_id, busy),
            )
        return verdicts

    async def _is_left(self, request_id: str, busy: frozenset[str], transaction: Transaction) -> bool:
        """Tell whether a place is left for the request, as the transaction that would let it run sees the others.

        `busy` are the products that Control Tower was seen to work on. Those that were let run since then count too.
        """
        running = await self._services.requests.running(transaction.connection)
        taken = busy | self._held(running, but={request_id})
        return len(taken) < self._services.settings.control_tower_capacity

    def _held(self, running: Sequence[RequestRecord], *, but: Collection[str] = ()) -> frozenset[str]:
        """Return the names of the account products that our own running requests may have Control Tower work on.

        Of every intent that says so: an order and a move share the same few places. Service Catalog shows an order
        only once it is out, so that those admitted a moment ago would not be counted otherwise.
        """
        return frozenset(
            record.plan.effects[PRODUCT]
            for record in running
            if record.id not in but
            and self._takes_control_tower(record.intent)
            and record.plan.effects.get(PRODUCT)
            and not record.notes.get(DONE_WITH)
        )

    def _takes_control_tower(self, name: str) -> bool:
        intent = self._services.registry.get(name)
        return isinstance(intent, Change) and intent.takes_control_tower


def _uncounted(request_id: str, error: CloudError) -> Notice:
    text = (
        f"Request {request_id} is approved and keeps its place in line, but what Control Tower is working on "
        f"can't be read just now ({error.operation}: {error.code}). Your platform team should look; I keep looking."
    )
    return Notice("uncounted", text, Card("Waiting for AWS", (Text(text),), tone="warning", request=request_id))
