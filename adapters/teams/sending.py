"""What the outbox hands over becomes messages in Teams, in order per conversation."""

from __future__ import annotations

import random

import structlog
from sqlalchemy import select

from adapters.teams.arrivals import CHANNEL
from adapters.teams.connector import Connector, TeamsRefused, TryLater
from adapters.teams.rendering import render
from bot.channel import Delivery, DeliveryFailed
from bot.conversations import Message, Said, message_of
from bot.database import Transaction
from bot.database.tables import messages
from bot.errors import Unavailable
from bot.services import Services

log = structlog.get_logger(__name__)

LONGEST = 60.0
"""Seconds between tries at most, while Teams does not say when to come again."""


class TeamsSender:
    """Delivers the outbox channel "teams": {"kind": "message", "seq": …}."""

    def __init__(self, services: Services, connector: Connector) -> None:
        self._services, self._connector = services, connector

    async def carry(self, transaction: Transaction, said: Said) -> None:
        """Hand a message of the bot's to the outbox; see Conversations.carry_by."""
        payload = {"kind": "message", "seq": said.seq}
        key = f"{CHANNEL}:message:{said.seq}"
        await self._services.outbox.put(transaction, key, CHANNEL, payload, pace=said.conversation[:255])

    async def __call__(self, delivery: Delivery) -> None:
        """Deliver one row; raises DeliveryFailed."""
        if delivery.payload.get("kind") != "message":
            raise DeliveryFailed(f"Teams knows no message of kind {delivery.payload.get('kind')!r}.", retryable=False)
        message = await self._message(int(delivery.payload["seq"]))
        record = await self._services.conversations.get(message.conversation) if message else None
        if message is None or record is None:
            return
        address = record.address
        if address.get("is_gone"):
            log.warning("teams.uninstalled_there", conversation=message.conversation)
            return
        activity = render(message.text, message.card, console=self._services.settings.public_url)
        try:
            await self._connector.send(str(address["service_url"]), str(address["conversation"]), activity)
        except TryLater as error:
            pause = error.retry_after if error.retry_after is not None else min(LONGEST, 2.0**delivery.attempt)
            # Never earlier than it was asked for, and not everybody at once.
            later = pause * random.uniform(1.0, 1.5)
            raise DeliveryFailed(error.detail, retryable=True, retry_after=later) from error
        except Unavailable as error:
            raise DeliveryFailed(error.detail, retryable=True) from error
        except TeamsRefused as error:
            if error.is_gone:
                await self._mark_gone(message.conversation)
            raise DeliveryFailed(error.detail, retryable=False) from error

    async def _message(self, seq: int) -> Message | None:
        async with self._services.database.read() as connection:
            row = (await connection.execute(select(messages).where(messages.c.seq == seq))).first()
        return message_of(row) if row else None

    async def _mark_gone(self, conversation: str) -> None:
        """Remember that nothing can be said there until somebody writes there again."""
        record = await self._services.conversations.get(conversation)
        if record is None:
            return
        address = {**record.address, "is_gone": True}

        async def work(transaction: Transaction) -> None:
            await self._services.conversations.move(transaction, conversation, address)

        await self._services.database.write(work)
