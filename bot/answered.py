"""What a sender needs to know about a message of the bot's: what it answers, and whether a form asks something then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from bot.conversations import Message, message_of
from bot.database.tables import identities, inbox, messages, sessions
from bot.services import Services


@dataclass(frozen=True)
class Answered:
    """One message. `address` is empty for news, `form` for all but the last words of a turn that asks something."""

    message: Message
    request: str
    """The request that news are about."""
    is_news: bool
    address: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)
    activity: dict[str, Any] = field(default_factory=dict)
    """What was answered, as it was stored."""
    is_push: bool = True
    """Whether the bot speaks of its own accord."""


async def answered_by(services: Services, channel: str, seq: int) -> Answered | None:
    """Return what there is to know about a message of a conversation on a channel, None when it is no more."""
    async with services.database.read() as connection:
        row = (await connection.execute(select(messages).where(messages.c.seq == seq))).first()
        if row is None:
            return None
        message, news = message_of(row), row.notice is not None
        if not row.inbox_key:
            return Answered(message, row.request_id or "", news)
        query = select(inbox.c.body).where(inbox.c.key == row.inbox_key)
        body = (await connection.execute(query)).scalar_one_or_none()
        if body is None:
            return Answered(message, row.request_id or "", news, is_push=False)
        newest = select(func.max(messages.c.seq)).where(messages.c.inbox_key == row.inbox_key)
        theirs = (
            select(sessions.c.state)
            .join(identities, identities.c.person_id == sessions.c.person_id)
            .where(
                sessions.c.conversation == row.conversation,
                identities.c.channel == channel,
                identities.c.platform_id == body["platform_id"],
                newest.scalar_subquery() == seq,
            )
        )
        state = (await connection.execute(theirs)).scalar_one_or_none()
    form = (state or {}).get("form") or {}
    asks = form if form.get("asking") else {}
    return Answered(message, row.request_id or "", news, dict(body["address"]), asks, body, is_push=False)
