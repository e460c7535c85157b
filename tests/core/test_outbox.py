"""The outbox: at least once, in order per receiver, paced by the receiver, given up loudly."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from bot.channel import Delivery, DeliveryFailed
from bot.database import Database, Transaction
from bot.database.tables import outbox as rows
from bot.outbox import GIVE_UP, LEASE, PAUSES, Outbox
from bot.signals import Signals
from tests.core.clock import HandClock


@dataclass
class Receiver:
    """Takes deliveries; fails as told, or waits at its gate while that is closed."""

    got: list[str] = field(default_factory=list)
    attempts: list[tuple[str, int]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def __call__(self, delivery: Delivery) -> None:
        self.attempts.append((delivery.key, delivery.attempt))
        self.arrived.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.got.append(delivery.key)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def outbox(database: Database, clock: HandClock, signals: Signals, receiver: Receiver) -> Outbox:
    """One replica's outbox."""
    made = Outbox(database, clock, signals, "one")
    made.connect({"test": receiver})
    return made


@pytest.fixture
def other(other_database: Database, clock: HandClock) -> Outbox:
    """Another replica's; it has no sender yet."""
    return Outbox(other_database, clock, Signals(), "two")


async def put(database: Database, outbox: Outbox, *keys: str, pace: str = "p") -> None:
    async def work(transaction: Transaction) -> None:
        for key in keys:
            await outbox.put(transaction, key, "test", {"n": key}, pace=pace)

    await database.write(work)


async def row(database: Database, key: str) -> Any:
    async with database.read() as connection:
        return (await connection.execute(select(rows).where(rows.c.key == key))).one()


async def deliver_all(outbox: Outbox) -> None:
    while await outbox.deliver_due():
        pass


async def test_delivers_once_per_key_and_in_order(database: Database, outbox: Outbox, receiver: Receiver) -> None:
    await put(database, outbox, "a", "b", "a", "c")
    await put(database, outbox, "b")
    await deliver_all(outbox)
    assert receiver.got == ["a", "b", "c"]
    assert await outbox.unsent() == 0
    assert await outbox.deliver_due() == 0


async def test_what_was_rolled_back_is_never_sent(database: Database, outbox: Outbox, receiver: Receiver) -> None:
    async def fails(transaction: Transaction) -> None:
        await outbox.put(transaction, "a", "test", {}, pace="p")
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fails)
    assert await outbox.deliver_due() == 0


async def test_a_failure_holds_up_what_follows_for_the_same_receiver_only(
    database: Database, outbox: Outbox, receiver: Receiver, clock: HandClock
) -> None:
    await put(database, outbox, "a", "b")
    await put(database, outbox, "x", pace="q")
    receiver.failures.append(DeliveryFailed("busy", retryable=True))
    await deliver_all(outbox)
    assert receiver.got == ["x"]
    clock.move(seconds=PAUSES[0])
    await deliver_all(outbox)
    assert receiver.got == ["x", "a", "b"]


async def test_the_receiver_says_when_to_come_back(
    database: Database, outbox: Outbox, receiver: Receiver, clock: HandClock
) -> None:
    await put(database, outbox, "a")
    receiver.failures.append(DeliveryFailed("429", retryable=True, retry_after=77))
    await deliver_all(outbox)
    clock.move(seconds=76)
    await deliver_all(outbox)
    assert receiver.got == []
    clock.move(seconds=1)
    await deliver_all(outbox)
    assert receiver.got == ["a"]
    assert receiver.attempts == [("a", 1), ("a", 2)]


async def test_pauses_grow_and_the_last_try_is_told(
    database: Database, outbox: Outbox, receiver: Receiver, clock: HandClock
) -> None:
    told: list[tuple[str, str]] = []

    async def hear(transaction: Transaction, delivery: Delivery, error: str) -> None:
        told.append((delivery.key, error))

    outbox.report_to(hear)
    await put(database, outbox, "a", "b")
    receiver.failures += [DeliveryFailed(f"no {n}", retryable=True) for n in range(len(PAUSES) + 1)]
    for pause in PAUSES:
        await deliver_all(outbox)
        assert not told
        clock.move(seconds=pause - 0.5)
        assert await outbox.deliver_due() == 0, f"came back before {pause} s"
        clock.move(seconds=0.5)
    assert not told, "an approval may wait for days, and so may the relay"
    clock.move(seconds=GIVE_UP.total_seconds())
    await deliver_all(outbox)
    assert told == [("a", f"no {len(PAUSES)}")]
    found = await row(database, "a")
    assert found.given_up_at == clock.at
    assert found.attempts == len(PAUSES) + 1
    assert receiver.got == ["b"], "what is given up stands in nobody's way"


