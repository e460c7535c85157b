"""What leaves the process: rows written with what they report, delivered at least once, paced per receiver.

A sender that returns has delivered. A sender that fails is tried again with growing pauses, or when the
receiver says; what can't be delivered at all is given up loudly, never silently.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, or_, select, update

from bot.channel import Delivery, DeliveryFailed, Sender
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import outbox
from bot.metrics import OUTBOX_DELIVERIES, OUTBOX_LAG
from bot.rows import insert_new
from bot.signals import Signals

log = structlog.get_logger(__name__)

GivenUp = Callable[[Transaction, Delivery, str], Awaitable[None]]
LEASE = timedelta(seconds=60)
PAUSES = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800)
"""Seconds between tries; after the last the row is given up."""
LOOK = 2.0
"""Seconds between looks for rows that other replicas wrote or left."""


class Outbox:
    """Delivers rows; any number of replicas may run it."""

    def __init__(self, database: Database, clock: Clock, signals: Signals, replica: str) -> None:
        self._database, self._clock, self._signals, self._replica = database, clock, signals, replica
        self._senders: dict[str, Sender] = {}
        self._on_given_up: GivenUp | None = None

    def connect(self, senders: Mapping[str, Sender]) -> None:
        """Add senders by outbox channel name."""
        self._senders.update(senders)

    def report_to(self, on_given_up: GivenUp) -> None:
        """Name what hears of rows that are given up, in the transaction that gives them up."""
        self._on_given_up = on_given_up

    async def put(
        self, transaction: Transaction, key: str, channel: str, payload: Mapping[str, Any], *, pace: str
    ) -> None:
        """Hand in one delivery, once per key; `pace` names the receiver whose deliveries keep their order."""
        now = self._clock.wall()
        row = {
            "key": key,
            "channel": channel,
            "pace": pace,
            "payload": dict(payload),
            "created_at": now,
            "due_at": now,
            "attempts": 0,
        }
        if await insert_new(transaction, outbox, row, on=["key"]):
            transaction.then(lambda: self._signals.set("outbox"))

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            woken = asyncio.ensure_future(self._signals.wait("outbox", LOOK))
            await asyncio.sleep(0)
            try:
                while await self.deliver_due():
                    pass
            except Exception:
                log.exception("outbox.failed")
            await woken

    async def deliver_due(self) -> int:
        """Deliver what is due now; return how many rows were tried."""
        rows = await self._lease()
        paces: dict[str, list[Any]] = {}
        for row in rows:
            paces.setdefault(row.pace, []).append(row)
        await asyncio.gather(*(self._deliver_in_order(queue) for queue in paces.values()))
        return len(rows)

    async def _lease(self) -> list[Any]:
        now = self._clock.wall()
        due = (
            outbox.c.sent_at.is_(None),
            outbox.c.given_up_at.is_(None),
            outbox.c.due_at <= now,
            or_(outbox.c.leased_until.is_(None), outbox.c.leased_until < now),
        )
        async with self._database.read() as connection:
            if (await connection.execute(select(outbox.c.seq).where(*due).limit(1))).first() is None:
                return []

        async def work(transaction: Transaction) -> list[Any]:
            candidates = select(outbox.c.seq).where(*due).order_by(outbox.c.seq).limit(50)
            if transaction.connection.dialect.name == "postgresql":
                candidates = candidates.with_for_update(skip_locked=True)
            found = [r.seq for r in (await transaction.execute(candidates)).all()]
            await transaction.execute(
                update(outbox).where(outbox.c.seq.in_(found)).values(owner=self._replica, leased_until=now + LEASE)
            )
            return list(
                (await transaction.execute(select(outbox).where(outbox.c.seq.in_(found)).order_by(outbox.c.seq))).all()
            )

        return await self._database.write(work)

    async def _deliver_in_order(self, rows: list[Any]) -> None:
        for row in rows:
            if not await self._deliver(row):
                return  # what follows waits for its lease, so that order is kept

    async def _deliver(self, row: Any) -> bool:
        sender = self._senders.get(row.channel)
        attempt = row.attempts + 1
        try:
            if sender is None:
                raise DeliveryFailed(f"Nothing here delivers to {row.channel!r}.", retryable=True)
            async with asyncio.timeout(LEASE.total_seconds() * 0.8):
                await sender(Delivery(row.key, row.channel, row.payload, attempt))
        except DeliveryFailed as error:
            await self._failed(row, attempt, error.detail, error.retryable, error.retry_after)
            return False
        except TimeoutError:
            await self._failed(row, attempt, "The receiver did not answer in time.", True, None)
            return False
        except Exception as error:
            log.exception("outbox.sender_failed", key=row.key)
            await self._failed(row, attempt, f"{type(error).__name__}: {error}", True, None)
            return False
        now = self._clock.wall()
        OUTBOX_DELIVERIES.labels(row.channel, "sent").inc()
        OUTBOX_LAG.observe(max(0.0, (now - row.created_at).total_seconds()))
        await self._set(row.seq, sent_at=now, attempts=attempt, error=None, leased_until=None)
        return True

    async def _failed(self, row: Any, attempt: int, detail: str, retryable: bool, retry_after: float | None) -> None:
        now = self._clock.wall()
        if not retryable or attempt > len(PAUSES):
            OUTBOX_DELIVERIES.labels(row.channel, "given_up").inc()
            log.error("outbox.given_up", key=row.key, attempts=attempt, error=detail)
            await self._give_up(row, now, attempt, detail)
            return
        pause = retry_after if retry_after is not None else PAUSES[min(attempt, len(PAUSES)) - 1]
        OUTBOX_DELIVERIES.labels(row.channel, "retried").inc()
        log.warning("outbox.retry", key=row.key, attempt=attempt, pause_s=pause, error=detail)
        later: datetime = now + timedelta(seconds=pause)
        await self._set(row.seq, due_at=later, attempts=attempt, error=detail, leased_until=None)

    async def _give_up(self, row: Any, now: datetime, attempt: int, detail: str) -> None:
        async def work(transaction: Transaction) -> None:
            values = {"given_up_at": now, "attempts": attempt, "error": detail, "leased_until": None}
            await transaction.execute(update(outbox).where(outbox.c.seq == row.seq).values(**values))
            if self._on_given_up:
                await self._on_given_up(transaction, Delivery(row.key, row.channel, row.payload, attempt), detail)

        await self._database.write(work)

    async def _set(self, seq: int, **values: Any) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.execute(update(outbox).where(outbox.c.seq == seq).values(**values))

        await self._database.write(work)

    async def release_all(self) -> None:
        """Free every lease: for SQLite at start, when no other process can hold one."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(update(outbox).where(outbox.c.sent_at.is_(None)).values(leased_until=None))

        await self._database.write(work)

    async def unsent(self) -> int:
        """Return how many rows wait."""
        query = select(func.count()).select_from(outbox)
        async with self._database.read() as connection:
            waiting = query.where(outbox.c.sent_at.is_(None), outbox.c.given_up_at.is_(None))
            return int((await connection.execute(waiting)).scalar_one())
