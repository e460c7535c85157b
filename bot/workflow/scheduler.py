"""Fires what is due: timers, lapsed approvals, and the batched watchers. One leased replica does it.

Rows wait, not coroutines: ten thousand waiting approvals cost nothing but rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, select, update

from bot.approvals import ESCALATION, EXPIRY, REMINDER
from bot.audit.keeping import record_jobs
from bot.database import Transaction
from bot.database.tables import requests, waits
from bot.errors import CloudError
from bot.intent import Change
from bot.leases import Lease, Replicas
from bot.metrics import REQUESTS
from bot.requests import STATES
from bot.requests.record import PROGRESS
from bot.services import Services
from bot.workflow.carrying import SINCE, Carrying
from bot.workflow.durable import DurableWorkflows
from bot.workflow.model import Verdict, Waiting, Watcher
from bot.workflow.periodic import Periodic

log = structlog.get_logger(__name__)

TICK = 0.5
BEAT = 3.0
BATCH = 200
TIMER = "timer"
TOLD = "told"
"""In a waiting row's payload: the keys of the notices that its watcher has given."""


class Scheduler:
    """Runs until cancelled; every replica runs one, only the lease's holder fires."""

    def __init__(self, services: Services, carrying: Carrying, workflows: DurableWorkflows) -> None:
        self._services, self._carrying, self._workflows = services, carrying, workflows
        self._lease = Lease(services.database, services.clock, "scheduler", services.replica)
        self._replicas = Replicas(services.database, services.clock, services.replica)
        self._watchers: dict[str, Watcher] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}
        for intent in services.registry.intents.values():
            if isinstance(intent, Change):
                self._watchers.update({w.kind: w for w in intent.watchers})
        jobs = (job for intent in services.registry.intents.values() for job in intent.jobs)
        record = record_jobs(services.settings, services.anchoring, services.erasing)
        self._periodic = Periodic(
            services.database, services.clock, (*jobs, *services.approvals.jobs, services.misses.job, *record)
        )

    async def start(self) -> None:
        """Say that we are here; on SQLite also take over at once what the last process left."""
        if self._services.database.is_sqlite:
            await self._replicas.bury_all_others()
        await self._replicas.beat()
        if self._services.database.is_sqlite:
            await self._workflows.take_over({self._services.replica})

    async def stop(self) -> None:
        """Give up lease and heartbeat, so that others go on at once."""
        await self._lease.release()
        await self._replicas.leave()

    async def run(self) -> None:
        """Tick until cancelled. The heart beats beside it: a slow answer of AWS must not look like death."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat_on())
            tasks.create_task(self._tick_on())

    async def _beat_on(self) -> None:
        while True:
            try:
                await self._replicas.beat()
                if await self._lease.held():
                    await self._look_after()
            except Exception:
                log.exception("scheduler.heartbeat_failed")
            await asyncio.sleep(BEAT)

    async def _tick_on(self) -> None:
        try:
            while True:
                woken = asyncio.ensure_future(self._services.signals.wait("scheduler", TICK))
                await asyncio.sleep(0)
                try:
                    if await self._lease.held():
                        await self._tick()
                except Exception:
                    log.exception("scheduler.tick_failed")
                    await asyncio.sleep(TICK)
                await woken
        finally:
            for looking in self._looking.values():
                looking.cancel()
            await asyncio.gather(*self._looking.values(), return_exceptions=True)
            await self._periodic.stop()

    async def _tick(self) -> None:
        """Fire everything that is due now; watchers look beside it, so that AWS holds up nothing else."""
        due = await self._kinds_due()
        await self._expire(due)
        self._start_watchers(due)
        await self._periodic.start_due()
        if TIMER in due and not await self._services.holding.paused():
            await self._fire_timers()
        await self._services.audit.seal()

    async def _kinds_due(self) -> set[str]:
        """Return the kinds of rows of which one is due: mostly none, and one question tells."""
        query = select(waits.c.kind).distinct().where(waits.c.done_at.is_(None), waits.c.due_at <= self._now())
        async with self._services.database.read() as connection:
            return set((await connection.execute(query)).scalars())

    def _now(self) -> datetime:
        return self._services.clock.now()

    async def _look_after(self) -> None:
        await self._workflows.take_over(await self._replicas.living())
        counted = select(requests.c.state, func.count()).group_by(requests.c.state)
        async with self._services.database.read() as connection:
            counts = {state: count for state, count in (await connection.execute(counted)).all()}
        for state in STATES:
            REQUESTS.labels(state).set(counts.get(state, 0))

    async def _due(self, kind: str) -> Sequence[Any]:
        query = (
            select(waits)
            .where(waits.c.done_at.is_(None), waits.c.due_at <= self._now(), waits.c.kind == kind)
            .order_by(waits.c.due_at, waits.c.seq)
            .limit(BATCH)
        )
        async with self._services.database.read() as connection:
            return (await connection.execute(query)).all()

    async def _fire_timers(self) -> None:
        for row in await self._due(TIMER):
            try:
                await self._fire(row.seq)
            except Exception:  # one bad row holds up no other
                log.exception("scheduler.timer_failed", wait=row.seq, request=row.request_id)

    async def _fire(self, seq: int) -> None:
        await self._workflows.begin(seq)

        async def work(transaction: Transaction) -> None:
            await self._carrying.mark_done(transaction, seq)

        await self._services.database.write(work)

    async def _expire(self, due: Set[str]) -> None:
        """Let approvals lapse whose time is over, remind of those whose time is half over, and ask others as well."""
        approvals = self._services.approvals
        acts = ((EXPIRY, approvals.expire), (REMINDER, approvals.remind), (ESCALATION, approvals.escalate))
        for kind, act in acts:
            for row in await self._due(kind) if kind in due else ():

                async def work(
                    transaction: Transaction, row: Any = row, act: Callable[..., Awaitable[bool]] = act
                ) -> None:
                    if not await self._carrying.mark_done(transaction, row.seq):
                        return
                    record = await self._services.requests.read(transaction.connection, row.request_id)
                    if record:
                        await act(transaction, record, **row.payload)

                try:
                    await self._services.database.write(work)
                except Exception:  # one bad row holds up no other
                    log.exception("scheduler.expiry_failed", wait=row.seq, request=row.request_id)

    def _start_watchers(self, due: Set[str]) -> None:
        for kind in due & self._watchers.keys():
            looking = self._looking.get(kind)
            if looking is None or looking.done():
                self._looking[kind] = asyncio.create_task(self._look(kind), name=f"watcher-{kind}")

    async def _look(self, kind: str) -> None:
        watcher, begun = self._watchers[kind], self._now()
        try:
            rows = await self._all_waiting(kind)
            looked_at = [
                Waiting(r.seq, r.request_id, r.key, r.payload, _since(r), r.noticed, number)
                for number, r in enumerate(rows, 1)
            ]
            try:
                verdicts = await watcher.look(looked_at)
            except CloudError as error:
                log.warning("watcher.failed", kind=kind, error=error.detail)
                verdicts = {}
            await self._record(watcher, begun, rows, verdicts)
        except Exception:
            log.exception("watcher.failed", kind=kind)
            await asyncio.sleep(TICK)

    async def _all_waiting(self, kind: str) -> Sequence[Any]:
        query = select(waits).where(waits.c.kind == kind, waits.c.done_at.is_(None)).order_by(waits.c.seq)
        async with self._services.database.read() as connection:
            return (await connection.execute(query)).all()

    async def _record(
        self, watcher: Watcher, begun: datetime, rows: Sequence[Any], verdicts: Mapping[int, Verdict]
    ) -> None:
        # Counted from when the look began: what it saw may be older than its end.
        async def work(transaction: Transaction) -> None:
            if not await self._lease.confirm(transaction):
                return  # it went to another replica during the look, which looks anew
            for row in rows:
                verdict = verdicts.get(row.seq, Verdict(ready=False))
                if verdict.admits and not await verdict.admits(transaction):
                    verdict = Verdict(ready=False)
                payload = {**row.payload, **verdict.payload}
                told = payload.get(TOLD, [])
                notice = verdict.notice if verdict.notice and verdict.notice.key not in told else None
                if notice:
                    payload[TOLD] = [*told, notice.key]
                values: dict[str, Any] = {"due_at": begun + watcher.every, "noticed": row.noticed or bool(notice)}
                if payload != row.payload:
                    values["payload"] = payload
                if verdict.ready:
                    # From here on it is a timer that is due: the start survives a crash between the two.
                    values |= {"kind": TIMER, "due_at": begun}
                    transaction.then(lambda: self._services.signals.set("scheduler"))
                live = (waits.c.seq == row.seq, waits.c.done_at.is_(None))
                changed = await transaction.execute(update(waits).where(*live).values(**values))
                if changed.rowcount != 1:
                    continue  # cancelled meanwhile
                record = await self._services.requests.read(transaction.connection, row.request_id)
                if record is None:
                    continue
                progress = None if verdict.progress is None else [list(line) for line in verdict.progress]
                if progress is not None and progress != record.notes.get(PROGRESS):
                    await self._services.requests.note(transaction, record.id, **{PROGRESS: progress})
                    await self._services.requests.changed(transaction, record.id)
                if verdict.state and verdict.state != record.state:
                    await self._services.requests.move(
                        transaction, record.id, ("approved", "queued", "running"), verdict.state
                    )
                if notice:
                    await self._carrying.tell(transaction, record, notice)

        await self._services.database.write(work)


def _since(row: Any) -> datetime:
    since = row.payload.get(SINCE)
    return datetime.fromisoformat(since) if since else row.due_at