async def test_what_no_retry_can_cure_is_given_up_at_once(
    database: Database, outbox: Outbox, receiver: Receiver
) -> None:
    await put(database, outbox, "a", "b")
    receiver.failures.append(DeliveryFailed("no such mailbox", retryable=False))
    await deliver_all(outbox)
    found = await row(database, "a")
    assert (found.error, found.attempts, found.sent_at) == ("no such mailbox", 1, None)
    assert found.given_up_at is not None
    assert receiver.got == ["b"]


async def test_a_sender_that_breaks_is_tried_again(
    database: Database, outbox: Outbox, receiver: Receiver, clock: HandClock
) -> None:
    await put(database, outbox, "a")
    receiver.failures.append(RuntimeError("bug"))
    await deliver_all(outbox)
    assert "RuntimeError: bug" in (await row(database, "a")).error
    clock.move(seconds=PAUSES[0])
    await deliver_all(outbox)
    assert receiver.got == ["a"]


async def test_a_channel_that_is_off_keeps_its_rows(database: Database, outbox: Outbox, clock: HandClock) -> None:
    async def work(transaction: Transaction) -> None:
        await outbox.put(transaction, "s", "slack", {}, pace="s")

    await database.write(work)
    await outbox.deliver_due()
    assert await outbox.unsent() == 1
    slack = Receiver()
    outbox.connect({"slack": slack})
    clock.move(seconds=PAUSES[0])
    await outbox.deliver_due()
    assert slack.got == ["s"]


async def test_of_two_replicas_one_sends(database: Database, outbox: Outbox, other: Outbox, receiver: Receiver) -> None:
    other.connect({"test": receiver})
    for n in range(30):
        await put(database, outbox, f"{n:02}", pace=f"p{n % 10}")
    while await outbox.unsent():
        await asyncio.gather(outbox.deliver_due(), other.deliver_due())
    assert sorted(receiver.got) == [f"{n:02}" for n in range(30)]
    for pace in range(10):
        mine = [key for key in receiver.got if int(key) % 10 == pace]
        assert mine == sorted(mine), "order holds across replicas"


async def test_a_row_of_a_dead_replica_is_sent_by_another_after_its_lease(
    database: Database, outbox: Outbox, other: Outbox, receiver: Receiver, clock: HandClock
) -> None:
    await put(database, outbox, "a", "b")
    receiver.gate.clear()
    stuck = asyncio.create_task(outbox.deliver_due())
    await receiver.arrived.wait()
    second = Receiver()
    other.connect({"test": second})
    clock.at += LEASE
    assert await other.deliver_due() == 0, "it is still leased, and what follows waits for it"
    clock.move(milliseconds=1)
    await deliver_all(other)
    assert second.got == ["a", "b"]
    receiver.failures.append(DeliveryFailed("late", retryable=True))
    receiver.gate.set()
    await stuck
    found = await row(database, "a")
    assert found.sent_at is not None
    assert found.error is None, "a replica that was frozen has nothing to say on it any more"
    assert await outbox.deliver_due() == 0


async def test_a_hanging_receiver_holds_up_no_other(
    database: Database, outbox: Outbox, receiver: Receiver, signals: Signals
) -> None:
    running = asyncio.create_task(outbox.run())
    try:
        receiver.gate.clear()
        await put(database, outbox, "a")
        await receiver.arrived.wait()
        quick = Receiver()
        outbox.connect({"quick": quick})

        async def work(transaction: Transaction) -> None:
            await outbox.put(transaction, "q", "quick", {}, pace="q")

        await database.write(work)
        async with asyncio.timeout(10):
            await quick.arrived.wait()
    finally:
        receiver.gate.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert receiver.got == ["a"], "what was being sent at the end was sent to its end"
    assert (await row(database, "a")).sent_at is not None


async def test_what_is_broken_off_at_the_end_is_free_for_others_at_once(
    database: Database, outbox: Outbox, other: Outbox, receiver: Receiver
) -> None:
    running = asyncio.create_task(outbox.run())
    receiver.gate.clear()
    await put(database, outbox, "a")
    async with asyncio.timeout(10):
        await receiver.arrived.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    second = Receiver()
    other.connect({"test": second})
    await deliver_all(other)
    assert second.got == ["a"]


async def test_the_only_process_of_a_file_frees_what_the_last_one_held(
    database: Database, outbox: Outbox, other: Outbox, receiver: Receiver
) -> None:
    await put(database, outbox, "a")
    receiver.gate.clear()
    stuck = asyncio.create_task(outbox.deliver_due())
    await receiver.arrived.wait()
    second = Receiver()
    other.connect({"test": second})
    await other.release_all()
    await other.deliver_due()
    assert second.got == ["a"]
    receiver.gate.set()
    await stuck
