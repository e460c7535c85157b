"""When the bot has done all that a chat platform told it, and has said all that follows."""

from __future__ import annotations

import time

from sqlalchemy import select

from bot.database.tables import inbox, outbox
from bot.services import Services


async def settles(services: Services | None, channel: str, within: float) -> None:
    """Wait until everything that came in is handled, and what follows from it has been sent on that channel."""
    assert services is not None, "the bot is not built yet"
    end = time.monotonic() + within
    while waiting := await _waiting(services, channel):
        assert time.monotonic() < end, f"not handled or not sent: {waiting}"
        await services.signals.wait("outbox", 0.02)


async def _waiting(services: Services, channel: str) -> list[str]:
    undone = select(inbox.c.key).where(inbox.c.done_at.is_(None)).limit(3)
    unsent = select(outbox.c.key).where(
        outbox.c.channel == channel, outbox.c.sent_at.is_(None), outbox.c.given_up_at.is_(None)
    )
    async with services.database.read() as connection:
        found = list((await connection.execute(undone)).scalars())
        return found or list((await connection.execute(unsent.limit(3))).scalars())
