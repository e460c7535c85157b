"""Standing cards: one a matter, whoever writes it and however often; changed where it stands, with news below it."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from bot.card import Card
from bot.conversations import Conversations
from bot.database import Database, Transaction
from bot.database.tables import messages, outbox
from bot.outbox import Outbox
from bot.signals import Signals
from bot.standing import StandingCards
from tests.core.clock import HandClock

KEY, ROOM = "insight:room:A1", "slack:T1:C1"


def standing_of(database: Database, clock: HandClock) -> StandingCards:
    """The standing cards of one replica, on a channel that has threads."""
    signals = Signals()
    conversations = Conversations(database, clock, signals)
    standing = StandingCards(database, clock, conversations, Outbox(database, clock, signals, "replica"))
    standing.show_by("slack", lambda conversation: conversation)
    return standing


async def texts(database: Database, conversation: str) -> list[str]:
    query = select(messages.c.text).where(messages.c.conversation == conversation).order_by(messages.c.seq)
    async with database.read() as connection:
        return list((await connection.execute(query)).scalars())


async def test_of_replicas_that_write_at_once_one_does(
    database: Database, other_database: Database, clock: HandClock
) -> None:
    async def opens(on: Database) -> bool:
        standing = standing_of(on, clock)

        async def work(transaction: Transaction) -> bool:
            is_new = await standing.open(transaction, KEY, ROOM, "open", Card("open"), {"is_open": True})
            await standing.reply(transaction, KEY, f"{KEY}:severity", "worse")
            return is_new

        return await on.write(work)

    found = await asyncio.gather(*(opens(on) for on in (database, other_database) * 5))
    assert sorted(found) == [False] * 9 + [True]
    assert await texts(database, ROOM) == ["open"]
    async with database.read() as connection:
        waiting = list((await connection.execute(select(outbox.c.payload))).scalars())
    assert [row["kind"] for row in waiting] == ["reply"], "it waits for the card to arrive, once"


async def test_what_waited_for_the_card_is_said_in_its_thread_and_the_thread_knows_the_card(
    database: Database, clock: HandClock
) -> None:
    standing = standing_of(database, clock)

    async def begin(transaction: Transaction) -> None:
        await standing.open(transaction, KEY, ROOM, "open", Card("open"), {"is_open": True})

    await database.write(begin)
    card = await standing.get(KEY)
    assert card is not None
    await standing.begun(card, f"{ROOM}:1.1", "T1/C1/1.1", "digest")
    late = {"key": KEY, "notice": f"{KEY}:severity", "text": "worse", "card": None}
    for _ in range(2):
        await standing.pass_on(late)
    assert await texts(database, f"{ROOM}:1.1") == ["open", "worse"]

    async def close(transaction: Transaction) -> None:
        await standing.change(transaction, KEY, "closed", Card("closed"), {"is_open": False})
        await standing.reply(transaction, KEY, f"{KEY}:closed", "it is over")

    await database.write(close)
    assert await texts(database, ROOM) == ["closed"]
    assert await texts(database, f"{ROOM}:1.1") == ["open", "worse", "it is over"]
    assert await standing.keys("insight:%", is_open=True) == []
    assert await standing.keys("insight:%", is_open=False) == [KEY]
