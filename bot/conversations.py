"""Conversations and what was said in them: the transcript that every channel and the REST callers read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import insert, select, update

from bot.activity import Activity
from bot.card import Card
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import conversations, messages
from bot.errors import Unavailable
from bot.rows import insert_new, put
from bot.signals import Signals

POLL = 1.0
"""Seconds between looks for what other replicas wrote."""


@dataclass(frozen=True)
class Message:
    """One thing said."""

    seq: int
    conversation: str
    role: Literal["person", "bot"]
    text: str
    card: Card | None
    at: datetime


@dataclass(frozen=True)
class ConversationRecord:
    """Where a conversation takes place, and who began it."""

    id: str
    channel: str
    owner: str
    person_id: str
    address: dict[str, Any]


@dataclass(frozen=True)
class Said:
    """A message of the bot's as it is written: `seq` names it, `inbox_key` is what it answers, if anything."""

    conversation: str
    seq: int
    inbox_key: str
    request_id: str


Carrier = Callable[[Transaction, Said], Awaitable[None]]
"""Hands a message to the outbox, in the transaction that writes it."""


class Conversations:
    """Keeps transcripts; `Signals` topic "conversation:<id>" is set when something was said."""

    def __init__(self, database: Database, clock: Clock, signals: Signals) -> None:
        self._database, self._clock, self._signals = database, clock, signals
        self._carriers: dict[str, Carrier] = {}

    def carry_by(self, channel: str, carrier: Carrier) -> None:
        """Name what carries the bot's messages out of the conversations whose id begins with the channel's name."""
        self._carriers[channel] = carrier

    async def remember(self, transaction: Transaction, activity: Activity) -> None:
        """Keep where the conversation is, and what the person said."""
        await keep_place(transaction, activity, self._clock)
        said = activity.text if activity.kind == "message" else ""
        if said:
            await self._insert(transaction, activity.conversation, "person", said, None, activity.key)

    async def say(
        self,
        transaction: Transaction,
        conversation: str,
        text: str,
        card: Card | None = None,
        *,
        inbox_key: str = "",
        request_id: str = "",
    ) -> None:
        """Add an answer of the bot's."""
        await self._insert(transaction, conversation, "bot", text, card, inbox_key, request_id)

    async def notify(
        self, transaction: Transaction, conversation: str, key: str, text: str, card: Card | None, request_id: str
    ) -> bool:
        """Add what the bot says of its own accord, once per `key`; tell whether it was new."""
        row = self._row(conversation, "bot", text, card, "", request_id)
        fresh = await insert_new(transaction, messages, {**row, "notice": key}, on=["notice"])
        if fresh:
            transaction.then(lambda: self._signals.set(f"conversation:{conversation}"))
            if conversation.partition(":")[0] in self._carriers:
                found = await transaction.execute(select(messages.c.seq).where(messages.c.notice == key))
                await self._carry(transaction, Said(conversation, found.scalar_one(), "", request_id))
        return fresh

    async def _carry(self, transaction: Transaction, said: Said) -> None:
        carrier = self._carriers.get(said.conversation.partition(":")[0])
        if carrier:
            await carrier(transaction, said)

    async def move(self, transaction: Transaction, conversation: str, address: dict[str, Any]) -> None:
        """Replace the address of a conversation."""
        await transaction.execute(
            update(conversations).where(conversations.c.id == conversation).values(address=address)
        )

    async def get(self, conversation: str) -> ConversationRecord | None:
        """Return the conversation of that id."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(conversations).where(conversations.c.id == conversation))).first()
        return ConversationRecord(row.id, row.channel, row.owner, row.person_id, row.address) if row else None

    async def after(
        self, conversation: str, seq: int = 0, *, limit: int = 200, role: str | None = None
    ) -> list[Message]:
        """Return what was said after `seq`, oldest first."""
        query = select(messages).where(messages.c.conversation == conversation, messages.c.seq > seq)
        if role:
            query = query.where(messages.c.role == role)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(messages.c.seq).limit(limit))).all()
        return [message_of(r) for r in rows]

    async def wait(self, conversation: str, seq: int, timeout: float) -> list[Message]:
        """Return what was said after `seq`, waiting up to `timeout` seconds for it; empty when nothing was.

        Raises Unavailable when the process stops meanwhile, so that streams end rather than hold it up.
        """
        end = time.monotonic() + timeout
        while True:
            waiter = asyncio.ensure_future(self._signals.wait(f"conversation:{conversation}", POLL))
            await asyncio.sleep(0)  # the waiter stands before we look, so nothing falls between
            found = await self.after(conversation, seq)
            if found or time.monotonic() >= end:
                waiter.cancel()
                return found
            await waiter
            if self._signals.closing:
                raise Unavailable("The service is stopping.", next_step="Connect again in a moment.")

    def _row(
        self, conversation: str, role: str, text: str, card: Card | None, inbox_key: str, request_id: str
    ) -> dict[str, Any]:
        return {
            "conversation": conversation,
            "role": role,
            "text": text,
            "card": card.as_dict() if card else None,
            "inbox_key": inbox_key or None,
            "request_id": request_id or None,
            "at": self._clock.now(),
        }

    async def _insert(
        self,
        transaction: Transaction,
        conversation: str,
        role: str,
        text: str,
        card: Card | None,
        inbox_key: str,
        request_id: str = "",
    ) -> None:
        row = self._row(conversation, role, text, card, inbox_key, request_id)
        written = await transaction.execute(insert(messages).values(**row))
        if role == "bot" and written.inserted_primary_key:
            await self._carry(transaction, Said(conversation, written.inserted_primary_key[0], inbox_key, request_id))
        transaction.then(lambda: self._signals.set(f"conversation:{conversation}"))


async def keep_place(transaction: Transaction, activity: Activity, clock: Clock) -> None:
    """Keep where a conversation takes place, so that it can be read and answered later."""
    await put(transaction, conversations, _place_of(activity, clock), on=["id"])


async def open_place(transaction: Transaction, activity: Activity, clock: Clock) -> bool:
    """Keep where a conversation takes place; tell, once however many ask at once, whether it could not be used before.

    It could not when it was unknown, or its address says "is_gone". A person who is known stays so.
    """
    row = _place_of(activity, clock)
    if await insert_new(transaction, conversations, row, on=["id"]):
        return True
    mine = conversations.c.id == activity.conversation
    before = (await transaction.execute(select(conversations).where(mine).with_for_update())).one()
    named = row if activity.person.id else {**row, "person_id": before.person_id, "address": before.address}
    address = {name: value for name, value in named["address"].items() if name != "is_gone"}
    await transaction.execute(update(conversations).where(mine).values(**{**named, "address": address}))
    return bool(before.address.get("is_gone"))


def _place_of(activity: Activity, clock: Clock) -> dict[str, Any]:
    return {
        "id": activity.conversation,
        "channel": activity.channel,
        "owner": activity.owner,
        "address": activity.address,
        "person_id": activity.person.id,
        "updated_at": clock.now(),
    }


def message_of(row: Any) -> Message:
    """Return the Message in a row of the table messages."""
    card = Card.from_dict(row.card) if row.card else None
    return Message(row.seq, row.conversation, row.role, row.text, card, row.at)
