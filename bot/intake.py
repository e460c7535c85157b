"""Storing what comes in: what arrived during one commit goes into the next, in one statement.

So under load a commit, and the look for open forms before it, is shared by all who wait; there is no timer.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from bot.activity import Activity
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import inbox
from bot.errors import Unavailable
from bot.withholding import without_secrets

BATCH = 256
"""Most activities of one statement."""
RUSH, RUSH_WITHIN = 32, 0.1
"""Arrivals within seconds that make a rush: more than one process answers."""

Kept = Callable[[int, Activity], None]
Waiting = tuple[Activity, "asyncio.Future[bool]"]


class Intake:
    """Stores activities; `on_kept` is called for each that is new, after its commit."""

    def __init__(self, database: Database, clock: Clock, replica: str, lease: timedelta, on_kept: Kept) -> None:
        self._database, self._clock, self._replica = database, clock, replica
        self._lease, self._on_kept = lease, on_kept
        self._waiting: list[Waiting] = []
        self._storing: asyncio.Task[None] | None = None
        self._recent: deque[float] = deque(maxlen=RUSH)

    async def keep(self, activity: Activity) -> bool:
        """Store one without the secrets in it; returns after the commit: True when new, else a duplicate."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((activity, done))
        self._recent.append(time.monotonic())
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_on())
        return await done

    @property
    def is_rushed(self) -> bool:
        """Whether more comes in than turns can be handled."""
        return len(self._recent) == RUSH and time.monotonic() - self._recent[0] < RUSH_WITHIN

    async def calms_down(self, patience: float) -> None:
        """Return when no rush comes in, at most after `patience` seconds: platforms wait for their acknowledgement."""
        end = time.monotonic() + patience
        while self.is_rushed and time.monotonic() < end:  # noqa: ASYNC110 - no event would tell that nothing comes
            await asyncio.sleep(RUSH_WITHIN)

    async def _store_on(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            await self._store(batch)

    async def _store(self, batch: list[Waiting]) -> None:
        try:
            activities = await without_secrets(self._database, [activity for activity, _ in batch])
            kept = await self._write(activities)
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, Unavailable):
                for one in batch:  # one that can't be stored must not take the others with it
                    await self._store([one])
                return
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
            return
        for activity, (_, done) in zip(activities, batch, strict=True):
            seq = kept.pop(activity.key, None)
            if seq is not None:
                self._on_kept(seq, activity)
            if not done.done():
                done.set_result(seq is not None)

    async def _write(self, activities: list[Activity]) -> dict[str, int]:
        """Insert the rows and return the numbers of those that are new, by key."""
        now = self._clock.wall()
        rows: dict[str, dict[str, Any]] = {}
        for activity in activities:
            row = {
                "key": activity.key,
                "conversation": activity.conversation,
                "body": activity.as_dict(),
                "received_at": now,
                "owner": self._replica,
                "leased_until": now + self._lease,
            }
            rows.setdefault(activity.key, row)

        async def work(transaction: Transaction) -> dict[str, int]:
            insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
            statement = insert(inbox).on_conflict_do_nothing(index_elements=["key"])
            returned = await transaction.execute(statement.returning(inbox.c.key, inbox.c.seq), list(rows.values()))
            return {row.key: int(row.seq) for row in returned.all()}

        return await self._database.write(work)
