"""The inbox: kept before it is acknowledged, once, in order, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.activity import Activity, Person
from bot.conversations import Conversations
from bot.database import Database, Transaction
from bot.database.tables import inbox as rows
from bot.dialogue.dialogue import Decided
from bot.dialogue.session import SessionMoved
from bot.inbox import LEASE, Inbox
from bot.intent import Answer
from bot.signals import Signals
from tests.core.clock import HandClock

MOMENT = timedelta(milliseconds=1)


@dataclass
class Echo:
    """A dialogue that repeats what it hears; texts wait while they are in `held`."""

    conversations: Conversations
    begun: list[str] = field(default_factory=list)
    committed: list[str] = field(default_factory=list)
    failures: dict[str, list[Exception]] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, activity: Activity) -> Decided:
        text = activity.text or activity.verb
        self.begun.append(text)
        async with self.news:
            self.news.notify_all()
        if text in self.held:
            await self.held[text].wait()
        if self.failures.get(text):
            raise self.failures[text].pop(0)

        async def commit(transaction: Transaction) -> None:
            await self.conversations.remember(transaction, activity)
            await self.conversations.say(
                transaction, activity.conversation, f"echo {text}", None, inbox_key=activity.key
            )
            self.committed.append(text)

        return Decided([Answer(text)], commit)

    async def has_begun(self, *texts: str) -> None:
        """Wait until these were begun."""
        async with asyncio.timeout(10), self.news:
            await self.news.wait_for(lambda: all(text in self.begun for text in texts))


@dataclass
class Replica:
    """One process's inbox and its dialogue."""

    inbox: Inbox
    echo: Echo


Starts = Callable[[Database, str], Replica]


@pytest.fixture
async def starts(clock: HandClock) -> AsyncIterator[Starts]:
    """Starts a replica's inbox on a database; all are ended with the test."""
    started: list[Replica] = []

    def start(database: Database, name: str) -> Replica:
        signals = Signals()
        echo = Echo(Conversations(database, clock, signals))
        inbox = Inbox(database, clock, signals, name)
        inbox.connect(echo.handle)
        started.append(Replica(inbox, echo))
        return started[-1]

    yield start
    for replica in started:
        for gate in replica.echo.held.values():
            gate.set()
        await replica.inbox.idle()


@pytest.fixture
def one(starts: Starts, database: Database) -> Replica:
    return starts(database, "one")


@pytest.fixture
def two(starts: Starts, other_database: Database) -> Replica:
    return starts(other_database, "two")


@pytest.fixture
def said(ana: Person) -> Callable[..., Activity]:
    """Makes messages of Ana's; the text is also the key."""

    def make(text: str, conversation: str = "c", **more: Any) -> Activity:
        return Activity(f"key {text}", "test", conversation, ana, text=text, **more)

    return make


Said = Callable[..., Activity]


async def row(database: Database, key: str) -> Any:
    async with database.read() as connection:
        return (await connection.execute(select(rows).where(rows.c.key == key))).one()


async def test_a_message_is_kept_before_it_is_acknowledged_and_answered_after(
    one: Replica, database: Database, said: Said
) -> None:
    one.echo.held["hello"] = asyncio.Event()
    assert await one.inbox.receive(said("hello"))
    assert (await row(database, "key hello")).done_at is None
    assert await one.inbox.reply("key hello", 0) is None
    one.echo.held["hello"].set()
    reply = await one.inbox.reply("key hello")
    assert reply is not None
    assert [message.text for message in reply.messages] == ["echo hello"]
    assert (await row(database, "key hello")).done_at is not None


async def test_a_duplicate_is_absorbed_before_and_after_it_was_handled(one: Replica, said: Said) -> None:
    assert await one.inbox.receive(said("hello"))
    assert not await one.inbox.receive(said("hello"))
    await one.inbox.idle()
    assert not await one.inbox.receive(said("hello"))
    await one.inbox.idle()
    assert one.echo.begun == ["hello"]
    assert await one.inbox.reply("key hello", 0) is not None, "the duplicate's sender hears the answer, too"


