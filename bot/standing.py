"""Standing cards: one message a matter, shown anew as it goes on, with a thread below it for what is news.

A channel that can change what it has written, or has threads, takes part by `show_by`; on the others the message in
the transcript changes, and what is news follows it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from bot.card import Card
from bot.clock import Clock
from bot.conversations import Conversations, Message, message_of
from bot.database import Database, Transaction
from bot.database.tables import conversations, messages, standing_cards
from bot.outbox import Outbox
from bot.rows import insert_new

Pace = Callable[[str], str]
SHOW, REPLY = "standing", "reply"
"""Kinds of outbox rows: {"kind": "standing", "key"} and {"kind": "reply", "key", "notice", "text", "card"}."""


@dataclass(frozen=True)
class Standing:
    """One card: the message that it is, where it stands, and a digest of what it shows there."""

    key: str
    room: str
    thread: str
    place: str
    shown: str
    message: Message


class StandingCards:
    """Keeps them; every method that writes does so in the caller's transaction, once however often it is called."""

    def __init__(self, database: Database, clock: Clock, conversations: Conversations, outbox: Outbox) -> None:
        self._database, self._clock = database, clock
        self._conversations, self._outbox = conversations, outbox
        self._paces: dict[str, Pace] = {}

    def show_by(self, channel: str, pace: Pace) -> None:
        """Name a channel whose sender takes the kinds SHOW and REPLY; `pace` is that of a conversation's messages."""
        self._paces[channel] = pace

    def is_shown_by(self, channel: str) -> bool:
        """Tell whether a channel changes the card where it stands, and not in the transcript alone."""
        return channel in self._paces

    async def open(
        self, transaction: Transaction, key: str, room: str, text: str, card: Card, state: Mapping[str, Any]
    ) -> bool:
        """Write a card into a room; tell whether it was not there yet."""
        row = {"key": key, "room": room, "state": dict(state), "created_at": self._clock.now()}
        if not await insert_new(transaction, standing_cards, row, on=["key"]):
            return False
        await self._conversations.notify(transaction, room, key, text, card, "")
        return True

    async def state_of(self, transaction: Transaction, key: str) -> dict[str, Any] | None:
        """Return what was kept with a card, for this transaction alone to change; None when there is no such card."""
        query = select(standing_cards.c.state).where(standing_cards.c.key == key).with_for_update()
        found = (await transaction.execute(query)).scalar_one_or_none()
        return dict(found) if found is not None else None

    async def change(self, transaction: Transaction, key: str, text: str, card: Card, state: Mapping[str, Any]) -> None:
        """Show a card anew."""
        mine = standing_cards.c.key == key
        await transaction.execute(update(standing_cards).where(mine).values(state=dict(state)))
        changed = update(messages).where(messages.c.notice == key).values(text=text, card=card.as_dict())
        await transaction.execute(changed)
        room = str((await transaction.execute(select(standing_cards.c.room).where(mine))).scalar_one())
        if pace := self._paces.get(_channel_of(room)):
            payload = {"kind": SHOW, "key": key}
            name = f"{SHOW}:{key}"[:220] + f":{secrets.token_hex(8)}"
            await self._outbox.put(transaction, name, _channel_of(room), payload, pace=pace(room))

    async def reply(self, transaction: Transaction, key: str, notice: str, text: str, card: Card | None = None) -> None:
        """Say something below a card, once per `notice`."""
        query = select(standing_cards.c.room, standing_cards.c.thread).where(standing_cards.c.key == key)
        row = (await transaction.execute(query)).one()
        pace = self._paces.get(_channel_of(row.room))
        if pace is None or row.thread:
            await self._conversations.notify(transaction, row.thread or row.room, notice, text, card, "")
            return
        # The card is on its way, and its thread is known when it has arrived.
        payload = {
            "kind": REPLY,
            "key": key,
            "notice": notice,
            "text": text,
            "card": card.as_dict() if card else None,
        }
        await self._outbox.put(transaction, notice[:255], _channel_of(row.room), payload, pace=pace(row.room))

    async def pass_on(self, payload: Mapping[str, Any]) -> None:
        """Write what waited for its card to arrive; where that never did, it is said in the room."""
        card = Card.from_dict(payload["card"]) if payload["card"] else None

        async def work(transaction: Transaction) -> None:
            query = select(standing_cards.c.room, standing_cards.c.thread).where(standing_cards.c.key == payload["key"])
            row = (await transaction.execute(query)).one()
            where = row.thread or row.room
            await self._conversations.notify(transaction, where, payload["notice"], payload["text"], card, "")

        await self._database.write(work)

    async def keys(self, pattern: str, **state: bool) -> list[str]:
        """Return the keys of the cards that a pattern of LIKE fits and whose state says so, oldest first."""
        said = (standing_cards.c.state[name].as_boolean() == value for name, value in state.items())
        query = select(standing_cards.c.key).where(standing_cards.c.key.like(pattern), *said)
        async with self._database.read() as connection:
            return list((await connection.execute(query.order_by(standing_cards.c.created_at))).scalars())

    async def of_message(self, seq: int) -> Standing | None:
        """Return the standing card that a message is, None for any other message."""
        return await self._find(messages.c.seq == seq)

    async def has_begun(self, conversation: str) -> bool:
        """Tell whether a conversation is the thread below a standing card: one that the bot began."""
        copied = (messages.c.conversation == conversation, messages.c.notice.like("%:thread"))
        async with self._database.read() as connection:
            return (await connection.execute(select(messages.c.seq).where(*copied).limit(1))).first() is not None

    async def get(self, key: str) -> Standing | None:
        """Return a card."""
        return await self._find(standing_cards.c.key == key)

    async def _find(self, which: Any) -> Standing | None:
        joined = messages.c.notice == standing_cards.c.key
        query = select(messages, standing_cards).join(standing_cards, joined).where(which)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return Standing(row.key, row.room, row.thread, row.place, row.shown, message_of(row))

    async def begun(self, standing: Standing, thread: str, place: str, shown: str) -> None:
        """Remember where a card stands now; what it shows is in the transcript of its thread as well."""

        async def work(transaction: Transaction) -> None:
            mine = standing_cards.c.key == standing.key
            values = {"thread": thread, "place": place, "shown": shown}
            await transaction.execute(update(standing_cards).where(mine).values(**values))
            if thread != standing.room:
                said = standing.message
                row = {
                    "conversation": thread,
                    "role": "bot",
                    "text": said.text,
                    "card": said.card.as_dict() if said.card else None,
                    "notice": f"{standing.key}:thread"[:255],
                    "at": said.at,
                }
                await insert_new(transaction, messages, row, on=["notice"])
                # Known from now on, so that what is replied there is meant for us.
                known = {"id": thread, "channel": _channel_of(thread), "address": {}, "updated_at": self._clock.now()}
                await insert_new(transaction, conversations, known, on=["id"])

        await self._database.write(work)

    async def mark(self, key: str, shown: str) -> None:
        """Remember what a card shows where it stands; empty for one that was taken away."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(update(standing_cards).where(standing_cards.c.key == key).values(shown=shown))

        await self._database.write(work)


def _channel_of(room: str) -> str:
    return room.partition(":")[0]
