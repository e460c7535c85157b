"""What our own database knows of a month: requests, how they went, approvals, steps that failed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from bot.closed_accounts import closing_times
from bot.database.tables import approvals, people, requests, steps
from bot.hours import WorkingHours
from bot.requests.record import OPEN_STATES
from bot.services import Services
from intents.reports.figures import FailureCount, reason_of

VENDING = "AWSAccountVending"
"""The intent that makes accounts: its name is fixed by Lex and by the policies."""


class Recorded:
    """Reads requests, approvals and steps between two moments."""

    def __init__(self, services: Services, hours: WorkingHours | None) -> None:
        self._services, self._hours = services, hours

    async def _rows(self, query: Any) -> list[Any]:
        async with self._services.database.read() as connection:
            return list((await connection.execute(query)).all())

    async def asked(self, begin: datetime, end: datetime) -> int:
        """Return how many requests were placed."""
        query = select(func.count()).where(requests.c.created_at >= begin, requests.c.created_at < end)
        return int((await self._rows(query))[0][0])

    async def ended(self, begin: datetime, end: datetime) -> dict[str, int]:
        """Return how many requests ended, by state; a request that ended stays as it was then."""
        query = (
            select(requests.c.state, func.count())
            .where(requests.c.state.not_in(OPEN_STATES), requests.c.updated_at >= begin, requests.c.updated_at < end)
            .group_by(requests.c.state)
        )
        return {state: count for state, count in await self._rows(query)}

    async def vended(self, begin: datetime, end: datetime) -> list[tuple[str, str, timedelta]]:
        """Return (account id, request, time from the request to "ready") of the accounts that became ready."""
        query = select(requests.c.id, requests.c.outcome, requests.c.created_at, requests.c.updated_at).where(
            requests.c.intent == VENDING,
            requests.c.state == "succeeded",
            requests.c.updated_at >= begin,
            requests.c.updated_at < end,
        )
        return [
            (str((row.outcome or {}).get("account_id", "")), row.id, row.updated_at - row.created_at)
            for row in await self._rows(query)
        ]

    async def closed(self, begin: datetime, end: datetime) -> dict[str, datetime]:
        """Return when accounts were closed from here, by id."""
        times = await closing_times(self._services.database)
        return {account: at for account, at in times.items() if begin <= at < end}

    async def approval_times(self, begin: datetime, end: datetime) -> list[timedelta]:
        """Return how long each plan waited that was decided: from asking to the last decision."""
        decided = func.max(approvals.c.decided_at)
        query = (
            select(func.min(approvals.c.asked_at).label("asked"), decided.label("decided"))
            .group_by(approvals.c.request_id, approvals.c.version)
            .having(decided >= begin, decided < end)
        )
        return [self._between(row.asked, row.decided) for row in await self._rows(query)]

    def _between(self, asked: datetime, decided: datetime) -> timedelta:
        return self._hours.between(asked, decided) if self._hours else decided - asked

    async def failures(self, begin: datetime, end: datetime) -> tuple[FailureCount, ...]:
        """Return the steps that ended as failed, and the requests that failed without one, by reason."""
        counted: Counter[tuple[str, str]] = Counter()
        query = (
            select(steps.c.request_id, steps.c.name, steps.c.error)
            .join(requests, requests.c.id == steps.c.request_id)
            .where(steps.c.state == "failed", steps.c.finished_at >= begin, steps.c.finished_at < end)
            .where(requests.c.state.not_in(OPEN_STATES))
        )
        with_step = set()
        for row in await self._rows(query):
            with_step.add(row.request_id)
            counted[row.name, reason_of(row.error or "")] += 1
        failed = select(requests.c.id, requests.c.intent, requests.c.outcome).where(
            requests.c.state == "failed", requests.c.updated_at >= begin, requests.c.updated_at < end
        )
        for row in await self._rows(failed):
            if row.id not in with_step:
                counted[self._title(row.intent), reason_of((row.outcome or {}).get("text", ""))] += 1
        ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(FailureCount(what, reason, count) for (what, reason), count in ordered)

    def _title(self, intent: str) -> str:
        known = self._services.registry.get(intent)
        return known.definition.title if known else intent

    async def open_requests(self) -> Mapping[str, list[str]]:
        """Return the requests that are open now, by their requesters' addresses."""
        query = (
            select(requests.c.id, people.c.email)
            .join(people, people.c.id == requests.c.person_id)
            .where(requests.c.state.in_(OPEN_STATES))
            .order_by(requests.c.created_at)
        )
        found: dict[str, list[str]] = defaultdict(list)
        for row in await self._rows(query):
            found[row.email].append(row.id)
        return found