async def test_of_many_duplicates_at_once_at_two_replicas_one_counts(one: Replica, two: Replica, said: Said) -> None:
    news = await asyncio.gather(*(replica.inbox.receive(said("hello")) for replica in [one, two] * 20))
    assert sum(news) == 1
    reply = await two.inbox.reply("key hello", 10)
    assert reply is not None
    assert len(reply.messages) == 1
    assert len(one.echo.begun + two.echo.begun) == 1


async def test_what_is_said_in_a_conversation_is_handled_in_order(one: Replica, said: Said) -> None:
    texts = [f"{n:02}" for n in range(40)]
    for text in texts:
        await one.inbox.receive(said(text))
    await one.inbox.idle(10)
    assert one.echo.committed == texts


async def test_conversations_do_not_wait_for_each_other(one: Replica, said: Said) -> None:
    one.echo.held["slow"] = asyncio.Event()
    await one.inbox.receive(said("slow", "c1"))
    await one.inbox.receive(said("behind", "c1"))
    await one.inbox.receive(said("quick", "c2"))
    assert await one.inbox.reply("key quick", 10) is not None
    assert one.echo.committed == ["quick"]


async def test_presses_overtake_what_waits_in_their_conversation(one: Replica, said: Said) -> None:
    one.echo.held["slow"] = asyncio.Event()
    await one.inbox.receive(said("slow"))
    await one.echo.has_begun("slow")
    await one.inbox.receive(said("", kind="press", verb="cancel_request", value="QM-1"))
    await one.echo.has_begun("cancel_request")
    assert one.echo.begun == ["slow", "cancel_request"]


async def test_presses_and_stop_words_need_no_free_slot(
    one: Replica, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one.inbox, "_slots", asyncio.Semaphore(2))
    for n in range(4):
        one.echo.held[f"slow {n}"] = asyncio.Event()
        await one.inbox.receive(said(f"slow {n}", f"c{n}"))
    async with asyncio.timeout(10), one.echo.news:
        await one.echo.news.wait_for(lambda: len(one.echo.begun) == 2)
    await one.inbox.receive(said("", "other", kind="press", verb="confirm", value="d"))
    await one.inbox.receive(said("Stop!", "another"))
    await one.echo.has_begun("confirm", "Stop!")
    assert len([text for text in one.echo.begun if text.startswith("slow")]) == 2, "both slots are taken all the time"


async def test_a_turn_that_fails_once_is_played_again(one: Replica, said: Said) -> None:
    one.echo.failures["hello"] = [RuntimeError("hiccup")]
    await one.inbox.receive(said("hello"))
    reply = await one.inbox.reply("key hello", 10)
    assert reply is not None
    assert [message.text for message in reply.messages] == ["echo hello"]
    assert one.echo.begun == ["hello", "hello"]


async def test_a_turn_that_keeps_failing_ends_in_an_apology_and_the_next_is_handled(
    one: Replica, database: Database, said: Said
) -> None:
    one.echo.failures["poison"] = [RuntimeError("bug <script>")] * 10
    await one.inbox.receive(said("poison"))
    await one.inbox.receive(said("hello"))
    reply = await one.inbox.reply("key poison", 10)
    assert reply is not None
    assert "Something went wrong on my side" in reply.messages[0].text
    assert "bug" not in reply.messages[0].text
    assert (await row(database, "key poison")).error == "RuntimeError: bug <script>"
    assert await one.inbox.reply("key hello", 10) is not None


async def test_a_turn_whose_session_moved_is_played_again(one: Replica, said: Said) -> None:
    one.echo.failures["hello"] = [SessionMoved("moved"), SessionMoved("moved")]
    await one.inbox.receive(said("hello"))
    reply = await one.inbox.reply("key hello", 10)
    assert reply is not None
    assert [message.text for message in reply.messages] == ["echo hello"]


async def test_nothing_is_taken_over_while_its_lease_lasts(
    one: Replica, two: Replica, said: Said, clock: HandClock
) -> None:
    one.echo.held["hello"] = asyncio.Event()
    await one.inbox.receive(said("hello"))
    clock.at += LEASE
    assert await two.inbox.take_over() == 0


