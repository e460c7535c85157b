"""Pause and resume: whether anything may be changed at all. One row that every replica reads.

While changes are paused no segment of any workflow starts and no step of one under way begins; approvals are
taken, watchers look on, and everything goes on where it stood when changes are resumed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.activity import Person
from bot.audit import Audit
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import keepsakes
from bot.people import shown
from bot.rows import insert_new
from bot.signals import Signals

PAUSED = "changes-paused"


@dataclass(frozen=True)
class Pause:
    """Who has paused changes, when and why."""

    by: str
    at: datetime
    reason: str

    def sentence(self) -> str:
        """Return it for people."""
        because = f": “{self.reason}”" if self.reason else ""
        return f"Changes have been paused by {self.by} since {self.at:%Y-%m-%d %H:%M} UTC{because}."


class Holding:
    """Pauses and resumes changes; idempotent, and recorded."""

    def __init__(self, database: Database, clock: Clock, signals: Signals, audit: Audit) -> None:
        self._database, self._clock, self._signals, self._audit = database, clock, signals, audit

    async def paused(self) -> Pause | None:
        """Return the pause that is in force, None when changes go on."""
        async with self._database.read() as connection:
            return await self._read(connection)

    async def pause(self, by: Person, reason: str) -> Pause:
        """Hold all new steps; returns the pause in force, which may be an earlier one."""

        async def work(transaction: Transaction) -> Pause:
            now = self._clock.now()
            value = json.dumps({"by": shown(by), "at": now.isoformat(), "reason": reason})
            if await insert_new(transaction, keepsakes, {"name": PAUSED, "value": value}, on=["name"]):
                await self._audit.record(
                    transaction, "changes.paused", person_id=by.id, payload={"by": by.email, "reason": reason}
                )
            found = await self._read(transaction.connection)
            return found or Pause(shown(by), now, reason)

        return await self._database.write(work)

    async def resume(self, by: Person) -> bool:
        """Let steps go on; tells whether they were held."""

        async def work(transaction: Transaction) -> bool:
            ended = await transaction.execute(delete(keepsakes).where(keepsakes.c.name == PAUSED))
            if ended.rowcount != 1:
                return False
            await self._audit.record(transaction, "changes.resumed", person_id=by.id, payload={"by": by.email})
            transaction.then(lambda: self._signals.set("scheduler"))
            return True

        return await self._database.write(work)

    async def _read(self, connection: AsyncConnection) -> Pause | None:
        query = select(keepsakes.c.value).where(keepsakes.c.name == PAUSED)
        value = (await connection.execute(query)).scalar_one_or_none()
        if value is None:
            return None
        said = json.loads(value)
        return Pause(said["by"], datetime.fromisoformat(said["at"]), said["reason"])
