"""Stopping what a request is doing: at once, without approval, by everyone who may see it.

An intent that can be stopped names it in `Change.stop_word` and does it in `Change.stop`.
"""

from __future__ import annotations

from bot.activity import Activity, Person
from bot.errors import Conflict, NotFound
from bot.intent import Change
from bot.requests import STATE_WORDS, Filter, RequestRecord
from bot.requests.store import CANCELLABLE
from bot.services import Services

STOP = "stop_request"
"""Verb of the buttons that stop; their value is the request's id."""
UNDER_WAY = ("running", "paused", "stopping")
WORDS = frozenset({"stop", "stop it", "stop that", "abort", "abort it", "stop this", "stop now", "stop it now"})
"""Whole messages that stop what runs in the conversation they are said in."""


def stoppable(services: Services, record: RequestRecord) -> Change | None:
    """Return the intent of a request if what it does can be stopped."""
    intent = services.registry.get(record.intent)
    return intent if isinstance(intent, Change) and intent.stop_word else None


class Stopping:
    """Decided by policy at each call, and recorded; stopping twice is like stopping once."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def stop(
        self, request_id: str, by: Person, *, surface: str, owner: str | None = None
    ) -> tuple[RequestRecord, str]:
        """Stop a request's work and return it with what is told; one that has not begun is cancelled.

        `owner` limits to requests asked with that REST key. Raises NotFound, Refused or Conflict (nothing to stop).
        """
        services = self._services
        record = await services.requests.find(request_id)
        if (owner is not None and record.owner != owner) or not self._may_see(by, record):
            raise NotFound(f"There is no request {record.id}.", next_step="Say “my requests” to see yours.")
        intent = stoppable(services, record)
        if intent is None:
            raise Conflict(f"What request {record.id} does can't be stopped half-way.")
        services.policy.may_stop(by, record.subject, channel=surface).require()
        if record.state in UNDER_WAY:
            words = await intent.stop(record, by, surface)
            return await services.requests.find(record.id), words
        if record.state in CANCELLABLE:
            try:
                await services.requests.cancel(record.id, by, surface=surface, owner=owner)
            except Conflict:  # it began just now
                record = await services.requests.find(record.id)
                if record.state in UNDER_WAY:
                    return record, await intent.stop(record, by, surface)
                raise
            return await services.requests.find(record.id), f"Request {record.id} had not begun; it is cancelled."
        raise Conflict(f"Nothing was stopped: request {record.id} is {STATE_WORDS[record.state]} already.")

    async def under_way_in(self, activity: Activity) -> RequestRecord | None:
        """Return what is running in the conversation of an activity and can be stopped; the newest of several."""
        wanted = Filter(conversation=activity.conversation, state=UNDER_WAY, owner=activity.owner or None, limit=20)
        for record in (await self._services.requests.list(wanted)).items:
            if stoppable(self._services, record) and self._may_see(activity.person, record):
                return record
        return None

    def _may_see(self, by: Person, record: RequestRecord) -> bool:
        policy = self._services.policy
        return policy.may_see(by, record.subject).allowed
