"""The copies of requests' cards: where they stand, and that each is shown anew when its request goes on."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update

from bot.card import Card
from bot.channel import Delivery
from bot.conversations import Message, Said
from bot.database import Transaction
from bot.database.tables import approvals, card_copies, messages, requests
from bot.request_card import Audience, card_of, story_of
from bot.rows import put
from bot.services import Services

Pace = Callable[[str], str]
"""Names what the outbox keeps in order, from a conversation's id or a copy's place."""


@dataclass(frozen=True)
class Copy:
    """One copy. `place` is the channel's own name of a message; `said` are the words that it was first shown with."""

    place: str
    request: str
    conversation: str
    audience: Audience
    said: str
    shown: str = ""


class CardCopies:
    """Keeps one channel's copies, and hands to the outbox what must be shown anew.

    The channel's sender gets payloads of four kinds: {"kind": "message", "seq"}, {"kind": "card", "place"},
    {"kind": "ask", "request_id", "version"}, on which it calls `ask_everybody`, and {"kind": "ask_one", "request_id",
    "version", "approver"}, whose approver is empty for `approvals_channel`.
    """

    def __init__(
        self, services: Services, channel: str, *, of_conversation: Pace, of_place: Pace, approvals_channel: str = ""
    ) -> None:
        self._services, self._channel = services, channel
        self._of_conversation, self._of_place = of_conversation, of_place
        self._approvals_channel = approvals_channel

    async def carry(self, transaction: Transaction, said: Said) -> None:
        """Hand a message of the bot's to the outbox; see Conversations.carry_by."""
        payload = {"kind": "message", "seq": said.seq}
        key = f"{self._channel}:message:{said.seq}"
        await self._put(transaction, key, payload, self._of_conversation(said.conversation))

    async def observe(self, transaction: Transaction, request_id: str) -> None:
        """Have every copy of a request's card shown anew, and those asked who must approve; see Requests.observe."""
        execute = transaction.connection.execute
        for row in (await execute(select(card_copies).where(*self._of(request_id)))).all():
            await self._show_anew(transaction, row.place)
        found = (await execute(select(requests.c.state, requests.c.version).where(requests.c.id == request_id))).first()
        if found and found.state == "awaiting_approval":
            key = f"{self._channel}:ask:{request_id}:{found.version}"
            payload = {"kind": "ask", "request_id": request_id, "version": found.version}
            await self._put(transaction, key, payload, f"{self._channel}:ask:{request_id}")

    async def _show_anew(self, transaction: Transaction, place: str) -> None:
        key = f"{self._channel}:card:{hashlib.sha256(place.encode()).hexdigest()[:40]}:{secrets.token_hex(8)}"
        await self._put(transaction, key, {"kind": "card", "place": place}, self._of_place(place))

    async def ask_everybody(self, delivery: Delivery) -> None:
        """Write a row for each who is to be asked, or one for the approvers' channel."""
        request_id, version = str(delivery.payload["request_id"]), int(delivery.payload["version"])
        channel = self._approvals_channel
        asked = select(approvals.c.approver).where(
            approvals.c.request_id == request_id, approvals.c.version == version, approvals.c.decision.is_(None)
        )

        async def work(transaction: Transaction) -> None:
            names = [""] if channel else list((await transaction.execute(asked)).scalars())
            for name in names:
                payload = {"kind": "ask_one", "request_id": request_id, "version": version, "approver": name}
                pace = f"{self._channel}:approver:{name or channel}"
                await self._put(transaction, f"{self._channel}:ask:{request_id}:{version}:{name}", payload, pace)

        await self._services.database.write(work)

    async def _put(self, transaction: Transaction, key: str, payload: Mapping[str, Any], pace: str) -> None:
        await self._services.outbox.put(transaction, key[:255], self._channel, payload, pace=pace[:255])

    async def card(self, request_id: str, audience: Audience, said: str) -> Card:
        """Return a request's card as it stands."""
        record = await self._services.requests.find(request_id)
        story = await story_of(self._services, record)
        return card_of(self._services, record, story, channel=self._channel, audience=audience, said=said)

    async def keep(self, copy: Copy, shown: str) -> None:
        """Remember a copy that was just shown; if its request went on meanwhile, it is shown anew at once."""

        async def work(transaction: Transaction) -> None:
            row = {
                "channel": self._channel,
                "place": copy.place,
                "request_id": copy.request,
                "conversation": copy.conversation,
                "audience": copy.audience,
                "said": copy.said,
                "shown": shown,
            }
            await put(transaction, card_copies, row, on=["channel", "place"])
            await self._show_anew(transaction, copy.place)

        await self._services.database.write(work)

    async def mark(self, place: str, shown: str) -> None:
        """Remember what a copy shows now."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(update(card_copies).where(*self._at(place)).values(shown=shown))

        await self._services.database.write(work)

    async def drop(self, place: str) -> None:
        """Forget a copy whose message is gone."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(delete(card_copies).where(*self._at(place)))

        await self._services.database.write(work)

    async def copy(self, place: str) -> Copy | None:
        """Return the copy at a place."""
        query = select(card_copies).where(*self._at(place))
        async with self._services.database.read() as connection:
            row = (await connection.execute(query)).first()
        return _copy(row) if row else None

    async def copies(self, request_id: str, conversation: str) -> list[Copy]:
        """Return where the card that follows a request stands in one conversation."""
        its = (card_copies.c.conversation == conversation, card_copies.c.audience == "requester")
        query = select(card_copies).where(*self._of(request_id), *its)
        async with self._services.database.read() as connection:
            return [_copy(row) for row in (await connection.execute(query.order_by(card_copies.c.place))).all()]

    async def is_first(self, request_id: str, message: Message) -> bool:
        """Tell whether a message shows a request where it was placed, and before any other did."""
        query = select(requests.c.conversation).where(requests.c.id == request_id)
        async with self._services.database.read() as connection:
            at_home = (await connection.execute(query)).scalar_one_or_none() == message.conversation
        return at_home and not await self.copies(request_id, message.conversation)

    async def newest_news(self, request_id: str) -> int:
        """Return the number of the last thing that was told about a request."""
        query = select(func.max(messages.c.seq)).where(
            messages.c.request_id == request_id, messages.c.notice.is_not(None)
        )
        async with self._services.database.read() as connection:
            return int((await connection.execute(query)).scalar_one() or 0)

    def _of(self, request_id: str) -> tuple[Any, Any]:
        return card_copies.c.channel == self._channel, card_copies.c.request_id == request_id

    def _at(self, place: str) -> tuple[Any, Any]:
        return card_copies.c.channel == self._channel, card_copies.c.place == place


def _copy(row: Any) -> Copy:
    return Copy(row.place, row.request_id, row.conversation, row.audience, row.said, row.shown)
