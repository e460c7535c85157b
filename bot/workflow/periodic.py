"""Jobs that recur in business time: run by the leased scheduler alone, remembered in the database.

When a job last ran is kept, so that neither a restart nor another replica repeats it before its time. A job
runs at least once a period: one that fails, or whose process dies, is run again, so it must be safe to repeat.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import keepsakes
from bot.rows import insert_new, put

log = structlog.get_logger(__name__)

RETRY = timedelta(minutes=15)
"""Business time until a job that has failed is tried again, unless its period is shorter."""


@dataclass(frozen=True)
class Job:
    """Something to do every `every` of business time; first one period after it was first seen.

    `name` is unique among all intents, at most 50 characters. `work` is given when it last ran to its end
    (or was first seen), and may raise: that is logged, and it is tried again soon.
    """

    name: str
    every: timedelta
    work: Callable[[datetime], Awaitable[None]]


class Periodic:
    """Starts the jobs that are due, each beside the caller and never twice at a time."""

    def __init__(self, database: Database, clock: Clock, jobs: Iterable[Job]) -> None:
        self._database, self._clock = database, clock
        self._jobs = tuple(jobs)
        self._due: dict[str, datetime] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        if len({j.name for j in self._jobs}) != len(self._jobs):
            raise ValueError("two jobs have one name")

    async def start_due(self) -> None:
        """Start what is due now; call it often, only while this replica holds the scheduler's lease."""
        now = self._clock.now()
        for job in self._jobs:
            running = self._running.get(job.name)
            if (running and not running.done()) or now < self._due.get(job.name, now):
                continue
            last = await self._last(job)
            self._due[job.name] = last + job.every
            # A clock that was put back must not hold a job up.
            if now >= last + job.every or now < last:
                self._running[job.name] = asyncio.create_task(self._run(job, last), name=f"job-{job.name}")

    async def stop(self) -> None:
        """Break off what is running; it is run again."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _run(self, job: Job, last: datetime) -> None:
        begun = self._clock.now()
        try:
            await job.work(last)
            await self._keep(job, begun)
        except Exception:
            log.exception("job.failed", job=job.name)
            self._due[job.name] = begun + min(RETRY, job.every)
        else:
            self._due[job.name] = begun + job.every

    async def _last(self, job: Job) -> datetime:
        async with self._database.read() as connection:
            query = select(keepsakes.c.value).where(keepsakes.c.name == _key(job))
            value = (await connection.execute(query)).scalar_one_or_none()
        if value is not None:
            return datetime.fromisoformat(json.loads(value)["ran"])
        first = self._clock.now()

        async def work(transaction: Transaction) -> None:
            row = {"name": _key(job), "value": json.dumps({"ran": first.isoformat()})}
            await insert_new(transaction, keepsakes, row, on=["name"])

        await self._database.write(work)
        return first

    async def _keep(self, job: Job, at: datetime) -> None:
        async def work(transaction: Transaction) -> None:
            row = {"name": _key(job), "value": json.dumps({"ran": at.isoformat()})}
            await put(transaction, keepsakes, row, on=["name"])

        await self._database.write(work)


def _key(job: Job) -> str:
    return f"job:{job.name}"
