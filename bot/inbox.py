"""What came in, kept before anything else happens: an activity is acknowledged only after its commit.

A key seen before is a duplicate and is absorbed. In order within a conversation, in parallel across
conversations; presses take a lane of their own and overtake, stop words wait for no free slot. A turn's effects commit
together with "done", guarded by ownership, so a turn counts once whatever crashes or lapses.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.exc import DBAPIError

from bot.activity import Activity
from bot.clock import Clock
from bot.conversations import Conversations, Message, keep_place, message_of
from bot.database import Database, Transaction
from bot.database.tables import inbox, messages, requests
from bot.dialogue.dialogue import Decided
from bot.dialogue.session import SessionMoved
from bot.errors import QuartermasterError, Unavailable
from bot.intake import Intake
from bot.metrics import ACK_SECONDS, ACTIVITIES, TURN_SECONDS
from bot.signals import Signals

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=15)
RENEW = 5.0
"""Seconds between renewals of what this replica still works on, and between looks for what others left."""
AT_ONCE = 64
"""Conversations handled at the same time; presses and stop words don't count."""
TRIES = 3
PATIENCE = 1.5
"""Seconds that turns under way get when the process stops."""
TURN_LOOK = 0.2
"""Seconds between looks whether another replica has done what was said before in the same conversation."""

ACKS_FIRST = 1.0
"""Seconds that a turn lets a rush of what comes in go before it: platforms wait for their acknowledgement."""
LATER = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds until an activity is looked at again that its channel could not complete; the last goes on."""
LATEST = timedelta(minutes=30)
"""Age from which one that can't be completed is answered with an apology."""

Handler = Callable[[Activity], Awaitable[Decided]]
Completer = Callable[[Activity], Awaitable[Activity | Decided]]
"""Makes a whole activity of one that a channel handed in raw, or decides itself what becomes of it.

Raises Unavailable when that can't be known yet: the activity keeps its place and is looked at again.
"""


@dataclass(frozen=True)
class Reply:
    """What a turn answered. `request` is (id, state) of the request that it concerned."""

    messages: tuple[Message, ...]
    request: tuple[str, str] | None


class _NotYet(Exception):
    """The channel can't complete the activity now."""


class _Taken(Exception):
    """Another replica finished the activity first."""


