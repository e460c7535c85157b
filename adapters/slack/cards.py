"""The copies of requests' cards: where they stand, and that each is shown anew when its request goes on."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update

from adapters.slack.arrivals import CHANNEL
from adapters.slack.request_card import Audience, card_of, story_of
from bot.card import Card
from bot.channel import Delivery
from bot.conversations import Message, Said
from bot.database import Transaction
from bot.database.tables import approvals, card_copies, messages, requests
from bot.rows import put
from bot.services import Services


@dataclass(frozen=True)
class Copy:
    """One copy. `place` is workspace/channel/ts, see `place_of`; `said` are the words that it was first shown with."""

    place: str
    request: str
    conversation: str
    audience: Audience
    said: str
    shown: str = ""


def place_of(served: str, channel: str, ts: str) -> str:
    """Return the name of a message's place; `served` is that of its `Place`."""
    return f"{served}/{channel}/{ts}"


def pace_of(team: str, channel: str) -> str:
    """Return the outbox's name for everything that is written to one channel, in order."""
    return f"{CHANNEL}:{team}:{channel}"[:255]


class Cards:
    """Keeps copies, and hands to the outbox what must be shown anew."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def carry(self, transaction: Transaction, said: Said) -> None:
        """Hand a message of the bot's to the outbox; see Conversations.carry_by."""
        _, team, where, *_ = [*said.conversation.split(":"), "", ""]
        payload = {"kind": "message", "seq": said.seq}
        await self._put(transaction, f"{CHANNEL}:message:{said.seq}", payload, pace_of(team, where))

    async def observe(self, transaction: Transaction, request_id: str) -> None:
        """Have every copy of a request's card shown anew, and those asked who must approve; see Requests.observe."""
        execute = transaction.connection.execute
        for row in (await execute(select(card_copies).where(*_of(request_id)))).all():
            await self._show_anew(transaction, row.place)
        found = (await execute(select(requests.c.state, requests.c.version).where(requests.c.id == request_id))).first()
        if found and found.state == "awaiting_approval":
            key = f"{CHANNEL}:ask:{request_id}:{found.version}"
            payload = {"kind": "ask", "request_id": request_id, "version": found.version}
            await self._put(transaction, key, payload, f"{CHANNEL}:ask:{request_id}")

    async def _show_anew(self, transaction: Transaction, place: str) -> None:
        served, channel, _ = place.split("/")
        team = served.partition("@")[0]
        key = f"{CHANNEL}:card:{place}:{secrets.token_hex(8)}"
        await self._put(transaction, key, {"kind": "card", "place": place}, pace_of(team, channel))

    async def ask_everybody(self, delivery: Delivery) -> None:
        """Write a row for each who is to be asked, or one for the approvers' channel."""
        request_id, version = str(delivery.payload["request_id"]), int(delivery.payload["version"])
        channel = self._services.settings.slack_approvals_channel
        asked = select(approvals.c.approver).where(
            approvals.c.request_id == request_id, approvals.c.version == version, approvals.c.decision.is_(None)
        )

        async def work(transaction: Transaction) -> None:
            names = [""] if channel else list((await transaction.execute(asked)).scalars())
            for name in names:
                payload = {"kind": "ask_one", "request_id": request_id, "version": version, "approver": name}
                pace = f"{CHANNEL}:approver:{name or channel}"
                await self._put(transaction, f"{CHANNEL}:ask:{request_id}:{version}:{name}", payload, pace)

        await self._services.database.write(work)

    async def _put(self, transaction: Transaction, key: str, payload: Mapping[str, Any], pace: str) -> None:
        await self._services.outbox.put(transaction, key[:255], CHANNEL, payload, pace=pace[:255])

    async def card(self, request_id: str, audience: Audience, said: str) -> Card:
        """Return a request's card as it stands."""
        record = await self._services.requests.find(request_id)
        story = await story_of(self._services, record)
        console = self._services.settings.public_url
        return card_of(self._services, record, story, audience=audience, said=said, console=console)

    async def keep(self, copy: Copy, shown: str) -> None:
        """Remember a copy that was just shown; if its request went on meanwhile, it is shown anew at once."""

        async def work(transaction: Transaction) -> None:
            row = {
                "channel": CHANNEL,
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
            mine = (card_copies.c.channel == CHANNEL, card_copies.c.place == place)
            await transaction.execute(update(card_copies).where(*mine).values(shown=shown))

        await self._services.database.write(work)

    async def drop(self, place: str) -> None:
        """Forget a copy whose message is gone."""

        async def work(transaction: Transaction) -> None:
            mine = (card_copies.c.channel == CHANNEL, card_copies.c.place == place)
            await transaction.execute(delete(card_copies).where(*mine))

        await self._services.database.write(work)

    async def copy(self, place: str) -> Copy | None:
        """Return the copy at a place."""
        query = select(card_copies).where(card_copies.c.channel == CHANNEL, card_copies.c.place == place)
        async with self._services.database.read() as connection:
            row = (await connection.execute(query)).first()
        return _copy(row) if row else None

    async def copies(self, request_id: str, conversation: str) -> list[Copy]:
        """Return where the card that follows a request stands in one conversation."""
        its = (card_copies.c.conversation == conversation, card_copies.c.audience == "requester")
        query = select(card_copies).where(*_of(request_id), *its)
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


def _of(request_id: str) -> tuple[Any, Any]:
    return card_copies.c.channel == CHANNEL, card_copies.c.request_id == request_id


def _copy(row: Any) -> Copy:
    return Copy(row.place, row.request_id, row.conversation, row.audience, row.said, row.shown)
