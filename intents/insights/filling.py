"""Answers that begin with what has arrived: the card is filled in, or followed by the whole, when the rest is read."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy import func, select

from bot.card import Card
from bot.database import Transaction
from bot.database.tables import messages
from bot.errors import QuartermasterError
from bot.intent import Answer, Ask
from bot.services import Services

log = structlog.get_logger(__name__)

Whole = Callable[[], Awaitable[Card]]
UNTIL_SAID = 30.0
"""Seconds that the first answer may take to be in the transcript, before what follows it is written."""
ABOVE = "Here is what I have read so far; I fill it in when the rest has arrived."
ALONE = frozenset({"account"})
"""Channels whose callers read one answer and nothing after it."""


class Filling:
    """One a process; `close` ends what still waits for the rest, which then is there when it is asked for again."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._under_way: set[asyncio.Task[None]] = set()
        services.closers.append(self.close)

    async def begin(self, ask: Ask, first: Card, whole: Whole) -> Answer:
        """Return the answer for now; `whole` reads on and returns the card with everything.

        Where a channel can change what it has written, the card below the answer changes; elsewhere one more follows.
        """
        if not ask.conversation or ask.channel in ALONE:
            return Answer(first.as_text(), first)
        seq = await self._newest(ask.conversation)
        in_place = self._services.standing.is_shown_by(ask.channel)
        task = asyncio.create_task(self._fill(ask, first, whole, seq, in_place))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return Answer(ABOVE) if in_place else Answer(first.as_text(), first)

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fill(self, ask: Ask, first: Card, whole: Whole, seq: int, in_place: bool) -> None:
        standing, conversation = self._services.standing, ask.conversation
        key = "filling:" + hashlib.sha256(f"{conversation}\n{seq}\n{ask.text}".encode()).hexdigest()[:40]
        try:
            await self._services.conversations.wait(conversation, seq, UNTIL_SAID)
            if in_place:
                await self._write(lambda t: standing.open(t, key, conversation, first.as_text(), first, {}))
            card = await whole()
            if in_place:
                await self._write(lambda t: standing.change(t, key, card.as_text(), card, {}))
            else:
                notify = self._services.conversations.notify
                await self._write(lambda t: notify(t, conversation, key, card.as_text(), card, ""))
        except QuartermasterError as error:
            log.warning("insights.rest_not_read", error=error.detail)

    async def _write(self, work: Callable[[Transaction], Awaitable[object]]) -> None:
        await self._services.database.write(work)

    async def _newest(self, conversation: str) -> int:
        query = select(func.max(messages.c.seq)).where(messages.c.conversation == conversation)
        async with self._services.database.read() as connection:
            return int((await connection.execute(query)).scalar_one_or_none() or 0)