async def test_a_turn_of_a_dead_replica_is_handled_by_another_and_counts_once(
    one: Replica, two: Replica, said: Said, clock: HandClock
) -> None:
    one.echo.held["hello"] = asyncio.Event()
    await one.inbox.receive(said("hello"))
    await one.echo.has_begun("hello")
    clock.at += LEASE + MOMENT
    assert await two.inbox.take_over() == 1
    reply = await two.inbox.reply("key hello", 10)
    assert reply is not None
    one.echo.held["hello"].set()  # the dead one was only frozen, and comes back
    await one.inbox.idle()
    again = await one.inbox.reply("key hello", 0)
    assert again is not None
    assert [message.text for message in again.messages] == ["echo hello"]


async def test_a_replica_does_not_take_over_what_it_works_on_itself(one: Replica, said: Said, clock: HandClock) -> None:
    one.echo.held["hello"] = asyncio.Event()
    await one.inbox.receive(said("hello"))
    clock.at += LEASE + MOMENT
    assert await one.inbox.take_over() == 0


async def test_a_restart_takes_up_everything_that_is_undone_in_order(one: Replica, two: Replica, said: Said) -> None:
    one.echo.held["0"] = asyncio.Event()
    for n in range(5):
        await one.inbox.receive(said(str(n)))
    assert await two.inbox.take_over(everything=True) == 5
    await two.inbox.idle(10)
    assert two.echo.committed == ["0", "1", "2", "3", "4"]


async def test_a_stop_leaves_what_takes_long_to_others_at_once(one: Replica, two: Replica, said: Said) -> None:
    one.echo.held["slow"] = asyncio.Event()
    await one.inbox.receive(said("slow"))
    await one.inbox.receive(said("behind"))
    await one.echo.has_begun("slow")
    await one.inbox.idle(0.1)
    assert await two.inbox.take_over() == 2
    await two.inbox.idle(10)
    assert two.echo.committed == ["slow", "behind"]
    assert one.echo.committed == []


async def test_an_apology_that_can_not_be_written_leaves_the_turn_undone(
    one: Replica, two: Replica, database: Database, said: Said, clock: HandClock
) -> None:
    one.echo.failures["hello"] = [RuntimeError("bug")] * 3
    one.echo.held["hello"] = asyncio.Event()
    await one.inbox.receive(said("hello"))
    await one.echo.has_begun("hello")
    await database.close()
    one.echo.held["hello"].set()
    await one.inbox.idle(10)
    clock.at += LEASE + MOMENT
    assert await two.inbox.take_over() == 1
    assert await two.inbox.reply("key hello", 10) is not None


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_order_holds_when_replicas_share_a_conversation(
    one: Replica, two: Replica, said: Said, clock: HandClock, database: Database
) -> None:
    one.echo.held["first"] = asyncio.Event()
    await one.inbox.receive(said("first"))
    await two.inbox.receive(said("second"))
    await two.inbox.receive(said("", kind="press", verb="confirm", value="d"))
    await two.echo.has_begun("confirm")
    assert two.echo.begun == ["confirm"], "the message waits for the other replica, the press does not"
    one.echo.held["first"].set()
    assert await two.inbox.reply("key second", 10) is not None
    assert one.echo.committed == ["first"]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_is_taken_over_from_a_dead_replica_goes_before_what_waited_for_it(
    one: Replica, two: Replica, said: Said, clock: HandClock, database: Database
) -> None:
    one.echo.held["first"] = asyncio.Event()
    await one.inbox.receive(said("first"))
    await two.inbox.receive(said("second"))
    lapsed = update(rows).where(rows.c.key == "key first").values(leased_until=clock.at - MOMENT)
    await database.write(lambda transaction: _execute(transaction, lapsed))
    assert await two.inbox.take_over() == 1
    assert await two.inbox.reply("key second", 10) is not None
    assert two.echo.committed == ["first", "second"]


async def _execute(transaction: Transaction, statement: Any) -> None:
    await transaction.execute(statement)
