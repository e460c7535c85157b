"""What comes again: kept in the database, claimed once each time however many replicas look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.activity import Person
from bot.audit import Audit
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import schedules
from bot.recurrence import Recurrence, read_recurrence
from bot.rows import insert_new


@dataclass(frozen=True)
class Schedule:
    """One schedule. `request` made it and names it; `last` tells in words of the last time, empty before the first."""

    request: str
    recurrence: Recurrence
    next_at: datetime
    last: str


class Schedules:
    """Keeps schedules of any kind; what comes again is for the intent that made them to know."""

    def __init__(self, database: Database, clock: Clock, audit: Audit) -> None:
        self._database, self._clock, self._audit = database, clock, audit

    async def begin(self, request: str, kind: str, recurrence: Recurrence) -> Schedule:
        """Keep one, from its next time on; the same request has one only, however often this is repeated."""

        async def work(transaction: Transaction) -> Schedule:
            now = self._clock.now()
            row = {
                "request_id": request,
                "kind": kind,
                "recurrence": recurrence.words,
                "next_at": recurrence.after(now) or now,  # its only time went by a moment ago
                "created_at": now,
            }
            await insert_new(transaction, schedules, row, on=["request_id"])
            (kept,) = await self._read(transaction.connection, schedules.c.request_id == request)
            return kept

        return await self._database.write(work)

    async def active(self, kind: str) -> list[Schedule]:
        """Return those of a kind that hold, what is next first."""
        async with self._database.read() as connection:
            return await self._read(connection, schedules.c.kind == kind, schedules.c.ended_at.is_(None))

    async def due(self, kind: str) -> list[Schedule]:
        """Return those of a kind whose time has come, oldest first."""
        now = self._clock.now()
        mine = (schedules.c.kind == kind, schedules.c.ended_at.is_(None), schedules.c.next_at <= now)
        async with self._database.read() as connection:
            return await self._read(connection, *mine)

    async def claim(self, transaction: Transaction, schedule: Schedule, last: str) -> bool:
        """Take this time of a schedule in the transaction that acts on it; what does not come again ends with it.

        False when another took it, or it was ended meanwhile: then nothing may be done.
        """
        following = self.following(schedule)
        mine = (
            schedules.c.request_id == schedule.request,
            schedules.c.next_at == schedule.next_at,
            schedules.c.ended_at.is_(None),
        )
        then = {"next_at": following} if following else {"ended_at": self._clock.now()}
        taken = await transaction.execute(update(schedules).where(*mine).values(last=last, **then))
        return bool(taken.rowcount == 1)

    def following(self, schedule: Schedule) -> datetime | None:
        """Return the time of a schedule that comes after the one it has now, in the future; None when none does."""
        return schedule.recurrence.after(max(self._clock.now(), schedule.next_at))

    async def end(self, requests: Sequence[str], person: Person) -> int:
        """End some; return how many held until now."""

        async def work(transaction: Transaction) -> int:
            mine = (schedules.c.request_id.in_(requests), schedules.c.ended_at.is_(None))
            ended = await transaction.execute(update(schedules).where(*mine).values(ended_at=self._clock.now()))
            for request in requests if ended.rowcount else ():
                payload = {"by": person.email}
                await self._audit.record(
                    transaction, "schedule.ended", person_id=person.id, request_id=request, payload=payload
                )
            return int(ended.rowcount)

        return await self._database.write(work)

    async def _read(self, connection: AsyncConnection, *which: Any) -> list[Schedule]:
        query = select(schedules).where(*which).order_by(schedules.c.next_at, schedules.c.request_id)
        rows = (await connection.execute(query)).all()
        return [Schedule(r.request_id, read_recurrence(r.recurrence), r.next_at, r.last) for r in rows]
