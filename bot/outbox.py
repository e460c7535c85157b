"""What leaves the process: rows written with what they report, delivered at least once, in order per receiver.

A sender that returns has delivered. A sender that fails is tried again with growing pauses, or when the
receiver says; what can't be delivered at all is given up loudly, never silently. Rows of one pace go one
after the other, also over failures and replicas: only the oldest that is neither sent nor given up is due.
Receivers don't wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import exists, func, or_, select, update

from bot.channel import Delivery, DeliveryFailed, Sender
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import outbox
from bot.errors import QuartermasterError
from bot.metrics import OUTBOX_DELIVERIES, OUTBOX_LAG
from bot.rows import insert_new
from bot.signals import Signals

log = structlog.get_logger(__name__)

GivenUp = Callable[[Transaction, Delivery, str], Awaitable[None]]
LEASE = timedelta(seconds=15)
"""Time without a renewal after which other replicas take a row over."""
RENEW = 5.0
"""Seconds between renewals of what is being sent."""
SEND_LIMIT = 48.0
"""Seconds that a sender may take."""
AT_ONCE = 50
"""Rows being sent at the same time."""
PAUSES = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800)
"""Seconds between tries; the last goes on until the row is given up."""
GIVE_UP = timedelta(days=4)
"""Age at which a row is given up: an approval may wait for days, and so may the relay that is to carry its mail."""
GRACE = 1.0
"""Seconds that what is being sent gets when the process stops."""
LOOK = 2.0
"""Seconds between looks for rows that other replicas wrote or left."""


class Outbox:
    """Delivers rows; any number of replicas may run it."""

    def __init__(self, database: Database, clock: Clock, signals: Signals, replica: str) -> None:
        self._database, self._clock, self._signals, self._replica = database, clock, signals, replica
        self._senders: dict[str, Sender] = {}
        self._on_given_up: GivenUp | None = None
        self._sending: dict[int, asyncio.Task[None]] = {}

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
        """Deliver until cancelled; what is being sent then is sent to its end, within GRACE."""
        renewer = asyncio.create_task(self._renew_on())
        try:
            while True:
                woken = asyncio.ensure_future(self._signals.wait("outbox", LOOK))
                await asyncio.sleep(0)
                try:
                    await self._start_due()
                except Exception:
                    log.exception("outbox.failed")
                    woken.cancel()
                    await asyncio.sleep(LOOK)
                    continue
                await woken
        finally:
            renewer.cancel()
            await self._finish()

    async def deliver_due(self) -> int:
        """Deliver what is due now and return how many rows were tried; what they were in the way of is due next."""
        started = await self._start_due()
        await asyncio.gather(*started)
        return len(started)

    async def _start_due(self) -> list[asyncio.Task[None]]:
        """Start to send what is due, each row in a task of its own."""
        started = []
        for row, is_repeat in await self._lease(AT_ONCE - len(self._sending)):
            task = asyncio.create_task(self._send(row, is_repeat))
            self._sending[row.seq] = task
            started.append(task)
        return started

    async def _send(self, row: Any, is_repeat: bool) -> None:
        try:
            await self._deliver(row, is_repeat)
        except Exception:
            log.exception("outbox.not_recorded", key=row.key)  # tried again when its lease lapses
        finally:
            self._sending.pop(row.seq, None)
            self._signals.set("outbox")  # the next of its pace may go now

    async def _finish(self) -> None:
        """Give what is being sent a moment, so that what was delivered is known to be; then break it off."""
        sending = list(self._sending.values())
        if sending:
            await asyncio.wait(sending, timeout=GRACE)
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        with suppress(QuartermasterError):
            await self._free(outbox.c.owner == self._replica)

    async def _renew_on(self) -> None:
        while True:
            await asyncio.sleep(RENEW)
            if not self._sending:
                continue
            try:
                await self._renew(list(self._sending))
            except Exception:
                log.exception("outbox.renewal_failed")

    async def _renew(self, seqs: list[int]) -> None:
        async def work(transaction: Transaction) -> None:
            mine = (outbox.c.seq.in_(seqs), outbox.c.owner == self._replica, outbox.c.sent_at.is_(None))
            until = self._clock.wall() + LEASE
            held = (*mine, outbox.c.leased_until.is_not(None))
            await transaction.execute(update(outbox).where(*held).values(leased_until=until))

        await self._database.write(work)

    async def _lease(self, limit: int) -> list[tuple[Any, bool]]:
        """Take the oldest unfinished row of each pace that is due and that nobody else is sending.

        Returns each with whether somebody had it before, so that it may have been delivered.
        """
        now = self._clock.wall()
        before = outbox.alias()
        unfinished_before = exists().where(
            before.c.pace == outbox.c.pace,
            before.c.seq < outbox.c.seq,
            before.c.sent_at.is_(None),
            before.c.given_up_at.is_(None),
        )
        due = (
            outbox.c.sent_at.is_(None),
            outbox.c.given_up_at.is_(None),
            outbox.c.due_at <= now,
            or_(outbox.c.leased_until.is_(None), outbox.c.leased_until < now),
            ~unfinished_before,
        )
        candidates = select(outbox.c.seq, outbox.c.owner).where(*due).order_by(outbox.c.seq).limit(max(0, limit))
        async with self._database.read() as connection:
            if limit <= 0 or (await connection.execute(candidates)).first() is None:
                return []

        async def work(transaction: Transaction) -> list[tuple[Any, bool]]:
            query = candidates
            if transaction.connection.dialect.name == "postgresql":
                query = candidates.with_for_update(skip_locked=True, of=outbox)
            taken = (await transaction.execute(query)).all()
            found = {r.seq: r.owner is not None for r in taken if r.seq not in self._sending}
            await transaction.execute(
                update(outbox).where(outbox.c.seq.in_(found)).values(owner=self._replica, leased_until=now + LEASE)
            )
            rows = await transaction.execute(select(outbox).where(outbox.c.seq.in_(found)).order_by(outbox.c.seq))
            return [(row, found[row.seq]) for row in rows.all()]

        return await self._database.write(work)

    async def _deliver(self, row: Any, is_repeat: bool) -> None:
        sender = self._senders.get(row.channel)
        attempt = row.attempts + 1
        try:
            if sender is None:
                raise DeliveryFailed(f"Nothing here delivers to {row.channel!r}.", retryable=True)
            async with asyncio.timeout(SEND_LIMIT):
                await sender(Delivery(row.key, row.channel, row.payload, attempt, is_repeat, row.created_at))
        except DeliveryFailed as error:
            await self._failed(row, attempt, error.detail, error.retryable, error.retry_after)
            return
        except TimeoutError:
            await self._failed(row, attempt, "The receiver did not answer in time.", True, None)
            return
        except Exception as error:
            log.exception("outbox.sender_failed", key=row.key)
            await self._failed(row, attempt, f"{type(error).__name__}: {error}", True, None)
            return
        now = self._clock.wall()
        OUTBOX_DELIVERIES.labels(row.channel, "sent").inc()
        OUTBOX_LAG.observe(max(0.0, (now - row.created_at).total_seconds()))
        await self._set(row.seq, sent_at=now, attempts=attempt, error=None, leased_until=None)

    async def _failed(self, row: Any, attempt: int, detail: str, retryable: bool, retry_after: float | None) -> None:
        now = self._clock.wall()
        if not retryable or now - row.created_at > GIVE_UP:
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
            gave_up = await transaction.execute(update(outbox).where(*self._still_mine(row.seq)).values(**values))
            if gave_up.rowcount == 1 and self._on_given_up:
                await self._on_given_up(transaction, Delivery(row.key, row.channel, row.payload, attempt), detail)

        await self._database.write(work)

    async def _set(self, seq: int, **values: Any) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.execute(update(outbox).where(*self._still_mine(seq)).values(**values))

        await self._database.write(work)

    def _still_mine(self, seq: int) -> tuple[Any, ...]:
        """A replica that was frozen while it sent has nothing to say on a row that another has taken since."""
        return outbox.c.seq == seq, outbox.c.owner == self._replica, outbox.c.sent_at.is_(None)

    async def release_all(self) -> None:
        """Free every lease: for SQLite at start, when no other process can hold one."""
        await self._free()

    async def _free(self, *which: Any) -> None:
        async def work(transaction: Transaction) -> None:
            held = (outbox.c.sent_at.is_(None), outbox.c.leased_until.is_not(None), *which)
            await transaction.execute(update(outbox).where(*held).values(leased_until=None))

        await self._database.write(work)

    async def unsent(self) -> int:
        """Return how many rows wait."""
        query = select(func.count()).select_from(outbox)
        async with self._database.read() as connection:
            waiting = query.where(outbox.c.sent_at.is_(None), outbox.c.given_up_at.is_(None))
            return int((await connection.execute(waiting)).scalar_one())
