"""What a person has going: their own requests, those that wait for them, and whether they see everybody's."""

from __future__ import annotations

from dataclasses import dataclass

from bot.activity import Person
from bot.policy import Subject
from bot.requests import Filter, RequestRecord, no_request
from bot.services import Services
from bot.waiting import Waiting

SHOWN = 6
"""Requests in each list beside the chat."""


@dataclass(frozen=True)
class Going:
    """The two short lists beside the chat."""

    waiting: tuple[RequestRecord, ...]
    mine: tuple[RequestRecord, ...]


class Overview:
    """Reads the short lists; every request in them is one that policy lets the person see."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.waiting = Waiting(services)

    async def going(self, person: Person) -> Going:
        """Return what waits for the person, and their own latest."""
        requests = self._services.requests
        waiting = await self.waiting.page(person, Filter(limit=SHOWN))
        mine = await requests.list(Filter(person_id=person.id, limit=SHOWN))
        return Going(self.visible(person, waiting.items), self.visible(person, mine.items))

    def visible(self, person: Person, records: tuple[RequestRecord, ...]) -> tuple[RequestRecord, ...]:
        """Return those requests that the person may see."""
        policy = self._services.policy
        return tuple(r for r in records if policy.may_see(person, r.subject).allowed)

    async def find(self, person: Person, request_id: str) -> RequestRecord:
        """Return a request that the person may see; raises NotFound: what they may not see does not exist for them."""
        record = await self._services.requests.find(request_id)
        if not self._services.policy.may_see(person, record.subject).allowed:
            raise no_request(record.id)
        return record

    def sees_all(self, person: Person) -> bool:
        """Tell whether the person may see requests that they have nothing to do with."""
        stranger = Subject(id="", intent="", tier="standard", requester="", approvers=(), values={})
        return self._services.policy.may_see(person, stranger).allowed