class Inbox:
    """Stores activities and has them handled."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        signals: Signals,
        replica: str,
        conversations: Conversations | None = None,
    ) -> None:
        self._database, self._clock, self._signals, self._replica = database, clock, signals, replica
        self._handler: Handler | None = None
        self._completers: dict[str, Completer] = {}
        self._conversations = conversations or Conversations(database, clock, signals)
        self._put_off: dict[int, int] = {}
        self._intake = Intake(database, clock, replica, LEASE, self._dispatch)
        self._lanes: dict[str, list[tuple[int, Activity]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._mine: set[int] = set()

    def connect(self, handler: Handler) -> None:
        """Name what handles activities; they are kept, not handled, until then."""
        self._handler = handler

    def complete_by(self, channel: str, completer: Completer) -> None:
        """Name what makes whole activities of what a channel hands in raw."""
        self._completers[channel] = completer

    async def receive(self, activity: Activity) -> bool:
        """Store an activity without the secrets in it; returns after the commit: True when new, else a duplicate."""
        begun = time.perf_counter()
        is_new = await self._intake.keep(activity)
        ACK_SECONDS.observe(time.perf_counter() - begun)
        if not is_new:
            ACTIVITIES.labels(activity.channel, "duplicate").inc()
        return is_new

    async def reply(self, key: str, timeout: float = 25) -> Reply | None:
        """Return what the activity was answered, waiting for it; None when that takes longer than `timeout` s.

        When the process stops it waits no longer than PATIENCE.
        """
        end = time.monotonic() + timeout
        patient = True
        while True:
            if self._signals.closing and patient:
                end, patient = min(end, time.monotonic() + PATIENCE), False
            waiter = asyncio.ensure_future(self._signals.wait(f"inbox:{key}", 1.0))
            await asyncio.sleep(0)
            found = await self._finished(key)
            if found or time.monotonic() >= end:
                waiter.cancel()
                return found
            await waiter

    async def _finished(self, key: str) -> Reply | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(inbox).where(inbox.c.key == key))).first()
            if row is None or row.done_at is None:
                return None
            said = select(messages).where(messages.c.inbox_key == key, messages.c.role == "bot")
            answers = (await connection.execute(said.order_by(messages.c.seq))).all()
            request = None
            if row.request_id:
                state = select(requests.c.id, requests.c.state).where(requests.c.id == row.request_id)
                found = (await connection.execute(state)).first()
                request = (found.id, found.state) if found else None
        return Reply(tuple(message_of(a) for a in answers), request)

    async def run(self) -> None:
        """Renew leases and take over what other replicas left, until cancelled."""
        while True:
            await asyncio.sleep(RENEW)
            try:
                await self._renew()
                await self.take_over()
            except Exception:
                log.exception("inbox.renewal_failed")

    async def take_over(self, *, everything: bool = False) -> int:
        """Handle undone activities whose lease has lapsed; `everything` also those still leased (SQLite at start)."""
        now = self._clock.wall()
        undone: list[Any] = [inbox.c.done_at.is_(None)]
        if not everything:
            undone.append(or_(inbox.c.leased_until.is_(None), inbox.c.leased_until < now))

        async def work(transaction: Transaction) -> list[Any]:
            query = select(inbox).where(*undone).order_by(inbox.c.seq).limit(500)
            if transaction.connection.dialect.name == "postgresql":
                query = query.with_for_update(skip_locked=True)
            rows = [r for r in (await transaction.execute(query)).all() if r.seq not in self._mine]
            taken = [r.seq for r in rows]
            await transaction.execute(
                update(inbox).where(inbox.c.seq.in_(taken)).values(owner=self._replica, leased_until=now + LEASE)
            )
            return rows

        async with self._database.read() as connection:
            if (await connection.execute(select(inbox.c.seq).where(*undone).limit(1))).first() is None:
                return 0
        rows = await self._database.write(work)
        for row in rows:
            self._dispatch(row.seq, Activity.from_dict(row.body))
        return len(rows)

    async def _renew(self) -> None:
        mine = list(self._mine)
        if not mine:
            return

        async def work(transaction: Transaction) -> None:
            await transaction.execute(
                update(inbox)
                .where(inbox.c.seq.in_(mine), inbox.c.owner == self._replica)
                .values(leased_until=self._clock.wall() + LEASE)
            )

        await self._database.write(work)

    async def idle(self, patience: float = PATIENCE) -> None:
        """Wait until everything dispatched so far is handled, at most `patience` seconds; then break off.

        What is broken off stays undone, and is taken up by another replica or at the next start.
        """
        end = time.monotonic() + patience
        while self._tasks and time.monotonic() < end:
            await asyncio.wait(self._tasks, timeout=max(0.0, end - time.monotonic()))
        broken_off = list(self._tasks)
        for task in broken_off:
            task.cancel()
        await asyncio.gather(*broken_off, return_exceptions=True)
        if broken_off:
            with suppress(QuartermasterError):
                await self._leave()

    async def _leave(self) -> None:
        """Let others take at once what this replica did not finish."""

        async def work(transaction: Transaction) -> None:
            mine = (inbox.c.owner == self._replica, inbox.c.done_at.is_(None))
            await transaction.execute(update(inbox).where(*mine).values(leased_until=None))

        await self._database.write(work)

    def _dispatch(self, seq: int, activity: Activity) -> None:
        self._mine.add(seq)
        # Presses overtake turns that wait, ordered per request; a stop word keeps its place in the conversation
        # (what it stops may stand just before it), but waits for no free slot.
        lane = f"press:{activity.value}" if activity.kind == "press" else activity.conversation
        queue = self._lanes.get(lane)
        if queue is not None:
            heapq.heappush(queue, (seq, activity))
            return
        self._lanes[lane] = [(seq, activity)]
        task = asyncio.create_task(self._work_off(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work_off(self, lane: str) -> None:
        queue = self._lanes[lane]
        try:
            while queue:
                seq, activity = heapq.heappop(queue)
                if await self._comes_too_soon(seq, activity):
                    heapq.heappush(queue, (seq, activity))  # what is taken over meanwhile goes first
                    await asyncio.sleep(TURN_LOOK)
                    continue
                is_over = True
                try:
                    if activity.is_urgent:
                        await self._handle(seq, activity)
                    else:
                        async with self._slots:
                            await self._intake.calms_down(ACKS_FIRST)
                            await self._handle(seq, activity)
                except _NotYet:
                    is_over = False
                finally:
                    if is_over:
                        self._mine.discard(seq)
                        self._put_off.pop(seq, None)
                if not is_over:  # it keeps its place, and no slot
                    heapq.heappush(queue, (seq, activity))
                    times = self._put_off[seq] = self._put_off.get(seq, 0) + 1
                    await asyncio.sleep(LATER[min(times, len(LATER)) - 1])
        finally:
            del self._lanes[lane]

    async def _comes_too_soon(self, seq: int, activity: Activity) -> bool:
        """Tell whether another replica still works on something said earlier in the same conversation."""
        if self._database.is_sqlite or activity.kind == "press":
            return False
        before = (
            inbox.c.conversation == activity.conversation,
            inbox.c.done_at.is_(None),
            inbox.c.seq < seq,
            inbox.c.owner != self._replica,
        )
        try:
            async with self._database.read() as connection:
                rows = (await connection.execute(select(inbox.c.body).where(*before))).all()
        except DBAPIError:
            log.exception("inbox.order_not_known")
            return True
        return any(row.body["kind"] != "press" for row in rows)

    async def _handle(self, seq: int, activity: Activity) -> None:
        if self._handler is None:
            return
        begun = time.perf_counter()
        with structlog.contextvars.bound_contextvars(conversation=activity.conversation, activity=activity.key):
            for attempt in range(1, TRIES + 1):
                try:
                    await self._commit(seq, await self._decide(activity, self._handler))
                    ACTIVITIES.labels(activity.channel, "handled").inc()
                    break
                except _Taken:
                    ACTIVITIES.labels(activity.channel, "taken").inc()
                    break
                except _NotYet:
                    if not await self._has_waited_too_long(seq):
                        raise
                    ACTIVITIES.labels(activity.channel, "failed").inc()
                    await self._apologise(seq, activity, "its channel could not complete it")
                    break
                except SessionMoved:
                    log.info("turn.played_again", attempt=attempt)
                    if attempt == TRIES:
                        await self._apologise(seq, activity, "the conversation kept moving")
                except Exception as error:
                    log.exception("turn.failed", attempt=attempt)
                    if attempt == TRIES:
                        ACTIVITIES.labels(activity.channel, "failed").inc()
                        await self._apologise(seq, activity, f"{type(error).__name__}: {error}")
            TURN_SECONDS.observe(time.perf_counter() - begun)
            self._signals.set(f"inbox:{activity.key}")

    async def _decide(self, activity: Activity, handler: Handler) -> Decided:
        if not activity.raw:
            return await handler(activity)
        completer = self._completers.get(activity.channel)
        if completer is None:  # its channel is off just now
            raise _NotYet
        try:
            found = await completer(activity)
        except Unavailable as error:
            log.warning("activity.put_off", error=error.detail)
            raise _NotYet from error
        return await handler(found) if isinstance(found, Activity) else found

    async def _has_waited_too_long(self, seq: int) -> bool:
        async with self._database.read() as connection:
            query = select(inbox.c.received_at).where(inbox.c.seq == seq)
            since = (await connection.execute(query)).scalar_one()
        return bool(self._clock.wall() - since > LATEST)

    async def _commit(self, seq: int, decided: Decided) -> None:
        async def work(transaction: Transaction) -> None:
            await self._mark_done(transaction, seq, None)
            await decided.commit(transaction)
            if decided.request:
                await transaction.execute(update(inbox).where(inbox.c.seq == seq).values(request_id=decided.request))

        await self._database.write(work)

    async def _apologise(self, seq: int, activity: Activity, error: str) -> None:
        text = (
            "Something went wrong on my side, so this was not done and nothing was changed. "
            f"Please say it again; if it happens again, tell your platform team (reference {seq})."
        )

        async def work(transaction: Transaction) -> None:
            await self._mark_done(transaction, seq, error)
            await keep_place(transaction, activity, self._clock)
            await self._conversations.say(transaction, activity.conversation, text, inbox_key=activity.key)

        try:
            await self._database.write(work)
        except Exception:
            log.exception("turn.not_recorded")  # stays undone: taken up again when its lease has lapsed

    async def _mark_done(self, transaction: Transaction, seq: int, error: str | None) -> None:
        result = await transaction.execute(
            update(inbox)
            .where(inbox.c.seq == seq, inbox.c.done_at.is_(None), inbox.c.owner == self._replica)
            .values(done_at=self._clock.wall(), leased_until=None, error=error)
        )
        if result.rowcount != 1:
            raise _Taken
